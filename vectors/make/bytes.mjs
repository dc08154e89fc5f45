/**
 * Bytes and their text forms, for the vector generators.
 *
 * Everything below `vectors/make/` is written without the product: it imports `cborg`,
 * `@noble/post-quantum`, `node:crypto` and its own files, so that an error in our packages cannot
 * repeat itself in the vectors that are meant to find it.
 */
import { createHash } from 'node:crypto'

/** SHA-256 of all parts, one after the other. */
export function sha256(...parts) {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return new Uint8Array(hash.digest())
}

export function concat(...parts) {
  return new Uint8Array(Buffer.concat(parts))
}

export function hex(bytes) {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex')
}

export function unhex(text) {
  return new Uint8Array(Buffer.from(text.replaceAll(' ', ''), 'hex'))
}

export function utf8(text) {
  return new Uint8Array(Buffer.from(text, 'utf8'))
}

export function base64(bytes) {
  return Buffer.from(bytes).toString('base64')
}

/** `length` bytes, all of value `value`. */
export function filled(length, value) {
  return new Uint8Array(length).fill(value)
}

/** Bytes that look random and are the same in every run: SHA-256(label, counter), cut to length. */
export function derived(label, length) {
  const blocks = []
  for (let counter = 0; blocks.length * 32 < length; counter += 1) {
    blocks.push(sha256(utf8(`longshore vectors ${label} ${counter}`)))
  }
  return concat(...blocks).slice(0, length)
}

/** Unsigned big-endian integer of `byteCount` bytes. */
export function bigEndian(value, byteCount) {
  const bytes = new Uint8Array(byteCount)
  let rest = BigInt(value)
  for (let at = byteCount - 1; at >= 0; at -= 1) {
    bytes[at] = Number(rest & 0xffn)
    rest >>= 8n
  }
  return bytes
}

const BASE32_ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567'

/** RFC 4648 base32, lower case, without padding. */
export function base32(bytes) {
  let bits = ''
  for (const byte of bytes) bits += byte.toString(2).padStart(8, '0')
  let text = ''
  for (let at = 0; at < bits.length; at += 5) {
    text += BASE32_ALPHABET[Number.parseInt(bits.slice(at, at + 5).padEnd(5, '0'), 2)]
  }
  return text
}

/** The same text with its last character moved by `step`: other spare bits, same decoded bytes. */
export function withSpareBits(text, step) {
  const last = BASE32_ALPHABET.indexOf(text.at(-1))
  return text.slice(0, -1) + BASE32_ALPHABET[last + step]
}

/** A copy with one bit flipped. */
export function flipBit(bytes, byteIndex, bit = 0) {
  const copy = bytes.slice()
  copy[byteIndex] ^= 1 << bit
  return copy
}
