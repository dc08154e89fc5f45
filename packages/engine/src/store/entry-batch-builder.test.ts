import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  concatBytes,
  createBody,
  encodeHeader,
  encodeUtf8,
  formatHex,
  hashLeaf,
  NO_EXTENSION,
  NO_POINTERS,
  sha256,
} from '@longshore/capsule'
import { Prng } from '../testing/prng.ts'
import type { EntryBatch } from './entry-batch.ts'
import { EntryBatchBuilder } from './entry-batch-builder.ts'
import { frameAt } from './frame.ts'

interface Added {
  readonly header: Uint8Array
  readonly body: Uint8Array | undefined
}

/** What the general codec makes of the same entry. */
function generalEntry(
  kind: 0 | 1 | 2,
  timeUs: number,
  payload: Uint8Array,
  salt?: Uint8Array,
): Added {
  const body = createBody(kind, payload, salt)
  const header = encodeHeader({
    kind,
    timeUs,
    payloadBytes: payload.length,
    payloadHash: sha256(body),
    pointers: NO_POINTERS,
    ext: NO_EXTENSION,
  })
  return { header, body }
}

function assertHolds(batch: EntryBatch, entries: readonly Added[]): void {
  assert.equal(batch.count, entries.length)
  assert.equal(batch.offsets.length, entries.length)
  const frames = entries.map(({ header, body }) => {
    const prefix = [header.length >> 8, header.length & 255, body === undefined ? 0 : 1, 0]
    return concatBytes(Uint8Array.from(prefix), header, body ?? new Uint8Array(0))
  })
  assert.deepEqual(batch.frames.slice(), concatBytes(...frames))
  assert.deepEqual(
    batch.leafHashes.slice(),
    concatBytes(...entries.map(({ header }) => hashLeaf(header))),
  )
  let offset = 0
  for (const [i, { header, body }] of entries.entries()) {
    assert.equal(batch.offsets[i], offset)
    const frame = frameAt(batch, i)
    assert.deepEqual(frame.header.slice(), header)
    assert.deepEqual(frame.body?.slice(), body)
    offset += (frames[i] as Uint8Array).length
  }
}

test('ST19: the frame of docs/spec/store.md', () => {
  const builder = new EntryBatchBuilder()
  builder.add(0, 1, encodeUtf8('hi'))
  const batch = builder.build()
  assert.equal(
    formatHex(batch.frames),
    [
      '00260100',
      '840001025820',
      '8f434346648f6b96df89dda901c5176b10a6d83961dd3c1ac88b59b2dc327aa4',
      '6869',
    ].join(''),
  )
  assert.equal(batch.timeUsMax, 1)
})

test('ST19: frames and leaf hashes are those of the general codec, for every kind and size', () => {
  const prng = new Prng(1)
  const builder = new EntryBatchBuilder()
  const entries: Added[] = []
  const times = [0, 23, 24, 255, 256, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1]
  for (const timeUs of times) {
    for (const payloadBytes of [0, 1, 23, 24, 100, 255, 256, 319, 320, 70_000]) {
      const payload = prng.bytes(payloadBytes)
      const salt = prng.bytes(16)
      builder.add(0, timeUs, payload)
      builder.add(1, timeUs, payload, salt)
      builder.add(2, timeUs, payload)
      entries.push(generalEntry(0, timeUs, payload))
      entries.push(generalEntry(1, timeUs, payload, salt))
      entries.push(generalEntry(2, timeUs, payload))
    }
  }
  assert.equal(builder.count, entries.length)
  const bytes = builder.framesBytes
  const batch = builder.build()
  assert.equal(batch.frames.length, bytes)
  assert.equal(batch.timeUsMax, 2 ** 53 - 1)
  assertHolds(batch, entries)
  assert.equal(builder.count, 0)
  assert.equal(builder.framesBytes, 0)
})

test('ST19: encoded headers and holes', () => {
  const prng = new Prng(2)
  const builder = new EntryBatchBuilder()
  const entries: Added[] = []
  for (const headerBytes of [1, 38, 255, 256, 16_384]) {
    for (const body of [undefined, new Uint8Array(0), prng.bytes(50)]) {
      const header = prng.bytes(headerBytes)
      builder.addEncoded(header, headerBytes, body)
      entries.push({ header, body })
    }
  }
  const batch = builder.build()
  assert.equal(batch.timeUsMax, 16_384)
  assertHolds(batch, entries)
  assert.throws(() => builder.addEncoded(new Uint8Array(16_385), 0, undefined))
})

test('ST19: a batch does not change when later ones are built, whatever their sizes', () => {
  const prng = new Prng(3)
  const builder = new EntryBatchBuilder()
  const built: { batch: EntryBatch; entries: Added[] }[] = []
  for (let i = 0; i < 60; i++) {
    const count = prng.pick([1, 1, 1, 7, 300])
    const payloadBytes = prng.pick([0, 100, 3000])
    const entries: Added[] = []
    for (let j = 0; j < count; j++) {
      const payload = prng.bytes(payloadBytes)
      builder.add(0, i, payload)
      entries.push(generalEntry(0, i, payload))
    }
    built.push({ batch: builder.build(), entries })
  }
  for (const { batch, entries } of built) assertHolds(batch, entries)
})

test('ST19: a batch larger than a slab', () => {
  const prng = new Prng(4)
  const builder = new EntryBatchBuilder()
  const entries: Added[] = []
  for (let i = 0; i < 6; i++) {
    const payload = prng.bytes(1_048_576)
    builder.add(0, i, payload)
    entries.push(generalEntry(0, i, payload))
  }
  assertHolds(builder.build(), entries)
})

test('ST19: a salt is given for kind 1 and only then; an empty batch is not built', () => {
  const builder = new EntryBatchBuilder()
  const payload = new Uint8Array(1)
  assert.throws(() => builder.add(1, 0, payload), { name: 'AssertionFailure' })
  assert.throws(() => builder.add(0, 0, payload, new Uint8Array(16)), { name: 'AssertionFailure' })
  assert.throws(() => builder.add(1, 0, payload, new Uint8Array(15)), { name: 'AssertionFailure' })
  assert.throws(() => builder.build(), { name: 'AssertionFailure' })
})
