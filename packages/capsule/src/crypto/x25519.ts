/**
 * X25519 key agreement (RFC 7748) between ephemeral keys.
 *
 * @module
 */
import { sessionBackend } from '#session-crypto'
import { assert } from '../assert.ts'
import { VerificationError } from '../errors.ts'
import { X25519_BYTES } from '../limits.ts'

/** The public key of a secret of 32 random bytes. */
export function x25519PublicKey(secret: Uint8Array): Uint8Array {
  assert(secret.length === X25519_BYTES, 'a secret has 32 bytes')
  return sessionBackend.x25519PublicKey(secret)
}

/**
 * The 32 bytes that both ends compute. They are no key yet: hash them with the transcript.
 *
 * @throws {VerificationError} `BAD_KEY` if the peer's key has another length or small order: the
 * result would be zero whatever our secret is.
 */
export function x25519(secret: Uint8Array, publicKey: Uint8Array): Uint8Array {
  assert(secret.length === X25519_BYTES, 'a secret has 32 bytes')
  if (publicKey.length !== X25519_BYTES) {
    throw new VerificationError('BAD_KEY', 'an X25519 key has 32 bytes')
  }
  const shared = sessionBackend.x25519(secret, publicKey)
  if (shared === undefined) {
    throw new VerificationError('BAD_KEY', 'the X25519 key is of small order')
  }
  return shared
}
