/**
 * Base64 of RFC 4648 section 4: standard alphabet, padded, without line breaks.
 *
 * Strict: padding is required and unused bits must be zero, so each byte string has exactly one
 * spelling.
 *
 * @module
 */

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

/** Character code to value; 255 where the character is not in the alphabet. */
const VALUES: Uint8Array = new Uint8Array(128).fill(255)
for (let value = 0; value < 64; value++) VALUES[ALPHABET.charCodeAt(value)] = value

export function formatBase64(bytes: Uint8Array): string {
  let text = ''
  for (let i = 0; i < bytes.length; i += 3) {
    const left = bytes.length - i
    const group = ((bytes[i] as number) << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0)
    text += ALPHABET.charAt(group >> 18) + ALPHABET.charAt((group >> 12) & 63)
    text += left > 1 ? ALPHABET.charAt((group >> 6) & 63) : '='
    text += left > 2 ? ALPHABET.charAt(group & 63) : '='
  }
  return text
}

/** The bytes, or undefined if `text` is not the one spelling of any byte string. */
export function parseBase64(text: string): Uint8Array | undefined {
  if (text.length % 4 !== 0) return undefined
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0
  const chars = text.length - padding
  const bytes = new Uint8Array((text.length / 4) * 3 - padding)
  let buffer = 0
  let bits = 0
  let position = 0
  for (let i = 0; i < chars; i++) {
    const value = VALUES[text.charCodeAt(i)] ?? 255
    if (value === 255) return undefined
    buffer = ((buffer << 6) | value) & 0xffff
    bits += 6
    if (bits >= 8) {
      bits -= 8
      bytes[position++] = (buffer >> bits) & 255
    }
  }
  if ((buffer & ((1 << bits) - 1)) !== 0) return undefined
  return bytes
}
