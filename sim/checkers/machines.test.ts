/**
 * The checkers of what lies in machines find the defects that they are for.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MAIN_BRANCH } from '@longshore/capsule'
import { createAdChain, createAuthority } from '@longshore/engine/testing'
import { Rot } from '../rot.ts'
import { Violation } from '../violation.ts'
import { EPOCH_S, World } from '../world.ts'
import { checkCopy, checkSound, checkStated, RouteChecker } from './machines.ts'

function violates(invariant: string, action: () => void): void {
  assert.throws(action, (error) => error instanceof Violation && error.invariant === invariant)
}

/** One router, one mirror with one capsule of a few entries. */
function createScene(seed = 5) {
  const world = new World(seed)
  const domain = createAuthority(world.prng, 'domain')
  const router = world.addNode('router', { isRouter: true, domain })
  const mirror = world.addNode('mirror', { isMirror: true, domain })
  const home = world.addNode('writer')
  mirror.join(router)
  home.join(router)
  const owner = createAuthority(world.prng, 'person')
  const { capsule, truth } = world.addCapsule('capsule', owner)
  const chain = createAdChain(world.prng, owner, mirror.identity.name)
  const mirrors = [{ mirror, chain }]
  const writer = world.addWriter(home, { capsule, truth, mirrors, copies: 1 })
  world.run(2)
  writer.append(5, 10)
  world.run(2)
  return { world, domain, router, mirror, writer, truth, owner, capsule, chain }
}

test('SM16: a copy that lacks an entry, keeps an erased payload or broke its word is noticed', () => {
  const { mirror, truth } = createScene()
  assert.equal(mirror.store.state(truth.name, MAIN_BRANCH)?.size, 5)
  checkCopy(mirror, truth)
  checkStated(mirror, new Map([[truth, 5]]))
  violates('I3', () => checkStated(mirror, new Map([[truth, 6]])))
  truth.erased.add(2)
  violates('I8', () => checkCopy(mirror, truth))
  truth.erased.clear()
  checkSound(mirror, truth)
  Object.assign(truth, { payload: () => new Uint8Array(3) })
  violates('I1', () => checkSound(mirror, truth))
  violates('I1', () => checkCopy(mirror, truth))
})

test('SM16: a route without a chain, in an excluded domain, or past its time is noticed', () => {
  const { world, router, mirror, domain, truth } = createScene()
  const domainsOf = () => [domain.manifest.name]
  const nowS = EPOCH_S + world.ticks
  new RouteChecker(domainsOf).check(router, nowS)
  violates('I5', () => new RouteChecker(domainsOf).check(router, nowS + 100_000))
  const { routes } = router.engine.overlay
  const route = [...routes].find(({ chain }) => chain !== null)
  assert.ok(route !== undefined, 'the capsule is routed')
  const planted = (changes: object) => {
    const overlay = { routes: [{ ...route, ...changes }], links: [], counters: {} }
    const fake = { name: 'router', isRouter: true, identity: mirror.identity, engine: { overlay } }
    return () => new RouteChecker(domainsOf).check(fake as never, nowS)
  }
  planted({})()
  violates('I5', planted({ chain: null }))
  violates('I5', planted({ server: router.identity.name }))
  const { manifest } = truth.capsule
  const policy = { ...manifest.policy, exclude: [domain.manifest.name] }
  const excluding = { ...truth.capsule, manifest: { ...manifest, policy } }
  violates('I5', planted({ capsule: excluding }))
})

test('SM12: a mirror on whose disk a bit flips is replaced, or mends itself as the same node', () => {
  const outcomes = new Set<string>()
  for (let seed = 5; outcomes.size < 2; seed++) {
    assert.ok(seed < 15, 'both happen')
    const { world, mirror } = createScene(seed)
    world.rot(mirror)
    assert.ok(world.isLiar(mirror))
    world.run(45)
    world.converge(30)
    assert.equal(world.replacedCount + world.mendedCount, 1)
    const isMended = world.mendedCount === 1
    assert.equal(world.copies[0]?.node === mirror, isMended)
    assert.equal(world.isLiar(mirror), !isMended)
    outcomes.add(isMended ? 'mended' : 'replaced')
  }
})

test('SM16: a mirror that states more before its copy is whole again is noticed', () => {
  const { world, mirror, writer, truth } = createScene()
  const rot = new Rot(world)
  assert.ok(rot.strike(mirror))
  const news = { type: 'mending' as const, name: truth.name }
  rot.heard(mirror, { type: 'news', service: 'mirror', news })
  rot.inspect()
  writer.append(1, 10)
  world.run(2)
  violates('I3', () => rot.inspect())
})

test('SM16: a world that does not converge, and a mirror that forgets what it signed, fail', () => {
  const silent = createScene()
  silent.mirror.crash('kill')
  silent.writer.append(1, 10)
  violates('I8', () => silent.world.converge(5))

  const forgetful = createScene()
  forgetful.mirror.crash('kill')
  // A disk that loses what was synced: the mirror's home is gone.
  for (const path of forgetful.mirror.disk.files()) forgetful.mirror.disk.remove(path)
  assert.throws(() => forgetful.world.start(forgetful.mirror))
})
