/**
 * A second back end for sessions in Node that needs no native module: OpenSSL through node:crypto.
 * The tests hold the others against it.
 *
 * @module
 */
import {
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  type KeyObject,
} from 'node:crypto'
import type { SessionCryptoBackend } from '../../crypto/session-crypto-backend.ts'

const X25519_PRIVATE_PREFIX: Buffer = Buffer.from('302e020100300506032b656e04220420', 'hex')
const X25519_PUBLIC_PREFIX: Buffer = Buffer.from('302a300506032b656e032100', 'hex')
const TAG_BYTES = 16
const CIPHER = 'chacha20-poly1305'
const CIPHER_OPTIONS = { authTagLength: TAG_BYTES }

function x25519Key(secret: Uint8Array): KeyObject {
  const der = Buffer.concat([X25519_PRIVATE_PREFIX, secret])
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
}

function x25519(secret: Uint8Array, publicKey: Uint8Array): Uint8Array | undefined {
  const der = Buffer.concat([X25519_PUBLIC_PREFIX, publicKey])
  try {
    const peer = createPublicKey({ key: der, format: 'der', type: 'spki' })
    return new Uint8Array(diffieHellman({ privateKey: x25519Key(secret), publicKey: peer }))
  } catch {
    // OpenSSL refuses exactly the points whose result would be zero.
    return undefined
  }
}

const seal: SessionCryptoBackend['seal'] = (key, nonce, associated, bytes, start, end) => {
  const cipher = createCipheriv(CIPHER, key, nonce, CIPHER_OPTIONS)
  cipher.setAAD(associated, { plaintextLength: end - start })
  bytes.set(cipher.update(bytes.subarray(start, end)), start)
  cipher.final()
  bytes.set(cipher.getAuthTag(), end)
}

const isOpened: SessionCryptoBackend['isOpened'] = (key, nonce, associated, bytes, start, end) => {
  const tagAt = end - TAG_BYTES
  const decipher = createDecipheriv(CIPHER, key, nonce, CIPHER_OPTIONS)
  decipher.setAAD(associated, { plaintextLength: tagAt - start })
  decipher.setAuthTag(bytes.subarray(tagAt, end))
  const plain = decipher.update(bytes.subarray(start, tagAt))
  try {
    decipher.final()
  } catch {
    return false
  }
  bytes.set(plain, start)
  return true
}

export const opensslSessionBackend: SessionCryptoBackend = {
  name: 'node:crypto',
  x25519PublicKey(secret) {
    const spki = createPublicKey(x25519Key(secret)).export({ format: 'der', type: 'spki' })
    return new Uint8Array(spki.subarray(X25519_PUBLIC_PREFIX.length))
  },
  x25519,
  seal,
  isOpened,
}
