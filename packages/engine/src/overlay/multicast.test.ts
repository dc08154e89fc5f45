import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytesEqual, type CapsuleName, type SignedManifest } from '@longshore/capsule'
import { OverlayWorld, type WorldNode } from '../testing/overlay-world.ts'
import { Prng } from '../testing/prng.ts'
import { encodeControl, namesValue, type TraceHop } from './control-frame.ts'
import { PUBLISHED, publishedHead, SUBSCRIBE } from './frame.ts'
import { RawPeer } from './testing/raw-peer.ts'

interface Scene {
  readonly world: OverlayWorld
  readonly top: WorldNode
  readonly routers: readonly WorldNode[]
  readonly readers: readonly WorldNode[]
  readonly server: WorldNode
  readonly capsule: SignedManifest
}

/** A mirror at the top, two routers below it with two readers each. */
function scene(policy: Parameters<OverlayWorld['capsule']>[1] = {}, seed = 1): Scene {
  const world = new OverlayWorld(new Prng(seed))
  const top = world.router()
  const routers = [world.router(), world.router()]
  for (const router of routers) router.join(top)
  const readers = [0, 1, 2, 3].map(() => world.node())
  for (const [i, reader] of readers.entries()) reader.join(routers[i >> 1] as WorldNode)
  const server = world.node()
  server.join(top)
  const owner = world.authority('person')
  const capsule = world.capsule(owner, policy)
  server.advertise(capsule, world.adChain(owner, server.name))
  world.run(1000)
  return { world, top, routers, readers, server, capsule }
}

function subscribe({ world, readers, capsule }: Scene): void {
  for (const reader of readers) reader.step({ type: 'subscribe', name: capsule.name })
  world.run(1000)
}

function publish({ server, capsule }: Scene, byte: number, byteLength = 10): void {
  const payload = new Uint8Array(byteLength).fill(byte)
  server.step({ type: 'publish', name: capsule.name, payload })
}

const seen = (node: WorldNode): (number | undefined)[] =>
  node.of('published').map(({ payload }) => payload[0])

test('OV40: one copy goes over each link, and every subscriber gets one', () => {
  const all = scene()
  subscribe(all)
  const { world, readers, server, top } = all
  const sent = (): number => [...server.overlay.links].reduce((n, link) => n + link.sentBytes, 0)
  const before = sent()
  for (let i = 0; i < 5; i++) publish(all, i, 10_000)
  world.run(100)
  for (const reader of readers) {
    assert.deepEqual(seen(reader), [0, 1, 2, 3, 4])
    assert.deepEqual(reader.of('published')[0]?.publisher, server.name)
    assert.equal(reader.of('gap').length, 0)
  }
  const bytes = sent() - before
  assert.ok(bytes >= 50_000 && bytes < 52_000, `${bytes} bytes over one link`)
  assert.equal(top.overlay.counters.refusedPublications, 0)
})

test('OV41: a subscription lasts as long as it is renewed', () => {
  const all = scene()
  subscribe(all)
  const { world, readers, routers, capsule } = all
  const peer = new RawPeer(world, 1)
  peer.connect(world, routers[0] as WorldNode)
  peer.write(encodeControl(SUBSCRIBE, namesValue([capsule.name])))
  world.run(100)
  publish(all, 1)
  world.run(100)
  assert.equal(peer.ofType(PUBLISHED).length, 1)
  for (let i = 0; i < 10; i++) {
    world.run(50_000)
    publish(all, 2)
    world.run(100)
  }
  assert.ok(peer.ofType(PUBLISHED).length < 5, 'it never renewed')
  for (const reader of readers) assert.equal(seen(reader).length, 11)
})

test('OV42: what does not come along the verified route counts for nothing', () => {
  const all = scene()
  subscribe(all)
  const { world, routers, readers, capsule, server, top } = all
  const [router] = routers as [WorldNode]
  const peer = new RawPeer(world, 1)
  peer.connect(world, router, { isRouter: true })
  for (const publisher of [peer.name, server.name]) {
    peer.write(publishedHead(capsule.name, publisher, 0, 30, 0))
  }
  world.run(100)
  assert.equal(router.overlay.counters.refusedPublications, 2)
  for (const reader of readers) assert.deepEqual(seen(reader), [])

  // Below the top sits one who may advertise, but not serve.
  const owner = world.authority('person')
  const other = world.capsule(owner)
  const half = world.node()
  half.join(top)
  half.advertise(other, world.adChain(owner, half.name, { rights: ['advertise'] }))
  world.run(1000)
  readers[0]?.step({ type: 'subscribe', name: other.name })
  world.run(1000)
  half.step({ type: 'publish', name: other.name, payload: new Uint8Array(1) })
  world.run(100)
  assert.equal(readers[0]?.of('published').length, 0)
  assert.equal(top.overlay.counters.refusedPublications, 1)
})

