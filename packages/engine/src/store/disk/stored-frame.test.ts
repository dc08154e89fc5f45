import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeHeader, type Header, MAIN_BRANCH, NO_EXTENSION, sha256 } from '@longshore/capsule'
import { Prng } from '../../testing/prng.ts'
import { EntryBatchBuilder } from '../entry-batch-builder.ts'
import { FRAME_ABSENT, FRAME_PRESENT, FrameCursor } from './stored-frame.ts'

function createHeader(prng: Prng, kind: 0 | 1 | 2, payloadBytes: number, timeUs: number): Header {
  const payloadHash = sha256(prng.bytes(4))
  return { kind, timeUs, payloadBytes, payloadHash, pointers: [], ext: NO_EXTENSION }
}

test('JR4: the cursor finds header, body and time of every kind of entry', () => {
  const prng = new Prng(1)
  const builder = new EntryBatchBuilder()
  const expected: { header: Uint8Array; bodyBytes: number; timeUs: number; state: number }[] = []
  for (const payloadBytes of [0, 23, 24, 255, 256, 65_535, 65_536, 1_048_576]) {
    for (const timeUs of [0, 23, 24, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1]) {
      const kind = prng.pick([0, 1, 2] as const)
      const plain = createHeader(prng, kind, payloadBytes, timeUs)
      const pointer = { capsule: null, branch: MAIN_BRANCH, index: 5, leafHash: plain.payloadHash }
      const pointers = prng.chance(0.3) ? [pointer] : []
      const header = encodeHeader({ ...plain, pointers })
      const isHole = payloadBytes > 100_000 || prng.chance(0.3)
      const bodyBytes = payloadBytes + (kind === 1 ? 16 : 0)
      builder.addEncoded(header, timeUs, isHole ? undefined : prng.bytes(bodyBytes))
      const state = isHole ? FRAME_ABSENT : FRAME_PRESENT
      expected.push({ header, bodyBytes: isHole ? 0 : bodyBytes, timeUs, state })
    }
  }
  const { frames, offsets } = builder.build()
  const cursor = new FrameCursor()
  for (const [i, entry] of expected.entries()) {
    const at = offsets[i] as number
    assert.equal(cursor.read(frames, at, frames.length), true)
    assert.deepEqual(frames.slice(cursor.headerAt, cursor.bodyAt), entry.header)
    assert.equal(cursor.end - cursor.bodyAt, entry.bodyBytes)
    assert.equal(cursor.end, offsets[i + 1] ?? frames.length)
    assert.equal(cursor.timeUs, entry.timeUs)
    assert.equal(cursor.state, entry.state)
  }
})

test('JR14: bytes that are no frame are refused, whatever they are', () => {
  const prng = new Prng(2)
  const builder = new EntryBatchBuilder()
  builder.add(0, 2 ** 40, prng.bytes(300))
  const { frames } = builder.build()
  const cursor = new FrameCursor()
  for (let limit = 0; limit < 42; limit++) assert.equal(cursor.read(frames, 0, limit), false)
  const changes: [at: number, value: number][] = [
    [0, 0x40],
    [1, 37],
    [1, 255],
    [2, 3],
    [3, 1],
    [4, 0x83],
    [4, 0x87],
    [5, 3],
    [5, 0x38],
    [6, 0x1c],
    [6, 0xff],
  ]
  for (const [at, value] of changes) {
    const changed = frames.slice()
    changed[at] = value
    assert.equal(cursor.read(changed, 0, changed.length), false, `byte ${at} = ${value}`)
  }
  for (let i = 0; i < 20_000; i++) {
    const noise = prng.bytes(60)
    noise[0] = 0
    noise[2]! &= 3
    noise[3] = 0
    if (cursor.read(noise, 0, noise.length)) assert.ok(cursor.end >= cursor.bodyAt)
  }
})
