import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type CapsuleName,
  encodeCertChain,
  formatName,
  type SignedManifest,
} from '@longshore/capsule'
import { OverlayWorld, type WorldNode } from '../testing/overlay-world.ts'
import { Prng } from '../testing/prng.ts'

const newWorld = (seed = 1): OverlayWorld => new OverlayWorld(new Prng(seed))

function resolve(world: OverlayWorld, node: WorldNode, name: CapsuleName) {
  node.forget()
  node.step({ type: 'resolve', request: 1, name })
  world.run(6000)
  return node.of('resolved')[0]?.entries ?? []
}

/** Names of which a router has told this node that they are installed, each once. */
function installed(node: WorldNode): CapsuleName[] {
  const names = node.of('advertised').map(({ name }) => [formatName(name), name] as const)
  return [...new Map(names).values()]
}

test('OV21: a node tells its own name and what it serves, to every router and on each new link', () => {
  const world = newWorld()
  const [one, two] = [world.router(), world.router()]
  const server = world.node()
  const owner = world.authority('person')
  const capsule = world.capsule(owner)
  server.join(one)
  world.run(200)
  server.advertise(capsule, world.adChain(owner, server.name))
  world.run(200)
  assert.deepEqual(installed(server), [server.name, capsule.name])
  server.forget()
  server.join(two)
  world.run(200)
  assert.equal(installed(server).length, 2)
  server.forget()
  world.network.reset(server.address, one.address)
  world.run(2000)
  assert.equal(installed(server).length, 2)
})

test('OV21: thousands of names go in batches, and all of them arrive', () => {
  const world = newWorld()
  const top = world.router()
  const router = world.router()
  const server = world.node()
  router.join(top)
  server.join(router)
  const owner = world.authority('person')
  const capsules: SignedManifest[] = Array.from({ length: 400 }, () => world.capsule(owner))
  const chain = world.adChain(owner, server.name)
  world.run(500)
  for (const capsule of capsules) server.advertise(capsule, chain)
  world.run(2000)
  assert.equal(installed(server).length, 401)
  assert.equal(installed(router).length, 402, 'with its own name')
  server.forget()
  world.network.reset(server.address, router.address)
  world.run(2000)
  assert.equal(installed(server).length, 401)
})

test('OV22 OV25: a router passes on what was advertised, with one certificate more, in no circle', () => {
  const world = newWorld()
  const chainOf = Array.from({ length: 4 }, () => world.router())
  for (const [i, router] of chainOf.entries()) {
    if (i > 0) router.join(chainOf[i - 1] as WorldNode)
  }
  chainOf[0]?.join(chainOf[3] as WorldNode)
  const server = world.node()
  server.join(chainOf[3] as WorldNode)
  const client = world.node()
  client.join(chainOf[0] as WorldNode)
  world.run(3000)
  const [entry] = resolve(world, client, server.name)
  assert.deepEqual(entry?.server, server.name)
  client.step({ type: 'trace', request: 1, name: server.name })
  world.run(1000)
  const [traced] = client.of('traced')
  assert.ok((traced?.hops.length ?? 0) <= 6 && traced?.code === undefined)
  for (const router of chainOf) assert.equal(router.overlay.counters.refusedNames, 0)
})

test('OV23: what is not renewed is gone after its lease; what is renewed stays', () => {
  const world = newWorld()
  const router = world.router(undefined, { leaseS: 100 })
  const server = world.node({ limits: { leaseS: 100 } })
  const lazy = world.node({ limits: { leaseS: 60, skewS: 10 } })
  server.join(router)
  const owner = world.authority('person')
  const capsule = world.capsule(owner)
  server.advertise(capsule, world.adChain(owner, server.name))
  lazy.join(router)
  world.run(500)
  const client = world.node()
  client.join(router)
  for (let minute = 0; minute < 8; minute++) {
    world.run(60_000)
    assert.equal(resolve(world, client, capsule.name).length, 1, `minute ${minute}`)
  }
  assert.ok(server.of('advertised').length >= 16)
})

