import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CapsuleName } from '../bytes/brands.ts'
import { compareBytes } from '../bytes/bytes.ts'
import type { Signer } from '../crypto/signer.ts'
import { principalOf } from '../receipt/testing/sample-capsule.ts'
import { type AdCertBody, decodeAdCert, signAdCert } from './ad-cert.ts'
import { type CertChain, decodeCertChain, encodeCertChain } from './cert-chain.ts'
import { certHash } from './cert-terms.ts'
import {
  adChain,
  CAPSULE,
  DOMAIN,
  HOUR_S,
  issuingSigner,
  manifestsOf,
  NODE,
  NOW_S,
  ORGANISATION,
  PERSON,
  ROUTER,
  terms,
} from './testing/sample-chain.ts'
import { type AdChainExpectation, verifyAdChain } from './verify-ad-chain.ts'

const EXPECTED: AdChainExpectation = {
  capsule: CAPSULE.signed,
  subject: NODE.signed.name,
  right: 'serve',
  atS: NOW_S,
}
const THIS = CAPSULE.signed.name
const OTHER = principalOf('capsule', 11)
const names = (...items: readonly CapsuleName[]): CapsuleName[] => items.toSorted(compareBytes)

function refuse(chain: CertChain, code: string, change: Partial<AdChainExpectation> = {}): void {
  assert.throws(() => verifyAdChain(chain, { ...EXPECTED, ...change }), { code })
}

test('CE9 CE11: a chain gives a node a right for the capsules of its owner', () => {
  for (const principals of [
    [PERSON, NODE],
    [PERSON, ORGANISATION, NODE],
    [PERSON, ORGANISATION, ROUTER, DOMAIN, NODE],
  ]) {
    const chain = adChain(principals)
    for (const right of ['advertise', 'serve'] as const) {
      assert.deepEqual(verifyAdChain(chain, { ...EXPECTED, right }), {
        notAfterS: NOW_S + HOUR_S,
        leafHash: certHash(chain.certs[0] as Uint8Array),
        root: PERSON.signed.name,
      })
    }
  }
})

test('CE9: rights, capsules and domains of the leaf must cover what is claimed', () => {
  refuse(adChain([PERSON, NODE], { rights: ['advertise'] }), 'CERT_SCOPE')
  refuse(adChain([PERSON, NODE], { rights: ['serve'] }), 'CERT_SCOPE', { right: 'advertise' })
  refuse(adChain([PERSON, NODE], { capsules: [] }), 'CERT_SCOPE')
  refuse(adChain([PERSON, NODE], { capsules: [OTHER.signed.name] }), 'CERT_SCOPE')
  refuse(adChain(), 'CERT_SCOPE', { subject: ROUTER.signed.name })
  verifyAdChain(adChain([PERSON, NODE], { capsules: names(THIS, OTHER.signed.name) }), EXPECTED)

  const domain = DOMAIN.signed.name
  const inDomain = adChain([PERSON, NODE], { domains: [domain] })
  verifyAdChain(inDomain, { ...EXPECTED, domains: [domain] })
  refuse(inDomain, 'CERT_SCOPE')
  refuse(inDomain, 'CERT_SCOPE', { domains: [ORGANISATION.signed.name] })
})

test('CE10: each link narrows', () => {
  const along = [PERSON, ORGANISATION, NODE]
  const wider: [string, Partial<AdCertBody>, Partial<AdCertBody>][] = [
    ['rights', { rights: ['serve'] }, { rights: ['advertise', 'serve'] }],
    ['all capsules', { capsules: [THIS] }, { capsules: 'all' }],
    ['a capsule', { capsules: [THIS] }, { capsules: names(THIS, OTHER.signed.name) }],
    ['any domain', { domains: [DOMAIN.signed.name] }, { domains: 'any' }],
    ['a domain', { domains: [] }, { domains: [DOMAIN.signed.name] }],
    ['earlier', { notBeforeS: NOW_S }, { notBeforeS: NOW_S - 1 }],
    ['longer', { notAfterS: NOW_S }, { notAfterS: NOW_S + 1 }],
    ['depth', { depth: 1 }, { depth: 1 }],
    ['no depth', { depth: 0 }, { depth: 0 }],
  ]
  for (const [what, outer, inner] of wider) {
    assert.throws(
      () => verifyAdChain(adChain(along, outer, inner), EXPECTED),
      { code: 'CERT_SCOPE' },
      what,
    )
  }
  const narrow = adChain(along, { depth: 7 }, { capsules: [THIS], rights: ['serve'] })
  verifyAdChain(narrow, EXPECTED)
})

test('CE11: the chain must end at the owner of this very capsule', () => {
  refuse(adChain(), 'CERT_CHAIN', { capsule: OTHER.signed })
  refuse(adChain([ORGANISATION, NODE]), 'CERT_CHAIN')
  // A node of the owner's must not act for the owner: its key lies on a server.
  const own = principalOf('node', 121, { owner: CAPSULE.signers.get('owner') as Signer })
  refuse(adChain([own, NODE]), 'CERT_CHAIN')
  const person = principalOf('person', 131)
  refuse(adChain([PERSON, person, NODE]), 'CERT_CHAIN')
  refuse(adChain(), 'CERT_SCOPE', { capsule: PERSON.signed })
})

