import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runWorlds } from './sim.ts'

const OPTIONS = { commit: 'test', seed: 64, worlds: 1, ms: 60_000, workers: 1, ticks: 1 }

test('SM20: a soak runs worlds in processes of their own and says what came out', async () => {
  const facts = await runWorlds({ ...OPTIONS, worlds: 2, workers: 2 })
  assert.equal(facts['seeds'], '64 to 65')
  assert.match(String(facts['worlds']), /^2: /)
  assert.equal(facts['failures'], 'none')
})

test('SM20: long worlds run until the hours asked for have passed', async () => {
  const facts = await runWorlds({ ...OPTIONS, hours: 0.01, ticks: 36 })
  assert.equal(facts['worlds'], '1: 1 long')
  assert.ok(Number(facts['simulated hours']) >= 0.01)
  assert.equal(facts['failures'], 'none')
})

test('SM20: a world without a verdict in time fails, and the others run', async () => {
  const facts = await runWorlds({ ...OPTIONS, worlds: 2, worldMsMax: 1 })
  assert.equal(facts['failures'], 'unknown 64; unknown 65')
})
