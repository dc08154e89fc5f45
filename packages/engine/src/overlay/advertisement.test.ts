/**
 * Ten ways to draw traffic for a popular name without a chain to its owner, and what becomes of
 * them: the name is refused with a code, the refusal is recorded, and every question still goes to
 * the node that may serve.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  advertisedNamesDigest,
  type CertChain,
  certHash,
  decodeCbor,
  encodeCertChain,
  type SignedManifest,
  signAdvertisement,
  signRtCert,
} from '@longshore/capsule'
import type { Authority } from '../testing/authorities.ts'
import { OverlayWorld, type WorldNode } from '../testing/overlay-world.ts'
import { Prng } from '../testing/prng.ts'
import { advertiseValue, encodeControl, type RouteGroup } from './control-frame.ts'
import { ADVERTISE, ADVERTISED, DATA, FRAME_HEAD_BYTES, LABELLED } from './frame.ts'
import type { OverlayLimits } from './limits.ts'
import { RawPeer } from './testing/raw-peer.ts'

/** A router, a node that may serve a popular capsule, a client, and one who wants its traffic. */
class Scene {
  readonly world = new OverlayWorld(new Prng(21))
  readonly router: WorldNode
  readonly server: WorldNode = this.world.node()
  readonly client: WorldNode = this.world.node()
  readonly owner: Authority = this.world.authority('person')
  readonly capsule: SignedManifest = this.world.capsule(this.owner)
  readonly mallory: RawPeer = new RawPeer(this.world, 1)
  readonly chain: CertChain = this.world.adChain(this.owner, this.server.name)

  constructor(limits: Partial<OverlayLimits> = {}) {
    this.router = this.world.router(undefined, limits)
    this.server.join(this.router)
    this.client.join(this.router)
    this.server.advertise(this.capsule, this.chain)
    this.world.run(100)
    this.mallory.connect(this.world, this.router)
  }

  rtCert(chain: CertChain | null, changes: Partial<Parameters<typeof signRtCert>[0]> = {}) {
    const adcert = chain === null ? null : adcertHash(chain)
    const { nowS } = this.world
    const body = {
      ...{ issuer: this.mallory.name, subject: this.router.name, parent: null, adcert, depth: 7 },
      ...{ notBeforeS: nowS - 60, notAfterS: nowS + 3600, serial: new Uint8Array(16) },
      ...{ revocation: null, stalenessS: 0 },
    }
    return signRtCert({ ...body, ...changes }, this.mallory.identity)
  }

  group(chain: CertChain | null, changes: Partial<RouteGroup> = {}): RouteGroup {
    return {
      ...{ chain: chain === null ? null : encodeCertChain(chain), membership: null },
      ...{ rtCerts: [this.rtCert(chain)], rtManifests: [this.mallory.manifest.signed] },
      names: [{ signedManifest: this.capsule.signed, costUs: 0 }],
      ...changes,
    }
  }

  statement(changes: Partial<Parameters<typeof signAdvertisement>[0]> = {}): Uint8Array {
    return signAdvertisement(
      {
        ...{ advertiser: this.mallory.name, router: this.router.name },
        ...{ exporter: this.mallory.exporter, nonce: this.mallory.theirHello.nonce },
        ...{ names: advertisedNamesDigest([this.capsule.name]), expiresS: this.world.nowS + 600 },
        ...changes,
      },
      this.mallory.identity,
    )
  }

  advertise(group: RouteGroup, statement: Uint8Array = this.statement()): void {
    const value = advertiseValue({ request: 1, statement, groups: [group] })
    this.mallory.write(encodeControl(ADVERTISE, value))
    this.world.run(100)
  }

  /** Code of the answer; undefined if there was none. */
  get answer(): string | null | undefined {
    const frame = this.mallory.ofType(ADVERTISED)[0]
    if (frame === undefined) return undefined
    const [, names] = this.mallory.answer(ADVERTISED) as [number, [Uint8Array, string | null][]]
    return names[0]?.[1]
  }

