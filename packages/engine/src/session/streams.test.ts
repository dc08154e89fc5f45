/** The parts of a session by themselves, at their edges. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SpareMemory } from '../runtime/spare-memory.ts'
import { SteadyClock } from '../runtime/steady-clock.ts'
import { Prng } from '../testing/prng.ts'
import { Congestion } from './congestion.ts'
import type { StreamReceived } from './content.ts'
import {
  AHEAD_CHUNKS_MAX,
  CHUNK_BYTES_MAX,
  REPLAY_WINDOW_PACKETS,
  SESSION_LIMITS,
} from './limits.ts'
import { ReceiveStream } from './receive-stream.ts'
import { ReplayWindow } from './replay-window.ts'
import { RoundTrip } from './round-trip.ts'
import { SendStream } from './send-stream.ts'

const INVALID = { code: 'SESSION_INVALID' }

function received(next: number, credit = 0, bits = 0): StreamReceived {
  return { next, credit, bitsLow: bits, bitsHigh: 0 }
}

test('SN12: the window accepts what a set of all counters would', () => {
  const prng = new Prng(1)
  const window = new ReplayWindow()
  const seen = new Set<number>()
  let newest = -1
  let refused = 0
  for (let i = 0; i < 60_000; i++) {
    const counter = Math.max(0, newest + prng.between(-REPLAY_WINDOW_PACKETS - 40, 60))
    const isNew = !seen.has(counter) && counter > newest - REPLAY_WINDOW_PACKETS
    assert.equal(window.isNew(counter), isNew, `counter ${counter} after ${newest}`)
    if (!isNew) {
      refused++
      continue
    }
    window.mark(counter)
    seen.add(counter)
    newest = Math.max(newest, counter)
    if (prng.chance(0.001)) newest = jump(window, seen, newest + prng.below(40_000))
  }
  assert.ok(refused > 1000)
})

function jump(window: ReplayWindow, seen: Set<number>, to: number): number {
  if (!window.isNew(to)) return to
  window.mark(to)
  seen.add(to)
  return to
}

test('SN18: a receiver refuses a byte more than its credit, and holds no more', () => {
  const stream = new ReceiveStream(1000, 800)
  const messages: Uint8Array[] = []
  stream.take(0, new Uint8Array(600), true, messages)
  stream.take(1, new Uint8Array(400), true, messages)
  assert.throws(() => stream.take(2, new Uint8Array(1), true, messages), INVALID)
  const other = new ReceiveStream(1000, 800)
  other.take(5, new Uint8Array(999), true, [])
  assert.throws(() => other.take(7, new Uint8Array(2), true, []), INVALID)
})

test('SN17: a message that grows beyond the largest one is refused', () => {
  const stream = new ReceiveStream(10 * CHUNK_BYTES_MAX, 2 * CHUNK_BYTES_MAX)
  const chunk = new Uint8Array(CHUNK_BYTES_MAX)
  stream.take(0, chunk, false, [])
  stream.take(1, chunk, false, [])
  assert.throws(() => stream.take(2, Uint8Array.of(1), true, []), INVALID)
})

test('SN19: chunks far ahead are not kept, chunks near ahead are reported', () => {
  const stream = new ReceiveStream(100_000, 1000)
  const one = Uint8Array.of(1)
  const messages: Uint8Array[] = []
  assert.equal(stream.take(AHEAD_CHUNKS_MAX, one, true, messages), false)
  stream.take(1, one, true, messages)
  stream.take(33, one, true, messages)
  stream.take(64, one, true, messages)
  const report = received(0)
  stream.report(report)
  assert.deepEqual(report, { next: 0, credit: 100_000, bitsLow: 1, bitsHigh: 0x8000_0001 })
  assert.equal(messages.length, 0)
  stream.take(0, one, true, messages)
  assert.equal(messages.length, 2)
  assert.equal(stream.take(0, one, true, messages), false)
  assert.equal(messages.length, 2)
})

test('SN18: credit comes back when messages are consumed, not when they arrive', () => {
  const stream = new ReceiveStream(1000, 1000)
  const report = received(0)
  stream.take(0, new Uint8Array(400), true, [])
  stream.report(report)
  assert.equal(report.credit, 1000)
  stream.consumed(300)
  assert.ok(stream.hasNewCredit)
  stream.report(report)
  assert.equal(report.credit, 1300)
  assert.ok(!stream.hasNewCredit)
  assert.throws(() => stream.consumed(101), /nothing is consumed/)
})

test('SN17: a small part of a large buffer does not keep that alive', () => {
  const stream = new ReceiveStream(100_000, 50_000)
  const buffer = new Uint8Array(100_000)
  const messages: Uint8Array[] = []
  stream.take(1, buffer.subarray(50, 60), true, messages)
  buffer.fill(9)
  stream.take(0, Uint8Array.of(1), true, messages)
  assert.deepEqual(messages[1], new Uint8Array(10))
})

test('SN16: an acknowledgement of what was never sent is refused', () => {
  const stream = new SendStream(1000)
  stream.queue(new Uint8Array(10))
  assert.throws(() => stream.received(received(1), 0), INVALID)
  stream.next(0)
  assert.throws(() => stream.received(received(0, 0, 1), 0), INVALID)
  assert.throws(() => stream.received(received(2), 0), INVALID)
  assert.ok(stream.received(received(1), 5))
  assert.equal(stream.sampleUs, 5)
  assert.ok(stream.isEmpty)
  assert.equal(stream.heldBytes, 0)
  assert.equal(stream.received(received(0), 6), false)
})

test('SN18: a sender stays within its credit and knows when it starves', () => {
  const stream = new SendStream(100)
  for (let i = 0; i < 3; i++) stream.queue(new Uint8Array(60))
  assert.ok(stream.next(0))
  assert.equal(stream.next(0), undefined)
  assert.ok(!stream.isStarved)
  stream.received(received(1), 1)
  assert.ok(stream.isStarved)
  stream.received(received(1, 120), 1)
  assert.ok(!stream.isStarved)
  assert.ok(stream.next(0))
  assert.equal(stream.next(0), undefined)
})

test('SN19: a chunk that three later ones overtook is sent again, others wait', () => {
  const stream = new SendStream(10_000)
  for (let i = 0; i < 6; i++) stream.queue(Uint8Array.of(i))
  for (let i = 0; i < 6; i++) stream.next(i)
  stream.received(received(0, 0, 0b11), 10)
  assert.equal(stream.next(11), undefined)
  stream.received(received(0, 0, 0b111), 12)
  assert.equal(stream.next(13)?.sequence, 0)
  assert.equal(stream.next(13), undefined)
  // Sent twice: nobody knows which one arrived, so it measures nothing.
  stream.received(received(1, 0, 0b11), 20)
  assert.equal(stream.sampleUs, undefined)
  stream.expired()
  const again = [stream.next(30)?.sequence, stream.next(30)?.sequence, stream.next(30)]
  assert.deepEqual(again, [4, 5, undefined])
})

test('SN19: the ring keeps every chunk in its place while it grows and goes round', () => {
  const prng = new Prng(2)
  const stream = new SendStream(Number.MAX_SAFE_INTEGER)
  let [queued, acknowledged] = [0, 0]
  for (let round = 0; round < 2000; round++) {
    for (let i = prng.below(5); i > 0; i--) stream.queue(Uint8Array.of(queued++))
    for (;;) {
      const chunk = stream.next(round)
      if (chunk === undefined) break
      assert.equal(chunk.message[0], chunk.sequence & 255)
    }
    if (prng.chance(0.1)) stream.expired()
    else {
      acknowledged = prng.between(acknowledged, queued)
      if (!prng.chance(0.3)) continue
      for (;;) if (stream.next(round) === undefined) break
      stream.received(received(acknowledged), round)
    }
  }
  assert.ok(queued > 1000)
})

test('SN19: the window doubles while all goes well and halves once for a burst of losses', () => {
  const congestion = new Congestion(100 * CHUNK_BYTES_MAX)
  const roomFor = (chunks: number): boolean => congestion.hasRoom((chunks - 1) * CHUNK_BYTES_MAX)
  assert.ok(roomFor(10) && !roomFor(11))
  congestion.acknowledged(10 * CHUNK_BYTES_MAX, 10 * CHUNK_BYTES_MAX, false)
  assert.ok(roomFor(20) && !roomFor(21))
  congestion.acknowledged(CHUNK_BYTES_MAX, CHUNK_BYTES_MAX, false)
  assert.ok(!roomFor(21), 'a window that was not used does not grow')
  for (let order = 0; order < 5; order++) congestion.lost(order, 30)
  assert.ok(roomFor(10) && !roomFor(11))
  congestion.expired(31)
  assert.ok(roomFor(2) && !roomFor(3))
  congestion.restart(32)
  assert.ok(roomFor(10))
  congestion.acknowledged(10 * CHUNK_BYTES_MAX, 10 * CHUNK_BYTES_MAX, true)
  assert.ok(!roomFor(12), 'what queues up is not doubled')
})

test('SN19: the timeout follows what was measured, within its bounds', () => {
  const roundTrip = new RoundTrip(SESSION_LIMITS)
  assert.equal(roundTrip.timeoutUs, 250_000)
  roundTrip.expired()
  assert.equal(roundTrip.timeoutUs, 500_000)
  roundTrip.measured(100_000)
  assert.equal(roundTrip.timeoutUs, 100_000 + 4 * 50_000 + 20_000)
  for (let i = 0; i < 50; i++) roundTrip.measured(100)
  assert.equal(roundTrip.timeoutUs, 50_000)
  for (let i = 0; i < 20; i++) roundTrip.expired()
  assert.equal(roundTrip.timeoutUs, 50_000 * 64)
  roundTrip.recovered()
  assert.equal(roundTrip.timeoutUs, 50_000)
  for (let i = 0; i < 50; i++) roundTrip.measured(6_000_000)
  assert.ok(roundTrip.timeoutUs > 6_000_000)
})

test('SN21: steady time ignores a clock that is set back and bounds one that is set forward', () => {
  let shownUs = 1000
  const clock = new SteadyClock(() => shownUs, 500)
  assert.equal(clock.read(), 0)
  shownUs = 1100
  assert.equal(clock.read(), 100)
  shownUs = 10
  assert.equal(clock.read(), 100)
  assert.equal(clock.shownAt(150), 60)
  shownUs = 1_000_000
  assert.equal(clock.read(), 600)
})

test('SN17: a message of several chunks lies in spare memory, whatever comes in between', () => {
  const spares = new SpareMemory({ spareBytesMin: 1, isSpoiled: true })
  const stream = new ReceiveStream(10_000_000, 1_000_000, spares)
  const messages: Uint8Array[] = []
  const packet = new Uint8Array(CHUNK_BYTES_MAX)
  let sequence = 0
  for (const chunkCount of [2, 5, 1, 9]) {
    for (let i = 0; i < chunkCount; i++) {
      stream.take(sequence, packet.fill(++sequence), i === chunkCount - 1, messages)
      // A packet that was not kept is written over by the next one.
      assert.equal(stream.isLastChunkKept, chunkCount === 1)
    }
  }
  assert.deepEqual(
    messages.map(({ length }) => length / CHUNK_BYTES_MAX),
    [2, 5, 1, 9],
  )
  const last = messages[3] as Uint8Array
  for (let i = 0; i < 9; i++) assert.equal(last[(i + 1) * CHUNK_BYTES_MAX - 1], 9 + i)
  stream.consumed(17 * CHUNK_BYTES_MAX)
  spares.giveBack(last)
  stream.take(sequence++, packet, false, messages)
  stream.take(sequence, packet, true, messages)
  assert.equal(messages[4]?.length, 2 * CHUNK_BYTES_MAX)
})

test('SN17: a short message does not keep much memory', () => {
  const spares = new SpareMemory()
  const stream = new ReceiveStream(10_000_000, 8_000_000, spares)
  const messages: Uint8Array[] = []
  spares.giveBack(spares.take(4_000_000))
  stream.take(0, new Uint8Array(CHUNK_BYTES_MAX), false, messages)
  assert.equal(spares.keptBytes, 0, 'all that was kept is used')
  stream.take(1, new Uint8Array(10), true, messages)
  assert.equal(messages[0]?.buffer.byteLength, CHUNK_BYTES_MAX + 10)
  assert.ok(spares.keptBytes >= 4_000_000)
})

test('SN19: a message goes back when all of it has arrived, in whatever order', () => {
  const spares = new SpareMemory()
  const stream = new SendStream(Number.MAX_SAFE_INTEGER, spares)
  const message = spares.take(3 * CHUNK_BYTES_MAX)
  stream.queue(message)
  while (stream.next(0) !== undefined);
  stream.received(received(0, 0, 0b10), 1)
  assert.equal(spares.keptBytes, 0, 'the others may have to be sent again')
  stream.received(received(1), 2)
  assert.equal(spares.keptBytes, 0, 'the chunk in the middle is still on its way')
  stream.received(received(3), 3)
  assert.equal(spares.keptBytes, message.buffer.byteLength)
})
