/**
 * HMAC-SHA256 (RFC 2104) and HKDF-SHA256 (RFC 5869), for the keys of sessions.
 *
 * Built on the one SHA-256 of the platform: a handshake hashes a few hundred bytes, and one
 * implementation for all platforms is one to check.
 *
 * @module
 */
import { assert } from '../assert.ts'
import type { Hash } from '../bytes/brands.ts'
import { HASH_BYTES } from '../limits.ts'
import { sha256 } from './sha256.ts'

const BLOCK_BYTES = 64
const INNER_PAD = 0x36
const OUTER_PAD = 0x5c
/** RFC 5869 counts blocks in one byte. */
const HKDF_BYTES_MAX: number = 255 * HASH_BYTES

/** HMAC-SHA256 of `message` under a key of any length. */
export function hmacSha256(key: Uint8Array, message: Uint8Array): Hash {
  const short = key.length > BLOCK_BYTES ? sha256(key) : key
  const inner = new Uint8Array(BLOCK_BYTES + message.length).fill(INNER_PAD, 0, BLOCK_BYTES)
  const outer = new Uint8Array(BLOCK_BYTES + HASH_BYTES).fill(OUTER_PAD, 0, BLOCK_BYTES)
  for (let i = 0; i < short.length; i++) {
    inner[i] = (short[i] as number) ^ INNER_PAD
    outer[i] = (short[i] as number) ^ OUTER_PAD
  }
  inner.set(message, BLOCK_BYTES)
  outer.set(sha256(inner), BLOCK_BYTES)
  return sha256(outer)
}

/** `byteLength` bytes of key material from `secret`, at most 8160. */
export function hkdfSha256(
  salt: Uint8Array,
  secret: Uint8Array,
  info: Uint8Array,
  byteLength: number,
): Uint8Array {
  assert(byteLength <= HKDF_BYTES_MAX, 'RFC 5869 makes at most 255 blocks')
  const extracted = hmacSha256(salt, secret)
  const out = new Uint8Array(byteLength)
  let block = new Uint8Array(0)
  for (let at = 0, count = 1; at < byteLength; at += HASH_BYTES, count++) {
    const input = new Uint8Array(block.length + info.length + 1)
    input.set(block)
    input.set(info, block.length)
    input[input.length - 1] = count
    block = new Uint8Array(hmacSha256(extracted, input))
    out.set(block.subarray(0, byteLength - at), at)
  }
  return out
}
