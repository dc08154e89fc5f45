import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeCertChain } from '@longshore/capsule'
import { OverlayWorld } from '../testing/overlay-world.ts'
import { Prng } from '../testing/prng.ts'
import { WAN } from '../testing/sim-network.ts'
import { encodeControl, lookupValue } from './control-frame.ts'
import { LOOKUP, PING, pingFrame, startFrame } from './frame.ts'
import { RawPeer } from './testing/raw-peer.ts'

const newWorld = (seed = 1): OverlayWorld => new OverlayWorld(new Prng(seed))

test('OV1: only a hello is accepted first, and only once', () => {
  const world = newWorld()
  const router = world.router()
  const early = new RawPeer(world, 1)
  early.dial(router)
  world.run(10)
  early.write(pingFrame(PING, 1))
  const twice = new RawPeer(world, 2)
  twice.connect(world, router)
  assert.equal(router.of('link-up').length, 1)
  twice.write(twice.hello())
  world.run(10)
  assert.deepEqual([early.goodbye, early.isClosed], ['PROTOCOL_ERROR', true])
  assert.deepEqual([twice.goodbye, twice.isClosed], ['PROTOCOL_ERROR', true])
  assert.equal(router.of('link-down').length, 1)
})

test('OV2: without a common version there is no link', () => {
  for (const versions of [
    { versionMin: 2, versionMax: 3 },
    { versionMin: 0, versionMax: 0 },
  ]) {
    const world = newWorld()
    const router = world.router()
    const peer = new RawPeer(world, 1)
    peer.connect(world, router, versions)
    assert.equal(peer.goodbye, 'PROTOCOL_VERSION')
  }
  const world = newWorld()
  const router = world.router()
  const peer = new RawPeer(world, 1)
  peer.connect(world, router, { versionMin: 0, versionMax: 9 })
  assert.equal(peer.goodbye, undefined)
  assert.equal(router.of('link-up').length, 1)
})

test('OV3: a lost link comes back, later each time and never twice after the same delay', () => {
  const world = newWorld()
  const router = world.router()
  const node = world.node()
  node.join(router)
  world.run(100)
  assert.equal(node.of('link-up').length, 1)
  world.network.partition([node.address], [router.address])
  world.run(120_000)
  assert.equal(node.of('link-down').length, 1)
  world.network.healAll()
  world.run(61_000 + 10_000)
  assert.equal(node.of('link-up').length, 2)

  const lonely = world.node()
  const gone = world.router()
  const { ticket } = gone
  gone.die()
  lonely.step({ type: 'join', ticket })
  const dials: number[] = []
  const startUs = lonely.runtime.nowUs()
  const { log } = lonely.runtime
  lonely.runtime.log = (level, event, details) => {
    if (event === 'link.dial-failed') dials.push(lonely.runtime.nowUs() - startUs)
    log.call(lonely.runtime, level, event, details)
  }
  world.run(300_000)
  const gaps = dials.slice(1).map((at, i) => at - (dials[i] as number))
  for (const [i, gap] of gaps.entries()) {
    const full = Math.min(250_000 * 2 ** i, 60_000_000)
    assert.ok(gap >= full / 2 && gap <= full + 1000, `gap ${i} of ${gap} us`)
  }
  assert.ok(gaps.length > 8 && new Set(gaps).size === gaps.length)
})

test('OV3: an address that says nothing holds up none of the others', () => {
  const world = newWorld()
  const [router, decoy] = [world.router(), world.router()]
  const node = world.node()
  const { name, tlsKey } = router.ticket
  const addresses = ['mem://gone', decoy.address, router.address]
  world.network.partition([node.address], [decoy.address])
  node.step({ type: 'join', ticket: { name, tlsKey, addresses } })
  world.run(1000)
  assert.equal(node.of('link-up').length, 1)
  // What is still under way then is nobody's any more, also when it is answered late.
  world.run(60_000)
  assert.deepEqual([node.of('link-up').length, node.of('link-down').length], [1, 0])
  assert.equal([...node.overlay.joins][0]?.failures, 0)

  const shut = world.node()
  world.network.partition([shut.address], [decoy.address, router.address])
  shut.step({ type: 'join', ticket: { name, tlsKey, addresses } })
  world.run(9_000)
  world.network.healAll()
  world.run(3_000)
  assert.equal(shut.of('link-up').length, 1, 'dialled again once all of them have failed')
})

