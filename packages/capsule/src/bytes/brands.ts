/**
 * Byte strings by role. A brand says that the length was checked, not that the content is true.
 *
 * @module
 */
import { assert } from '../assert.ts'
import {
  BRANCH_ID_BYTES,
  HASH_BYTES,
  ML_DSA_44_KEY_BYTES,
  ML_DSA_44_SIGNATURE_BYTES,
  PUBLIC_KEY_BYTES,
  SIGNATURE_BYTES,
} from '../limits.ts'

/** SHA-256, 32 bytes. */
export type Hash = Uint8Array & { readonly __hash: true }
/** SHA-256 of a manifest body: names a capsule or a principal. 32 bytes. */
export type CapsuleName = Uint8Array & { readonly __capsuleName: true }
/** Ed25519 public key, canonical and not of small order. 32 bytes. */
export type PublicKey = Uint8Array & { readonly __publicKey: true }
/** Ed25519 signature, R then S. 64 bytes. */
export type Signature = Uint8Array & { readonly __signature: true }
/** ML-DSA-44 public key. 1312 bytes; every string of that length is one. */
export type MlDsa44PublicKey = Uint8Array & { readonly __mlDsa44PublicKey: true }
/** ML-DSA-44 signature. 2420 bytes. */
export type MlDsa44Signature = Uint8Array & { readonly __mlDsa44Signature: true }
/** 0 bytes for the main branch, 16 random bytes for another. */
export type BranchId = Uint8Array & { readonly __branchId: true }

export const MAIN_BRANCH: BranchId = new Uint8Array(0) as BranchId

export function asHash(bytes: Uint8Array): Hash {
  assert(bytes.length === HASH_BYTES, 'a hash has 32 bytes')
  return bytes as Hash
}

export function asCapsuleName(bytes: Uint8Array): CapsuleName {
  assert(bytes.length === HASH_BYTES, 'a capsule name has 32 bytes')
  return bytes as CapsuleName
}

/** For a key that this process made or has decoded before; from outside use `decodePublicKey`. */
export function asPublicKey(bytes: Uint8Array): PublicKey {
  assert(bytes.length === PUBLIC_KEY_BYTES, 'a public key has 32 bytes')
  return bytes as PublicKey
}

export function asSignature(bytes: Uint8Array): Signature {
  assert(bytes.length === SIGNATURE_BYTES, 'a signature has 64 bytes')
  return bytes as Signature
}

export function asMlDsa44PublicKey(bytes: Uint8Array): MlDsa44PublicKey {
  assert(bytes.length === ML_DSA_44_KEY_BYTES, 'an ML-DSA-44 key has 1312 bytes')
  return bytes as MlDsa44PublicKey
}

export function asMlDsa44Signature(bytes: Uint8Array): MlDsa44Signature {
  assert(bytes.length === ML_DSA_44_SIGNATURE_BYTES, 'an ML-DSA-44 signature has 2420 bytes')
  return bytes as MlDsa44Signature
}

export function asBranchId(bytes: Uint8Array): BranchId {
  assert(bytes.length === 0 || bytes.length === BRANCH_ID_BYTES, 'a branch id has 0 or 16 bytes')
  return bytes as BranchId
}
