/**
 * COSE_Sign1 (RFC 9052 section 4.2) in the two shapes that Longshore uses.
 *
 *     d2 84                                   tag 18, array of 4
 *        58 29 a2 01 32 03 78 23 …            protected: {1: -19, 3: content type}
 *        a0                                   unprotected: empty
 *        59 …                                 payload
 *        58 40 …                              Ed25519 signature
 *
 * Algorithm -19 is Ed25519 (RFC 9864). The content type is protected and tells one use of a key
 * from another (F2). The signature covers ["Signature1", protected, h'', payload].
 *
 * Where the role has an ML-DSA-44 key, that key countersigns (RFC 9338) and the unprotected header
 * is not empty but
 *
 *        a1 0b 83 44 a1 01 38 2f a0 59 0974 …   {11: [protected {1: -48}, {}, signature]}
 *
 * A countersignature covers payload and first signature: ["CounterSignatureV2", protected, its
 * own protected, h'', payload, [signature]]. Rules SG10 to SG13, SG19 and SG20 of
 * docs/spec/signing.md.
 *
 * @module
 */
import { encode } from 'cborg'
import type { MlDsa44Signature, Signature } from '../bytes/brands.ts'
import { bytesEqual, concatBytes, copyBytes } from '../bytes/bytes.ts'
import { decodeCbor, encodeCbor } from '../cbor/cbor.ts'
import { type Fail, readBytes, readMap, readTuple } from '../cbor/read-value.ts'
import { verifySignature } from '../crypto/ed25519.ts'
import { type RoleKey, verifyPostQuantumHalf } from '../crypto/role-key.ts'
import type { Signer } from '../crypto/signer.ts'
import { VerificationError } from '../errors.ts'
import { ML_DSA_44_SIGNATURE_BYTES, SIGNATURE_BYTES, VERIFIED_MESSAGES_MAX } from '../limits.ts'
import { VerifiedMessages, verdictDigest } from './verified-messages.ts'

const TAG_SIGN1 = 0xd2
const HEADER_ALG = 1
const HEADER_CONTENT_TYPE = 3
const ALG_ED25519 = -19
const NO_BYTES: Uint8Array = new Uint8Array(0)
/** {1: -48}: ML-DSA-44 (RFC 9964). */
const COUNTERSIGNATURE_PROTECTED: Uint8Array = Uint8Array.of(0xa1, HEADER_ALG, 0x38, 0x2f)
/**
 * {11: [protected, {}, signature]} up to the signature: where there is a countersignature, this
 * stands in the place of the empty unprotected header.
 */
const COUNTERSIGNATURE_START: Uint8Array = Uint8Array.of(
  ...[0xa1, 11, 0x83],
  ...[0x44, ...COUNTERSIGNATURE_PROTECTED],
  ...[0xa0, 0x59, ML_DSA_44_SIGNATURE_BYTES >> 8, ML_DSA_44_SIGNATURE_BYTES & 0xff],
)
const EMPTY_MAP: Uint8Array = Uint8Array.of(0xa0)

/** What a signature by an owner or identity key can be about (SG10). */
const CONTENT_TYPES = [
  'application/longshore-manifest+cbor',
  'application/longshore-adcert+cbor',
  'application/longshore-advertisement+cbor',
  'application/longshore-erasurecert+cbor',
  'application/longshore-membercert+cbor',
  'application/longshore-rtcert+cbor',
  'application/longshore-writercert+cbor',
] as const

export type ContentType = (typeof CONTENT_TYPES)[number]

export interface Sign1 {
  readonly payload: Uint8Array
  /** Not verified. */
  readonly signature: Signature
  /** By the ML-DSA-44 key of the same role. Not verified. */
  readonly countersignature: MlDsa44Signature | undefined
}

/** The protected header of each content type: the same bytes in every message of it. */
const PROTECTED = Object.fromEntries(
  CONTENT_TYPES.map((contentType) => [contentType, encodeProtected(contentType)]),
) as Readonly<Record<ContentType, Uint8Array>>

/** Of this process: the same bytes are as good for all who verify them. */
const verified = new VerifiedMessages(VERIFIED_MESSAGES_MAX)

function encodeProtected(contentType: ContentType): Uint8Array {
  // Integer keys and a negative value: the one place where a format has them.
  return encode(
    new Map<number, number | string>([
      [HEADER_ALG, ALG_ED25519],
      [HEADER_CONTENT_TYPE, contentType],
    ]),
  )
}

/** The bytes that the signature covers. */
export function sign1Message(contentType: ContentType, payload: Uint8Array): Uint8Array {
  return encodeCbor(['Signature1', PROTECTED[contentType], NO_BYTES, payload])
}

