/**
 * Keys of signed notes and their text form, the vkey:
 *
 *     longshore/bafyrei…+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k
 *     key name            key id   base64(type || public key)
 *
 * A vkey checks itself: the key id is a hash of name, type and key. Rules CP1-CP3 of
 * docs/spec/checkpoint.md; C2SP signed-note.
 *
 * @module
 */
import { assert } from '../assert.ts'
import { formatBase64, parseBase64 } from '../bytes/base64.ts'
import { concatBytes } from '../bytes/bytes.ts'
import { formatHex } from '../bytes/hex.ts'
import { encodeUtf8 } from '../bytes/utf8.ts'
import { decodePublicKey } from '../crypto/ed25519.ts'
import { decodeMlDsa44PublicKey } from '../crypto/ml-dsa-44.ts'
import { sha256 } from '../crypto/sha256.ts'
import { VerificationError } from '../errors.ts'
import { KEY_NAME_BYTES_MAX } from '../limits.ts'

/** A plain Ed25519 signature over the note text. */
export const NOTE_ED25519 = 0x01
/** A timestamped Ed25519 cosignature (C2SP tlog-cosignature). */
export const NOTE_COSIGNATURE = 0x04
/** A timestamped ML-DSA-44 cosignature (C2SP tlog-cosignature). */
export const NOTE_COSIGNATURE_ML_DSA_44 = 0x06
export type NoteKeyType =
  | typeof NOTE_ED25519
  | typeof NOTE_COSIGNATURE
  | typeof NOTE_COSIGNATURE_ML_DSA_44

/** A key that may sign notes, for one name and one kind of statement. */
export interface NoteKey {
  /** Not empty, without spaces and plus signs. */
  readonly name: string
  readonly type: NoteKeyType
  /** The public key: 32 bytes, or 1312 for ML-DSA-44. */
  readonly key: Uint8Array
}

/** A name, an id, and the base64 of the longest key: 1313 bytes. */
const VKEY_CHARS_MAX: number = KEY_NAME_BYTES_MAX + 1 + 8 + 1 + 1752

const NEWLINE = 0x0a

/** True if `name` can be the name of a key: not empty, no Unicode space, no plus, no control. */
export function isKeyName(name: string): boolean {
  if (name === '' || !name.isWellFormed() || /[\p{White_Space}+]/u.test(name)) return false
  return Array.from(name).every((character) => character >= ' ')
}

/** First four bytes of SHA-256(name || 0x0a || type || key), as a number. */
export function noteKeyId({ name, type, key }: NoteKey): number {
  assert(isKeyName(name), 'names of keys are checked where they come in')
  const hash = sha256(concatBytes(encodeUtf8(name), Uint8Array.of(NEWLINE, type), key))
  return new DataView(hash.buffer, hash.byteOffset).getUint32(0)
}

export function formatVkey(key: NoteKey): string {
  const material = concatBytes(Uint8Array.of(key.type), key.key)
  return `${key.name}+${formatKeyId(noteKeyId(key))}+${formatBase64(material)}`
}

/**
 * The key that a vkey describes.
 *
 * @throws {VerificationError} `BAD_KEY` if the text is not the one spelling of a key or its key id
 * is wrong; `CRYPTO_UNSUPPORTED` for a type of signature that is not known.
 */
export function parseVkey(vkey: string): NoteKey {
  const first = vkey.indexOf('+')
  const second = vkey.indexOf('+', first + 1)
  const name = vkey.slice(0, Math.max(0, first))
  if (vkey.length > VKEY_CHARS_MAX || second < 0 || !isKeyName(name)) {
    throw new VerificationError('BAD_KEY', 'a vkey is a name, a key id and a key, joined by +')
  }
  if (encodeUtf8(name).length > KEY_NAME_BYTES_MAX) {
    throw new VerificationError(
      'BAD_KEY',
      `the name in a vkey has at most ${KEY_NAME_BYTES_MAX} bytes`,
    )
  }
  const material = parseBase64(vkey.slice(second + 1))
  const type = material?.[0]
  if (material === undefined || type === undefined) {
    throw new VerificationError('BAD_KEY', 'the key of a vkey is standard base64')
  }
  const key: NoteKey = { name, type: checkType(type), key: material.slice(1) }
  checkKeyMaterial(key)
  if (vkey.slice(first + 1, second) !== formatKeyId(noteKeyId(key))) {
    throw new VerificationError('BAD_KEY', 'the key id does not belong to this name and key')
  }
  return key
}

function checkType(type: number): NoteKeyType {
  switch (type) {
    case NOTE_ED25519:
    case NOTE_COSIGNATURE:
    case NOTE_COSIGNATURE_ML_DSA_44:
      return type
    default:
      throw new VerificationError('CRYPTO_UNSUPPORTED', 'an unknown type of signature', { type })
  }
}

function checkKeyMaterial({ type, key }: NoteKey): void {
  if (type === NOTE_COSIGNATURE_ML_DSA_44) decodeMlDsa44PublicKey(key)
  else decodePublicKey(key)
}

function formatKeyId(id: number): string {
  return formatHex(Uint8Array.of(id >>> 24, id >>> 16, id >>> 8, id))
}
