/**
 * COSE_Sign1 (RFC 9052 section 4.2) in the one shape that Longshore uses.
 *
 *     d2 84                                   tag 18, array of 4
 *        58 29 a2 01 32 03 78 23 …            protected: {1: -19, 3: content type}
 *        a0                                   unprotected: empty
 *        59 …                                 payload
 *        58 40 …                              Ed25519 signature
 *
 * Algorithm -19 is Ed25519 (RFC 9864). The content type is protected and tells one use of a key
 * from another (F2). The signature covers ["Signature1", protected, h'', payload]. Rules SG10 to
 * SG13 of docs/spec/signing.md.
 *
 * @module
 */
import { encode } from 'cborg'
import type { Signature } from '../bytes/brands.ts'
import { bytesEqual, concatBytes } from '../bytes/bytes.ts'
import { decodeCbor, encodeCbor } from '../cbor/cbor.ts'
import { type Fail, readBytes, readMap, readTuple } from '../cbor/read-value.ts'
import type { Signer } from '../crypto/ed25519.ts'
import { VerificationError } from '../errors.ts'
import { SIGNATURE_BYTES } from '../limits.ts'

const TAG_SIGN1 = 0xd2
const HEADER_ALG = 1
const HEADER_CONTENT_TYPE = 3
const ALG_ED25519 = -19
const NO_BYTES: Uint8Array = new Uint8Array(0)

/** What a signature by an owner or identity key can be about (SG10). */
export type ContentType =
  | 'application/longshore-manifest+cbor'
  | 'application/longshore-adcert+cbor'
  | 'application/longshore-advertisement+cbor'
  | 'application/longshore-erasurecert+cbor'
  | 'application/longshore-membercert+cbor'
  | 'application/longshore-rtcert+cbor'
  | 'application/longshore-writercert+cbor'

export interface Sign1 {
  readonly payload: Uint8Array
  /** Not verified. */
  readonly signature: Signature
}

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
  return encodeCbor(['Signature1', encodeProtected(contentType), NO_BYTES, payload])
}

/** A signed message around `payload`. */
export function createSign1(
  contentType: ContentType,
  payload: Uint8Array,
  signer: Signer,
): Uint8Array {
  const signature = signer.sign(sign1Message(contentType, payload))
  const fields = [encodeProtected(contentType), new Map(), payload, signature]
  return concatBytes(new Uint8Array([TAG_SIGN1]), encodeCbor(fields))
}

/**
 * The parts of a signed message of this content type. The signature is not verified, because the
 * key is usually found in the payload; `sign1Message` gives what it must cover.
 *
 * @throws {VerificationError} `COSE_INVALID` for anything but the one encoding.
 */
export function decodeSign1(contentType: ContentType, bytes: Uint8Array): Sign1 {
  if (bytes[0] !== TAG_SIGN1) fail('the first byte must be tag 18')
  let value: ReturnType<typeof decodeCbor>
  try {
    value = decodeCbor(bytes.subarray(1), 2)
  } catch (cause) {
    throw new VerificationError('COSE_INVALID', 'the message is not canonical CBOR', undefined, {
      cause,
    })
  }
  const fields = readTuple(value, 4, 'the message', fail)
  const protectedHeader = readBytes(fields[0], undefined, 'the protected header', fail)
  if (!bytesEqual(protectedHeader, encodeProtected(contentType))) {
    fail(`the protected header must say Ed25519 and ${contentType}`)
  }
  if (readMap(fields[1], 'the unprotected header', fail).size !== 0) {
    fail('the unprotected header must be empty')
  }
  return {
    payload: readBytes(fields[2], undefined, 'the payload', fail),
    signature: readBytes(fields[3], SIGNATURE_BYTES, 'the signature', fail) as Signature,
  }
}

const fail: Fail = (what) => {
  throw new VerificationError('COSE_INVALID', what)
}
