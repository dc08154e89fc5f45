/**
 * Heartbeats: the writer states its head again, with a newer time. Freshness without appending.
 *
 * A heartbeat is a type 0x04 cosignature by the writer's own key, with the origin as key name.
 * Rules CP17 and CP18 of docs/spec/checkpoint.md; decision F13.
 *
 * @module
 */
import type { BranchId, CapsuleName, PublicKey, Signature } from '../bytes/brands.ts'
import { type Signer, verifySignature } from '../crypto/ed25519.ts'
import type { HeadPointer } from '../entry/pointer.ts'
import { VerificationError } from '../errors.ts'
import { formatOrigin } from '../name/name.ts'
import { cosignatureMessage, encodeTimestampedSignature } from './cosignature.ts'
import { headText } from './head.ts'
import type { NoteSignature } from './note.ts'
import { NOTE_COSIGNATURE, noteKeyId } from './note-key.ts'

export interface Heartbeat {
  /** Whole seconds since 1970-01-01T00:00:00Z. */
  readonly timeS: number
  readonly signature: Signature
}

/** What must never decrease for one key and origin (F13). */
export interface HeartbeatPosition {
  readonly timeS: number
  readonly size: number
}

/**
 * Signs a heartbeat. The caller has checked the order (`checkHeartbeatOrder`) against what it
 * last signed, and has stored the new position durably, before the heartbeat leaves.
 */
export function createHeartbeat(
  name: CapsuleName,
  head: HeadPointer,
  timeS: number,
  signer: Signer,
): Heartbeat {
  return { timeS, signature: signer.sign(cosignatureMessage(headText(name, head), timeS)) }
}

/**
 * Returns if the writer stated this head at `heartbeat.timeS`; throws otherwise. How new is new
 * enough, and how far ahead a clock may be, is the caller's policy.
 *
 * @throws {VerificationError} `BAD_SIGNATURE`.
 */
export function verifyHeartbeat(
  name: CapsuleName,
  head: HeadPointer,
  heartbeat: Heartbeat,
  writerKey: PublicKey,
): void {
  const message = cosignatureMessage(headText(name, head), heartbeat.timeS)
  verifySignature(writerKey, message, heartbeat.signature)
}

/** A heartbeat as a signature line of the checkpoint that it covers. */
export function heartbeatLine(
  name: CapsuleName,
  branch: BranchId,
  heartbeat: Heartbeat,
  writerKey: PublicKey,
): NoteSignature {
  const keyName = formatOrigin(name, branch)
  const keyId = noteKeyId({ name: keyName, type: NOTE_COSIGNATURE, key: writerKey })
  return { keyName, keyId, signature: encodeTimestampedSignature(heartbeat) }
}

/**
 * Returns if `next` may follow `previous` for one key and origin; throws otherwise. Equal seconds
 * and equal sizes are legal.
 *
 * @throws {VerificationError} `ROLLBACK` if the time or the size goes back.
 */
export function checkHeartbeatOrder(
  previous: HeartbeatPosition | undefined,
  next: HeartbeatPosition,
): void {
  if (previous === undefined) return
  if (next.timeS >= previous.timeS && next.size >= previous.size) return
  throw new VerificationError('ROLLBACK', 'a heartbeat that goes back', {
    timeS: next.timeS,
    size: next.size,
    previousTimeS: previous.timeS,
    previousSize: previous.size,
  })
}
