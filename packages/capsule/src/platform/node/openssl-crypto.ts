/**
 * A second back end for Node that needs no native module: OpenSSL through node:crypto.
 *
 * Slower than `crypto.ts`; the tests hold all back ends against each other with it.
 *
 * @module
 */
import { createPrivateKey, createPublicKey, hash, sign, verify } from 'node:crypto'
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

export const opensslBackend: CryptoBackend = {
  name: 'node:crypto',
  sha256Into(out, outOffset, input, start, end) {
    out.set(hash('sha256', input.subarray(start, end), 'buffer'), outOffset)
  },
  createSigningKey,
  isSignatureBy,
  createMlDsa44Key,
  isMlDsa44SignatureBy,
}
