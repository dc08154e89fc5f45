/**
 * ML-DSA-44 keys from fixed seeds, by noble, whose signatures are deterministic when it is asked
 * to; OpenSSL, which hedges its own, must accept each of them before it becomes a vector.
 */
import { createPublicKey, verify } from 'node:crypto'
import { ml_dsa44 as mlDsa44 } from '@noble/post-quantum/ml-dsa.js'
import { concat, derived, unhex } from './bytes.mjs'

const SPKI_PREFIX = unhex('30820532300b06096086480165030403110382052100')

export function mlDsaKeyFromSeed(seed) {
  const { publicKey, secretKey } = mlDsa44.keygen(seed)
  const der = Buffer.from(concat(SPKI_PREFIX, publicKey))
  const openssl = createPublicKey({ key: der, format: 'der', type: 'spki' })
  return {
    seed,
    publicKey,
    sign(message) {
      const signature = mlDsa44.sign(message, secretKey, { extraEntropy: false })
      if (!verify(null, message, openssl, signature)) throw new Error('OpenSSL refuses it')
      return signature
    },
    /** With a context string, which our formats do not have. */
    signInContext(message, context) {
      return mlDsa44.sign(message, secretKey, { extraEntropy: false, context })
    },
    isAcceptedByOpenssl: (message, signature) => verify(null, message, openssl, signature),
  }
}

/** One key per role name; the same name gives the same key in every file. */
export function mlDsaKey(role) {
  return mlDsaKeyFromSeed(derived(`ml-dsa-44 key ${role}`, 32))
}
