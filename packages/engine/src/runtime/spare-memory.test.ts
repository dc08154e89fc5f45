import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SpareMemory } from './spare-memory.ts'

const LARGE = 40_000

test('memory that was given back is lent again, and no other', () => {
  const spares = new SpareMemory()
  const first = spares.take(LARGE)
  const second = spares.take(LARGE)
  assert.notEqual(first.buffer, second.buffer)
  spares.giveBack(first)
  const third = spares.take(LARGE + 1)
  assert.equal(third.buffer, first.buffer, 'of the same size class')
  assert.equal(third.length, LARGE + 1)
  assert.notEqual(spares.take(LARGE).buffer, second.buffer)
})

test('any view gives all of its memory back, once', () => {
  const spares = new SpareMemory()
  const taken = spares.take(LARGE)
  spares.giveBack(taken.subarray(10, 20))
  spares.giveBack(taken)
  assert.equal(spares.take(LARGE).buffer, taken.buffer)
  assert.notEqual(spares.take(LARGE).buffer, taken.buffer)
})

test('memory of others, and what several have, is left alone', () => {
  const spares = new SpareMemory()
  const [foreign, shared] = [new SpareMemory().take(LARGE), spares.take(LARGE)]
  spares.disown(shared)
  for (const bytes of [foreign, shared, new Uint8Array(LARGE)]) spares.giveBack(bytes)
  assert.equal(spares.keptBytes, 0)
})

test('a size class wastes at most a quarter', () => {
  const spares = new SpareMemory({ spareBytesMin: 1 })
  for (let byteLength = 1; byteLength < 3_000_000; byteLength += 1 + (byteLength >>> 6)) {
    const { buffer, length } = spares.take(byteLength)
    assert.equal(length, byteLength)
    assert.ok(buffer.byteLength >= byteLength && buffer.byteLength <= byteLength * 1.25 + 1)
  }
})

test('small and very large arrays are not kept, and of the others not more than 64 MiB', () => {
  const spares = new SpareMemory()
  for (const byteLength of [0, 1, 16_383, 10_485_761]) spares.giveBack(spares.take(byteLength))
  assert.equal(spares.keptBytes, 0)
  const taken = Array.from({ length: 70 }, () => spares.take(1_048_576))
  for (const bytes of taken) spares.giveBack(bytes)
  assert.equal(spares.keptBytes, 67_108_864)
  for (let i = 0; i < 64; i++) spares.take(1_000_000)
  assert.equal(spares.keptBytes, 0)
})

test('the smallest that is kept and large enough is found', () => {
  const spares = new SpareMemory()
  for (const bytes of [100_000, 50_000, 200_000].map((size) => spares.take(size))) {
    spares.giveBack(bytes)
  }
  assert.equal(spares.takeKept(60_000)?.length, 114_688)
  assert.equal(spares.takeKept(60_000)?.length, 229_376)
  assert.equal(spares.takeKept(60_000), undefined)
})

test('spoiled memory holds nothing of what was given back', () => {
  const spares = new SpareMemory({ spareBytesMin: 1, isSpoiled: true })
  const taken = spares.take(3).fill(1)
  spares.giveBack(taken)
  assert.deepEqual(taken, new Uint8Array(3).fill(0xdb))
})

test('what nobody needs for a minute is let go by halves, what is in use stays', () => {
  const spares = new SpareMemory()
  const minute = 60_000_000
  const busy = Array.from({ length: 128 }, () => spares.take(65_536))
  spares.tick(0)
  for (const taken of busy) spares.giveBack(taken)
  spares.tick(minute)
  assert.equal(spares.keptBytes, 8_388_608, 'it was needed in this minute')
  spares.tick(2 * minute - 1)
  assert.equal(spares.keptBytes, 8_388_608, 'the minute is not over')
  spares.tick(2 * minute)
  assert.equal(spares.keptBytes, 4_194_304)
  const some = Array.from({ length: 32 }, () => spares.take(65_536))
  for (const taken of some) spares.giveBack(taken)
  spares.tick(3 * minute)
  assert.equal(spares.keptBytes, 3_145_728, 'half of what was not taken in this minute')
  for (let i = 4; i < 8; i++) spares.tick(i * minute)
  assert.equal(spares.keptBytes, 0)
})