  /** Everybody still reaches the server, nobody reaches Mallory. */
  check(expected: { refused?: string; goodbye?: string }): void {
    const { refused, goodbye } = expected
    if (refused !== undefined) {
      assert.equal(this.answer, refused)
      const lines = this.router.runtime.logged.filter(
        ({ event, details }) => event === 'route.refused' && details['code'] === refused,
      )
      assert.equal(lines.length, 1, 'the refusal is recorded')
    }
    assert.equal(this.mallory.goodbye, goodbye)
    for (let i = 0; i < 10; i++) this.client.send(this.capsule.name, `question ${i}`)
    this.world.run(100)
    assert.equal(this.server.received.length, 10)
    assert.deepEqual([...this.mallory.ofType(DATA), ...this.mallory.ofType(LABELLED)], [])
  }
}

function adcertHash(chain: CertChain) {
  const [leaf] = chain.certs
  assert.ok(leaf !== undefined)
  return certHash(leaf)
}

test('OV10 OV14: 1, without any certificate', () => {
  const scene = new Scene()
  scene.advertise(scene.group(null))
  scene.check({ refused: 'CERT_CHAIN' })
})

test("OV14: 2, with a chain that ends at the attacker's own key", () => {
  const scene = new Scene()
  const mine = scene.world.authority('person')
  scene.advertise(scene.group(scene.world.adChain(mine, scene.mallory.name)))
  scene.check({ refused: 'CERT_CHAIN' })
})

test("OV12 OV14: 3, with the server's chain replayed", () => {
  const scene = new Scene()
  scene.advertise(scene.group(scene.chain))
  scene.check({ refused: 'CERT_SCOPE' })
})

test('OV14: 4, with a chain that has expired', () => {
  const scene = new Scene()
  const { nowS } = scene.world
  const times = { notBeforeS: nowS - 1000, notAfterS: nowS - 1 }
  scene.advertise(scene.group(scene.world.adChain(scene.owner, scene.mallory.name, times)))
  scene.check({ refused: 'CERT_EXPIRED' })
})

test('OV14: 5, with a chain for another capsule of the same owner', () => {
  const scene = new Scene()
  const { name } = scene.world.capsule(scene.owner)
  const chain = scene.world.adChain(scene.owner, scene.mallory.name, { capsules: [name] })
  scene.advertise(scene.group(chain))
  scene.check({ refused: 'CERT_SCOPE' })
})

test('OV14: 6, with a chain that gives only the right to serve', () => {
  const scene = new Scene()
  const chain = scene.world.adChain(scene.owner, scene.mallory.name, { rights: ['serve'] })
  scene.advertise(scene.group(chain))
  scene.check({ refused: 'CERT_SCOPE' })
})

test('OV14: 7, with a chain for members of a domain, and no membership', () => {
  const scene = new Scene()
  const domain = scene.world.authority('domain')
  const domains = [domain.manifest.name]
  const chain = scene.world.adChain(scene.owner, scene.mallory.name, { domains })
  const other = scene.world.membership(domain, scene.server.name)
  const membership = { domain: other.name, chain: encodeCertChain(other.chain) }
  scene.advertise(scene.group(chain, { membership }))
  scene.check({ refused: 'CERT_SCOPE' })
})

test('OV12: 8, with an RtCert made for another router, or expired, or none', () => {
  for (const [changes, code] of [
    [{ subject: new Scene().server.name }, 'CERT_SCOPE'],
    [{ notBeforeS: 1, notAfterS: 2 }, 'CERT_EXPIRED'],
    [undefined, 'CERT_CHAIN'],
  ] as const) {
    const scene = new Scene()
    const rtCerts = changes === undefined ? [] : [scene.rtCert(null, changes)]
    const names = [{ signedManifest: scene.mallory.manifest.signed, costUs: 0 }]
    const group = scene.group(null, { rtCerts, names, ...(changes ? {} : { rtManifests: [] }) })
    const digest = advertisedNamesDigest([scene.mallory.name])
    scene.advertise(group, scene.statement({ names: digest }))
    scene.check({ refused: code })
  }
})

