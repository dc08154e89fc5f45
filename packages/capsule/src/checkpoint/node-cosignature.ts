/**
 * Cosignatures of nodes: what a mirror or a witness states about a head of somebody else.
 *
 * A mirror's cosignature is its durability acknowledgement: *synced, and I hold every header below
 * this size and every payload that is not erased* (F18). A witness states only that every head it
 * signed for this origin extends the one before. Each has a key of its own, because a cosignature
 * does not commit to the name of its maker (F1). Rules CP14, CP15 and CP23 of
 * docs/spec/checkpoint.md.
 *
 * @module
 */
import type { CapsuleName, Signature } from '../bytes/brands.ts'
import { verifySignature } from '../crypto/ed25519.ts'
import { type RoleKey, verifyPostQuantumHalf } from '../crypto/role-key.ts'
import type { Signer } from '../crypto/signer.ts'
import type { HeadPointer } from '../entry/pointer.ts'
import { formatCosignerName } from '../name/name.ts'
import { cosignatureMessage, encodeTimestampedSignature } from './cosignature.ts'
import { headText } from './head.ts'
import type { NoteSignature } from './note.ts'
import { NOTE_COSIGNATURE, noteKeyId } from './note-key.ts'

export interface Cosignature {
  /** Whole seconds since 1970-01-01T00:00:00Z. */
  readonly timeS: number
  readonly signature: Signature
}

export type CosignerRole = 'mirror' | 'witness'

/**
 * Cosigns a head with the key of one role. The caller has checked the order
 * (`checkHeartbeatOrder`) against what this key last signed for the origin, and what the role
 * states is already true: for a mirror, after the sync.
 */
export function createCosignature(
  name: CapsuleName,
  head: HeadPointer,
  timeS: number,
  signer: Signer,
): Cosignature {
  return { timeS, signature: signer.sign(cosignatureMessage(headText(name, head), timeS)) }
}

/**
 * Returns if the holder of `key` cosigned this head at `cosignature.timeS`; throws otherwise.
 *
 * @throws {VerificationError} `BAD_SIGNATURE`; `SIGNATURE_MISSING` if the role has two keys.
 */
export function verifyCosignature(
  name: CapsuleName,
  head: HeadPointer,
  { timeS, signature }: Cosignature,
  key: RoleKey,
): void {
  verifySignature(key.ed25519, cosignatureMessage(headText(name, head), timeS), signature)
  // This form of a cosignature has no place for the other half of a role with two keys.
  verifyPostQuantumHalf(key, () => new Uint8Array(0), undefined)
}

/** A cosignature as a signature line of the checkpoint that it covers. `key` is the node's. */
export function cosignatureLine(
  node: CapsuleName,
  role: CosignerRole,
  cosignature: Cosignature,
  key: RoleKey,
): NoteSignature {
  const keyName = formatCosignerName(node, role)
  const keyId = noteKeyId({ name: keyName, type: NOTE_COSIGNATURE, key: key.ed25519 })
  return { keyName, keyId, signature: encodeTimestampedSignature(cosignature) }
}
