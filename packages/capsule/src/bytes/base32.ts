/**
 * Base32 of RFC 4648 section 6, lower case, without padding: the alphabet of CID text.
 *
 * Strict: unused bits of the last character must be zero, and a length that no byte string
 * encodes to is refused. So each byte string has exactly one spelling.
 *
 * @module
 */

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567'

export function formatBase32(bytes: Uint8Array): string {
  let text = ''
  let buffer = 0
  let bits = 0
  for (const byte of bytes) {
    buffer = ((buffer << 8) | byte) & 0xfff
    bits += 8
    while (bits >= 5) {
      bits -= 5
      text += ALPHABET.charAt((buffer >> bits) & 31)
    }
  }
  if (bits > 0) text += ALPHABET.charAt((buffer << (5 - bits)) & 31)
  return text
}

/** The bytes, or undefined if `text` is not the one spelling of any byte string. */
export function parseBase32(text: string): Uint8Array | undefined {
  const bytes = new Uint8Array(Math.floor((text.length * 5) / 8))
  let buffer = 0
  let bits = 0
  let position = 0
  for (let i = 0; i < text.length; i++) {
    const value = ALPHABET.indexOf(text.charAt(i))
    if (value < 0) return undefined
    buffer = ((buffer << 5) | value) & 0xfff
    bits += 5
    if (bits >= 8) {
      bits -= 8
      bytes[position++] = (buffer >> bits) & 255
    }
  }
  // Five or more bits left over mean a character that adds no byte.
  if (bits >= 5 || (buffer & ((1 << bits) - 1)) !== 0) return undefined
  return bytes
}
