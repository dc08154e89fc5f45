/**
 * What a platform room provides for sessions: X25519 and ChaCha20-Poly1305. Apart from the back end
 * of `crypto-backend.ts`, so that whoever only verifies does not load it.
 *
 * @module
 */

export interface SessionCryptoBackend {
  readonly name: string
  /** The X25519 public key (RFC 7748) of a secret of 32 bytes. */
  x25519PublicKey(secret: Uint8Array): Uint8Array
  /** X25519 of a secret and a peer's public key; undefined if the result is all zero. */
  x25519(secret: Uint8Array, publicKey: Uint8Array): Uint8Array | undefined
  /**
   * ChaCha20-Poly1305 (RFC 8439) in place: encrypts `bytes[start, end)` and writes the tag of 16
   * bytes to `bytes[end, end + 16)`. The caller has checked the lengths.
   */
  seal(
    key: Uint8Array,
    nonce: Uint8Array,
    associated: Uint8Array,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): void
  /**
   * The reverse, in place: `bytes[start, end)` ends with the tag. False if it does not fit; then
   * the content of the range is lost.
   */
  isOpened(
    key: Uint8Array,
    nonce: Uint8Array,
    associated: Uint8Array,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): boolean
}
