import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SpareMemory } from '../runtime/spare-memory.ts'
import { SpareSlab } from './spare-slab.ts'

function build(slab: SpareSlab, byteLength: number, value: number): Uint8Array {
  slab.reserve(byteLength)
  slab.array.fill(value, slab.end, slab.end + byteLength)
  slab.end += byteLength
  return slab.take()
}

test('ST19: what is not given back stays, whatever is built behind it', () => {
  const slab = new SpareSlab(new SpareMemory({ isSpoiled: true }))
  const taken: Uint8Array[] = []
  for (let i = 0; i < 50; i++) {
    taken.push(build(slab, 20_000, i))
    if (i % 2 === 1) slab.giveBack(taken[i] as Uint8Array)
  }
  for (let i = 0; i < 50; i += 2) assert.deepEqual(taken[i], new Uint8Array(20_000).fill(i))
})

test('ST19: a batch under way moves with its bytes when it outgrows its memory', () => {
  const slab = new SpareSlab(new SpareMemory({ isSpoiled: true }))
  for (let i = 0; i < 100; i++) {
    slab.reserve(5000)
    slab.array.fill(i, slab.end, slab.end + 5000)
    slab.end += 5000
  }
  const taken = slab.take()
  for (let i = 0; i < 100; i++) assert.equal(taken[i * 5000 + 4999], i)
})

test('ST19: with nothing under way it holds nothing, and the memory serves another one', () => {
  const spares = new SpareMemory()
  const [one, other] = [new SpareSlab(spares), new SpareSlab(spares)]
  const taken = [build(one, 100_000, 1), build(one, 10, 2)]
  assert.equal(spares.keptBytes, 0)
  for (const bytes of taken) one.giveBack(bytes)
  assert.equal(one.array.length, 0)
  assert.ok(spares.keptBytes >= 100_000)
  const buffers = taken.map(({ buffer }) => buffer)
  assert.ok(buffers.includes(build(other, 100_000, 3).buffer))
})

test('ST19: memory of which a batch is under way is not given up', () => {
  const slab = new SpareSlab(new SpareMemory({ isSpoiled: true }))
  const before = build(slab, 100_000, 1)
  slab.reserve(3)
  slab.array.fill(2, slab.end, slab.end + 3)
  slab.end += 3
  slab.giveBack(before)
  assert.deepEqual(slab.take(), new Uint8Array(3).fill(2))
})

test('ST19: giving back twice is the mistake of the caller', () => {
  const slab = new SpareSlab(new SpareMemory())
  const taken = build(slab, 100_000, 1)
  slab.giveBack(taken)
  assert.throws(() => slab.giveBack(taken), { name: 'AssertionFailure' })
})
