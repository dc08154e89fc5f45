/**
 * Reads a segment forward: one record after the other, and past damage to the next valid one.
 *
 * Holds one window of the file, larger only while a record is larger. Nothing that it reads is
 * believed before its checksum fits.
 *
 * @module
 */
import type { DiskFile } from '../../runtime/disk.ts'
import { isZero } from './big-endian.ts'
import { WINDOW_BYTES } from './limits.ts'
import {
  isIntactRecord,
  type JournalRecord,
  plausibleRecordBytes,
  RECORD_HEADER_BYTES,
  readRecord,
} from './record.ts'

const RECORD_ALIGNMENT = 8
const FIRST_WINDOW_BYTES = 16_384
/** A disk may stop early for no lasting reason, but not for ever. */
const SHORT_READS_MAX = 100

/** Reads until `into` is full or the file ends, also from a disk that stops early now and then. */
export function readFully(file: DiskFile, position: number, into: Uint8Array): number {
  let filled = file.read(position, into)
  for (let attempt = 0; filled < into.length && attempt < SHORT_READS_MAX; attempt++) {
    if (position + filled >= file.byteLength()) break
    filled += file.read(position + filled, into.subarray(filled))
  }
  return filled
}

export class SegmentWindow {
  readonly #file: DiskFile
  readonly #segmentId: Uint8Array
  #buffer: Uint8Array = new Uint8Array(0)
  #start = 0
  #filled = 0

  /** `segmentId`: at least its first 8 bytes. */
  constructor(file: DiskFile, segmentId: Uint8Array) {
    this.#file = file
    this.#segmentId = segmentId
  }

  /**
   * The record that begins at `offset` and ends at or before `limit`; undefined if there is none.
   * Its body is valid until the next call.
   */
  recordAt(offset: number, limit: number): JournalRecord | undefined {
    if (offset + RECORD_HEADER_BYTES > limit || !this.#load(offset, RECORD_HEADER_BYTES)) {
      return undefined
    }
    const at = offset - this.#start
    const byteLength = plausibleRecordBytes(this.#buffer, at, this.#segmentId)
    if (byteLength === undefined || offset + byteLength > limit) return undefined
    if (!this.#load(offset, byteLength)) return undefined
    if (!isIntactRecord(this.#buffer, offset - this.#start, byteLength)) return undefined
    return readRecord(this.#buffer, offset - this.#start, offset)
  }

  /** The first valid record in [from, limit) with a sequence above `sequence`. */
  findRecord(from: number, limit: number, sequence: number): JournalRecord | undefined {
    let offset = from
    while (offset + RECORD_HEADER_BYTES <= limit) {
      const next = this.#findId(offset, limit)
      if (next === undefined) return undefined
      const record = this.recordAt(next, limit)
      if (record !== undefined && record.sequence > sequence) return record
      offset = next + RECORD_ALIGNMENT
    }
    return undefined
  }

  /** True if there are only zeros from `from` to `limit`. */
  isZero(from: number, limit: number): boolean {
    let offset = from
    while (offset < limit) {
      if (!this.#load(offset, 1)) return false
      const at = offset - this.#start
      const end = Math.min(this.#filled, limit - this.#start)
      if (!isZero(this.#buffer, at, end)) return false
      offset = this.#start + end
    }
    return true
  }

  /** Up to `byteLength` bytes at `offset`, as they are. Valid until the next call. */
  peek(offset: number, byteLength: number): Uint8Array {
    if (!this.#load(offset, byteLength)) {
      const at = Math.min(offset - this.#start, this.#filled)
      return this.#buffer.subarray(at, Math.min(at + byteLength, this.#filled))
    }
    return this.#buffer.subarray(offset - this.#start, offset - this.#start + byteLength)
  }

  /** Length that the record at `offset` claims; undefined if none can begin there. */
  plausibleBytes(offset: number): number | undefined {
    if (!this.#load(offset, RECORD_HEADER_BYTES)) return undefined
    return plausibleRecordBytes(this.#buffer, offset - this.#start, this.#segmentId)
  }

  /** The next aligned offset where a record header repeats the segment id. */
  #findId(from: number, limit: number): number | undefined {
    const id = this.#segmentId
    for (let offset = from; offset + RECORD_HEADER_BYTES <= limit; ) {
      if (!this.#load(offset, RECORD_HEADER_BYTES)) return undefined
      const end = Math.min(this.#filled, limit - this.#start) - RECORD_HEADER_BYTES
      let at = offset - this.#start
      for (; at <= end; at += RECORD_ALIGNMENT) {
        if (this.#buffer[at + 8] !== id[0] || this.#buffer[at + 9] !== id[1]) continue
        if (plausibleRecordBytes(this.#buffer, at, id) !== undefined) return this.#start + at
      }
      offset = this.#start + at
    }
    return undefined
  }

  /** Makes sure that [offset, offset + byteLength) is in the buffer; false if the file ends. */
  #load(offset: number, byteLength: number): boolean {
    if (offset >= this.#start && offset + byteLength <= this.#start + this.#filled) return true
    // Small at first: often only the end of a segment is looked at.
    const wanted = Math.min(WINDOW_BYTES, Math.max(FIRST_WINDOW_BYTES, 4 * this.#buffer.length))
    const size = Math.max(byteLength, wanted)
    if (this.#buffer.length < size) this.#buffer = new Uint8Array(size)
    this.#start = offset
    this.#filled = 0
    this.#filled = readFully(this.#file, offset, this.#buffer)
    return this.#filled >= byteLength
  }
}