test('CE14: wrong order, gaps, loops and foreign parts', () => {
  const { certs, manifests } = adChain()
  const [leaf, root] = certs as [Uint8Array, Uint8Array]
  refuse({ certs: [root, leaf], manifests }, 'CERT_CHAIN')
  refuse({ certs: [leaf], manifests: manifestsOf([ORGANISATION]) }, 'CERT_CHAIN')
  refuse({ certs: [leaf, leaf, root], manifests }, 'CERT_CHAIN')
  refuse({ certs: [], manifests: [] }, 'CERT_CHAIN')
  const other = adChain([PERSON, ORGANISATION, NODE], { serial: new Uint8Array(16) })
  refuse({ certs: [leaf, other.certs[1] as Uint8Array], manifests }, 'CERT_CHAIN')
  refuse(adChain([PERSON, ORGANISATION, PERSON, NODE]), 'CERT_CHAIN')
  refuse(adChain([PERSON, NODE, ORGANISATION, NODE]), 'CERT_CHAIN')
  refuse(adChain([NODE, NODE]), 'CERT_CHAIN')
  const many = Array.from({ length: 8 }, (_, i) => principalOf('organisation', 140 + i))
  const nine = [PERSON, ...many, NODE]
  const flat = nine.map((_, i) => ({ depth: Math.max(0, 7 - i) }))
  refuse(adChain(nine, ...flat), 'CERT_CHAIN')
  verifyAdChain(adChain(nine.toSpliced(1, 1)), EXPECTED)
})

test('CE15: the manifests are those of the issuers, each once, sorted', () => {
  const { certs, manifests } = adChain()
  const [first, second] = manifests as [Uint8Array, Uint8Array]
  for (const wrong of [
    [first],
    [second, first],
    [first, first],
    manifestsOf([PERSON, ORGANISATION, ROUTER]),
    manifestsOf([PERSON, ROUTER]),
  ]) {
    refuse({ certs, manifests: wrong }, 'CERT_CHAIN')
  }
  refuse(
    { certs, manifests: manifestsOf([PERSON, ORGANISATION]).map(() => PERSON.signed.body) },
    'COSE_INVALID',
  )
})

test('CE5 CE16: each certificate is signed by the issuing key of its issuer', () => {
  const body = {
    ...terms(PERSON, NODE),
    capsules: 'all',
    rights: ['serve'],
    domains: 'any',
  } as const
  const manifests = [PERSON.signed.signed]
  const signedBy = (signer: Signer): CertChain => ({ certs: [signAdCert(body, signer)], manifests })
  verifyAdChain(signedBy(issuingSigner(PERSON)), EXPECTED)
  refuse(signedBy(issuingSigner(ORGANISATION)), 'BAD_SIGNATURE')
  // A node's owner key is kept away from it and issues nothing in its name.
  const chain = adChain([PERSON, ROUTER, NODE])
  const { certs } = chain
  const again = signAdCert(
    decodeAdCert(certs[0] as Uint8Array),
    ROUTER.signers.get('owner') as Signer,
  )
  refuse({ ...chain, certs: [again, certs[1] as Uint8Array] }, 'BAD_SIGNATURE')
})

test('CE16: certificates hold from their first second to their last', () => {
  const chain = adChain()
  for (const atS of [NOW_S - HOUR_S, NOW_S, NOW_S + HOUR_S])
    verifyAdChain(chain, { ...EXPECTED, atS })
  for (const atS of [0, NOW_S - HOUR_S - 1, NOW_S + HOUR_S + 1])
    refuse(chain, 'CERT_EXPIRED', { atS })
})

test('CE17: revoked, and what is not known well enough', () => {
  const revocation = OTHER.signed.name
  const chain = adChain([PERSON, NODE], { revocation, stalenessS: 60 })
  const view = (freshAtS: number | undefined, isRevoked = false) => ({
    revocation: { isRevoked: () => isRevoked, freshAtS: () => freshAtS },
  })
  for (const right of ['advertise', 'serve'] as const) {
    verifyAdChain(chain, { ...EXPECTED, right, ...view(NOW_S - 60) })
    refuse(chain, 'CERT_REVOKED', { right, ...view(NOW_S, true) })
    refuse(chain, 'CERT_REVOKED', { right, ...view(undefined, true) })
  }
  for (const freshAtS of [NOW_S - 61, undefined]) {
    verifyAdChain(chain, { ...EXPECTED, ...view(freshAtS) })
    refuse(chain, 'REVOCATION_STALE', { right: 'advertise', ...view(freshAtS) })
  }
  // Whoever has no view at all knows nothing.
  verifyAdChain(chain, { ...EXPECTED, right: 'serve' })
  refuse(chain, 'REVOCATION_STALE', { right: 'advertise' })
  // Without a revocation capsule there is nothing to look up.
  verifyAdChain(adChain(), { ...EXPECTED, right: 'advertise', ...view(undefined, true) })
})

test('CE15 CE16: every flipped bit of a chain is refused', () => {
  const bytes = encodeCertChain(adChain())
  verifyAdChain(decodeCertChain(bytes), EXPECTED)
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const flipped = bytes.with(bit >> 3, (bytes[bit >> 3] as number) ^ (1 << (bit & 7)))
    const verify = (): unknown => verifyAdChain(decodeCertChain(flipped), EXPECTED)
    assert.throws(verify, { name: 'VerificationError' }, `bit ${bit}`)
  }
})
