import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Slab } from './slab.ts'

const SIZE = 100

/** A slab that remembers what it took from the system. */
function createSlab(): { slab: Slab<Uint8Array>; created: Uint8Array[] } {
  const created: Uint8Array[] = []
  const slab = new Slab((size) => {
    const array = new Uint8Array(size)
    if (size > 0) created.push(array)
    return array
  }, SIZE)
  return { slab, created }
}

function build(slab: Slab<Uint8Array>, byteLength: number, value: number): Uint8Array {
  slab.reserve(byteLength)
  slab.array.fill(value, slab.end, slab.end + byteLength)
  slab.end += byteLength
  return slab.take()
}

test('ST19: what is not given back stays, whatever is built behind it', () => {
  const { slab } = createSlab()
  const taken: Uint8Array[] = []
  for (let i = 0; i < 50; i++) {
    taken.push(build(slab, 40, i))
    // Every second one is kept; with it the memory around it.
    if (i % 2 === 1) slab.giveBack(taken[i] as Uint8Array)
  }
  for (let i = 0; i < 50; i += 2) assert.deepEqual(taken[i], new Uint8Array(40).fill(i))
})

test('ST19: what is given back is used again: two slabs serve for ever', () => {
  const { slab, created } = createSlab()
  let before = build(slab, 40, 0)
  for (let i = 1; i < 1000; i++) {
    const next = build(slab, 40, i)
    assert.deepEqual(before, new Uint8Array(40).fill(i - 1))
    slab.giveBack(before)
    before = next
  }
  assert.equal(created.filter(({ length }) => length === SIZE).length, 2)
  assert.ok(created.length < 8, 'the first ones are smaller')
})

test('ST19: the memory of a somewhat larger batch is kept as well', () => {
  const { slab, created } = createSlab()
  for (let i = 0; i < 1000; i++) {
    const taken = build(slab, 150, i)
    assert.deepEqual(taken, new Uint8Array(150).fill(i))
    slab.giveBack(taken)
  }
  assert.ok(created.length < 5, 'it is used again and again')
})

test('ST19: a batch much larger than a slab has memory of its own, which is not kept', () => {
  const { slab, created } = createSlab()
  for (let i = 0; i < 10; i++) slab.giveBack(build(slab, 3 * SIZE, i))
  assert.equal(created.length, 5, 'each holds two of them')
  assert.ok(created.every(({ length }) => length !== SIZE))
})

test('ST19: giving back twice is the mistake of the caller', () => {
  const { slab } = createSlab()
  const taken = build(slab, 10, 1)
  slab.giveBack(taken)
  assert.throws(() => slab.giveBack(taken), { name: 'AssertionFailure' })
})
