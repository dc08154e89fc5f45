/**
 * ML-DSA-44 signatures (FIPS 204), the post-quantum half of a role.
 *
 * Pure ML-DSA with an empty context string, as C2SP tlog-cosignature and RFC 9964 use it. Every
 * 1312 bytes are a key and every 2420 bytes may be a signature, so lengths are all that is judged
 * here; FIPS 204 leaves the back ends nothing to disagree about. It never stands alone: what
 * counts is `role-key.ts`. Rules SG14 and SG15 of docs/spec/signing.md.
 *
 * @module
 */
import { backend } from '#crypto'
import { asMlDsa44PublicKey, type MlDsa44PublicKey } from '../bytes/brands.ts'
import { copyBytes } from '../bytes/bytes.ts'
import { VerificationError } from '../errors.ts'
import { ML_DSA_44_KEY_BYTES, ML_DSA_44_SIGNATURE_BYTES } from '../limits.ts'
import type { CryptoBackend } from './crypto-backend.ts'

/**
 * The one way in for ML-DSA-44 keys from outside. The result is a copy.
 *
 * @throws {VerificationError} `BAD_KEY` for another length.
 */
export function decodeMlDsa44PublicKey(bytes: Uint8Array): MlDsa44PublicKey {
  if (bytes.length !== ML_DSA_44_KEY_BYTES) {
    throw new VerificationError('BAD_KEY', 'an ML-DSA-44 key has 1312 bytes', {
      byteLength: bytes.length,
    })
  }
  return asMlDsa44PublicKey(copyBytes(bytes))
}

/**
 * Returns if `signature` over `message` is by `key`; throws otherwise.
 *
 * @throws {VerificationError} `BAD_SIGNATURE`.
 */
export function verifyMlDsa44(
  key: MlDsa44PublicKey,
  message: Uint8Array,
  signature: Uint8Array,
): void {
  verifyMlDsa44With(backend, key, message, signature)
}

/** `verifyMlDsa44` with a chosen back end: the tests give every one of them the same vectors. */
export function verifyMlDsa44With(
  crypto: CryptoBackend,
  key: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): void {
  if (signature.length !== ML_DSA_44_SIGNATURE_BYTES) {
    throw new VerificationError('BAD_SIGNATURE', 'an ML-DSA-44 signature has 2420 bytes', {
      byteLength: signature.length,
    })
  }
  if (!crypto.isMlDsa44SignatureBy(key, message, signature)) {
    throw new VerificationError(
      'BAD_SIGNATURE',
      'the ML-DSA-44 signature does not fit key and message',
    )
  }
}
