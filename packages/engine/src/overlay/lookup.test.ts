import assert from 'node:assert/strict'
import { test } from 'node:test'
import { asCapsuleName, decodeRtCert, type SignedManifest } from '@longshore/capsule'
import type { Authority } from '../testing/authorities.ts'
import { OverlayWorld, type WorldNode } from '../testing/overlay-world.ts'
import { Prng } from '../testing/prng.ts'
import { WAN } from '../testing/sim-network.ts'
import { encodeControl, Fields, foundValue, lookupValue, readLookup } from './control-frame.ts'
import { FOUND, LOOKUP } from './frame.ts'
import { RawPeer } from './testing/raw-peer.ts'

const newWorld = (seed = 1): OverlayWorld => new OverlayWorld(new Prng(seed))

interface Tree {
  readonly world: OverlayWorld
  readonly top: WorldNode
  readonly left: WorldNode
  readonly right: WorldNode
  readonly client: WorldNode
  readonly server: WorldNode
  readonly owner: Authority
  readonly capsule: SignedManifest
}

/** Client below the left router, server below the right one, both below the top. */
function tree(
  policy: Parameters<OverlayWorld['capsule']>[1] = {},
  domains: { top?: Authority; left?: Authority; right?: Authority } = {},
  world: OverlayWorld = newWorld(),
): Tree {
  const top = world.router(domains.top)
  const left = world.router(domains.left)
  const right = world.router(domains.right)
  const [client, server] = [world.node(), world.node()]
  left.join(top)
  right.join(top)
  client.join(left)
  server.join(right)
  const owner = world.authority('person')
  const capsule = world.capsule(owner, policy)
  world.run(500)
  server.advertise(capsule, world.adChain(owner, server.name))
  world.run(500)
  return { world, top, left, right, client, server, owner, capsule }
}

function resolve({ world, client }: Tree, name: Parameters<typeof asCapsuleName>[0]) {
  client.forget()
  client.step({ type: 'resolve', request: 7, name: asCapsuleName(name) })
  world.run(6000)
  const [resolved] = client.of('resolved')
  assert.equal(resolved?.request, 7)
  return resolved
}

test('OV26 OV27: a name is found through the routers above, and shown with its certificates', () => {
  const scene = tree()
  const resolved = resolve(scene, scene.capsule.name)
  assert.equal(resolved?.code, undefined)
  assert.deepEqual(
    resolved?.entries.map(({ server }) => server),
    [scene.server.name],
  )
  assert.deepEqual(resolved?.entries[0]?.capsule.signed, scene.capsule.signed)
  assert.ok((resolved?.entries[0]?.expiresS ?? 0) > scene.world.nowS)
  const nowhere = resolve(scene, new Uint8Array(32).fill(3))
  assert.deepEqual([nowhere?.code, nowhere?.entries], ['NO_ROUTE', []])
})

test('OV13: an answer names the one who asked at the end of its certificates', () => {
  const { world, left, top, right, server, capsule } = tree()
  const peer = new RawPeer(world, 1)
  peer.connect(world, left)
  peer.write(encodeControl(LOOKUP, lookupValue({ request: 1, name: capsule.name, hopsLeft: 8 })))
  world.run(1000)
  const answer = peer.answer(FOUND) as [number, null, [unknown, unknown, Uint8Array[]][]]
  const certs = (answer[2][0]?.[2] ?? []).map((cert) => decodeRtCert(cert))
  assert.deepEqual(
    certs.map(({ subject }) => subject),
    [peer, left, top, right].map(({ name }) => name),
  )
  assert.deepEqual(certs.at(-1)?.issuer, server.name)
})

test('OV26: no lookup climbs farther than it may', () => {
  const world = newWorld()
  const routers = Array.from({ length: 4 }, () => world.router())
  for (const [i, router] of routers.entries()) {
    if (i > 0) router.join(routers[i - 1] as WorldNode)
  }
  const server = world.node()
  server.join(routers[0] as WorldNode)
  const peer = new RawPeer(world, 1)
  world.run(1000)
  peer.connect(world, routers[3] as WorldNode)
  const codes = [3, 2].map((hopsLeft, request) => {
    // What the first question taught the routers is forgotten by the second.
    if (request > 0) world.run(90_000)
    peer.write(encodeControl(LOOKUP, lookupValue({ request, name: server.name, hopsLeft })))
    world.run(3000)
    return (peer.answer(FOUND) as [number, string | null])[1]
  })
  assert.deepEqual(codes, [null, 'NO_ROUTE'])
})

