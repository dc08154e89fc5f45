/**
 * Checkpoints: signed notes that commit to a tree.
 *
 * Part of the trusted base. A capsule's checkpoint has three lines of text, one signature by its
 * writer (key name = origin), and after that any number of cosignatures. If the writer has an
 * ML-DSA-44 key, its signature of the head follows the first (F4). Rules CP7-CP13, CP16 and
 * CP20-CP22 of docs/spec/checkpoint.md; C2SP tlog-checkpoint.
 *
 * @module
 */
import { assert } from '../assert.ts'
import type { BranchId, CapsuleName } from '../bytes/brands.ts'
import { bytesEqual } from '../bytes/bytes.ts'
import type { RoleKey } from '../crypto/role-key.ts'
import { isLongshoreError, VerificationError } from '../errors.ts'
import { EPOCH_MAX } from '../limits.ts'
import { formatOrigin, parseOrigin } from '../name/name.ts'
import { type CheckpointText, parseCheckpointText } from './checkpoint-text.ts'
import { subtreeLine } from './cosignature.ts'
import { HEAD_TIME_S, type Head, headText } from './head.ts'
import type { Heartbeat } from './heartbeat.ts'
import { formatNote, type NoteSignature, parseNote } from './note.ts'
import { NOTE_ED25519, type NoteKey, noteKeyId } from './note-key.ts'
import {
  newestOfEachKey,
  type VerifiedNote,
  type VerifiedSignature,
  verifyNote,
} from './verify-note.ts'
import { openWriterSignatures, writerNoteKeys } from './writer-signatures.ts'

export interface CheckpointExpectation {
  /** The writer's key of the epoch that the head is expected in. */
  readonly writerKey: RoleKey
  /** Default 0: the key in the manifest. */
  readonly epoch?: number
  /** Refuse the checkpoint of another capsule. */
  readonly name?: CapsuleName
  /** Refuse the checkpoint of another branch. */
  readonly branch?: BranchId
  /** Whose cosignatures to verify; those of others are ignored. */
  readonly cosigners?: readonly NoteKey[]
}

export interface OpenedCheckpoint {
  readonly name: CapsuleName
  readonly head: Head
  /** Newest heartbeat of the writer on this checkpoint, if it has one, and its time. */
  readonly heartbeat: Heartbeat | undefined
  readonly heartbeatS: number | undefined
  /** Cosignatures by the expected cosigners: the newest of each. */
  readonly cosignatures: readonly VerifiedSignature[]
  /** Lines that could not be verified. They prove nothing. */
  readonly unknown: readonly NoteSignature[]
}

/** A checkpoint of any other transparency log: of each known key the newest signature. */
export interface ForeignCheckpoint extends CheckpointText, VerifiedNote {}

/**
 * The checkpoint of a head: note text, the writer's signatures, then `cosignatures`. Nothing is
 * verified here.
 */
export function formatCheckpoint(
  name: CapsuleName,
  head: Head,
  writerKey: RoleKey,
  cosignatures: readonly NoteSignature[] = [],
): string {
  const keyName = formatOrigin(name, head.branch)
  const keyId = noteKeyId({ name: keyName, type: NOTE_ED25519, key: writerKey.ed25519 })
  const lines: NoteSignature[] = [{ keyName, keyId, signature: head.signature }]
  if (writerKey.mlDsa44 !== undefined && head.mlDsa44 !== undefined) {
    const signed = { timeS: HEAD_TIME_S, signature: head.mlDsa44 }
    lines.push(subtreeLine(keyName, writerKey.mlDsa44, signed))
  }
  return formatNote({ text: headText(name, head), signatures: [...lines, ...cosignatures] })
}

/**
 * Verifies a capsule's checkpoint and returns what it commits to.
 *
 * That the writer's key belongs to the capsule is the caller's to know, from the manifest.
 *
 * @throws {VerificationError} `NOTE_INVALID` or `CHECKPOINT_INVALID` for a note that is not
 * exactly a checkpoint of ours; `NAME_MISMATCH` for one of another capsule or branch;
 * `BAD_SIGNATURE` if the writer has not signed it, or if any known key's signature does not hold;
 * `SIGNATURE_MISSING` if the writer has two keys and one of them has not signed head or heartbeat.
 */
export function openCheckpoint(note: string, expected: CheckpointExpectation): OpenedCheckpoint {
  const { writerKey, epoch = 0, cosigners = [] } = expected
  assert(Number.isInteger(epoch) && epoch >= 0 && epoch <= EPOCH_MAX, 'an epoch is a u32')
  const parsed = parseNote(note)
  const { origin, size, root, extensions } = parseCheckpointText(parsed.text)
  if (extensions.length > 0) throw invalid('the checkpoint of a capsule has no extension lines')
  if (size === 0) throw invalid('a writer never signs an empty tree')
  const { name, branch } = openOrigin(origin, expected)

  const keys = writerNoteKeys(origin, writerKey)
  const { verified, unknown } = verifyNote(parsed, [...keys.all, ...cosigners])
  const signatures = openWriterSignatures(verified, keys)
  return {
    name,
    head: { branch, epoch, size, root, ...signatures.head },
    heartbeat: signatures.heartbeat,
    heartbeatS: signatures.heartbeat?.timeS,
    cosignatures: newestOfEachKey(verified).filter(({ key }) => !keys.all.includes(key)),
    unknown,
  }
}

/**
 * Verifies the checkpoint of a foreign log, which may be empty and may have extension lines.
 *
 * @throws {VerificationError} `NOTE_INVALID` or `CHECKPOINT_INVALID` for a note that is not a
 * checkpoint; `NAME_MISMATCH` for another origin; `BAD_SIGNATURE` unless `keyOfLog` has signed
 * it and every signature by a known key holds.
 */
export function openForeignCheckpoint(
  note: string,
  origin: string,
  keyOfLog: NoteKey,
  cosigners: readonly NoteKey[] = [],
): ForeignCheckpoint {
  const parsed = parseNote(note)
  const text = parseCheckpointText(parsed.text)
  if (text.origin !== origin) throw mismatch('log')
  const { verified, unknown } = verifyNote(parsed, [keyOfLog, ...cosigners])
  if (!verified.some(({ key }) => key === keyOfLog)) {
    throw new VerificationError('BAD_SIGNATURE', 'the log has not signed this checkpoint')
  }
  return { ...text, verified: newestOfEachKey(verified), unknown }
}

function openOrigin(
  origin: string,
  expected: CheckpointExpectation,
): { name: CapsuleName; branch: BranchId } {
  let place: { name: CapsuleName; branch: BranchId }
  try {
    place = parseOrigin(origin)
  } catch (cause) {
    if (!isLongshoreError(cause)) throw cause
    const message = 'the origin is not that of a capsule'
    throw new VerificationError('CHECKPOINT_INVALID', message, undefined, { cause })
  }
  if (expected.name !== undefined && !bytesEqual(place.name, expected.name)) {
    throw mismatch('capsule')
  }
  if (expected.branch !== undefined && !bytesEqual(place.branch, expected.branch)) {
    throw mismatch('branch')
  }
  return place
}

function invalid(what: string): VerificationError {
  return new VerificationError('CHECKPOINT_INVALID', what)
}

function mismatch(what: string): VerificationError {
  return new VerificationError('NAME_MISMATCH', `the checkpoint is of another ${what}`)
}
