/**
 * The crypto back end for sessions in browsers: pure JavaScript, synchronous.
 *
 * @module
 */
import { chacha20poly1305 } from '@noble/ciphers/chacha.js'
import { x25519 } from '@noble/curves/ed25519.js'
import type { SessionCryptoBackend } from '../../crypto/session-crypto-backend.ts'

export const sessionBackend: SessionCryptoBackend = {
  name: 'noble',
  x25519PublicKey: (secret) => x25519.scalarMultBase(secret),
  x25519(secret, publicKey) {
    try {
      return x25519.scalarMult(secret, publicKey)
    } catch {
      // noble refuses exactly the points whose result would be zero.
      return undefined
    }
  },
  seal(key, nonce, associated, bytes, start, end) {
    const plain = bytes.subarray(start, end)
    bytes.set(chacha20poly1305(key, nonce, associated).encrypt(plain), start)
  },
  isOpened(key, nonce, associated, bytes, start, end) {
    try {
      const sealed = bytes.subarray(start, end)
      bytes.set(chacha20poly1305(key, nonce, associated).decrypt(sealed), start)
    } catch {
      return false
    }
    return true
  },
}
