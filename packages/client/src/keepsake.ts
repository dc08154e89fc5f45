/**
 * Small named values that a home keeps about its dealings with others: tickets, mirrors, grants,
 * heads that it has seen (F23). They are notes of the store under one prefix, so they are
 * committed, backed up and restored like everything else, and nobody can reach the notes of the
 * engine through them. Rule HM49 of docs/spec/home.md.
 *
 * @module
 */
import { UsageError } from '@longshore/capsule'

const PREFIX = 'net/'
/** Limits of the store's notes (ST5). */
const KEY_CHARS_MAX = 128
const VALUE_BYTES_MAX = 4096

/** The key of the note, if it is one that may be kept for others. */
export function checkKeepsakeKey(key: string): string {
  if (key.startsWith(PREFIX) && key.length <= KEY_CHARS_MAX && /^[!-~]+$/.test(key)) return key
  throw new UsageError('USAGE', 'not the key of a keepsake', { key: key.slice(0, KEY_CHARS_MAX) })
}

/** @throws {UsageError} `USAGE` if it is too long to be kept. */
export function checkKeepsakeValue(value: Uint8Array): Uint8Array {
  if (value.byteLength <= VALUE_BYTES_MAX) return value
  const details = { byteLength: value.byteLength }
  throw new UsageError('USAGE', `a keepsake has at most ${VALUE_BYTES_MAX} bytes`, details)
}
