import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Prng } from './prng.ts'

test('SM1: the same seed gives the same numbers, another seed other numbers', () => {
  const draw = (seed: number): number[] => {
    const prng = new Prng(seed)
    return Array.from({ length: 8 }, () => prng.uint32())
  }
  assert.deepEqual(draw(7), draw(7))
  assert.notDeepEqual(draw(7), draw(8))
  assert.notDeepEqual(draw(7), draw(7 + 2 ** 32))
})

test('SM1: the numbers of seed 1 never change, because seeds are quoted in bug reports', () => {
  const prng = new Prng(1)
  const numbers = Array.from({ length: 4 }, () => prng.uint32())
  assert.deepEqual(numbers, [3336551594, 2744240355, 3311640585, 714541915])
})

test('SM1: below is fair and stays in range', () => {
  const prng = new Prng(3)
  const counts = [0, 0, 0]
  for (let i = 0; i < 30_000; i++) counts[prng.below(3)]!++
  for (const count of counts) assert.ok(count > 9500 && count < 10_500, `${counts}`)
  assert.equal(prng.below(1), 0)
  for (let i = 0; i < 100; i++) {
    const value = prng.between(5, 7)
    assert.ok(value >= 5 && value <= 7)
  }
})

test('SM1: chance, shuffle, bytes and child', () => {
  const prng = new Prng(4)
  assert.equal(prng.chance(0), false)
  assert.equal(prng.chance(1), true)
  const items = Array.from({ length: 20 }, (_, i) => i)
  const shuffled = prng.shuffle(items)
  assert.notDeepEqual(shuffled, items)
  assert.deepEqual(
    [...shuffled].sort((a, b) => a - b),
    items,
  )
  assert.equal(prng.bytes(33).length, 33)
  assert.notDeepEqual(prng.child().bytes(16), prng.child().bytes(16))
})
