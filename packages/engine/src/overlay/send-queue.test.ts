import assert from 'node:assert/strict'
import { test } from 'node:test'
import { asCapsuleName, concatBytes } from '@longshore/capsule'
import { SpareMemory } from '../runtime/spare-memory.ts'
import { WRITE_HIGH_WATER_BYTES } from '../transport/transport.ts'
import { dataHead, FLAG_BULK, PING, pingFrame, retireFrame } from './frame.ts'
import { SendQueue } from './send-queue.ts'

const name = asCapsuleName(new Uint8Array(32).fill(1))
const LIMITS = { queueBytesMax: 600_000, controlBytesMax: 1000 }

function frame(payloadBytes: number, isBulk: boolean): Uint8Array {
  const head = dataHead(name, name, isBulk ? FLAG_BULK : 0, 1, payloadBytes)
  return concatBytes(head, new Uint8Array(payloadBytes))
}

function bytesOf(chunks: readonly Uint8Array[]): number {
  return chunks.reduce((sum, { length }) => sum + length, 0)
}

test('FR9: frames that lie side by side leave in one piece, without a copy', () => {
  const queue = new SendQueue(LIMITS, () => {})
  const piece = concatBytes(frame(100, false), frame(50, true), frame(10, false))
  queue.sendWithin(piece, 0, 171)
  queue.sendWithin(piece, 171, 292)
  queue.sendWithin(piece, 292, 373)
  const chunks = queue.take()
  assert.equal(chunks.length, 1)
  assert.equal(chunks[0]?.buffer, piece.buffer)
  assert.deepEqual(chunks[0], piece)
})

test('FR9: what waits goes when the transport is empty, urgent before bulk', () => {
  const queue = new SendQueue(LIMITS, () => {})
  queue.send(frame(WRITE_HIGH_WATER_BYTES, true))
  assert.equal(queue.take().length, 1)
  const [bulk, urgent] = [frame(200_000, true), frame(10, false)]
  queue.send(bulk)
  queue.send(retireFrame(1))
  queue.send(urgent)
  assert.deepEqual(queue.take(), [], 'the transport has enough')
  queue.drained()
  assert.deepEqual(
    queue.take().map((chunk) => chunk.length),
    [urgent.length, bulk.length, 9],
    'a retirement stays behind all that was sent before it',
  )
})

test('FR9: no more than the high water and one frame lie in the transport', () => {
  const queue = new SendQueue({ ...LIMITS, queueBytesMax: 10_000_000 }, () => {})
  for (let i = 0; i < 100; i++) queue.send(frame(30_000, true))
  let rounds = 0
  for (let left = 100; left > 0; rounds++) {
    const chunks = queue.take()
    assert.ok(bytesOf(chunks) < WRITE_HIGH_WATER_BYTES + 30_071)
    left -= chunks.length
    queue.drained()
    assert.ok(rounds < 100)
  }
  assert.equal(queue.waitingBytes, 0)
})

test('FR10: a full queue drops bulk first, then the newest, and counts it', () => {
  const dropped: Uint8Array[] = []
  const queue = new SendQueue(LIMITS, (lost) => dropped.push(lost))
  queue.send(frame(WRITE_HIGH_WATER_BYTES, true))
  queue.take()
  const bulk = [1, 2, 3, 4, 5].map(() => frame(100_000, true))
  for (const one of bulk) queue.send(one)
  assert.equal(dropped.length, 0)
  queue.send(frame(100_000, true))
  assert.equal(dropped.length, 1, 'bulk does not push anything out')
  const urgent = frame(100_000, false)
  for (let i = 0; i < 5; i++) queue.send(urgent)
  assert.deepEqual(dropped.slice(1), [...bulk].reverse())
  queue.send(urgent)
  assert.equal(dropped.length, 7, 'nothing but urgent frames waits: the newest goes')
  assert.equal(queue.droppedCount, 7)
  assert.ok(queue.waitingBytes <= LIMITS.queueBytesMax)
})

test('FR10: a small frame that waits does not keep a large piece in memory', () => {
  const queue = new SendQueue(LIMITS, () => {})
  queue.send(frame(WRITE_HIGH_WATER_BYTES, true))
  queue.take()
  const piece = concatBytes(frame(10, false), new Uint8Array(60_000))
  queue.sendWithin(piece, 0, 81)
  queue.drained()
  const [chunk] = queue.take()
  assert.deepEqual(chunk, piece.slice(0, 81))
  assert.equal(chunk?.buffer.byteLength, 81)
})

test('FR11: control frames are never dropped; too many of them overrun the queue', () => {
  const queue = new SendQueue(LIMITS, () => assert.fail('nothing is dropped'))
  queue.send(frame(WRITE_HIGH_WATER_BYTES, true))
  queue.take()
  for (let i = 0; i < 111; i++) queue.send(pingFrame(PING, i))
  assert.equal(queue.isOverrun, false)
  queue.send(pingFrame(PING, 0))
  assert.equal(queue.isOverrun, true)
})

test('FR9: memory of what has left is used again, not before', () => {
  const spares = new SpareMemory()
  const queue = new SendQueue(LIMITS, () => {}, spares)
  const packet = spares.take(100_000)
  queue.send(new Uint8Array(11), packet)
  queue.take()
  assert.equal(spares.keptBytes, 0)
  queue.drained()
  assert.equal(spares.keptBytes, packet.buffer.byteLength)
  queue.drained()
  assert.equal(spares.keptBytes, packet.buffer.byteLength)
})
