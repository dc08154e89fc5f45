/**
 * The codec of headers without pointers and extension, written by hand for speed.
 *
 *     84           array of 4
 *     00           kind
 *     1b 00 06 …   timeUs, in the shortest of five forms
 *     18 64        payloadBytes, likewise
 *     58 20 …      payloadHash, 32 bytes
 *
 * Byte for byte what the general codec writes, and the same verdict on every input: the tests
 * hold one against the other. Nothing is allocated while writing. Rules EN3 and EN4 of
 * docs/spec/entry.md.
 *
 * @module
 */
import { assert } from '../assert.ts'
import type { Hash } from '../bytes/brands.ts'
import { copyBytes } from '../bytes/bytes.ts'
import { VerificationError } from '../errors.ts'
import { HASH_BYTES, INTEGER_MAX, PAYLOAD_BYTES_MAX } from '../limits.ts'
import {
  type Header,
  type HeaderKind,
  KIND_ENCRYPTED,
  NO_EXTENSION,
  NO_POINTERS,
} from './header-form.ts'

const ARRAY_OF_4 = 0x84
const BYTES_U8 = 0x58
/** An unsigned integer that follows in 1, 2, 4 or 8 bytes, big-endian. */
const U8 = 0x18
const U16 = 0x19
const U32 = 0x1a
const U64 = 0x1b
const U32_RANGE = 4_294_967_296

/** Array head, kind, and the payload hash with its head. */
const FIXED_BYTES: number = 1 + 1 + 2 + HASH_BYTES

/** Exact length of what `writeHotHeader` will write: 38 to 54 bytes. */
export function hotHeaderBytes(timeUs: number, payloadBytes: number): number {
  return FIXED_BYTES + integerBytes(timeUs) + integerBytes(payloadBytes)
}

/**
 * Writes a header to `out` at `position` and returns its length in bytes.
 *
 * `payloadHash` is read from `hashOffset`, so it may lie inside a larger array; where it lies in
 * its place in `out`, it may also be written there later. The caller has made room for `hotHeaderBytes(timeUs, payloadBytes)`.
 */
export function writeHotHeader(
  out: Uint8Array,
  position: number,
  kind: HeaderKind,
  timeUs: number,
  payloadBytes: number,
  payloadHash: Uint8Array,
  hashOffset: number,
): number {
  assert(Number.isSafeInteger(timeUs) && timeUs >= 0, 'the caller bounds the time')
  assert(Number.isSafeInteger(payloadBytes) && payloadBytes >= 0, 'a length is an integer')
  assert(payloadBytes <= PAYLOAD_BYTES_MAX, 'the caller bounds the payload')
  assert(kind === 0 || kind === 1 || kind === 2, 'there are three kinds')
  assert(hashOffset >= 0 && hashOffset + HASH_BYTES <= payloadHash.length, 'the hash is complete')
  let at = position
  out[at++] = ARRAY_OF_4
  out[at++] = kind
  at = writeInteger(out, at, timeUs)
  at = writeInteger(out, at, payloadBytes)
  out[at++] = BYTES_U8
  out[at++] = HASH_BYTES
  if (payloadHash !== out || hashOffset !== at) {
    for (let i = 0; i < HASH_BYTES; i++) out[at + i] = payloadHash[hashOffset + i] as number
  }
  at += HASH_BYTES
  assert(at <= out.length, 'the caller made room')
  return at - position
}

/** True if the first byte announces this form; then no other decoder may be asked. */
export function isHotHeader(bytes: Uint8Array, at = 0): boolean {
  return bytes[at] === ARRAY_OF_4
}

/** The fields of a header of this form, without the hash: where it lies instead. */
export interface HotFields {
  kind: HeaderKind
  timeUs: number
  payloadBytes: number
  /** Offset of the 32 bytes of the payload hash in the array that was read. */
  hashAt: number
}

/**
 * Reads the header in `bytes[start, end)` where it lies; nothing is allocated.
 *
 * @throws {VerificationError} `HEADER_INVALID`, exactly where the general decoder refuses.
 */
