/**
 * Whose signatures on a note hold.
 *
 * Part of the trusted base. Signatures by unknown keys are ignored, because anybody may add a
 * line; a bad signature by a known key makes the whole note invalid. Rules CP7, CP8 and CP16 of
 * docs/spec/checkpoint.md; C2SP signed-note and tlog-cosignature.
 *
 * @module
 */
import type { MlDsa44PublicKey, PublicKey } from '../bytes/brands.ts'
import { encodeUtf8 } from '../bytes/utf8.ts'
import { verifySignature } from '../crypto/ed25519.ts'
import { verifyMlDsa44 } from '../crypto/ml-dsa-44.ts'
import { parseCheckpointText } from './checkpoint-text.ts'
import { cosignatureMessage, decodeTimestampedSignature, subtreeMessage } from './cosignature.ts'
import type { Note, NoteSignature } from './note.ts'
import { NOTE_COSIGNATURE_ML_DSA_44, NOTE_ED25519, type NoteKey, noteKeyId } from './note-key.ts'

/** A signature that holds. */
export interface VerifiedSignature {
  readonly key: NoteKey
  /** Of the signature alone, without the time: 64 bytes, or 2420 for ML-DSA-44. */
  readonly signature: Uint8Array
  /** When the key's holder says it signed; undefined for a plain signature (type 0x01). */
  readonly timeS: number | undefined
}

export interface VerifiedNote {
  /** In the order of the note; may hold several by one key (`newestOfEachKey`). */
  readonly verified: readonly VerifiedSignature[]
  /** By keys that are not known. They prove nothing. */
  readonly unknown: readonly NoteSignature[]
}

/**
 * Verifies every signature of a note that is by one of `keys`. May find none: the caller decides
 * which keys must have signed.
 *
 * @throws {VerificationError} `BAD_SIGNATURE` if a signature by one of `keys` does not hold;
 * `NOTE_INVALID` if it is no signature of its type; `CHECKPOINT_INVALID` if it is an ML-DSA-44
 * cosignature of a note that is no checkpoint.
 */
export function verifyNote(note: Note, keys: readonly NoteKey[]): VerifiedNote {
  const known = keys.map((key) => ({ key, id: noteKeyId(key) }))
  const verified: VerifiedSignature[] = []
  const unknown: NoteSignature[] = []
  for (const line of note.signatures) {
    const key = known.find(({ key, id }) => id === line.keyId && key.name === line.keyName)?.key
    if (key === undefined) unknown.push(line)
    else verified.push(verifyLine(note.text, line, key))
  }
  return { verified, unknown }
}

/**
 * The newest signature by each key, in the order of the keys' first lines. Anybody can repeat a
 * line: who counts signatures must not take one signer for several.
 */
export function newestOfEachKey(
  signatures: readonly VerifiedSignature[],
): readonly VerifiedSignature[] {
  const newest = new Map<NoteKey, VerifiedSignature>()
  for (const signature of signatures) {
    const known = newest.get(signature.key)
    if (known === undefined || timeOf(signature) > timeOf(known)) {
      newest.set(signature.key, signature)
    }
  }
  return [...newest.values()]
}

/** A plain signature is older than any that says when it was made. */
function timeOf({ timeS }: VerifiedSignature): number {
  return timeS ?? -1
}

function verifyLine(text: string, line: NoteSignature, key: NoteKey): VerifiedSignature {
  if (key.type === NOTE_ED25519) {
    verifySignature(key.key as PublicKey, encodeUtf8(text), line.signature)
    return { key, signature: line.signature, timeS: undefined }
  }
  const { timeS, signature } = decodeTimestampedSignature(line.signature, key.type)
  if (key.type === NOTE_COSIGNATURE_ML_DSA_44) {
    const message = subtreeMessage(key.name, parseCheckpointText(text), timeS)
    verifyMlDsa44(key.key as MlDsa44PublicKey, message, signature)
  } else {
    verifySignature(key.key as PublicKey, cosignatureMessage(text, timeS), signature)
  }
  return { key, signature, timeS }
}