test('OV43: a capsule that not everybody may read is not published', () => {
  const all = scene({ read: [] })
  subscribe(all)
  publish(all, 1)
  all.world.run(100)
  for (const reader of all.readers) assert.deepEqual(seen(reader), [])
})

test('OV43: not even by the mirror itself to one who asks it directly', () => {
  for (const [read, count] of [
    ['any', 1],
    [[], 0],
  ] as const) {
    const all = scene({ read })
    const peer = new RawPeer(all.world, 1)
    peer.connect(all.world, all.server)
    peer.write(encodeControl(SUBSCRIBE, namesValue([all.capsule.name])))
    all.world.run(100)
    publish(all, 1)
    all.world.run(100)
    assert.equal(peer.ofType(PUBLISHED).length, count)
  }
})

test('OV44: what a slow link made a queue drop is announced as a gap, others miss nothing', () => {
  const all = scene()
  subscribe(all)
  const { world, top, capsule, readers } = all
  const slow = world.node()
  const { address } = top
  world.network.setLink(slow.address, address, {
    ...{ latencyUs: 100, jitterUs: 0, bytesPerSecond: 1_000_000, loss: 0 },
  })
  slow.join(top)
  slow.step({ type: 'subscribe', name: capsule.name })
  world.run(2000)
  for (let i = 0; i < 40; i++) {
    publish(all, i, 500_000)
    world.run(20)
  }
  world.run(30_000)
  publish(all, 99)
  world.run(2000)
  const events = slow.seen.filter(({ type }) => type === 'published' || type === 'gap')
  assert.ok(slow.of('published').length < 41)
  assert.ok(slow.of('gap').length >= 1)
  let last = -1
  let isGap = false
  for (const effect of events) {
    if (effect.type === 'gap') {
      isGap = true
      continue
    }
    const [byte = 0] = effect.type === 'published' ? effect.payload : []
    if (byte !== 99) assert.ok(byte === last + 1 || isGap, `${byte} after ${last} without a gap`)
    last = byte
    isGap = false
  }
  assert.equal(last, 99)
  for (const reader of readers) assert.equal(seen(reader).length, 41)
})

test('OV45: when the way changes the gap is announced and publications come again', () => {
  for (const how of ['reset', 'silent'] as const) {
    const world = new OverlayWorld(new Prng(5))
    const routers = [world.router(), world.router()]
    const [reader, server] = [world.node(), world.node()]
    reader.join(...routers)
    server.join(...routers)
    const owner = world.authority('person')
    const capsule = world.capsule(owner)
    server.advertise(capsule, world.adChain(owner, server.name))
    reader.step({ type: 'subscribe', name: capsule.name })
    world.run(8000)
    const all = { world, server, capsule } as Scene
    publish(all, 1)
    world.run(100)
    assert.deepEqual(seen(reader), [1])
    const [hop] = trace(world, reader, capsule.name).slice(1)
    const busy = routers.find(({ name }) => bytesEqual(name, hop?.principal ?? name.subarray(1)))
    assert.ok(busy !== undefined)
    busy.die(how)
    world.run(40_000)
    publish(all, 2)
    world.run(100)
    assert.deepEqual(seen(reader), [1, 2])
    assert.equal(reader.of('gap').length, 1)
  }
})

function trace(world: OverlayWorld, node: WorldNode, name: CapsuleName): readonly TraceHop[] {
  node.step({ type: 'trace', request: 1, name })
  world.run(100)
  return node.of('traced')[0]?.hops ?? []
}

test('OV46: who wants nothing more unsubscribes, all the way up', () => {
  const all = scene()
  subscribe(all)
  const { world, server, capsule, readers } = all
  for (const reader of readers) reader.step({ type: 'unsubscribe', name: capsule.name })
  world.run(1000)
  const sent = (): number => [...server.overlay.links].reduce((n, link) => n + link.sentBytes, 0)
  const before = sent()
  publish(all, 1, 10_000)
  assert.equal(sent(), before)
})

test('OV47: more subscriptions than allowed end the link', () => {
  const world = new OverlayWorld(new Prng(1))
  const router = world.router(undefined, { subscriptionsPerLinkMax: 2 })
  const peer = new RawPeer(world, 1)
  peer.connect(world, router)
  const owner = world.authority('person')
  const names = [1, 2, 3].map(() => world.capsule(owner).name)
  peer.write(encodeControl(SUBSCRIBE, namesValue(names)))
  world.run(100)
  assert.equal(peer.goodbye, 'PROTOCOL_ERROR')
})