test('OV3: the same ticket again changes nothing, a newer one takes its place', () => {
  const world = newWorld()
  const router = world.router()
  const node = world.node()
  node.join(router, router)
  world.run(100)
  node.join(router)
  world.run(1000)
  assert.deepEqual([node.of('link-up').length, node.of('link-down').length], [1, 0])
  const { name, tlsKey, addresses } = router.ticket
  node.step({ type: 'join', ticket: { name, tlsKey, addresses: ['mem://gone', ...addresses] } })
  world.run(5000)
  assert.deepEqual([node.of('link-up').length, node.of('link-down').length], [2, 1])
})

test('OV4: whoever leaves has no link and dials no more', () => {
  const world = newWorld()
  const router = world.router()
  const node = world.node()
  node.join(router)
  world.run(100)
  node.step({ type: 'leave', principal: router.name })
  world.run(100_000)
  assert.equal(node.of('link-up').length, 1)
  assert.equal(node.of('link-down').length, 1)
  assert.match(router.of('link-down')[0]?.reason ?? '', /left/)
  const early = world.node()
  early.join(router)
  early.step({ type: 'leave', principal: router.name })
  world.run(100_000)
  assert.equal(early.of('link-up').length, 0)
})

test('OV5: the manifest must be that of a node and list the TLS key of the connection', () => {
  const world = newWorld()
  const router = world.router()
  const thief = new RawPeer(world, 1)
  const victim = world.node()
  const person = world.authority('person')
  const router2 = world.router()
  for (const [signedManifest, code] of [
    [victim.manifest.signed, 'HELLO_INVALID'],
    [person.manifest.signed, 'HELLO_INVALID'],
    [new Uint8Array(10), 'COSE_INVALID'],
    [thief.manifest.signed.with(200, 1), undefined],
  ] as const) {
    const peer = code === 'HELLO_INVALID' ? new RawPeer(world, 10 + world.prng.below(1e9)) : thief
    peer.connect(world, router, { signedManifest })
    if (code !== undefined) assert.equal(peer.goodbye, code)
    assert.equal(peer.isClosed, true)
    peer.frames.length = 0
  }
  assert.equal(router.of('link-up').length, 0)
  router2.join(router2)
  world.run(1000)
  assert.equal(router2.of('link-up').length, 0, 'a node has no link to itself')
})

test('OV6: who was dialled must be who answers', () => {
  const world = newWorld()
  const node = world.node()
  const router = world.router()
  const other = world.router()
  const { tlsKey, addresses } = router.ticket
  node.step({ type: 'join', ticket: { name: other.name, tlsKey, addresses } })
  world.run(1000)
  assert.equal(node.of('link-up').length, 0)
  assert.equal(router.of('link-up').length, router.of('link-down').length)
})

test('OV6: a membership that does not hold is refused with its reason', () => {
  const world = newWorld()
  const router = world.router()
  const domain = world.authority('domain')
  const stranger = world.node()
  const { name, chain } = world.membership(domain, stranger.name)
  const claim = { domain: name, chain: encodeCertChain(chain) }
  const peer = new RawPeer(world, 1)
  peer.connect(world, router, { membership: claim })
  assert.equal(peer.goodbye, 'CERT_SCOPE', 'it is the membership of another node')
  const good = new RawPeer(world, 2)
  const own = world.membership(domain, good.name)
  good.connect(world, router, {
    membership: { domain: own.name, chain: encodeCertChain(own.chain) },
  })
  assert.equal(good.goodbye, undefined)
  const links = [...router.overlay.links]
  assert.deepEqual(links[0]?.domain, domain.manifest.name)
})

