import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compareBytes, concatBytes } from '../bytes/bytes.ts'
import { sha256 } from '../crypto/sha256.ts'
import {
  type Advertisement,
  type AdvertisementExpectation,
  advertisedNamesDigest,
  signAdvertisement,
  verifyAdvertisement,
} from './advertisement.ts'
import { CAPSULE, issuingSigner, NODE, NOW_S, ROUTER } from './testing/sample-chain.ts'

const NAMES = [CAPSULE.signed.name, NODE.signed.name]
const SHARED = {
  router: ROUTER.signed.name,
  exporter: new Uint8Array(32).fill(1),
  nonce: new Uint8Array(32).fill(2),
  names: advertisedNamesDigest(NAMES),
}
const STATEMENT: Advertisement = { ...SHARED, advertiser: NODE.signed.name, expiresS: NOW_S }
const EXPECTED: AdvertisementExpectation = { ...SHARED, advertiser: NODE.signed, atS: NOW_S }
const SIGNED = signAdvertisement(STATEMENT, issuingSigner(NODE))

test('CE18: the digest does not depend on the order of the names', () => {
  assert.deepEqual(advertisedNamesDigest(NAMES.toReversed()), SHARED.names)
  assert.deepEqual(SHARED.names, sha256(concatBytes(...NAMES.toSorted(compareBytes))))
  assert.notDeepEqual(advertisedNamesDigest(NAMES.slice(1)), SHARED.names)
})

test('CE18: an advertisement counts for this router, connection, challenge and these names', () => {
  assert.deepEqual(verifyAdvertisement(SIGNED, EXPECTED), STATEMENT)
  const refuse = (change: Partial<AdvertisementExpectation>, code: string): void => {
    assert.throws(() => verifyAdvertisement(SIGNED, { ...EXPECTED, ...change }), { code })
  }
  refuse({ advertiser: ROUTER.signed }, 'CERT_SCOPE')
  refuse({ router: NODE.signed.name }, 'CERT_SCOPE')
  refuse({ exporter: new Uint8Array(32) }, 'CERT_SCOPE')
  refuse({ nonce: new Uint8Array(32) }, 'CERT_SCOPE')
  refuse({ names: advertisedNamesDigest([]) }, 'CERT_SCOPE')
  refuse({ atS: NOW_S + 1 }, 'CERT_EXPIRED')
  const byOther = signAdvertisement(STATEMENT, issuingSigner(ROUTER))
  assert.throws(() => verifyAdvertisement(byOther, EXPECTED), { code: 'BAD_SIGNATURE' })
  const long = new Uint8Array(4097)
  assert.throws(() => verifyAdvertisement(long, EXPECTED), { code: 'CERT_INVALID' })
})

test('CE6 CE18: what no router would accept is not signed', () => {
  for (const change of [{ nonce: new Uint8Array(31) }, { exporter: new Uint8Array(0) }]) {
    const sign = (): unknown => signAdvertisement({ ...STATEMENT, ...change }, issuingSigner(NODE))
    assert.throws(sign, { code: 'USAGE' })
  }
})

test('CE18: every flipped bit of an advertisement is refused', () => {
  for (let bit = 0; bit < SIGNED.length * 8; bit++) {
    const flipped = SIGNED.with(bit >> 3, (SIGNED[bit >> 3] as number) ^ (1 << (bit & 7)))
    assert.throws(() => verifyAdvertisement(flipped, EXPECTED), { name: 'VerificationError' })
  }
})
