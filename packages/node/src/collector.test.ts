import assert from 'node:assert/strict'
import { test } from 'node:test'
import { growthPercent } from './collector.ts'

test('a small heap may grow to four times its size, a large one by 64 MiB, but at least by half', () => {
  const mib = 1_048_576
  const grown = [1, 21, 64, 100, 128, 1000].map((used) => growthPercent(used * mib))
  assert.deepEqual(grown, [300, 300, 100, 64, 50, 50])
})
