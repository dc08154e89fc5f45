/**
 * What a platform room provides: SHA-256, the bare Ed25519 equation, and ML-DSA-44.
 *
 * Rules SG1 to SG6 (which keys and signatures are acceptable at all) are decided once, in
 * `ed25519-encoding.ts`, before a back end is asked, so that all of them give one verdict (F3).
 *
 * @module
 */

export interface SigningKey {
  /** 32 bytes. */
  readonly publicKey: Uint8Array
  /** Deterministic (RFC 8032), 64 bytes. */
  sign(message: Uint8Array): Uint8Array
}

/** ML-DSA-44 (FIPS 204), pure, with an empty context string. */
export interface MlDsa44Key {
  /** 1312 bytes. */
  readonly publicKey: Uint8Array
  /** 2420 bytes. Where the back end hedges, two signatures of one message differ. */
  sign(message: Uint8Array): Uint8Array
}

export interface CryptoBackend {
  readonly name: string
  /**
   * Writes SHA-256 of `input[start, end)` to `out[outOffset, outOffset + 32)`. The caller has
   * checked that both lie inside their arrays.
   */
  sha256Into(
    out: Uint8Array,
    outOffset: number,
    input: Uint8Array,
    start: number,
    end: number,
  ): void
  /** `seed` has 32 bytes and is copied. */
  createSigningKey(seed: Uint8Array): SigningKey
  /**
   * True if `[S]B - [k]A` encodes to exactly the 32 bytes R: the cofactorless equation. False for
   * a key that is not on the curve. The caller has checked everything that needs no curve.
   */
  isSignatureBy(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean
  /** `seed` has 32 bytes (ξ of FIPS 204) and is copied. */
  createMlDsa44Key(seed: Uint8Array): MlDsa44Key
  /** ML-DSA.Verify of FIPS 204. The caller has checked the lengths, which are all that may vary. */
  isMlDsa44SignatureBy(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean
}
