/** Ed25519 keys from fixed seeds, by node:crypto (OpenSSL). Signatures are deterministic. */
import { createPrivateKey, createPublicKey, sign } from 'node:crypto'
import { concat, derived, unhex } from './bytes.mjs'

const PKCS8_PREFIX = unhex('302e020100300506032b657004220420')

export function keyFromSeed(seed) {
  const privateKey = createPrivateKey({
    key: Buffer.from(concat(PKCS8_PREFIX, seed)),
    format: 'der',
    type: 'pkcs8',
  })
  const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' })
  return {
    seed,
    publicKey: new Uint8Array(spki.subarray(12)),
    sign: (message) => new Uint8Array(sign(null, message, privateKey)),
  }
}

/** One key per role name; the same name gives the same key in every file. */
export function key(role) {
  return keyFromSeed(derived(`key ${role}`, 32))
}
