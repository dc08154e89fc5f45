/**
 * Signed notes, C2SP signed-note v1.0.0: text, an empty line, one line per signature.
 *
 *     longshore/bafyrei…                                    text, every line ends in a newline
 *     3
 *     bDmYGFXgjWJqOgLuGjwO8bCVn2wKQpC9Z8nuZmFgNM4=
 *                                                           the last empty line of the note
 *     — longshore/bafyrei… Uw2QOkn8srV1yJGh2VYRlL1T…        em dash, key name, base64
 *
 * This file takes notes apart and puts them together; it verifies nothing. Rules CP4-CP6 of
 * docs/spec/checkpoint.md.
 *
 * @module
 */
import { assert } from '../assert.ts'
import { formatBase64, parseBase64 } from '../bytes/base64.ts'
import { concatBytes } from '../bytes/bytes.ts'
import { encodeUtf8 } from '../bytes/utf8.ts'
import { VerificationError } from '../errors.ts'
import { NOTE_BYTES_MAX, NOTE_SIGNATURES_MAX } from '../limits.ts'
import { isKeyName } from './note-key.ts'

/** One signature line, not verified. */
export interface NoteSignature {
  readonly keyName: string
  /** Tells keys of one name apart; not a strong hash. */
  readonly keyId: number
  /** What follows the key id: a signature, with a time before it in a cosignature. */
  readonly signature: Uint8Array
}

/** A note, not verified. */
export interface Note {
  /** With the newline at its end, without the empty line. This is what signatures cover. */
  readonly text: string
  /** At least one, in the order of the note. */
  readonly signatures: readonly NoteSignature[]
}

const LINE_START = '— '
const KEY_ID_BYTES = 4
const NEWLINE = 0x0a
const SPACE = 0x20

/**
 * Takes a note apart.
 *
 * @throws {VerificationError} `NOTE_INVALID` for anything but the one spelling of a note: too
 * long, not UTF-8, control characters, no signature, too many, or a line that is not one.
 */
export function parseNote(note: string): Note {
  if (note.length > NOTE_BYTES_MAX || !note.isWellFormed()) throw invalid('too long or not UTF-8')
  const bytes = encodeUtf8(note)
  if (bytes.length > NOTE_BYTES_MAX) throw invalid('too long')
  if (bytes.some((byte) => byte < SPACE && byte !== NEWLINE)) throw invalid('control characters')
  const end = note.lastIndexOf('\n\n')
  if (end < 0 || !note.endsWith('\n')) throw invalid('no signature lines after an empty line')
  const lines = note.slice(end + 2).split('\n')
  lines.pop()
  if (lines.length === 0) throw invalid('no signature')
  if (lines.length > NOTE_SIGNATURES_MAX) throw invalid('too many signatures')
  return { text: note.slice(0, end + 1), signatures: lines.map(parseSignatureLine) }
}

/**
 * Puts a note together. `text` ends in a newline; there is at least one signature.
 *
 * @throws {VerificationError} `NOTE_INVALID` above 64 KiB: some lines may be of others' making.
 */
export function formatNote({ text, signatures }: Note): string {
  assert(text.endsWith('\n') && signatures.length > 0, 'a note has text and a signature')
  const note = `${text}\n${signatures.map(formatSignatureLine).join('')}`
  if (encodeUtf8(note).length > NOTE_BYTES_MAX) throw invalid('too long')
  return note
}

function formatSignatureLine({ keyName, keyId, signature }: NoteSignature): string {
  const id = Uint8Array.of(keyId >>> 24, keyId >>> 16, keyId >>> 8, keyId)
  return `${LINE_START}${keyName} ${formatBase64(concatBytes(id, signature))}\n`
}

function parseSignatureLine(line: string): NoteSignature {
  const space = line.indexOf(' ', LINE_START.length)
  const keyName = line.slice(LINE_START.length, space)
  if (!line.startsWith(LINE_START) || space < 0 || !isKeyName(keyName)) {
    throw invalid('a line after the empty line that is no signature')
  }
  const bytes = parseBase64(line.slice(space + 1))
  if (bytes === undefined || bytes.length <= KEY_ID_BYTES) {
    throw invalid('a signature that is not standard base64')
  }
  const keyId = new DataView(bytes.buffer).getUint32(0)
  return { keyName, keyId, signature: bytes.slice(KEY_ID_BYTES) }
}

function invalid(what: string): VerificationError {
  return new VerificationError('NOTE_INVALID', `not a signed note: ${what}`)
}
