/**
 * A second back end for Node that needs no native module: OpenSSL through node:crypto.
 *
 * Slower than `crypto.ts`; the tests hold all back ends against each other with it.
 *
 * @module
 */
import {
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  hash,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto'
import type { CryptoBackend, SigningKey } from '../../crypto/crypto-backend.ts'
import { createMlDsa44Key, isMlDsa44SignatureBy } from './openssl-ml-dsa-44.ts'

/** DER around a raw key (RFC 8410). */
const PRIVATE_KEY_PREFIX: Buffer = Buffer.from('302e020100300506032b657004220420', 'hex')
const PUBLIC_KEY_PREFIX: Buffer = Buffer.from('302a300506032b6570032100', 'hex')

function createSigningKey(seed: Uint8Array): SigningKey {
  const der = Buffer.concat([PRIVATE_KEY_PREFIX, seed])
  const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' })
  return {
    publicKey: new Uint8Array(spki.subarray(PUBLIC_KEY_PREFIX.length)),
    sign: (message) => new Uint8Array(sign(null, message, privateKey)),
  }
}

function isSignatureBy(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  const der = Buffer.concat([PUBLIC_KEY_PREFIX, publicKey])
  const key = createPublicKey({ key: der, format: 'der', type: 'spki' })
  return verify(null, message, key, signature)
}

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

const seal: CryptoBackend['seal'] = (key, nonce, associated, bytes, start, end) => {
  const cipher = createCipheriv(CIPHER, key, nonce, CIPHER_OPTIONS)
  cipher.setAAD(associated, { plaintextLength: end - start })
  bytes.set(cipher.update(bytes.subarray(start, end)), start)
  cipher.final()
  bytes.set(cipher.getAuthTag(), end)
}

const isOpened: CryptoBackend['isOpened'] = (key, nonce, associated, bytes, start, end) => {
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

export const opensslBackend: CryptoBackend = {
  name: 'node:crypto',
  sha256Into(out, outOffset, input, start, end) {
    out.set(hash('sha256', input.subarray(start, end), 'buffer'), outOffset)
  },
  createSigningKey,
  isSignatureBy,
  x25519PublicKey(secret) {
    const spki = createPublicKey(x25519Key(secret)).export({ format: 'der', type: 'spki' })
    return new Uint8Array(spki.subarray(X25519_PUBLIC_PREFIX.length))
  },
  x25519,
  seal,
  isOpened,
  createMlDsa44Key,
  isMlDsa44SignatureBy,
}
