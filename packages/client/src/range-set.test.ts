import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RangeSet } from '@longshore/engine'
import { checkEraseRanges } from './erase-request.ts'

/** Deterministic numbers below `max`. */
function* numbers(seed: number, max: number): Generator<number, never> {
  let state = seed
  for (;;) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    yield (state >>> 8) % max
  }
}

test('HM38: a set of ranges says of every index the same as a set of indices', () => {
  for (let seed = 1; seed <= 50; seed++) {
    const random = numbers(seed, 60)
    const [set, other] = [new RangeSet(), new RangeSet()]
    const [plain, plainOther] = [new Set<number>(), new Set<number>()]
    for (let i = 0; i < 12; i++) {
      const start = random.next().value
      const end = start + 1 + (random.next().value % 7)
      set.add(start, end)
      for (let index = start; index < end; index++) plain.add(index)
      const one = random.next().value
      other.add(one, one + 1)
      plainOther.add(one)
    }
    for (let index = 0; index < 70; index++) assert.equal(set.has(index), plain.has(index))
    assert.equal(set.count, plain.size)
    const missing = [...plainOther].filter((index) => !plain.has(index)).sort((a, b) => a - b)
    assert.equal(set.firstMissing(other), missing[0])
    for (const [i, { start, end }] of set.ranges.entries()) {
      assert.ok(start < end)
      assert.ok(i === 0 || set.ranges[i - 1]!.end < start, 'ranges neither overlap nor touch')
    }
  }
})

test('HM35: what is to be erased becomes ranges in the one order, and nonsense is refused', () => {
  assert.deepEqual(checkEraseRanges([5, 3, { start: 4, end: 5 }, 9]), [
    { start: 3, end: 6 },
    { start: 9, end: 10 },
  ])
  for (const range of [-1, 1.5, { start: 3, end: 3 }, { start: 4, end: 2 }, Number.NaN]) {
    assert.throws(() => checkEraseRanges([range]), { code: 'INDEX_OUT_OF_RANGE' })
  }
  assert.throws(() => checkEraseRanges([]), { code: 'USAGE' })
  const many = Array.from({ length: 1025 }, (_, i) => 2 * i)
  assert.throws(() => checkEraseRanges(many), { code: 'USAGE' })
})