test('OV10: 9, with a statement for another connection, router, challenge or name', () => {
  for (const changes of [
    { exporter: new Uint8Array(32) },
    { router: new Scene().client.name },
    { nonce: new Uint8Array(32) },
    { names: advertisedNamesDigest([]) },
  ]) {
    const scene = new Scene()
    scene.advertise(scene.group(null), scene.statement(changes))
    scene.check({ goodbye: 'CERT_SCOPE' })
    assert.equal(scene.answer, undefined)
  }
  const late = new Scene()
  late.advertise(late.group(null), late.statement({ expiresS: late.world.nowS - 1 }))
  late.check({ goodbye: 'CLOCK_SKEW' })
})

test("OV10: 10, with a statement signed by another key, and with the server's own frame", () => {
  const scene = new Scene()
  const forged = scene.statement()
  forged.set([(forged.at(-1) as number) ^ 1], forged.length - 1)
  scene.advertise(scene.group(null), forged)
  scene.check({ goodbye: 'BAD_SIGNATURE' })

  const replay = new Scene()
  const statement = signAdvertisement(
    {
      ...{ advertiser: replay.server.name, router: replay.router.name },
      ...{ exporter: new Uint8Array(32), nonce: new Uint8Array(32) },
      ...{ names: advertisedNamesDigest([replay.capsule.name]), expiresS: replay.world.nowS + 600 },
    },
    replay.server.identity.identity,
  )
  replay.advertise(replay.group(replay.chain), statement)
  replay.check({ goodbye: 'CERT_SCOPE' })
})

test('OV10 OV12 OV14: with everything that is needed the name is installed', () => {
  const scene = new Scene()
  const chain = scene.world.adChain(scene.owner, scene.mallory.name)
  scene.advertise(scene.group(chain))
  assert.equal(scene.answer, null)
  assert.equal(scene.router.overlay.counters.refusedNames, 0)
})

test('OV15: a name whose policy keeps it out of the domain of the router is refused', () => {
  const scene = new Scene()
  const carry = [scene.world.authority('domain').manifest.name]
  const capsule = scene.world.capsule(scene.owner, { carry })
  const chain = scene.world.adChain(scene.owner, scene.mallory.name)
  const names = [{ signedManifest: capsule.signed, costUs: 0 }]
  const digest = advertisedNamesDigest([capsule.name])
  scene.advertise(scene.group(chain, { names }), scene.statement({ names: digest }))
  scene.check({ refused: 'POLICY_REFUSED' })
})

test('OV12: a certificate that lets nobody carry the name further is obeyed', () => {
  const scene = new Scene()
  const chain = scene.world.adChain(scene.owner, scene.mallory.name)
  const capsule = scene.world.capsule(scene.owner)
  const names = [{ signedManifest: capsule.signed, costUs: 0 }]
  const digest = advertisedNamesDigest([capsule.name])
  const group = scene.group(chain, { names, rtCerts: [scene.rtCert(chain, { depth: 0 })] })
  scene.advertise(group, scene.statement({ names: digest }))
  assert.equal(scene.answer, null)
  scene.client.step({ type: 'resolve', request: 1, name: capsule.name })
  scene.world.run(1000)
  assert.deepEqual(scene.client.of('resolved')[0]?.entries, [])
})

test('OV11: each name of an advertisement has its own answer', () => {
  const scene = new Scene()
  const chain = scene.world.adChain(scene.owner, scene.mallory.name)
  const foreign = scene.world.capsule(scene.world.authority('person'))
  const names = [scene.capsule, foreign].map(({ signed }) => ({
    signedManifest: signed,
    costUs: 0,
  }))
  const digest = advertisedNamesDigest([scene.capsule.name, foreign.name])
  scene.advertise(scene.group(chain, { names }), scene.statement({ names: digest }))
  const [, answers] = scene.mallory.answer(ADVERTISED) as [number, [Uint8Array, unknown][]]
  assert.deepEqual(
    answers.map(([, code]) => code),
    [null, 'CERT_CHAIN'],
  )
})

