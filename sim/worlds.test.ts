/**
 * A fixed handful of worlds, and those that once failed, each by its seed.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Outcome, runWorld, type WorldName } from './run.ts'

function expectWhole(world: WorldName, seed: number, ticks: number): Outcome {
  const outcome = runWorld(world, seed, { ticks })
  assert.equal(outcome.error, undefined, `npm run sim -- --world ${world} --seed ${seed}`)
  return outcome
}

test('SM15: the same seed gives the same world, byte for byte; another one does not', () => {
  const [first, second] = [expectWhole('crash', 41, 2), expectWhole('crash', 41, 2)]
  assert.deepEqual(second, first)
  assert.notEqual(runWorld('crash', 42, { ticks: 1 }).digest, first.digest)
})

test('SM14: seed 1, federation: what multicast brought first is no gap in a follow', () => {
  const { facts } = expectWhole('federation', 1, 4)
  assert.ok(Number(facts['read']) > 50 && Number(facts['receipts']) > 10)
  assert.ok(Number(facts['multicast']) > 20, 'readers go by the tree')
})

test('SM14: seed 3, clock: timers go on when clocks are set back, late answers are no rollback', () => {
  expectWhole('clock', 3, 15)
})

test('SM14 SM18: seed 1, byzantine: lies are believed by nobody, two histories are found', () => {
  expectWhole('byzantine', 1, 2)
})

test('SM19: hundreds of nodes find each other through two tiers of routers', () => {
  const outcome = runWorld('scale', 1, { ticks: 0, nodes: 120 })
  assert.equal(outcome.error, undefined)
  assert.ok(Number(outcome.facts['hops, most']) <= 4)
})
