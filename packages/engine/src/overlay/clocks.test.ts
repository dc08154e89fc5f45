/**
 * Clocks that are set while an overlay runs: what waits goes on, and what was refused for a wrong
 * time is told again.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OverlayWorld, type WorldNode } from '../testing/overlay-world.ts'
import { Prng } from '../testing/prng.ts'

const HOURS_US = 5 * 3_600_000_000

/** A router, a node that serves a capsule, and how far the clocks are off. */
function createScene() {
  const world = new OverlayWorld(new Prng(8))
  const [router, server] = [world.router(), world.node()]
  const skews = new Map<WorldNode, number>()
  for (const node of [router, server]) {
    const right = node.runtime.nowUs
    node.runtime.nowUs = () => right() + (skews.get(node) ?? 0)
  }
  const owner = world.authority('person')
  const capsule = world.capsule(owner)
  const serve = (): void => {
    server.join(router)
    server.advertise(capsule, world.adChain(owner, server.name))
  }
  const routed = (): boolean =>
    [...router.overlay.routes].some(({ server: by }) => by.join() === server.name.join())
  return { world, router, server, skews, serve, routed }
}

test('OV21: what was refused because a clock was wrong is told again once it is right', () => {
  const { world, server, skews, serve, routed } = createScene()
  skews.set(server, HOURS_US)
  serve()
  world.run(1000)
  assert.equal(routed(), false)
  assert.ok(server.of('refused').length > 0)
  skews.set(server, 0)
  world.run(400_000)
  assert.equal(routed(), true)
})

test('OV21: a router whose clock jumped and dropped its routes is told them again', () => {
  const { world, router, skews, serve, routed } = createScene()
  serve()
  world.run(1000)
  assert.equal(routed(), true)
  skews.set(router, HOURS_US)
  world.run(30_000)
  assert.equal(routed(), false)
  skews.set(router, 0)
  world.run(400_000)
  assert.equal(routed(), true)
})

test('OV18: a router whose clock was set back tells of no route that does not hold yet', () => {
  const { world, router, server, skews, serve, routed } = createScene()
  const above = world.router()
  router.join(above)
  serve()
  world.run(1000)
  skews.set(router, -HOURS_US)
  world.network.reset(router.address, above.address)
  world.run(30_000)
  const isAbove = (): boolean =>
    [...above.overlay.routes].some(({ server: by }) => by.join() === server.name.join())
  assert.deepEqual([routed(), isAbove()], [false, false])
  skews.set(router, 0)
  world.run(400_000)
  assert.deepEqual([routed(), isAbove()], [true, true])
})

test('OV18: a route that was made when two clocks were ahead is made anew when they are right', () => {
  const { world, router, server, skews, serve, routed } = createScene()
  const above = world.router()
  router.join(above)
  for (const node of [router, server]) skews.set(node, HOURS_US)
  serve()
  world.run(1000)
  assert.equal(routed(), true)
  for (const node of [router, server]) skews.set(node, 0)
  world.run(400_000)
  const isAbove = [...above.overlay.routes].some(
    ({ server: by }) => by.join() === server.name.join(),
  )
  assert.deepEqual([routed(), isAbove], [true, true])
})

test('OV3: links are measured and dialled on although the clock was set back by hours', () => {
  const { world, router, server, skews, serve } = createScene()
  serve()
  world.run(1000)
  for (const node of [router, server]) skews.set(node, -HOURS_US)
  world.network.reset(router.address, server.address)
  world.run(5000)
  assert.equal(server.of('link-up').length, 2)
})
