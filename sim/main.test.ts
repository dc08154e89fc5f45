import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { resolve } from 'node:path'
import { test } from 'node:test'

test('SM13: the seed comes first; a failure names its invariant and how to see it again', () => {
  const args = ['--seed', '5', '--world', 'scale', '--nodes', '1']
  const main = resolve(import.meta.dirname, 'main.ts')
  const { status, stdout } = spawnSync(process.execPath, [main, ...args], { encoding: 'utf8' })
  assert.equal(status, 1)
  assert.match(stdout, /^seed 5, world scale\n/)
  assert.match(stdout, /FAILED: Violation: workload: too few nodes/)
  assert.match(
    stdout,
    /at [0-9a-f]{12} with Node v\d+\.\d+\.\d+:\n {2}npm run sim -- --seed 5 --world scale/,
  )
})
