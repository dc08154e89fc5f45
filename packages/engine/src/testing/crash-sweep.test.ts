import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runCrashSweep } from './crash-sweep.ts'

test('JR6 JR11 JR12 JR15 JR18: 40 steps, a fault at every operation of the disk', () => {
  const { operations, runs } = runCrashSweep({ seed: 3, steps: 40 })
  assert.equal(runs, operations * 4)
  assert.ok(operations > 50)
})

test('JR24 JR25: removals, with a fault at every other operation of the disk', () => {
  const { removals } = runCrashSweep({ seed: 10, steps: 60, every: 2 })
  assert.ok(removals >= 3)
})