/** A router that answers every question with the same entries. */
function lyingRouter(world: OverlayWorld, answer: Parameters<typeof foundValue>[0]['entries']) {
  const peer = new RawPeer(world, 1)
  const seen: number[] = []
  const step = (): void => {
    for (const frame of peer.ofType(LOOKUP)) {
      const { request } = readLookup(Fields.ofFrame(frame, 0, frame.length, 3))
      if (seen.includes(request)) continue
      seen.push(request)
      peer.write(encodeControl(FOUND, foundValue({ request, code: null, entries: answer })))
    }
  }
  return { peer, step }
}

test('OV27: an answer without certificates to this node is refused, recorded and not used', () => {
  const world = newWorld()
  const owner = world.authority('person')
  const capsule = world.capsule(owner)
  const names = [{ signedManifest: capsule.signed, costUs: 0 }]
  const shared = { membership: null, rtCerts: [], rtManifests: [], names }
  const { peer, step } = lyingRouter(world, [{ ...shared, chain: null }])
  const client = world.node()
  const ticket = { ...client.ticket, name: peer.name, addresses: [peer.address] }
  client.step({ type: 'join', ticket: { ...ticket, tlsKey: peer.tlsKey } })
  world.run(100)
  peer.write(peer.hello({ isRouter: true }))
  world.run(100)
  client.step({ type: 'resolve', request: 1, name: capsule.name })
  world.run(10)
  step()
  world.run(100)
  const [resolved] = client.of('resolved')
  assert.deepEqual([resolved?.code, resolved?.entries], ['NO_ROUTE', []])
  const refused = client.runtime.logged.filter(({ event }) => event === 'route.refused')
  assert.equal(refused[0]?.details['code'], 'CERT_CHAIN')
})

test('OV27: a route that is used is renewed before it ends, and nothing waits for it', () => {
  const scene = tree({}, {}, new OverlayWorld(new Prng(2), { ...WAN, loss: 0 }))
  const { world, client, server, capsule } = scene
  world.run(3000)
  client.send(capsule.name, 'first')
  world.run(1000)
  const before = client.overlay.counters.lookups
  for (let second = 0; second < 200; second++) {
    const count = server.received.length
    client.send(capsule.name, `${second}`)
    // Four links of 20 to 24 ms, and no time for a question.
    world.run(100)
    assert.equal(server.received.length, count + 1, `second ${second}`)
    world.run(900)
  }
  const asked = client.overlay.counters.lookups - before
  assert.ok(asked >= 3 && asked <= 10, `${asked} lookups`)
})

test('OV28: many who want the same name ask once', () => {
  const scene = tree({}, {}, new OverlayWorld(new Prng(2), WAN))
  const { world, left, capsule } = scene
  const clients = Array.from({ length: 20 }, () => world.node())
  for (const client of clients) client.join(left)
  world.run(2000)
  const before = left.overlay.counters.lookups
  for (const client of clients) client.send(capsule.name, 'hello')
  world.run(2000)
  assert.equal(scene.server.received.length, 20)
  assert.equal(left.overlay.counters.lookups - before, 1)
})

test('OV28: too many lookups at once are refused, not queued', () => {
  const world = new OverlayWorld(new Prng(2), WAN)
  const top = world.router()
  const client = world.node({ limits: { lookupsMax: 3 } })
  client.join(top)
  world.run(1000)
  for (let i = 0; i < 5; i++) {
    const name = asCapsuleName(new Uint8Array(32).fill(i))
    client.step({ type: 'resolve', request: i, name })
  }
  assert.deepEqual(
    client.of('resolved').map(({ code }) => code),
    ['OVERLOADED', 'OVERLOADED'],
  )
  world.run(6000)
  assert.equal(client.of('resolved').length, 5)
})

test('OV29: what is nowhere is not asked for again at once, but found as soon as it is there', () => {
  const scene = tree()
  const { world, client, left, server, owner } = scene
  const late = world.capsule(owner)
  const count = (): number => left.overlay.counters.lookups
  for (let i = 0; i < 5; i++) {
    client.send(late.name, 'too early')
    world.run(100)
  }
  const asked = count()
  assert.ok(asked >= 1 && asked <= 2)
  server.advertise(late, world.adChain(owner, server.name))
  world.run(2500)
  client.send(late.name, 'in time')
  world.run(500)
  assert.equal(server.received.at(-1), 'in time')
})