test('OV16: too many names in one advertisement end the link; too many in all are refused', () => {
  const scene = new Scene()
  const chain = scene.world.adChain(scene.owner, scene.mallory.name)
  const offered = { signedManifest: scene.capsule.signed, costUs: 0 }
  const half = scene.group(chain, { names: Array.from({ length: 65 }, () => offered) })
  const statement = scene.statement()
  const value = advertiseValue({ request: 1, statement, groups: [half, half] })
  scene.mallory.write(encodeControl(ADVERTISE, value))
  scene.world.run(100)
  scene.check({ goodbye: 'PROTOCOL_ERROR' })

  const world = new OverlayWorld(new Prng(1))
  const router = world.router(undefined, { namesPerLinkMax: 3 })
  const server = world.node()
  server.join(router)
  const owner = world.authority('person')
  for (let i = 0; i < 4; i++) {
    server.advertise(world.capsule(owner), world.adChain(owner, server.name))
  }
  world.run(100)
  assert.deepEqual(
    server.of('refused').map(({ code }) => code),
    ['QUOTA_EXCEEDED', 'QUOTA_EXCEEDED'],
    'its own name is one of the three',
  )
})

test('OV16: a link with as much evidence as it may have takes no more, and keeps what it has', () => {
  const world = new OverlayWorld(new Prng(1))
  const leaseS = 100
  const router = world.router(undefined, { evidenceBytesPerLinkMax: 3000, leaseS })
  const server = world.node({ limits: { leaseS } })
  server.join(router)
  const owner = world.authority('person')
  for (let i = 0; i < 20; i++) {
    server.advertise(world.capsule(owner), world.adChain(owner, server.name))
  }
  world.run(100)
  const [taken, refused] = [server.of('advertised').length, server.of('refused')]
  assert.ok(taken >= 2 && taken <= 5, `${taken} names in 3000 bytes`)
  assert.equal(refused.length, 21 - taken)
  assert.ok(refused.every(({ code }) => code === 'QUOTA_EXCEEDED'))
  server.forget()
  world.run(90_000)
  assert.equal(server.of('advertised').length, taken)
  assert.equal(router.overlay.routeCount, taken + 1)
})

test('OV16: whoever advertises faster than names are verified waits, and loses nothing', () => {
  const world = new OverlayWorld(new Prng(1))
  const router = world.router(undefined, { admissionBurst: 4, admissionsPerSecond: 2 })
  const [server, other] = [world.node(), world.node()]
  server.join(router)
  other.join(router)
  const owner = world.authority('person')
  world.run(100)
  const chain = world.adChain(owner, server.name)
  for (let i = 0; i < 12; i++) {
    server.advertise(world.capsule(owner), chain)
    world.run(10)
  }
  const count = (): number => server.of('advertised').length
  assert.ok(count() < 8, `${count()} at once`)
  other.send(server.name, 'nobody else waits, but the answer does')
  world.run(10_000)
  assert.equal(count(), 13)
  assert.equal(server.received.length, 1)
  assert.equal(router.of('link-down').length, 0)
})

test('OV16: what a group shares counts whole, as long as one of its names is there', () => {
  const scene = new Scene({ evidenceBytesPerLinkMax: 200_000 })
  const { world, mallory } = scene
  const owner = world.authority('person')
  const chain = world.adChain(owner, mallory.name)
  // It proves nothing, but it is kept with the rest.
  const membership = { domain: mallory.name, chain: new Uint8Array(60_000).fill(1) }
  const strangers = Array.from({ length: 7 }, () => world.capsule(world.authority('person')))
  for (let i = 0; i < 10; i++) {
    const capsules = [world.capsule(owner), ...strangers]
    const names = capsules.map(({ signed }) => ({ signedManifest: signed, costUs: 0 }))
    const digest = advertisedNamesDigest(capsules.map(({ name }) => name))
    const statement = scene.statement({ names: digest })
    scene.advertise(scene.group(chain, { membership, names }), statement)
  }
  const codes = mallory.ofType(ADVERTISED).map((frame) => {
    const [, names] = decodeCbor(frame.subarray(FRAME_HEAD_BYTES)) as [number, [0, string][]]
    return names[0]?.[1]
  })
  assert.deepEqual(codes, [...Array(4).fill(null), ...Array(6).fill('QUOTA_EXCEEDED')])
})
