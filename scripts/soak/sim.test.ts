import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runWorlds } from './sim.ts'

test('SM20: a soak runs worlds in processes of their own and says what came out', async () => {
  const options = { commit: 'test', seed: 60, worlds: 1, ms: 60_000, ticks: 1 }
  const facts = await runWorlds(options)
  assert.equal(facts['worlds'], 1)
  assert.equal(facts['seeds'], '60 to 60')
  assert.equal(facts['failures'], 'none')
})
