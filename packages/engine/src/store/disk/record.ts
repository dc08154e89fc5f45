/**
 * Journal records: header, checksum and the shapes of their bodies.
 *
 *     body length (4) | type (1) | 0 (3) | segment id (8) | sequence (8) | CRC32C (4) | 0 (4)
 *     body | zeros to a multiple of 8
 *
 * Reading is strict: a record that differs in any bit from one that was written is no record.
 * Rules JR3, JR4 and JR5 of docs/spec/journal.md.
 *
 * @module
 */
import type { BranchId, CapsuleName } from '@longshore/capsule'
import {
  isZero,
  readUint16,
  readUint32,
  readUint64,
  writeUint32,
  writeUint64,
} from './big-endian.ts'
import { crc32c } from './crc32c.ts'

export const RECORD_HEADER_BYTES = 32
export const NAME_BYTES = 32
export const ADDRESS_BYTES = 64
export const RANGE_BYTES = 16
export const COMMIT_BODY_BYTES = 16
export const COMMIT_RECORD_BYTES: number = RECORD_HEADER_BYTES + COMMIT_BODY_BYTES
/** The part of a segment id that every record repeats. */
export const RECORD_ID_BYTES = 8

export const RECORD_MANIFEST = 1
export const RECORD_ENTRIES = 2
export const RECORD_HEAD = 3
export const RECORD_PAYLOAD = 4
export const RECORD_ERASE = 5
export const RECORD_NOTE = 6
export const RECORD_COMMIT = 9
export const RECORD_REMOVE = 10

const TYPES: ReadonlySet<number> = new Set([
  RECORD_MANIFEST,
  RECORD_ENTRIES,
  RECORD_HEAD,
  RECORD_PAYLOAD,
  RECORD_ERASE,
  RECORD_NOTE,
  RECORD_COMMIT,
  RECORD_REMOVE,
])

const TYPE_AT = 4
const ID_AT = 8
const SEQUENCE_AT = 16
const CRC_AT = 24
const RESERVED_AT = 28

const BRANCH_AT = 32
const BRANCH_BYTES = 16
const BRANCH_LENGTH_AT = 48
const COUNT_AT = 52
const INDEX_AT = 56

const ZEROS: Uint8Array = new Uint8Array(8)

/** Bytes of a body with its padding. */
export function paddedBytes(bodyBytes: number): number {
  return Math.ceil(bodyBytes / 8) * 8
}

/** Bytes of a whole record. */
export function recordBytes(bodyBytes: number): number {
  return RECORD_HEADER_BYTES + paddedBytes(bodyBytes)
}

/** Writes the header with a checksum of zero, and returns the checksum so far. */
export function writeRecordHeader(
  out: Uint8Array,
  at: number,
  bodyBytes: number,
  type: number,
  segmentId: Uint8Array,
  sequence: number,
): number {
  writeUint32(out, at, bodyBytes)
  out[at + TYPE_AT] = type
  out.fill(0, at + TYPE_AT + 1, at + ID_AT)
  for (let i = 0; i < RECORD_ID_BYTES; i++) out[at + ID_AT + i] = segmentId[i] as number
  writeUint64(out, at + SEQUENCE_AT, sequence)
  out.fill(0, at + CRC_AT, at + RECORD_HEADER_BYTES)
  return crc32c(0, out, at, at + RECORD_HEADER_BYTES)
}

/** Goes on with the checksum over the padding of a body, which is not in `bytes`. */
export function crcPadding(crc: number, bodyBytes: number): number {
  return crc32c(crc, ZEROS, 0, paddedBytes(bodyBytes) - bodyBytes)
}

export function writeRecordCrc(out: Uint8Array, at: number, crc: number): void {
  writeUint32(out, at + CRC_AT, crc)
}

/** Length of the record at `at`, or undefined if no record can begin there. Not yet verified. */
export function plausibleRecordBytes(
  bytes: Uint8Array,
  at: number,
  segmentId: Uint8Array,
): number | undefined {
  for (let i = 0; i < RECORD_ID_BYTES; i++) {
    if (bytes[at + ID_AT + i] !== segmentId[i]) return undefined
  }
  if (!TYPES.has(bytes[at + TYPE_AT] as number)) return undefined
  if (!isZero(bytes, at + TYPE_AT + 1, at + ID_AT)) return undefined
  if (!isZero(bytes, at + RESERVED_AT, at + RECORD_HEADER_BYTES)) return undefined
  return recordBytes(readUint32(bytes, at))
}

/** True if the checksum of the plausible record fits; `byteLength` bytes of it are there. */
export function isIntactRecord(bytes: Uint8Array, at: number, byteLength: number): boolean {
  const bodyEnd = at + RECORD_HEADER_BYTES + readUint32(bytes, at)
  if (!isZero(bytes, bodyEnd, at + byteLength)) return false
  let crc = crc32c(0, bytes, at, at + CRC_AT)
  crc = crc32c(crc, ZEROS, 0, 4)
  crc = crc32c(crc, bytes, at + RESERVED_AT, at + byteLength)
  return crc === readUint32(bytes, at + CRC_AT)
}

/** A verified record. */
export interface JournalRecord {
  readonly type: number
  readonly sequence: number
  readonly crc: number
  /** Where the record begins in its segment. */
  readonly offset: number
  /** Where the next one begins. */
  readonly end: number
  /** Valid until the next record is read. */
  readonly body: Uint8Array
}

