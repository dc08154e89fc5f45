/**
 * Heartbeats: the writer states its head again, with a newer time. Freshness without appending.
 *
 * A heartbeat is a type 0x04 cosignature by the writer's own key, with the origin as key name, and
 * where the writer has an ML-DSA-44 key a type 0x06 one of the same time beside it. Rules CP17,
 * CP18 and CP22 of docs/spec/checkpoint.md; decisions F4 and F13.
 *
 * @module
 */
import { assert } from '../assert.ts'
import type { BranchId, CapsuleName, MlDsa44Signature, Signature } from '../bytes/brands.ts'
import { verifySignature } from '../crypto/ed25519.ts'
import { type RoleKey, verifyPostQuantumHalf } from '../crypto/role-key.ts'
import type { Signer } from '../crypto/signer.ts'
import type { HeadPointer } from '../entry/pointer.ts'
import { formatOrigin } from '../name/name.ts'
import { cosignatureMessage, encodeTimestampedSignature, subtreeLine } from './cosignature.ts'
import { HEAD_TIME_S, headSubtreeMessage, headText } from './head.ts'
import type { NoteSignature } from './note.ts'
import { NOTE_COSIGNATURE, noteKeyId } from './note-key.ts'

export interface Heartbeat {
  /** Whole seconds since 1970-01-01T00:00:00Z. */
  readonly timeS: number
  readonly signature: Signature
  /** The second one, exactly if the writer has an ML-DSA-44 key. */
  readonly mlDsa44?: MlDsa44Signature
}

/** What must never decrease for one key and origin (F13). */
export interface HeartbeatPosition {
  readonly timeS: number
  readonly size: number
}

/**
 * Signs a heartbeat, or the cosignature of a mirror or witness. The caller has stored the new
 * position durably before it leaves, and it does not go back (CP18). What a role states is already
 * true: for a mirror, after the sync.
 */
export function createHeartbeat(
  name: CapsuleName,
  head: HeadPointer,
  timeS: number,
  signer: Signer,
): Heartbeat {
  const signature = signer.sign(cosignatureMessage(headText(name, head), timeS))
  if (signer.mlDsa44 === undefined) return { timeS, signature }
  assert(timeS !== HEAD_TIME_S, 'a heartbeat of two keys says a time')
  return { timeS, signature, mlDsa44: signer.mlDsa44.sign(headSubtreeMessage(name, head, timeS)) }
}

/**
 * Returns if the holder of `key` stated this head at `heartbeat.timeS`; throws otherwise. How new
 * is new enough, and how far ahead a clock may be, is the caller's policy.
 *
 * @throws {VerificationError} `BAD_SIGNATURE`; `SIGNATURE_MISSING` if one of two was left out, or
 * says no time.
 */
export function verifyHeartbeat(
  name: CapsuleName,
  head: HeadPointer,
  heartbeat: Heartbeat,
  key: RoleKey,
): void {
  const message = cosignatureMessage(headText(name, head), heartbeat.timeS)
  verifySignature(key.ed25519, message, heartbeat.signature)
  // Without a time the signature is that of the head, which is no heartbeat.
  const second = heartbeat.timeS === HEAD_TIME_S ? undefined : heartbeat.mlDsa44
  const secondMessage = (): Uint8Array => headSubtreeMessage(name, head, heartbeat.timeS)
  verifyPostQuantumHalf(key, secondMessage, second)
}

/** A heartbeat as signature lines of the checkpoint that it covers: one for each key. */
export function heartbeatLines(
  name: CapsuleName,
  branch: BranchId,
  heartbeat: Heartbeat,
  writerKey: RoleKey,
): NoteSignature[] {
  const keyName = formatOrigin(name, branch)
  const { timeS, mlDsa44 } = heartbeat
  const keyId = noteKeyId({ name: keyName, type: NOTE_COSIGNATURE, key: writerKey.ed25519 })
  const first = { keyName, keyId, signature: encodeTimestampedSignature(heartbeat) }
  if (writerKey.mlDsa44 === undefined || mlDsa44 === undefined) return [first]
  return [first, subtreeLine(keyName, writerKey.mlDsa44, { timeS, signature: mlDsa44 })]
}
