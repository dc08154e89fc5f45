/**
 * Certificates and their chains against vectors/cert.json.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type AdRight,
  advertisedNamesDigest,
  asBranchId,
  asCapsuleName,
  asHash,
  type CapsuleName,
  type CertTerms,
  decodeAdCert,
  decodeCertChain,
  decodeErasureCert,
  decodeMemberCert,
  decodeRtCert,
  decodeWriterCert,
  encodeCertChain,
  type MemberRight,
  openManifest,
  type VerifiedChain,
  verifyAdChain,
  verifyAdvertisement,
  verifyErasureCert,
  verifyMemberChain,
  verifyRtChain,
  verifyWriterChain,
} from '@longshore/capsule'
import { bytesOf, checkCases, hexOf, readVectors } from './read-vectors.ts'
import { assertRefused } from './refusals.ts'

/** Not every kind has every field. */
interface CertFields {
  readonly kind: string
  readonly signed: string
  readonly body: Readonly<Record<string, unknown>>
  readonly chain: string
  readonly certs: readonly string[]
  readonly capsule: string
  readonly subject: string
  readonly right: string
  readonly domain: string
  readonly domains: readonly string[]
  readonly first: string
  readonly adcert: string | null
  readonly router: string
  readonly branch: string
  readonly advertiser: string
  readonly names: readonly string[]
  readonly nonce: string
  readonly exporter: string
  readonly atS: number
  readonly leafHash: string
  readonly notAfterS: number
  readonly root: string
  readonly epoch: number
  readonly sizeMin: number
  readonly writerKey: string
}

const cases = readVectors<CertFields>('cert')
const ofKind = (...kinds: readonly string[]) => cases.filter(({ kind }) => kinds.includes(kind))
const nameOf = (hex: string): CapsuleName => asCapsuleName(bytesOf(hex))
const hexes = (list: string | readonly Uint8Array[]): unknown =>
  typeof list === 'string' ? list : list.map(hexOf)
const hexOrNull = (bytes: Uint8Array | null): string | null =>
  bytes === null ? null : hexOf(bytes)

/** The terms of a certificate with the keys of its encoded map. */
function describeTerms(terms: CertTerms): Record<string, unknown> {
  return {
    v: 1,
    depth: terms.depth,
    issuer: hexOf(terms.issuer),
    parent: hexOrNull(terms.parent),
    serial: hexOf(terms.serial),
    subject: hexOf(terms.subject),
    notAfter: terms.notAfterS,
    notBefore: terms.notBeforeS,
    staleness: terms.stalenessS,
    revocation: hexOrNull(terms.revocation),
  }
}

const DECODERS: Readonly<Record<string, (signed: Uint8Array) => Record<string, unknown>>> = {
  adcert(signed) {
    const body = decodeAdCert(signed)
    const { rights, domains, capsules } = body
    return { ...describeTerms(body), rights, domains: hexes(domains), capsules: hexes(capsules) }
  },
  membercert(signed) {
    const body = decodeMemberCert(signed)
    return { ...describeTerms(body), rights: body.rights }
  },
  rtcert(signed) {
    const body = decodeRtCert(signed)
    return { ...describeTerms(body), adcert: hexOrNull(body.adcert) }
  },
  erasurecert(signed) {
    const body = decodeErasureCert(signed)
    const ranges = body.ranges.map(({ start, end }) => [start, end])
    const erase = [ranges, body.reason]
    return { ...describeTerms(body), erase, branch: hexOf(body.branch) }
  },
  writercert(signed) {
    const body = decodeWriterCert(signed)
    const { branch, epoch, size, root } = body.end
    const keys = [{ alg: 'ed25519', key: hexOf(body.writerKey.ed25519), use: 'writer' }]
    const place = { root: hexOf(root), size, epoch, branch: hexOf(branch) }
    return { ...describeTerms(body), keys, ...place }
  },
}

