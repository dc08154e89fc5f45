/**
 * UTF-8 without leniency: no replacement characters, no byte order mark stripped.
 *
 * @module
 */
import { assert } from '../assert.ts'

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Text from outside must be checked with `isWellFormed()` first. */
export function encodeUtf8(text: string): Uint8Array {
  assert(text.isWellFormed(), 'a lone surrogate has no UTF-8 form')
  return encoder.encode(text)
}

/** The text, or undefined if the bytes are not UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes)
  } catch {
    return undefined
  }
}
