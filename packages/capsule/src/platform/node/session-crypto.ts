/**
 * The crypto back end for sessions in Node: sodium-native.
 *
 * Measured on the reference machine (Node 24, 2 cores): it seals 100 bytes at 1.0 M/s, node:crypto
 * at 0.16 M/s; at 32 KiB both reach 0.8 GB/s, and only sodium-native works in place, without an
 * object for each packet.
 *
 * @module
 */
import sodium from 'sodium-native'
import type { SessionCryptoBackend } from '../../crypto/session-crypto-backend.ts'

const TAG_BYTES = 16

const view = (bytes: Uint8Array, start: number, end: number): Uint8Array =>
  new Uint8Array(bytes.buffer, bytes.byteOffset + start, end - start)

function x25519PublicKey(secret: Uint8Array): Uint8Array {
  const publicKey = new Uint8Array(32)
  sodium.crypto_scalarmult_base(publicKey, secret)
  return publicKey
}

function x25519(secret: Uint8Array, publicKey: Uint8Array): Uint8Array | undefined {
  const shared = new Uint8Array(32)
  try {
    sodium.crypto_scalarmult(shared, secret, publicKey)
  } catch {
    // libsodium refuses exactly the points whose result would be zero.
    return undefined
  }
  return shared
}

const seal: SessionCryptoBackend['seal'] = (key, nonce, associated, bytes, start, end) => {
  sodium.crypto_aead_chacha20poly1305_ietf_encrypt(
    view(bytes, start, end + TAG_BYTES),
    view(bytes, start, end),
    associated,
    null,
    nonce,
    key,
  )
}

const isOpened: SessionCryptoBackend['isOpened'] = (key, nonce, associated, bytes, start, end) => {
  try {
    sodium.crypto_aead_chacha20poly1305_ietf_decrypt(
      view(bytes, start, end - TAG_BYTES),
      null,
      view(bytes, start, end),
      associated,
      nonce,
      key,
    )
  } catch {
    return false
  }
  return true
}

export const sessionBackend: SessionCryptoBackend = {
  name: 'sodium-native',
  x25519PublicKey,
  x25519,
  seal,
  isOpened,
}
