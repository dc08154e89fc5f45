import assert from 'node:assert/strict'
import { test } from 'node:test'
import { asCapsuleName } from '@longshore/capsule'
import { OverlayWorld, type WorldNode } from '../testing/overlay-world.ts'
import { Prng } from '../testing/prng.ts'
import { WAN } from '../testing/sim-network.ts'
import { encodeControl, traceAnswerValue } from './control-frame.ts'
import { TRACED } from './frame.ts'
import { RawPeer } from './testing/raw-peer.ts'

function scene() {
  const world = new OverlayWorld(new Prng(3), { ...WAN, jitterUs: 0, loss: 0 })
  const domain = world.authority('domain')
  const top = world.router(domain)
  const [left, right] = [world.router(), world.router()]
  for (const router of [left, right]) router.join(top)
  const [client, server] = [world.node(), world.node()]
  client.join(left)
  server.join(right)
  world.run(20_000)
  return { world, domain, path: [client, left, top, right, server] as const }
}

function trace(world: OverlayWorld, from: WorldNode, name: WorldNode['name']) {
  from.forget()
  from.step({ type: 'trace', request: 9, name })
  world.run(15_000)
  const [traced] = from.of('traced')
  assert.equal(traced?.request, 9)
  return traced
}

test('OV48: a trace shows each hop with its domain, its cost and its certificate', () => {
  const { world, domain, path } = scene()
  const [client, , , , server] = path
  const traced = trace(world, client, server.name)
  assert.equal(traced?.code, undefined)
  assert.deepEqual(
    traced?.hops.map(({ principal }) => principal),
    path.map(({ name }) => name),
  )
  assert.deepEqual(
    traced?.hops.map((hop) => hop.domain),
    [null, null, domain.manifest.name, null, null],
  )
  const costs = traced?.hops.map(({ costUs }) => Math.round(costUs / 10_000))
  assert.deepEqual(costs, [4, 4, 4, 4, 0])
  for (const hop of traced?.hops.slice(0, 3) ?? []) assert.equal(hop.evidence?.length, 32)
})

test('OV49: a trace that does not arrive says how far it came and why', () => {
  const { world, path } = scene()
  const [client, left] = path
  const nowhere = trace(world, client, asCapsuleName(new Uint8Array(32).fill(1)))
  assert.deepEqual([nowhere?.code, nowhere?.hops.length], ['NO_ROUTE', 1])
  const [, , top, , server] = path
  trace(world, client, server.name)
  world.network.partition([left.address], [top.address])
  const broken = trace(world, client, server.name)
  assert.equal(broken?.code, 'PEER_LOST')
  assert.deepEqual(
    broken?.hops.map(({ principal }) => principal),
    [client.name, left.name].slice(0, broken?.hops.length),
  )
})

test('OV50: an answer that nobody asked for is not looked at', () => {
  const world = new OverlayWorld(new Prng(1))
  const router = world.router()
  const peer = new RawPeer(world, 1)
  peer.connect(world, router)
  peer.write(encodeControl(TRACED, traceAnswerValue({ request: 1, code: null, hops: [] })))
  world.run(100)
  assert.equal(peer.isClosed, false)
  assert.deepEqual(router.of('traced'), [])
})
