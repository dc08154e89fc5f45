/**
 * Ed25519 signatures with one verdict on every platform (F3).
 *
 * Keys and signatures are first judged by their bytes (`ed25519-encoding.ts`); only then the back
 * end of the platform decides the equation. Rules SG1 to SG6 of docs/spec/signing.md.
 *
 * @module
 */
import { backend } from '#crypto'
import { asPublicKey, type PublicKey } from '../bytes/brands.ts'
import { copyBytes } from '../bytes/bytes.ts'
import { VerificationError } from '../errors.ts'
import { PUBLIC_KEY_BYTES, SIGNATURE_BYTES } from '../limits.ts'
import type { CryptoBackend } from './crypto-backend.ts'
import { isAcceptablePoint, isCanonicalScalar } from './ed25519-encoding.ts'

/**
 * The one way in for public keys from outside. The result is a copy.
 *
 * A key that passes may still not be on the curve; then no signature verifies under it.
 *
 * @throws {VerificationError} `BAD_KEY` for another length, a non-canonical encoding or a point
 * of small order, under which one signature fits many messages.
 */
export function decodePublicKey(bytes: Uint8Array): PublicKey {
  checkPublicKey(bytes)
  return asPublicKey(copyBytes(bytes))
}

function checkPublicKey(bytes: Uint8Array): void {
  if (bytes.length !== PUBLIC_KEY_BYTES) {
    throw new VerificationError('BAD_KEY', 'a public key has 32 bytes', {
      byteLength: bytes.length,
    })
  }
  if (!isAcceptablePoint(bytes)) {
    throw new VerificationError('BAD_KEY', 'the public key is not canonical or of small order')
  }
}

/**
 * Returns if `signature` over `message` is by `key`; throws otherwise.
 *
 * @throws {VerificationError} `BAD_SIGNATURE`, or `BAD_KEY` if the key should never have been
 * accepted.
 */
export function verifySignature(key: PublicKey, message: Uint8Array, signature: Uint8Array): void {
  verifySignatureWith(backend, key, message, signature)
}

/** `verifySignature` with a chosen back end: the tests give every one of them the same vectors. */
export function verifySignatureWith(
  crypto: CryptoBackend,
  key: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): void {
  checkPublicKey(key)
  if (signature.length !== SIGNATURE_BYTES) {
    throw new VerificationError('BAD_SIGNATURE', 'a signature has 64 bytes', {
      byteLength: signature.length,
    })
  }
  if (!isCanonicalScalar(signature) || !isAcceptablePoint(signature)) {
    throw new VerificationError('BAD_SIGNATURE', 'the signature is not in canonical form')
  }
  if (!crypto.isSignatureBy(key, message, signature)) {
    throw new VerificationError('BAD_SIGNATURE', 'the signature does not fit key and message')
  }
}
