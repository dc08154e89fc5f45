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

/** Hashes many small messages faster than one after the other. */
export interface HashMany {
  /**
   * Message i is `input[ranges[3i], ranges[3i + 1])`; its SHA-256 goes to `out`, from
   * `ranges[3i + 2]` on. Messages follow each other, and no digest is written into one. The caller
   * has checked that all lie inside their arrays.
   */
  ranges(input: Uint8Array, ranges: Uint32Array, count: number, out: Uint8Array): void
  /**
   * Writes SHA-256(0x01 || left || right) of `count` pairs of digests, which lie one after the
   * other from `offset` on, to `out` from `outOffset` on. `out` may be `hashes` if it does not
   * begin behind the pairs.
   */
  pairs(out: Uint8Array, outOffset: number, hashes: Uint8Array, offset: number, count: number): void
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
  /** Made when it is first needed. Absent: nothing is faster than `sha256Into`. */
  many?: () => HashMany
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