test('OV7: round trips are measured', () => {
  const world = new OverlayWorld(new Prng(4), { ...WAN, loss: 0, jitterUs: 0 })
  const router = world.router()
  const node = world.node()
  node.join(router)
  world.run(30_000)
  const [link] = [...node.overlay.links]
  assert.ok(Math.abs((link?.costUs ?? 0) - 40_000) < 1000, `${link?.costUs} us`)
})

test('OV7: a silent peer is lost after three pings, even if its connection stands', () => {
  const world = newWorld()
  const router = world.router()
  const peer = new RawPeer(world, 1)
  peer.connect(world, router)
  peer.answersPings = false
  world.run(14_000)
  assert.equal(router.of('link-down').length, 0)
  world.run(12_000)
  assert.equal(router.of('link-down').length, 1)
  assert.match(router.of('link-down')[0]?.reason ?? '', /^PEER_LOST/)
  assert.equal(peer.goodbye, 'PEER_LOST')
})

test('OV8: whoever says nothing for ten seconds goes, and so does one stranger too many', () => {
  const world = newWorld()
  const router = world.router(undefined, { strangersMax: 2 })
  const peers = [1, 2, 3].map((number) => new RawPeer(world, number))
  for (const peer of peers) peer.dial(router)
  world.run(1000)
  assert.equal(peers.filter(({ isClosed }) => isClosed).length, 1)
  world.run(10_000)
  const goodbyes = peers.map(({ goodbye }) => goodbye ?? 'none').sort()
  assert.deepEqual(goodbyes, ['PEER_LOST', 'PEER_LOST', 'none'])
})

test('OV8: of too many links to one node the oldest goes', () => {
  const world = newWorld()
  const router = world.router()
  const peer = new RawPeer(world, 1)
  for (let i = 0; i < 5; i++) peer.connect(world, router)
  assert.equal([...router.overlay.links].length, 4)
  assert.equal(router.of('link-down').length, 1)
  assert.match(router.of('link-down')[0]?.reason ?? '', /^OVERLOADED/)
})

test('OV9: whoever breaks the protocol loses its own link, with the reason', () => {
  for (const [frame, code] of [
    [startFrame(0x7f, 3), 'FRAME_INVALID'],
    [startFrame(LOOKUP, 3), 'FRAME_INVALID'],
    [encodeControl(LOOKUP, [1, 2, 3, 4]), 'FRAME_INVALID'],
    [new Uint8Array(4), 'FRAME_INVALID'],
  ] as const) {
    const world = newWorld()
    const router = world.router()
    const [bad, good] = [new RawPeer(world, 1), new RawPeer(world, 2)]
    bad.connect(world, router)
    good.connect(world, router)
    bad.write(frame)
    world.run(10)
    assert.equal(bad.goodbye, code)
    good.write(encodeControl(LOOKUP, lookupValue({ request: 1, name: good.name, hopsLeft: 1 })))
    world.run(10)
    assert.equal(good.isClosed, false)
    assert.equal(router.overlay.counters.protocolErrors, 1)
  }
})

test('OV9: random bytes after a good hello never do more than end the link', () => {
  const prng = new Prng(11)
  for (let round = 0; round < 60; round++) {
    const world = newWorld(round)
    const router = world.router()
    const peer = new RawPeer(world, 1)
    peer.connect(world, router, { isRouter: prng.chance(0.5) })
    const type = prng.pick([0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x20, 0x23, 0x24, 0x25, 0x28, 0x29])
    const frame = startFrame(type, prng.between(1, 300))
    frame.set(prng.bytes(frame.length - 5), 5)
    if (prng.chance(0.7)) frame[5] = 0
    peer.write(frame)
    world.run(100)
    assert.ok([...router.overlay.links].length <= 1)
  }
})
