/**
 * Cosignatures of nodes: what a mirror or a witness states about a head of somebody else.
 *
 * A mirror's cosignature is its durability acknowledgement: *synced, and I hold every header below
 * this size and every payload that is not erased* (F18). A witness states only that every head it
 * signed for this origin extends the one before. Each has a key of its own, because a cosignature
 * does not commit to the name of its maker (F1). They are made and verified as heartbeats are.
 * Rules CP14, CP15 and CP23 of docs/spec/checkpoint.md.
 *
 * @module
 */
import type { CapsuleName, Signature } from '../bytes/brands.ts'
import type { RoleKey } from '../crypto/role-key.ts'
import { formatCosignerName } from '../name/name.ts'
import { encodeTimestampedSignature } from './cosignature.ts'
import type { NoteSignature } from './note.ts'
import { NOTE_COSIGNATURE, noteKeyId } from './note-key.ts'

export interface Cosignature {
  /** Whole seconds since 1970-01-01T00:00:00Z. */
  readonly timeS: number
  readonly signature: Signature
}

export type CosignerRole = 'mirror' | 'witness'

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
