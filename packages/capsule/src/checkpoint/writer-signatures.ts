/**
 * What the writer's own lines on a checkpoint say: its signature of the head, and heartbeats.
 *
 *     — longshore/bafyrei… <01>          Ed25519 over the text: the head
 *     — longshore/bafyrei… <06, time 0>  ML-DSA-44: the head, if the writer has such a key
 *     — longshore/bafyrei… <04, time>    Ed25519: a heartbeat
 *     — longshore/bafyrei… <06, time>    ML-DSA-44: the same heartbeat
 *
 * Part of the trusted base. Where the writer has two keys a statement counts only with both (F4).
 * Anybody can take lines away, so one half alone is not silently passed over: it is what is left
 * of an attack. Rules CP10, CP17, CP20 to CP22 of docs/spec/checkpoint.md.
 *
 * @module
 */
import type { MlDsa44Signature, Signature } from '../bytes/brands.ts'
import { type RoleKey, signatureMissing } from '../crypto/role-key.ts'
import { VerificationError } from '../errors.ts'
import { HEAD_TIME_S, type Head } from './head.ts'
import type { Heartbeat } from './heartbeat.ts'
import {
  NOTE_COSIGNATURE,
  NOTE_COSIGNATURE_ML_DSA_44,
  NOTE_ED25519,
  type NoteKey,
} from './note-key.ts'
import { newestOfEachKey, type VerifiedSignature } from './verify-note.ts'

/** The keys of a writer as a note knows them. */
export interface WriterNoteKeys {
  readonly head: NoteKey
  readonly heartbeat: NoteKey
  /** Signs both; undefined if the writer has no such key. */
  readonly mlDsa44: NoteKey | undefined
  readonly all: readonly NoteKey[]
}

export interface WriterSignatures {
  readonly head: Pick<Head, 'signature' | 'mlDsa44'>
  /** The newest one, if there is one. */
  readonly heartbeat: Heartbeat | undefined
}

/** A writer's lines have the origin as the name of their key. */
export function writerNoteKeys(origin: string, writerKey: RoleKey): WriterNoteKeys {
  const head: NoteKey = { name: origin, type: NOTE_ED25519, key: writerKey.ed25519 }
  const heartbeat: NoteKey = { name: origin, type: NOTE_COSIGNATURE, key: writerKey.ed25519 }
  if (writerKey.mlDsa44 === undefined) {
    return { head, heartbeat, mlDsa44: undefined, all: [head, heartbeat] }
  }
  const type = NOTE_COSIGNATURE_ML_DSA_44
  const mlDsa44: NoteKey = { name: origin, type, key: writerKey.mlDsa44 }
  return { head, heartbeat, mlDsa44, all: [head, heartbeat, mlDsa44] }
}

/**
 * The writer's statements among signatures that hold.
 *
 * @throws {VerificationError} `BAD_SIGNATURE` without a signature of the head; `SIGNATURE_MISSING`
 * if one of two keys has not signed it, or not the newest heartbeat; `CHECKPOINT_INVALID` if a key
 * signed the head more than once.
 */
export function openWriterSignatures(
  verified: readonly VerifiedSignature[],
  keys: WriterNoteKeys,
): WriterSignatures {
  const byMlDsa44 = verified.filter(({ key }) => key === keys.mlDsa44)
  const first = onlyOne(verified.filter(({ key }) => key === keys.head))
  const second = onlyOne(byMlDsa44.filter(({ timeS }) => timeS === HEAD_TIME_S))
  if (first === undefined) {
    throw new VerificationError('BAD_SIGNATURE', 'the writer has not signed this checkpoint')
  }
  const signature = first.signature as Signature
  const heartbeat = newestHeartbeat(verified.filter(({ key }) => key === keys.heartbeat))
  if (keys.mlDsa44 === undefined) return { head: { signature }, heartbeat }

  if (second === undefined) throw signatureMissing("the writer's ML-DSA-44 signature of the head")
  const head = { signature, mlDsa44: second.signature as MlDsa44Signature }
  const half = newestHeartbeat(byMlDsa44.filter(({ timeS }) => timeS !== HEAD_TIME_S))
  if (half?.timeS !== heartbeat?.timeS)
    throw signatureMissing('one of the two halves of a heartbeat')
  if (heartbeat === undefined || half === undefined) return { head, heartbeat: undefined }
  const mlDsa44 = half.signature as Uint8Array as MlDsa44Signature
  return { head, heartbeat: { ...heartbeat, mlDsa44 } }
}

function onlyOne(signatures: readonly VerifiedSignature[]): VerifiedSignature | undefined {
  if (signatures.length <= 1) return signatures[0]
  throw new VerificationError('CHECKPOINT_INVALID', 'the writer has signed more than once')
}

/** Signatures by one key. */
function newestHeartbeat(signatures: readonly VerifiedSignature[]): Heartbeat | undefined {
  const [newest] = newestOfEachKey(signatures)
  if (newest?.timeS === undefined) return undefined
  return { timeS: newest.timeS, signature: newest.signature as Signature }
}
