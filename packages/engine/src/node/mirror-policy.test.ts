import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  asCapsuleName,
  type CapsuleName,
  encodeCertChain,
  type Manifest,
  openManifest,
  type Policy,
  type SignedManifest,
  signAdCert,
  signManifest,
} from '@longshore/capsule'
import type { SessionPeer } from '../replica/mirror-contract.ts'
import { createCapsuleFixture } from '../testing/capsule-fixture.ts'
import { Prng } from '../testing/prng.ts'
import { SimRuntime } from '../testing/sim-runtime.ts'
import { createMirrorPolicy } from './mirror-policy.ts'

const prng = new Prng(1)
const runtime = new SimRuntime(prng.child())
const nowS = Math.floor(runtime.nowUs() / 1_000_000)
const self = asCapsuleName(prng.bytes(32))
const domain = asCapsuleName(prng.bytes(32))
/** Where the mirror is now. */
let domains: CapsuleName[] = []
const policy = createMirrorPolicy({
  ...{ self, runtime, domains: () => domains },
  bytesFree: () => Number.POSITIVE_INFINITY,
})

interface Offered {
  readonly capsule: SignedManifest
  readonly chain: Uint8Array
}

function offer(
  hold: Policy['hold'],
  terms: { readonly subject?: CapsuleName; readonly notAfterS?: number } = {},
): Offered {
  const { owner, manifest } = createCapsuleFixture(prng, { hold })
  const capsule = openManifest(manifest.signed)
  const keys = capsule.manifest.keys.filter(({ use }) => use === 'owner')
  const base: Manifest = { ...capsule.manifest, type: 'person', keys, authority: null }
  const person = signManifest(base, owner)
  const cert = signAdCert(
    {
      ...{ issuer: person.name, subject: terms.subject ?? self, parent: null },
      ...{ serial: prng.bytes(16), notBeforeS: nowS - 10, notAfterS: terms.notAfterS ?? nowS + 10 },
      ...{ revocation: null, stalenessS: 0, depth: 0 },
      ...{ capsules: 'all', rights: ['serve'], domains: 'any' },
    },
    owner,
  )
  return { capsule, chain: encodeCertChain({ certs: [cert], manifests: [person.signed] }) }
}

function check({ capsule, chain }: Offered): void {
  policy.checkOffer(capsule, chain, { name: undefined })
}

test('ND8: a mirror takes on what its owner lets it serve now', () => {
  check(offer('any'))
  const foreign = offer('any', { subject: domain })
  assert.throws(() => check(foreign), { code: 'CERT_SCOPE' })
  assert.throws(() => check(offer('any', { notAfterS: nowS - 1 })), { code: 'CERT_EXPIRED' })
  const { chain } = offer('any')
  assert.throws(() => check({ capsule: offer('any').capsule, chain }), { code: 'CERT_CHAIN' })
})

test('ND8: and only where the policy of the capsule wants copies, as long as it is there', () => {
  assert.throws(() => check(offer([domain])), { code: 'POLICY_REFUSED' })
  domains = [domain]
  check(offer([domain]))
  domains = []
  assert.throws(() => check(offer([domain])), { code: 'POLICY_REFUSED' })
})

test('MI15: who is not a reader reads only by the chain that lets it serve, as long as it counts', () => {
  const reads = ({ capsule }: Offered, peer: SessionPeer): boolean => policy.mayRead(capsule, peer)
  const offered = offer('any')
  const { chain } = offered
  assert.ok(reads(offered, { name: self, chains: [chain] }))
  assert.ok(!reads(offered, { name: self, chains: [] }))
  assert.ok(!reads(offered, { name: domain, chains: [chain] }))
  assert.ok(!reads(offered, { name: undefined, chains: [chain] }))
  assert.ok(!reads(offer('any'), { name: self, chains: [chain] }))
  const [expired, elsewhere] = [offer('any', { notAfterS: nowS - 1 }), offer([domain])]
  assert.ok(!reads(expired, { name: self, chains: [expired.chain] }))
  assert.ok(!reads(elsewhere, { name: self, chains: [elsewhere.chain] }))
})