/** The bytes that the countersignature covers. */
export function countersignatureMessage(
  contentType: ContentType,
  payload: Uint8Array,
  signature: Signature,
): Uint8Array {
  const own = COUNTERSIGNATURE_PROTECTED
  const body = PROTECTED[contentType]
  return encodeCbor(['CounterSignatureV2', body, own, NO_BYTES, payload, [signature]])
}

/** A signed message around `payload`, countersigned if the signer has two keys. */
export function createSign1(
  contentType: ContentType,
  payload: Uint8Array,
  signer: Signer,
): Uint8Array {
  const signature = signer.sign(sign1Message(contentType, payload))
  const beginning = sign1Beginning(contentType)
  const end = concatBytes(encodeCbor(payload), encodeCbor(signature))
  if (signer.mlDsa44 === undefined) return concatBytes(beginning, EMPTY_MAP, end)
  const message = countersignatureMessage(contentType, payload, signature)
  return concatBytes(beginning, COUNTERSIGNATURE_START, signer.mlDsa44.sign(message), end)
}

/** Tag, array of 4, protected header. */
function sign1Beginning(contentType: ContentType): Uint8Array {
  return concatBytes(Uint8Array.of(TAG_SIGN1, 0x84), encodeCbor(PROTECTED[contentType]))
}

/** Headers, payload, signature (RFC 9052 section 4.2). */
const FIELD_COUNT = 4

/**
 * The parts of a signed message of this content type. Signatures are not verified, because the
 * key is usually found in the payload; `verifySign1` does.
 *
 * @throws {VerificationError} `COSE_INVALID` for anything but the one encoding.
 */
export function decodeSign1(contentType: ContentType, bytes: Uint8Array): Sign1 {
  if (bytes[0] !== TAG_SIGN1) fail('the first byte must be tag 18')
  const { plain, countersignature } = takeCountersignature(contentType, bytes)
  let value: ReturnType<typeof decodeCbor>
  try {
    value = decodeCbor(plain.subarray(1), 2, FIELD_COUNT)
  } catch (cause) {
    throw new VerificationError('COSE_INVALID', 'the message is not canonical CBOR', undefined, {
      cause,
    })
  }
  const fields = readTuple(value, FIELD_COUNT, 'the message', fail)
  const protectedHeader = readBytes(fields[0], undefined, 'the protected header', fail)
  if (!bytesEqual(protectedHeader, PROTECTED[contentType])) {
    fail(`the protected header must say Ed25519 and ${contentType}`)
  }
  if (readMap(fields[1], 'the unprotected header', fail).size !== 0) {
    fail('the unprotected header must be empty but for a countersignature')
  }
  return {
    payload: readBytes(fields[2], undefined, 'the payload', fail),
    signature: readBytes(fields[3], SIGNATURE_BYTES, 'the signature', fail) as Signature,
    countersignature,
  }
}

/**
 * Takes the countersignature out of a message: what is left is the same message without one. Its
 * header has an integer as key, which no other format has; it is therefore compared byte by byte.
 */
function takeCountersignature(
  contentType: ContentType,
  bytes: Uint8Array,
): { readonly plain: Uint8Array; readonly countersignature: MlDsa44Signature | undefined } {
  if (bytes.length < ML_DSA_44_SIGNATURE_BYTES) return { plain: bytes, countersignature: undefined }
  const beginning = sign1Beginning(contentType)
  const marked = concatBytes(beginning, COUNTERSIGNATURE_START)
  const end = marked.length + ML_DSA_44_SIGNATURE_BYTES
  if (bytes.length < end || !bytesEqual(bytes.subarray(0, marked.length), marked)) {
    return { plain: bytes, countersignature: undefined }
  }
  return {
    plain: concatBytes(beginning, EMPTY_MAP, bytes.subarray(end)),
    countersignature: copyBytes(bytes, marked.length, end) as MlDsa44Signature,
  }
}

/**
 * Returns if every key of `key` signed the message; throws otherwise.
 *
 * @throws {VerificationError} `BAD_SIGNATURE`; `SIGNATURE_MISSING` without the countersignature
 * that `key` asks for.
 */
export function verifySign1(contentType: ContentType, sign1: Sign1, key: RoleKey): void {
  const { payload, signature, countersignature } = sign1
  const message = sign1Message(contentType, payload)
  const digest = verdictDigest({ key, message, signature, countersignature })
  if (verified.has(digest)) return
  verifySignature(key.ed25519, message, signature)
  const covered = (): Uint8Array => countersignatureMessage(contentType, payload, signature)
  verifyPostQuantumHalf(key, covered, countersignature)
  verified.add(digest)
}

const fail: Fail = (what) => {
  throw new VerificationError('COSE_INVALID', what)
}
