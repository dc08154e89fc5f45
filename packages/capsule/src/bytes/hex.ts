/**
 * Lower-case hexadecimal. Upper case is refused, so that every byte string has one spelling.
 *
 * @module
 */

const DIGITS = '0123456789abcdef'

export function formatHex(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += DIGITS.charAt(byte >> 4) + DIGITS.charAt(byte & 15)
  return text
}

/** The bytes, or undefined if `text` is not lower-case hexadecimal of whole bytes. */
export function parseHex(text: string): Uint8Array | undefined {
  if (text.length % 2 !== 0) return undefined
  const bytes = new Uint8Array(text.length / 2)
  for (let i = 0; i < bytes.length; i++) {
    const high = DIGITS.indexOf(text.charAt(2 * i))
    const low = DIGITS.indexOf(text.charAt(2 * i + 1))
    if (high < 0 || low < 0) return undefined
    bytes[i] = high * 16 + low
  }
  return bytes
}
