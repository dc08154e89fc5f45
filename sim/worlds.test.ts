/**
 * A fixed handful of worlds, and those that once failed, each by its seed.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createMembership, type SimNode } from '@longshore/engine/testing'
import type { Writer } from './actors/writer.ts'
import { buildFederation, type Domain, FEDERATION, type FederationShape } from './federation.ts'
import { type Outcome, runWorld, type WorldName } from './run.ts'
import { World } from './world.ts'
import { equivocate } from './worlds/byzantine.ts'
import { CONVERGE_TICKS } from './worlds/storms.ts'

const SMALL: FederationShape = {
  ...FEDERATION,
  ...{ domains: 1, coreRouters: 0, routersPerDomain: 1, writers: 1, readers: 1 },
}

function expectWhole(world: WorldName, seed: number, ticks: number): Outcome {
  const outcome = runWorld(world, seed, { ticks })
  assert.equal(outcome.error, undefined, `npm run sim -- --world ${world} --seed ${seed}`)
  return outcome
}

test('SM15: the same seed gives the same world, byte for byte; another one does not', () => {
  const [first, second] = [expectWhole('swarm', 44, 5), expectWhole('swarm', 44, 5)]
  assert.deepEqual(second, first)
  assert.notEqual(runWorld('swarm', 43, { ticks: 1 }).digest, first.digest)
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

test('SM18: a second home contradicts the first once both have written, and is found', () => {
  const world = new World(8)
  const federation = buildFederation(world, { ...SMALL, mirrorsPerDomain: 2, readers: 0 })
  equivocate(world, federation)
  world.run(3)
  const [one, other] = world.writers.slice(-2) as [Writer, Writer]
  other.append(3, 10)
  world.converge(30)
  one.append(3, 10)
  world.run(1)
  world.converge(CONVERGE_TICKS)
  assert.ok(world.claims.convicted.size > 0)
})

test('SM12 SM14: seed 610, swarm: mirrors with old disks become other nodes, and are filled', () => {
  const { facts } = expectWhole('swarm', 610, 20)
  assert.ok(Number(facts['replaced']) > 0)
})

test('SM12 SM14: seed 2098, swarm: a mirror that was mending when it was asked is asked again', () => {
  const { facts } = expectWhole('swarm', 2098, 20)
  assert.ok(Number(facts['mended']) > 0)
})

test('SM12 MI31: seed 60000027, swarm: what the writer erased later is not missing in its copy', () => {
  const { facts } = expectWhole('swarm', 60_000_027, 20)
  assert.equal(facts['mended'], 1)
})

test('SM12 MI28: seed 70000841, swarm: what was found damaged before it was offered is mended', () => {
  const { facts } = expectWhole('swarm', 70_000_841, 20)
  assert.equal(facts['mended'], 1)
})

test('SM18 PU3: seed 70002806, swarm: a writer whose home was empty finds the other history', () => {
  expectWhole('swarm', 70_002_806, 20)
})

test('SM16: a reader that reads what it must not is found', () => {
  const world = new World(7)
  const { domains, writers } = buildFederation(world, { ...SMALL, isPrivate: true })
  const [domain, writer] = [domains[0] as Domain, writers[0] as Writer]
  world.run(3)
  writer.append(3, 10)
  world.converge(30)
  const node = world.addNode('spy')
  node.join(domain.routers[0] as SimNode)
  // Its membership is good: the defect of a mirror that does not ask for one.
  const membership = createMembership(world.prng, domain.authority, node.identity.name, ['read'])
  const { truth } = writer
  world.addReader(node, { truth, mirrors: domain.mirrors, membership, isStranger: true })
  assert.throws(() => world.run(10), { name: 'Violation', invariant: 'I9' })
})

test('SM19: hundreds of nodes find each other through two tiers of routers', () => {
  const outcome = runWorld('scale', 1, { ticks: 0, nodes: 120 })
  assert.equal(outcome.error, undefined)
  assert.ok(Number(outcome.facts['hops, most']) <= 4)
})
