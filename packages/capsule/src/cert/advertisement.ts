/**
 * Proof of possession when advertising: a node signs, for one router and one connection, which
 * names it advertises.
 *
 *     a7                       map, keys in the order of RFC 8949 4.2.1
 *        61 76  01             "v": 1
 *        65 names  58 20 …     SHA-256 of the advertised names, sorted, one after the other
 *        65 nonce  58 20 …     what the router chose
 *        66 router  58 20 …    name of the router
 *        67 expires  1a …      last second in which it counts
 *        68 exporter  58 20 …  exporter of the TLS connection
 *        6a advertiser  58 20 …  name of the node that signs with its identity key
 *
 * The nonce and the exporter keep a router from showing the statement to another one as its own
 * (F2). Rule CE18 of docs/spec/cert.md.
 *
 * @module
 */
import type { CapsuleName, Hash } from '../bytes/brands.ts'
import { bytesEqual, compareBytes, concatBytes } from '../bytes/bytes.ts'
import { type CborValue, decodeCbor, encodeCbor } from '../cbor/cbor.ts'
import { readBytes, readExactMap, readInteger } from '../cbor/read-value.ts'
import { type ContentType, createSign1, decodeSign1, type Sign1 } from '../cose/sign1.ts'
import { sha256 } from '../crypto/sha256.ts'
import type { Signer } from '../crypto/signer.ts'
import { UsageError, VerificationError } from '../errors.ts'
import {
  ADVERTISEMENT_BYTES_MAX,
  ADVERTISEMENT_NONCE_BYTES,
  TLS_EXPORTER_BYTES,
} from '../limits.ts'
import { manifestKey, type SignedManifest } from '../manifest/manifest.ts'
import { failCert, readHash, readName, verifyCertSignature } from './cert-terms.ts'
import { failScope } from './verify-links.ts'

export interface Advertisement {
  readonly advertiser: CapsuleName
  readonly router: CapsuleName
  /** Of the connection, 32 bytes. */
  readonly exporter: Uint8Array
  /** Chosen by the router for this connection, 32 bytes. */
  readonly nonce: Uint8Array
  /** `advertisedNamesDigest` */
  readonly names: Hash
  /** Last second in which it counts, since 1970-01-01T00:00:00Z. */
  readonly expiresS: number
}

export interface AdvertisementExpectation {
  /** Opened manifest of the node at the other end of the connection. */
  readonly advertiser: SignedManifest
  readonly router: CapsuleName
  readonly exporter: Uint8Array
  readonly nonce: Uint8Array
  readonly names: Hash
  /** The second at which the statement is judged. */
  readonly atS: number
}

const CONTENT_TYPE: ContentType = 'application/longshore-advertisement+cbor'
const KEYS = ['v', 'names', 'nonce', 'router', 'expires', 'exporter', 'advertiser']

/** SHA-256 of the names in ascending order: the same for a batch in whatever order it comes. */
export function advertisedNamesDigest(names: readonly CapsuleName[]): Hash {
  return sha256(concatBytes(...names.toSorted(compareBytes)))
}

/** @throws {UsageError} `USAGE` for a statement that no verifier would accept. */
export function signAdvertisement(statement: Advertisement, identity: Signer): Uint8Array {
  const { advertiser, router, exporter, nonce, names, expiresS } = statement
  const body = encodeCbor(
    new Map<string, CborValue>([
      ['v', 1],
      ['names', names],
      ['nonce', nonce],
      ['router', router],
      ['expires', expiresS],
      ['exporter', exporter],
      ['advertiser', advertiser],
    ]),
    1,
  )
  try {
    decodeBody(body)
  } catch (cause) {
    if (!(cause instanceof VerificationError)) throw cause
    throw new UsageError('USAGE', `no such advertisement: ${cause.message}`, undefined, { cause })
  }
  return createSign1(CONTENT_TYPE, body, identity)
}

/**
 * Returns what the node at the other end of this connection stated; throws if it did not.
 *
 * @throws {VerificationError} `CERT_INVALID` for another encoding; `CERT_SCOPE` for a statement
 * of another node, to another router, on another connection or about other names; `CERT_EXPIRED`;
 * `BAD_SIGNATURE`.
 */
export function verifyAdvertisement(
  signed: Uint8Array,
  expected: AdvertisementExpectation,
): Advertisement {
  const sign1 = openContainer(signed)
  const statement = decodeBody(sign1.payload)
  const { advertiser, router, exporter, nonce, names, expiresS } = statement
  if (!bytesEqual(advertiser, expected.advertiser.name)) failScope('by another node')
  if (!bytesEqual(router, expected.router)) failScope('made for another router')
  if (!bytesEqual(exporter, expected.exporter)) failScope('made for another connection')
  if (!bytesEqual(nonce, expected.nonce)) failScope('not an answer to this challenge')
  if (!bytesEqual(names, expected.names)) failScope('about other names')
  if (expected.atS > expiresS) {
    const details = { atS: expected.atS, expiresS }
    throw new VerificationError('CERT_EXPIRED', 'the advertisement counts no longer', details)
  }
  verifyCertSignature(CONTENT_TYPE, sign1, manifestKey(expected.advertiser.manifest, 'identity'))
  return statement
}

function openContainer(signed: Uint8Array): Sign1 {
  if (signed.length > ADVERTISEMENT_BYTES_MAX) failCert('an advertisement must be shorter')
  try {
    return decodeSign1(CONTENT_TYPE, signed)
  } catch (cause) {
    const message = 'an advertisement must be a signed message of its type'
    throw new VerificationError('CERT_INVALID', message, undefined, { cause })
  }
}

function decodeBody(body: Uint8Array): Advertisement {
  let value: CborValue
  try {
    value = decodeCbor(body, 1)
  } catch (cause) {
    const message = 'an advertisement must be canonical CBOR'
    throw new VerificationError('CERT_INVALID', message, undefined, { cause })
  }
  const map = readExactMap(value, KEYS, 'an advertisement', failCert)
  if (map.get('v') !== 1) failCert('v must be 1')
  return {
    advertiser: readName(map.get('advertiser'), 'the advertiser'),
    router: readName(map.get('router'), 'the router'),
    exporter: readBytes(map.get('exporter'), TLS_EXPORTER_BYTES, 'the exporter', failCert),
    nonce: readBytes(map.get('nonce'), ADVERTISEMENT_NONCE_BYTES, 'the nonce', failCert),
    names: readHash(map.get('names'), 'the digest of the names'),
    expiresS: readInteger(map.get('expires'), 'expires', failCert),
  }
}
