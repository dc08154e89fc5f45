import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CapsuleName } from '../bytes/brands.ts'
import { sha256 } from '../crypto/sha256.ts'
import { type AdCertBody, decodeAdCert, signAdCert } from './ad-cert.ts'
import { decodeCertChain, encodeCertChain } from './cert-chain.ts'
import { certHash } from './cert-terms.ts'
import { decodeErasureCert, signErasureCert, verifyErasureCert } from './erasure-cert.ts'
import { NEVER_S } from './permanent-terms.ts'
import { signRtCert } from './rt-cert.ts'
import {
  adChain,
  CAPSULE,
  HOUR_S,
  issuingSigner,
  memberChain,
  NODE,
  NOW_S,
  PERSON,
  ROUTER,
  rtChain,
  terms,
  writerCertBody,
} from './testing/sample-chain.ts'
import { signWriterCert, verifyWriterChain } from './writer-cert.ts'

const OWNER = issuingSigner(PERSON)
const GOOD: AdCertBody = {
  ...terms(PERSON, NODE),
  capsules: 'all',
  rights: ['advertise', 'serve'],
  domains: 'any',
}
const namesOf = (count: number): CapsuleName[] =>
  Array.from({ length: count }, (_, i) => new Uint8Array(32).fill(i) as CapsuleName)

test('CE2 CE3 CE4: what was signed is what is read', () => {
  const body = { ...GOOD, capsules: namesOf(256), domains: namesOf(64), revocation: namesOf(1)[0] }
  for (const full of [GOOD, body as AdCertBody]) {
    const signed = signAdCert(full, OWNER)
    assert.ok(signed.length <= 16_384)
    assert.deepEqual(decodeAdCert(signed), full)
    assert.deepEqual(signAdCert(decodeAdCert(signed), OWNER), signed)
    assert.deepEqual(certHash(signed), sha256(signed))
  }
})

test('CE6: terms that no verifier accepts are not signed', () => {
  const wrong: Partial<AdCertBody>[] = [
    { rights: [] },
    { rights: ['serve', 'advertise'] },
    { rights: ['write' as 'serve'] },
    { capsules: namesOf(257) },
    { capsules: namesOf(2).toReversed() },
    { domains: namesOf(65) },
    { depth: 8 },
    { serial: new Uint8Array(15) },
    { notAfterS: NOW_S - 2 * HOUR_S },
    { stalenessS: 1 },
    { notBeforeS: 0.5 },
    { notAfterS: 2 ** 53 },
  ]
  for (const change of wrong) {
    assert.throws(() => signAdCert({ ...GOOD, ...change }, OWNER), { code: 'USAGE' })
  }
  const rt = { ...terms(NODE, ROUTER), adcert: null, notAfterS: NOW_S + 24 * HOUR_S }
  assert.throws(() => signRtCert(rt, issuingSigner(NODE)), { code: 'USAGE' })
})

test('CE15: a chain has one encoding and limits', () => {
  for (const chain of [adChain(), memberChain(), rtChain()]) {
    const bytes = encodeCertChain(chain)
    assert.deepEqual(decodeCertChain(bytes), chain)
  }
  const { certs, manifests } = adChain([PERSON, NODE])
  const large = new Uint8Array(16_384)
  for (const chain of [
    { certs: [], manifests },
    { certs, manifests: [] },
    { certs: Array<Uint8Array>(9).fill(certs[0] as Uint8Array), manifests },
    { certs: Array<Uint8Array>(8).fill(large), manifests },
    { certs: [new Uint8Array(16_385)], manifests },
  ]) {
    assert.throws(() => encodeCertChain(chain), { code: 'USAGE' })
  }
  assert.throws(() => decodeCertChain(new Uint8Array(131_073)), { code: 'CERT_CHAIN' })
})

test('CE19 CE20: an erasure is ordered by the owner of the capsule', () => {
  const body = {
    ...terms(PERSON, CAPSULE, { notAfterS: NEVER_S }),
    branch: new Uint8Array(0) as never,
    ranges: [{ start: 0, end: 2 }],
    reason: 'wish',
  }
  const signed = signErasureCert(body, OWNER)
  assert.deepEqual(verifyErasureCert(signed, CAPSULE.signed), body)
  assert.deepEqual(decodeErasureCert(signed), body)
  assert.throws(() => verifyErasureCert(signed, PERSON.signed), { code: 'CERT_SCOPE' })
  assert.throws(() => signErasureCert({ ...body, notAfterS: NOW_S * 2 }, OWNER), { code: 'USAGE' })
  assert.throws(() => signErasureCert({ ...body, ranges: [] }, OWNER), { code: 'USAGE' })
  for (let bit = 0; bit < signed.length * 8; bit++) {
    const flipped = signed.with(bit >> 3, (signed[bit >> 3] as number) ^ (1 << (bit & 7)))
    assert.throws(() => verifyErasureCert(flipped, CAPSULE.signed), { name: 'VerificationError' })
  }
})

test('CE21 CE22: every flipped bit of a writer change is refused', () => {
  const branch = new Uint8Array(0) as never
  const end = { branch, epoch: 1, size: 3, root: sha256(new Uint8Array(1)) }
  const signed = signWriterCert(writerCertBody(end, issuingSigner(NODE).key), OWNER)
  assert.equal(verifyWriterChain([signed], CAPSULE.signed, branch).epoch, 1)
  for (let bit = 0; bit < signed.length * 8; bit++) {
    const flipped = signed.with(bit >> 3, (signed[bit >> 3] as number) ^ (1 << (bit & 7)))
    const verify = (): unknown => verifyWriterChain([flipped], CAPSULE.signed, branch)
    assert.throws(verify, { name: 'VerificationError' })
  }
})
