/**
 * Timestamped cosignatures, C2SP tlog-cosignature.
 *
 *     u64 seconds since 1970, big-endian || signature
 *
 * A type 0x04 cosignature is an Ed25519 signature over
 *
 *     cosignature/v1
 *     time 1679315147
 *     <note text of the checkpoint>
 *
 * It does not commit to the name of the cosigner, so each key makes one kind of statement only
 * (F1). A type 0x06 cosignature is an ML-DSA-44 signature over
 *
 *     "subtree/v1\n\0" | u8 length, name of the cosigner | u64 time | u8 length, origin
 *     | u64 start (0) | u64 size | root (32)
 *
 * which says the same as the note text and commits to the name as well. Rules CP14-CP16 and CP19
 * of docs/spec/checkpoint.md.
 *
 * @module
 */
import { assert } from '../assert.ts'
import type { Hash, MlDsa44PublicKey } from '../bytes/brands.ts'
import { concatBytes, copyBytes } from '../bytes/bytes.ts'
import { encodeUtf8 } from '../bytes/utf8.ts'
import { signingContextBytes } from '../crypto/signing-contexts.ts'
import { VerificationError } from '../errors.ts'
import {
  INTEGER_MAX,
  KEY_NAME_BYTES_MAX,
  ML_DSA_44_SIGNATURE_BYTES,
  SIGNATURE_BYTES,
} from '../limits.ts'
import type { NoteSignature } from './note.ts'
import { NOTE_COSIGNATURE, NOTE_COSIGNATURE_ML_DSA_44, noteKeyId } from './note-key.ts'

/** When somebody signed a checkpoint, and the signature. Not verified. */
export interface TimestampedSignature {
  /** Whole seconds since 1970-01-01T00:00:00Z. */
  readonly timeS: number
  readonly signature: Uint8Array
}

/** The tree that a type 0x06 cosignature is about. */
export interface CosignedTree {
  readonly origin: string
  readonly size: number
  readonly root: Hash
}

const TIME_BYTES = 8
const SUBTREE_LABEL: Uint8Array = signingContextBytes('subtree')
/** A checkpoint is about the tree from its first entry on. */
const START: Uint8Array = new Uint8Array(8)
const U32_RANGE = 4_294_967_296

/** The bytes that a type 0x04 cosignature of a checkpoint covers. */
export function cosignatureMessage(noteText: string, timeS: number): Uint8Array {
  assert(isTime(timeS), 'times are whole seconds')
  return encodeUtf8(`cosignature/v1\ntime ${timeS}\n${noteText}`)
}

/**
 * The bytes that a type 0x06 cosignature of a checkpoint covers: `cosigned_message` of C2SP.
 *
 * @throws {VerificationError} `NOTE_INVALID` if a name does not fit into 255 bytes.
 */
export function subtreeMessage(cosigner: string, tree: CosignedTree, timeS: number): Uint8Array {
  assert(isTime(timeS), 'times are whole seconds')
  return concatBytes(
    SUBTREE_LABEL,
    shortText(cosigner),
    encodeU64(timeS),
    shortText(tree.origin),
    START,
    encodeU64(tree.size),
    tree.root,
  )
}

/** `timestamped_signature` of C2SP tlog-cosignature. */
export function encodeTimestampedSignature({ timeS, signature }: TimestampedSignature): Uint8Array {
  assert(isTime(timeS), 'times are whole seconds')
  return concatBytes(encodeU64(timeS), signature)
}

/** A type 0x06 cosignature as a signature line. */
export function subtreeLine(
  keyName: string,
  key: MlDsa44PublicKey,
  cosignature: TimestampedSignature,
): NoteSignature {
  const keyId = noteKeyId({ name: keyName, type: NOTE_COSIGNATURE_ML_DSA_44, key })
  return { keyName, keyId, signature: encodeTimestampedSignature(cosignature) }
}

/**
 * @throws {VerificationError} `NOTE_INVALID` if the length does not fit the type or the time is
 * beyond 2^53 - 1.
 */
export function decodeTimestampedSignature(
  bytes: Uint8Array,
  type: typeof NOTE_COSIGNATURE | typeof NOTE_COSIGNATURE_ML_DSA_44,
): TimestampedSignature {
  const isEd25519 = type === NOTE_COSIGNATURE
  const signatureBytes = isEd25519 ? SIGNATURE_BYTES : ML_DSA_44_SIGNATURE_BYTES
  if (bytes.length !== TIME_BYTES + signatureBytes) {
    throw new VerificationError('NOTE_INVALID', 'a cosignature of the wrong length', {
      type,
      byteLength: bytes.length,
    })
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  const timeS = view.getUint32(0) * U32_RANGE + view.getUint32(4)
  if (!isTime(timeS)) {
    throw new VerificationError('NOTE_INVALID', 'a cosignature from beyond the end of time')
  }
  return { timeS, signature: copyBytes(bytes, TIME_BYTES) }
}

function encodeU64(value: number): Uint8Array {
  const bytes = new Uint8Array(8)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, Math.floor(value / U32_RANGE))
  view.setUint32(4, value % U32_RANGE)
  return bytes
}

/** `opaque<1..2^8-1>` of RFC 8446. */
function shortText(text: string): Uint8Array {
  const bytes = encodeUtf8(text)
  if (bytes.length === 0 || bytes.length > KEY_NAME_BYTES_MAX) {
    throw new VerificationError('NOTE_INVALID', 'a name that an ML-DSA-44 cosignature cannot hold')
  }
  return concatBytes(Uint8Array.of(bytes.length), bytes)
}

function isTime(timeS: number): boolean {
  return Number.isInteger(timeS) && timeS >= 0 && timeS <= INTEGER_MAX
}