test('OV31: a node that is no router answers for its own names only', () => {
  const world = newWorld()
  const [leaf, server] = [world.node(), world.node()]
  leaf.join(server)
  world.run(100)
  const peer = new RawPeer(world, 1)
  peer.connect(world, leaf)
  const code = (name: typeof leaf.name): unknown => {
    peer.write(encodeControl(LOOKUP, lookupValue({ request: 1, name, hopsLeft: 8 })))
    world.run(1000)
    return (peer.answer(FOUND) as [number, string | null])[1]
  }
  assert.equal(code(leaf.name), null)
  assert.equal(code(server.name), 'NO_ROUTE')
})

test('OV15 OV25 OV30: a capsule never crosses a domain that its manifest excludes', () => {
  const world = newWorld()
  const [a, b, c] = [1, 2, 3].map(() => world.authority('domain')) as [
    Authority,
    Authority,
    Authority,
  ]
  const domains = { left: a, top: b, right: c }
  const scene = tree({ exclude: [b.manifest.name] }, domains, world)
  const resolved = resolve(scene, scene.capsule.name)
  assert.deepEqual([resolved?.code, resolved?.entries], ['NO_ROUTE', []])
  scene.client.send(scene.capsule.name, 'across?')
  world.run(6000)
  assert.equal(scene.server.received.length, 0)
  assert.equal(scene.client.of('unreachable').length, 1)
  assert.equal(scene.top.overlay.counters.refusedNames, 0, 'it is not even told')

  const inside = world.node()
  inside.join(scene.right)
  world.run(500)
  inside.send(scene.capsule.name, 'inside')
  world.run(500)
  assert.deepEqual(scene.server.received, ['inside'])
})

test('OV15: a router whose domain is excluded, or that has none, refuses and says why', () => {
  const world = newWorld()
  const domain = world.authority('domain')
  const other = world.authority('domain')
  for (const [home, policy, refused] of [
    [domain, { exclude: [domain.manifest.name] }, true],
    [domain, { carry: [other.manifest.name] }, true],
    [undefined, { carry: [other.manifest.name] }, true],
    [domain, { carry: [domain.manifest.name] }, false],
    [domain, { exclude: [other.manifest.name] }, false],
    [undefined, { exclude: [other.manifest.name] }, false],
  ] as const) {
    const router = world.router(home)
    const server = world.node()
    server.join(router)
    const owner = world.authority('person')
    const capsule = world.capsule(owner, policy)
    server.advertise(capsule, world.adChain(owner, server.name))
    world.run(500)
    const codes = server.of('refused').map(({ code }) => code)
    assert.deepEqual(codes, refused ? ['POLICY_REFUSED'] : [])
  }
})

test('OV15 OV30: a router below is told that the policy keeps the name away from it', () => {
  const world = newWorld()
  const [open, closed] = [world.authority('domain'), world.authority('domain')]
  const policy = { exclude: [closed.manifest.name] }
  const scene = tree(policy, { top: open, right: open, left: closed }, world)
  const resolved = resolve(scene, scene.capsule.name)
  assert.equal(resolved?.code, 'POLICY_REFUSED')
  scene.client.send(scene.capsule.name, 'let me')
  world.run(1000)
  assert.equal(scene.client.of('unreachable')[0]?.code, 'POLICY_REFUSED')
  assert.equal(scene.server.received.length, 0)
})

test('OV27: what was learned is bounded in bytes too, and the oldest goes first', () => {
  const world = newWorld()
  const router = world.router()
  const client = world.node({ limits: { learnedBytesMax: 5000 } })
  const server = world.node()
  client.join(router)
  server.join(router)
  const owner = world.authority('person')
  const capsules = Array.from({ length: 20 }, () => world.capsule(owner))
  for (const capsule of capsules) server.advertise(capsule, world.adChain(owner, server.name))
  world.run(500)
  for (const { name } of capsules) client.send(name, 'a question')
  world.run(500)
  assert.equal(server.received.length, 20)
  const { routeCount } = client.overlay
  assert.ok(routeCount >= 2 && routeCount <= 8, `${routeCount}`)
})
