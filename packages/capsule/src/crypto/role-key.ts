/**
 * The keys of one role: Ed25519 always, and ML-DSA-44 where the manifest lists one.
 *
 * Post-quantum is AND (F4): a statement of a role with two keys counts only with a signature by
 * each. Otherwise whoever breaks one scheme would strip the signature of the other. Everything
 * that verifies a role takes a `RoleKey`, so that no caller can ask for one half alone. Rules SG16
 * to SG18 of docs/spec/signing.md.
 *
 * @module
 */
import type { MlDsa44PublicKey, PublicKey } from '../bytes/brands.ts'
import { bytesEqual } from '../bytes/bytes.ts'
import { VerificationError } from '../errors.ts'
import { verifyMlDsa44 } from './ml-dsa-44.ts'

export interface RoleKey {
  readonly ed25519: PublicKey
  /** Undefined where Ed25519 alone decides. */
  readonly mlDsa44: MlDsa44PublicKey | undefined
}

export function asRoleKey(ed25519: PublicKey, mlDsa44?: MlDsa44PublicKey): RoleKey {
  return { ed25519, mlDsa44 }
}

/** True if both halves are the same. */
export function roleKeysEqual(a: RoleKey, b: RoleKey): boolean {
  if (!bytesEqual(a.ed25519, b.ed25519)) return false
  if (a.mlDsa44 === undefined || b.mlDsa44 === undefined) return a.mlDsa44 === b.mlDsa44
  return bytesEqual(a.mlDsa44, b.mlDsa44)
}

/** The public keys of a role, for comparing them with others one by one. */
export function roleKeyHalves({ ed25519, mlDsa44 }: RoleKey): Uint8Array[] {
  return mlDsa44 === undefined ? [ed25519] : [ed25519, mlDsa44]
}

/**
 * Returns if the post-quantum half of a statement is what `key` asks for; throws otherwise. The
 * message is made only if there is something to verify.
 *
 * @throws {VerificationError} `SIGNATURE_MISSING` if it was left out; `BAD_SIGNATURE` if it does
 * not hold, or if the role has no key that could have made it.
 */
export function verifyPostQuantumHalf(
  key: RoleKey,
  message: () => Uint8Array,
  signature: Uint8Array | undefined,
): void {
  if (key.mlDsa44 === undefined) {
    if (signature === undefined) return
    throw new VerificationError('BAD_SIGNATURE', 'an ML-DSA-44 signature by a role without a key')
  }
  if (signature === undefined) throw signatureMissing('an ML-DSA-44 signature')
  verifyMlDsa44(key.mlDsa44, message(), signature)
}

/** One of two required signatures is not there. */
export function signatureMissing(what: string): VerificationError {
  return new VerificationError('SIGNATURE_MISSING', `${what} is required here and is missing`)
}
