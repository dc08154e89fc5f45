/**
 * What every certificate says, and how it is written, signed and read.
 *
 *     d2 84 58 27 …                     COSE_Sign1; the content type tells the kind of certificate
 *        ad                             body: a map, keys in the order of RFC 8949 4.2.1
 *           61 76  01                   "v": 1
 *           65 64 65 70 74 68  00       "depth": how many further links may follow
 *           66 69 73 73 75 65 72  58 …  "issuer"
 *           66 70 61 72 65 6e 74  f6    "parent": hash of the certificate before it, or null
 *           …                           serial, subject, notAfter, notBefore, staleness,
 *                                       revocation, and what only this kind has
 *
 * Every key is always present, so a certificate has one spelling. Reading one says nothing about
 * who made it: a certificate is worth what its chain shows (`verify-links.ts`). Rules CE1 to CE6
 * of docs/spec/cert.md; decision F27.
 *
 * @module
 */
import { assert } from '../assert.ts'
import type { CapsuleName, Hash } from '../bytes/brands.ts'
import { type CborMap, type CborValue, decodeCbor, encodeCbor } from '../cbor/cbor.ts'
import { type Fail, readBytes, readExactMap, readInteger } from '../cbor/read-value.ts'
import {
  type ContentType,
  createSign1,
  decodeSign1,
  type Sign1,
  verifySign1,
} from '../cose/sign1.ts'
import type { RoleKey } from '../crypto/role-key.ts'
import { sha256 } from '../crypto/sha256.ts'
import type { Signer } from '../crypto/signer.ts'
import { UsageError, VerificationError } from '../errors.ts'
import { CERT_BYTES_MAX, CERT_DEPTH_MAX, CERT_SERIAL_BYTES, HASH_BYTES } from '../limits.ts'

/** The terms that certificates of every kind have. */
export interface CertTerms {
  /** The principal that signs: with its identity key if it is a node, else with its owner key. */
  readonly issuer: CapsuleName
  readonly subject: CapsuleName
  /** Hash of the certificate that lets the issuer issue this one; null if it needs none. */
  readonly parent: Hash | null
  /** First and last second in which it holds, since 1970-01-01T00:00:00Z. */
  readonly notBeforeS: number
  readonly notAfterS: number
  /** 16 random bytes: what a revocation names. */
  readonly serial: Uint8Array
  /** The capsule in which the issuer revokes; null: it cannot be revoked, only expire. */
  readonly revocation: CapsuleName | null
  /** How old the known state of that capsule may be where certificates are judged strictly. */
  readonly stalenessS: number
  /** How many further links may follow this one, at most 7. */
  readonly depth: number
}

/** One kind of certificate: what its body has besides the terms. */
export interface CertFormat<TBody extends CertTerms> {
  readonly contentType: ContentType
  /** For messages: `an AdCert`. */
  readonly what: string
  readonly keys: readonly string[]
  encodeFields(body: TBody): readonly (readonly [string, CborValue])[]
  /** Reads what `keys` name, and checks what must hold between them and the terms. */
  decodeFields(map: CborMap, terms: CertTerms): TBody
}

/** A certificate taken apart; its signature is not verified. */
export interface ReadCert<TBody extends CertTerms> {
  readonly body: TBody
  readonly hash: Hash
  readonly sign1: Sign1
}

const TERM_KEYS: readonly string[] = [
  'v',
  'depth',
  'issuer',
  'parent',
  'serial',
  'subject',
  'notAfter',
  'notBefore',
  'staleness',
  'revocation',
]
/** The body, a list in it, and in an erasure the ranges and their ends. */
const DEPTH_MAX = 4

/** Names a certificate in others: SHA-256 of its signed bytes. */
export function certHash(signed: Uint8Array): Hash {
  return sha256(signed)
}

/**
 * A signed certificate.
 *
 * @throws {UsageError} `USAGE` for terms that no verifier would accept.
 */
export function signCert<TBody extends CertTerms>(
  format: CertFormat<TBody>,
  body: TBody,
  signer: Signer,
): Uint8Array {
  const payload = encodeCbor(bodyValue(format, body), DEPTH_MAX)
  try {
    decodeBody(format, payload)
  } catch (cause) {
    if (!(cause instanceof VerificationError)) throw cause
    throw new UsageError('USAGE', `no such certificate: ${cause.message}`, undefined, { cause })
  }
  const signed = createSign1(format.contentType, payload, signer)
  assert(signed.length <= CERT_BYTES_MAX, 'the limits of the lists keep a certificate short')
  return signed
}

