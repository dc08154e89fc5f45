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
 * (F1). Type 0x06 (ML-DSA-44) is taken apart but cannot be verified by this version. Rules
 * CP14-CP16 of docs/spec/checkpoint.md.
 *
 * @module
 */
import { assert } from '../assert.ts'
import { copyBytes } from '../bytes/bytes.ts'
import { encodeUtf8 } from '../bytes/utf8.ts'
import { VerificationError } from '../errors.ts'
import { INTEGER_MAX, SIGNATURE_BYTES } from '../limits.ts'
import { NOTE_COSIGNATURE, type NOTE_COSIGNATURE_ML_DSA_44 } from './note-key.ts'

/** When somebody signed a checkpoint, and the signature. Not verified. */
export interface TimestampedSignature {
  /** Whole seconds since 1970-01-01T00:00:00Z. */
  readonly timeS: number
  readonly signature: Uint8Array
}

const TIME_BYTES = 8
const ML_DSA_44_SIGNATURE_BYTES = 2420
const U32_RANGE = 4_294_967_296

/** The bytes that a type 0x04 cosignature of a checkpoint covers. */
export function cosignatureMessage(noteText: string, timeS: number): Uint8Array {
  assert(isTime(timeS), 'times are whole seconds')
  return encodeUtf8(`cosignature/v1\ntime ${timeS}\n${noteText}`)
}

/** `timestamped_signature` of C2SP tlog-cosignature. */
export function encodeTimestampedSignature({ timeS, signature }: TimestampedSignature): Uint8Array {
  assert(isTime(timeS), 'times are whole seconds')
  const bytes = new Uint8Array(TIME_BYTES + signature.length)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, Math.floor(timeS / U32_RANGE))
  view.setUint32(4, timeS % U32_RANGE)
  bytes.set(signature, TIME_BYTES)
  return bytes
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

function isTime(timeS: number): boolean {
  return Number.isInteger(timeS) && timeS >= 0 && timeS <= INTEGER_MAX
}
