/**
 * What sessions are made of: X25519, HKDF-SHA256 and ChaCha20-Poly1305. Apart from the main
 * entry, because whoever only verifies, as browsers do, needs none of it.
 *
 * @module
 */
export {
  isOpenedInPlace,
  sealInPlace,
} from './crypto/aead.ts'
export {
  hkdfSha256,
  hmacSha256,
} from './crypto/hkdf.ts'
export {
  x25519,
  x25519PublicKey,
} from './crypto/x25519.ts'