test('CE1 CE2 CE3 CE7 CE8 CE19: certificates of every kind decode to their terms', () => {
  checkCases(ofKind(...Object.keys(DECODERS)), (vector) => {
    const decode = () => DECODERS[vector.kind]?.(bytesOf(vector.signed))
    if (!vector.valid) return assertRefused(vector, decode)
    assert.deepEqual(decode(), vector.body)
  })
})

const VERIFIERS: Readonly<Record<string, (vector: CertFields) => VerifiedChain>> = {
  'ad-chain': ({ chain, capsule, subject, right, domains, atS }) => {
    return verifyAdChain(decodeCertChain(bytesOf(chain)), {
      capsule: openManifest(bytesOf(capsule)),
      subject: nameOf(subject),
      right: right as AdRight,
      domains: domains.map(nameOf),
      atS,
    })
  },
  'member-chain': ({ chain, domain, subject, right, atS }) => {
    const expected = {
      domain: nameOf(domain),
      subject: nameOf(subject),
      right: right as MemberRight,
      atS,
    }
    return verifyMemberChain(decodeCertChain(bytesOf(chain)), expected)
  },
  'rt-chain': ({ chain, first, adcert, router, atS }) => {
    const { certs, manifests } = decodeCertChain(bytesOf(chain))
    return verifyRtChain(certs, manifests, {
      first: nameOf(first),
      adcert: adcert === null ? null : asHash(bytesOf(adcert)),
      router: nameOf(router),
      atS,
    })
  },
}

test('CE9 CE10 CE11 CE12 CE13 CE14 CE15 CE16: chains hold or are refused', () => {
  checkCases(ofKind(...Object.keys(VERIFIERS)), (vector) => {
    const verify = () => VERIFIERS[vector.kind]?.(vector)
    if (!vector.valid) return assertRefused(vector, verify)
    const { leafHash, notAfterS, root } = verify() as VerifiedChain
    assert.equal(hexOf(leafHash), vector.leafHash)
    assert.equal(notAfterS, vector.notAfterS)
    assert.equal(hexOf(root), vector.root)
    const bytes = bytesOf(vector.chain)
    assert.deepEqual(encodeCertChain(decodeCertChain(bytes)), bytes)
  })
})

test('CE19 CE20: orders to erase', () => {
  checkCases(ofKind('erasure'), (vector) => {
    const capsule = openManifest(bytesOf(vector.capsule))
    const verify = () => verifyErasureCert(bytesOf(vector.signed), capsule)
    if (!vector.valid) return assertRefused(vector, verify)
    assert.deepEqual(verify(), decodeErasureCert(bytesOf(vector.signed)))
  })
})

test('CE19 CE21 CE22: changes of the writer key', () => {
  checkCases(ofKind('writer-chain'), (vector) => {
    const capsule = openManifest(bytesOf(vector.capsule))
    const branch = asBranchId(bytesOf(vector.branch))
    const verify = () => verifyWriterChain(vector.certs.map(bytesOf), capsule, branch)
    if (!vector.valid) return assertRefused(vector, verify)
    const { epoch, sizeMin, writerKey } = verify()
    assert.equal(epoch, vector.epoch)
    assert.equal(sizeMin, vector.sizeMin)
    assert.equal(hexOf(writerKey.ed25519), vector.writerKey)
  })
})

test('CE18: advertisements', () => {
  checkCases(ofKind('advertisement'), (vector) => {
    const verify = () =>
      verifyAdvertisement(bytesOf(vector.signed), {
        advertiser: openManifest(bytesOf(vector.advertiser)),
        router: nameOf(vector.router),
        exporter: bytesOf(vector.exporter),
        nonce: bytesOf(vector.nonce),
        names: advertisedNamesDigest(vector.names.map(nameOf)),
        atS: vector.atS,
      })
    if (!vector.valid) return assertRefused(vector, verify)
    assert.equal(hexOf(verify().router), vector.router)
  })
})