/** The fields of an intact record that lies at `at` in `bytes` and at `offset` in its segment. */
export function readRecord(bytes: Uint8Array, at: number, offset: number): JournalRecord {
  const bodyBytes = readUint32(bytes, at)
  const bodyAt = at + RECORD_HEADER_BYTES
  return {
    type: bytes[at + TYPE_AT] as number,
    sequence: readUint64(bytes, at + SEQUENCE_AT),
    crc: readUint32(bytes, at + CRC_AT),
    offset,
    end: offset + recordBytes(bodyBytes),
    body: bytes.subarray(bodyAt, bodyAt + bodyBytes),
  }
}

/** What entries, payload and erase records begin with. */
export interface RecordAddress {
  readonly name: CapsuleName
  readonly branch: BranchId
  readonly count: number
  readonly index: number
}

export function encodeAddress(address: RecordAddress): Uint8Array {
  const bytes = new Uint8Array(ADDRESS_BYTES)
  bytes.set(address.name, 0)
  bytes.set(address.branch, BRANCH_AT)
  bytes[BRANCH_LENGTH_AT] = address.branch.length
  writeUint32(bytes, COUNT_AT, address.count)
  writeUint64(bytes, INDEX_AT, address.index)
  return bytes
}

/** Undefined unless the body begins with a well-formed address. */
export function decodeAddress(body: Uint8Array): RecordAddress | undefined {
  if (body.length < ADDRESS_BYTES) return undefined
  const branchBytes = body[BRANCH_LENGTH_AT] as number
  if (branchBytes !== 0 && branchBytes !== BRANCH_BYTES) return undefined
  if (!isZero(body, BRANCH_AT + branchBytes, BRANCH_LENGTH_AT)) return undefined
  if (!isZero(body, BRANCH_LENGTH_AT + 1, COUNT_AT)) return undefined
  const index = readUint64(body, INDEX_AT)
  if (!Number.isSafeInteger(index)) return undefined
  return {
    name: body.slice(0, NAME_BYTES) as CapsuleName,
    branch: body.slice(BRANCH_AT, BRANCH_AT + branchBytes) as BranchId,
    count: readUint32(body, COUNT_AT),
    index,
  }
}

/** What a commit record says about its group. */
export interface CommitBody {
  readonly firstSequence: number
  /** Records before the commit record. */
  readonly count: number
  readonly chain: number
}

export function writeCommitBody(out: Uint8Array, at: number, commit: CommitBody): void {
  writeUint64(out, at, commit.firstSequence)
  writeUint32(out, at + 8, commit.count)
  writeUint32(out, at + 12, commit.chain)
}

export function decodeCommitBody(body: Uint8Array): CommitBody | undefined {
  if (body.length !== COMMIT_BODY_BYTES) return undefined
  return {
    firstSequence: readUint64(body, 0),
    count: readUint32(body, 8),
    chain: readUint32(body, 12),
  }
}

/** The next value of a chain: over the value before and the checksum of one more record. */
export class Chain {
  readonly #bytes: Uint8Array = new Uint8Array(4)
  #value = 0

  /** Begins a group behind the group that ended with `chain`. */
  begin(chain: number): void {
    writeUint32(this.#bytes, 0, chain)
    this.#value = crc32c(0, this.#bytes, 0, 4)
  }

  add(recordCrc: number): void {
    writeUint32(this.#bytes, 0, recordCrc)
    this.#value = crc32c(this.#value, this.#bytes, 0, 4)
  }

  get value(): number {
    return this.#value
  }
}

export interface NoteBody {
  readonly key: Uint8Array
  readonly value: Uint8Array
}

export function encodeNotePrefix(key: Uint8Array): Uint8Array {
  const prefix = new Uint8Array(2 + key.length)
  prefix[0] = key.length >>> 8
  prefix[1] = key.length
  prefix.set(key, 2)
  return prefix
}

export function decodeNoteBody(body: Uint8Array): NoteBody | undefined {
  if (body.length < 2) return undefined
  const valueAt = 2 + readUint16(body, 0)
  if (valueAt > body.length) return undefined
  return { key: body.slice(2, valueAt), value: body.slice(valueAt) }
}

export interface EraseRange {
  readonly start: number
  readonly end: number
}

export function encodeRanges(ranges: readonly EraseRange[]): Uint8Array {
  const bytes = new Uint8Array(ranges.length * RANGE_BYTES)
  ranges.forEach(({ start, end }, i) => {
    writeUint64(bytes, i * RANGE_BYTES, start)
    writeUint64(bytes, i * RANGE_BYTES + 8, end)
  })
  return bytes
}

/** The ranges of an erase record with this address; undefined if they are malformed. */
export function decodeRanges(body: Uint8Array, count: number): EraseRange[] | undefined {
  if (body.length !== ADDRESS_BYTES + count * RANGE_BYTES) return undefined
  const ranges: EraseRange[] = []
  for (let at = ADDRESS_BYTES; at < body.length; at += RANGE_BYTES) {
    const start = readUint64(body, at)
    const end = readUint64(body, at + 8)
    if (!Number.isSafeInteger(end) || start >= end) return undefined
    ranges.push({ start, end })
  }
  return ranges
}
