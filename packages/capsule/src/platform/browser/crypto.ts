/**
 * The crypto back end of browsers: pure JavaScript, synchronous.
 *
 * noble's own `verify` multiplies by the cofactor and so accepts signatures that OpenSSL and
 * libsodium refuse; here the equation is therefore evaluated with its point arithmetic and the
 * encodings are compared. Signing in pure JavaScript is not constant-time: a browser should hold
 * no key that guards more than the page itself.
 *
 * @module
 */
import { ed25519 } from '@noble/curves/ed25519.js'
import { sha256, sha512 } from '@noble/hashes/sha2.js'
import { ml_dsa44 } from '@noble/post-quantum/ml-dsa.js'
import { bytesEqual, copyBytes } from '../../bytes/bytes.ts'
import type { CryptoBackend, MlDsa44Key, SigningKey } from '../../crypto/crypto-backend.ts'

const { Point } = ed25519

function scalarLittleEndian(bytes: Uint8Array): bigint {
  let scalar = 0n
  for (let i = bytes.length - 1; i >= 0; i--) scalar = (scalar << 8n) | BigInt(bytes[i] as number)
  return scalar % Point.Fn.ORDER
}

function isSignatureBy(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  const encodedR = signature.subarray(0, 32)
  const k = sha512.create().update(encodedR).update(publicKey).update(message).digest()
  let negativeA: InstanceType<typeof Point>
  try {
    negativeA = Point.fromBytes(publicKey).negate()
  } catch {
    return false
  }
  const sB = Point.BASE.multiplyUnsafe(scalarLittleEndian(signature.subarray(32)))
  const computedR = sB.add(negativeA.multiplyUnsafe(scalarLittleEndian(k)))
  return bytesEqual(computedR.toBytes(), encodedR)
}

function createSigningKey(seed: Uint8Array): SigningKey {
  const secret = copyBytes(seed)
  return {
    publicKey: ed25519.getPublicKey(secret),
    sign: (message) => ed25519.sign(message, secret),
  }
}

function createMlDsa44Key(seed: Uint8Array): MlDsa44Key {
  const { publicKey, secretKey } = ml_dsa44.keygen(copyBytes(seed))
  // Deterministic (FIPS 204 section 3.4): this room has no randomness.
  const sign = (message: Uint8Array): Uint8Array =>
    ml_dsa44.sign(message, secretKey, { extraEntropy: false })
  return { publicKey, sign }
}

export const backend: CryptoBackend = {
  name: 'noble',
  sha256Into(out, outOffset, input, start, end) {
    out.set(sha256(input.subarray(start, end)), outOffset)
  },
  createSigningKey,
  isSignatureBy,
  createMlDsa44Key,
  isMlDsa44SignatureBy: (publicKey, message, signature) =>
    ml_dsa44.verify(signature, message, publicKey),
}