test('OV23: very many names are renewed in turns, and none is ever gone', () => {
  const world = newWorld()
  const limits = { leaseS: 1000, renewalsAtOnce: 20 }
  const [top, router] = [world.router(undefined, limits), world.router(undefined, limits)]
  const server = world.node({ limits })
  router.join(top)
  server.join(router)
  const owner = world.authority('person')
  const chain = world.adChain(owner, server.name)
  for (let i = 0; i < 100; i++) server.advertise(world.capsule(owner), chain)
  world.run(2000)
  assert.equal(top.overlay.routeCount, 103)
  let most = 0
  for (let seconds = 0; seconds < 4000; seconds += 10) {
    server.forget()
    world.run(10_000)
    most = Math.max(most, installed(server).length)
    assert.equal(top.overlay.routeCount, 103, `after ${seconds} seconds`)
  }
  assert.equal(most, 20)
})

test('OV21: what whoever runs a node keeps is read when it is told, and not told once it is gone', () => {
  const world = newWorld()
  const router = world.router()
  const held = new Map<string, { readonly manifest: Uint8Array; readonly chain: Uint8Array }>()
  const server = world.node({ heldEvidence: (name) => held.get(formatName(name)) })
  const owner = world.authority('person')
  const [kept, lost] = [world.capsule(owner), world.capsule(owner)]
  const chain = world.adChain(owner, server.name)
  for (const { name, signed } of [kept, lost]) {
    held.set(formatName(name), { manifest: signed, chain: encodeCertChain(chain) })
  }
  for (const capsule of [kept, lost]) server.advertise(capsule, chain)
  held.delete(formatName(lost.name))
  server.join(router)
  world.run(1000)
  assert.deepEqual(installed(server), [server.name, kept.name])
  const [entry] = resolve(world, router, kept.name)
  assert.deepEqual(entry?.capsule.signed, kept.signed)
  assert.deepEqual(entry?.chain, encodeCertChain(chain))
})

test('OV18: a route ends with its certificate even if its link stands', () => {
  const world = newWorld()
  const router = world.router()
  const server = world.node()
  const client = world.node()
  server.join(router)
  client.join(router)
  const owner = world.authority('person')
  const capsule = world.capsule(owner)
  const { nowS } = world
  const times = { notBeforeS: nowS - 10, notAfterS: nowS + 60 }
  server.advertise(capsule, world.adChain(owner, server.name, times))
  world.run(1000)
  assert.equal(resolve(world, client, capsule.name).length, 1)
  world.run(80_000)
  assert.equal(resolve(world, client, capsule.name).length, 0)
  assert.equal(router.of('link-down').length, 0)
})

test('OV20 OV24: what is withdrawn, or served by a node that died, is gone everywhere above', () => {
  const world = newWorld()
  const [top, router] = [world.router(), world.router()]
  router.join(top)
  const [server, other, client] = [world.node(), world.node(), world.node()]
  server.join(router)
  other.join(router)
  client.join(top)
  const owner = world.authority('person')
  const capsule = world.capsule(owner)
  for (const node of [server, other]) node.advertise(capsule, world.adChain(owner, node.name))
  world.run(1000)
  const servers = () => resolve(world, client, capsule.name).map((entry) => entry.server)
  assert.equal(servers().length, 1, 'a router tells of the best one')
  server.step({ type: 'withdraw', names: [capsule.name] })
  world.run(70_000)
  assert.deepEqual(servers(), [other.name])
  other.die()
  world.run(70_000)
  assert.deepEqual(servers(), [])
})

test('OV17: one node has one route over one link, and no name has too many', () => {
  const world = newWorld()
  const router = world.router(undefined, { candidatesMax: 3 })
  const servers = Array.from({ length: 6 }, () => world.node())
  const owner = world.authority('person')
  const capsule = world.capsule(owner)
  for (const node of servers) {
    node.join(router)
    node.advertise(capsule, world.adChain(owner, node.name))
    node.advertise(capsule, world.adChain(owner, node.name))
  }
  world.run(2000)
  router.step({ type: 'resolve', request: 1, name: capsule.name })
  world.run(6000)
  assert.equal(router.of('resolved')[0]?.entries.length, 3)
})