/**
 * Takes a certificate apart. Whether its issuer signed it is for the chain to show.
 *
 * @throws {VerificationError} `CERT_INVALID` for anything but the one spelling of a certificate of
 * this kind.
 */
export function readCert<TBody extends CertTerms>(
  format: CertFormat<TBody>,
  signed: Uint8Array,
): ReadCert<TBody> {
  if (signed.length > CERT_BYTES_MAX) failCert('a certificate must have at most 16 KiB')
  let sign1: Sign1
  try {
    sign1 = decodeSign1(format.contentType, signed)
  } catch (cause) {
    throw invalidCert(`${format.what} must be a signed message of its type`, cause)
  }
  return { body: decodeBody(format, sign1.payload), hash: certHash(signed), sign1 }
}

/** @throws {VerificationError} `BAD_SIGNATURE`, `SIGNATURE_MISSING` unless all of `key` signed. */
export function verifyCertSignature(contentType: ContentType, sign1: Sign1, key: RoleKey): void {
  verifySign1(contentType, sign1, key)
}

function bodyValue<TBody extends CertTerms>(format: CertFormat<TBody>, body: TBody): CborMap {
  return new Map<string, CborValue>([
    ['v', 1],
    ['depth', body.depth],
    ['issuer', body.issuer],
    ['parent', body.parent],
    ['serial', body.serial],
    ['subject', body.subject],
    ['notAfter', body.notAfterS],
    ['notBefore', body.notBeforeS],
    ['staleness', body.stalenessS],
    ['revocation', body.revocation],
    ...format.encodeFields(body),
  ])
}

function decodeBody<TBody extends CertTerms>(
  format: CertFormat<TBody>,
  payload: Uint8Array,
): TBody {
  let value: CborValue
  try {
    value = decodeCbor(payload, DEPTH_MAX)
  } catch (cause) {
    throw invalidCert(`${format.what} must be canonical CBOR`, cause)
  }
  const map = readExactMap(value, [...TERM_KEYS, ...format.keys], format.what, failCert)
  return format.decodeFields(map, readTerms(map))
}

function readTerms(map: CborMap): CertTerms {
  if (map.get('v') !== 1) failCert('v must be 1')
  const parent = map.get('parent')
  const revocation = map.get('revocation')
  const terms: CertTerms = {
    issuer: readName(map.get('issuer'), 'the issuer'),
    subject: readName(map.get('subject'), 'the subject'),
    parent: parent === null ? null : readHash(parent, 'the parent'),
    notBeforeS: readInteger(map.get('notBefore'), 'notBefore', failCert),
    notAfterS: readInteger(map.get('notAfter'), 'notAfter', failCert),
    serial: readBytes(map.get('serial'), CERT_SERIAL_BYTES, 'the serial', failCert),
    revocation: revocation === null ? null : readName(revocation, 'the revocation capsule'),
    stalenessS: readInteger(map.get('staleness'), 'staleness', failCert),
    depth: readInteger(map.get('depth'), 'the depth', failCert, CERT_DEPTH_MAX),
  }
  if (terms.notAfterS < terms.notBeforeS) failCert('notAfter must not be before notBefore')
  if (terms.revocation === null && terms.stalenessS !== 0) {
    failCert('staleness must be 0 without a revocation capsule')
  }
  return terms
}

export function readName(value: CborValue | undefined, what: string): CapsuleName {
  return readBytes(value, HASH_BYTES, what, failCert) as CapsuleName
}

export function readHash(value: CborValue | undefined, what: string): Hash {
  return readBytes(value, HASH_BYTES, what, failCert) as Hash
}

export const failCert: Fail = (what) => {
  throw invalidCert(what)
}

/** Not the message of `cause`: it speaks of other formats. */
function invalidCert(what: string, cause?: unknown): VerificationError {
  const options = cause === undefined ? undefined : { cause }
  return new VerificationError('CERT_INVALID', what, undefined, options)
}