export function readHotHeader(
  bytes: Uint8Array,
  start: number,
  end: number,
  into: HotFields,
): void {
  assert(start >= 0 && end <= bytes.length && bytes[start] === ARRAY_OF_4, 'a header of this form')
  const kind = bytes[start + 1]
  if (start + 1 >= end || kind === undefined || kind > KIND_ENCRYPTED) {
    throw invalid('the kind must be 0, 1 or 2')
  }
  let at = start + 2
  const timeUs = readIntegerAt(bytes, at, end)
  if (timeUs < 0) throw invalid('the time must be an integer')
  at += integerBytes(timeUs)
  const payloadBytes = readIntegerAt(bytes, at, end)
  if (payloadBytes < 0 || payloadBytes > PAYLOAD_BYTES_MAX) {
    throw invalid('the payload size must be an integer up to 1 MiB')
  }
  at += integerBytes(payloadBytes)
  if (at + 1 >= end || bytes[at] !== BYTES_U8 || bytes[at + 1] !== HASH_BYTES) {
    throw invalid('the payload hash must have 32 bytes')
  }
  at += 2
  if (end !== at + HASH_BYTES) throw invalid('the header must end after the hash')
  into.kind = kind as HeaderKind
  into.timeUs = timeUs
  into.payloadBytes = payloadBytes
  into.hashAt = at
}

/** @throws {VerificationError} `HEADER_INVALID`, exactly where the general decoder refuses. */
export function decodeHotHeader(bytes: Uint8Array): Header {
  const fields: HotFields = { kind: 0, timeUs: 0, payloadBytes: 0, hashAt: 0 }
  readHotHeader(bytes, 0, bytes.length, fields)
  const { kind, timeUs, payloadBytes, hashAt } = fields
  return {
    kind,
    timeUs,
    payloadBytes,
    payloadHash: copyBytes(bytes, hashAt) as Hash,
    pointers: NO_POINTERS,
    ext: NO_EXTENSION,
  }
}

/** Length of the one encoding of an unsigned integer. */
function integerBytes(value: number): number {
  if (value < U8) return 1
  if (value < 0x100) return 2
  if (value < 0x1_0000) return 3
  return value < U32_RANGE ? 5 : 9
}

function writeInteger(out: Uint8Array, position: number, value: number): number {
  let at = position
  if (value < U8) {
    out[at++] = value
    return at
  }
  if (value < 0x100) {
    out[at++] = U8
  } else if (value < 0x1_0000) {
    out[at++] = U16
    out[at++] = value >>> 8
  } else {
    at = writeLongInteger(out, at, value)
  }
  out[at++] = value
  return at
}

/** Values that do not fit 16 bits. Their high half comes by division: shifts end at 32 bits. */
function writeLongInteger(out: Uint8Array, position: number, value: number): number {
  let at = position
  if (value < U32_RANGE) {
    out[at++] = U32
  } else {
    const high = Math.floor(value / U32_RANGE)
    out[at++] = U64
    out[at++] = high >>> 24
    out[at++] = high >>> 16
    out[at++] = high >>> 8
    out[at++] = high
  }
  out[at++] = value >>> 24
  out[at++] = value >>> 16
  out[at++] = value >>> 8
  return at
}

/** The unsigned integer at `position` in its shortest form, before `end`; -1 for anything else. */
function readIntegerAt(bytes: Uint8Array, position: number, end: number): number {
  if (position >= end) return -1
  const initial = bytes[position] as number
  if (initial > U64) return -1
  if (initial < U8) return initial
  const byteLength = 1 << (initial - U8)
  if (position + byteLength >= end) return -1
  let value = 0
  for (let i = 1; i <= byteLength; i++) value = value * 256 + (bytes[position + i] as number)
  return value <= INTEGER_MAX && integerBytes(value) === 1 + byteLength ? value : -1
}

function invalid(what: string): VerificationError {
  return new VerificationError('HEADER_INVALID', what)
}
