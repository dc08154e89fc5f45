import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runCrashSweep } from './crash-sweep.ts'

for (const seed of [1, 2]) {
  test(`JR6 to JR19: 40 steps, a fault at every operation of the disk, seed ${seed}`, () => {
    const { operations, runs } = runCrashSweep({ seed, steps: 40 })
    assert.equal(runs, operations * 4)
    assert.ok(operations > 50)
  })
}
