/**
 * Lays out one group as the pieces of one write: record headers, prefixes and small contents in
 * an array of its own, large contents where they are.
 *
 * Rules JR3 to JR6 of docs/spec/journal.md.
 *
 * @module
 */
import { assert } from '@longshore/capsule'
import { crc32c } from './crc32c.ts'
import { COPIED_BYTES_MAX } from './limits.ts'
import type { PreparedRecord } from './prepared-record.ts'
import {
  Chain,
  COMMIT_BODY_BYTES,
  COMMIT_RECORD_BYTES,
  crcPadding,
  paddedBytes,
  RECORD_COMMIT,
  RECORD_HEADER_BYTES,
  writeCommitBody,
  writeRecordCrc,
  writeRecordHeader,
} from './record.ts'

export interface EncodedGroup {
  /** One after the other. Valid until the next group is encoded. */
  readonly chunks: readonly Uint8Array[]
  /** Where each record begins, from the start of the group. */
  readonly offsets: readonly number[]
  readonly byteLength: number
  /** Of the commit record. */
  readonly sequence: number
  readonly chain: number
}

/** Where a group goes. */
export interface GroupStart {
  readonly segmentId: Uint8Array
  /** Of the first record. */
  readonly sequence: number
  readonly chain: number
}

export class GroupEncoder {
  readonly #chain = new Chain()
  /** Reused: what is in it has been written when the next group is encoded. */
  #small: Uint8Array = new Uint8Array(0)
  #used = 0
  /** Beginning of what is not in `#chunks` yet. */
  #pending = 0
  #chunks: Uint8Array[] = []

  encode(records: readonly PreparedRecord[], start: GroupStart): EncodedGroup {
    this.#reserve(records)
    this.#chain.begin(start.chain)
    const offsets: number[] = []
    let byteLength = 0
    let sequence = start.sequence
    for (const record of records) {
      offsets.push(byteLength)
      byteLength += this.#addRecord(record, start.segmentId, sequence++)
    }
    const chain = this.#chain.value
    const commit = { firstSequence: start.sequence, count: records.length, chain }
    const at = this.#used
    const crc = writeRecordHeader(
      this.#small,
      at,
      COMMIT_BODY_BYTES,
      RECORD_COMMIT,
      start.segmentId,
      sequence,
    )
    const bodyAt = at + RECORD_HEADER_BYTES
    writeCommitBody(this.#small, bodyAt, commit)
    this.#used += COMMIT_RECORD_BYTES
    writeRecordCrc(this.#small, at, crc32c(crc, this.#small, bodyAt, this.#used))
    this.#endChunk()
    return {
      chunks: this.#chunks,
      offsets,
      byteLength: byteLength + COMMIT_RECORD_BYTES,
      sequence,
      chain,
    }
  }

  /** Returns the bytes of the record. */
  #addRecord(record: PreparedRecord, segmentId: Uint8Array, sequence: number): number {
    const { prefix, content, type } = record
    const bodyBytes = prefix.length + content.length
    const at = this.#used
    let crc = writeRecordHeader(this.#small, at, bodyBytes, type, segmentId, sequence)
    this.#used += RECORD_HEADER_BYTES
    this.#small.set(prefix, this.#used)
    crc = crc32c(crc, prefix, 0, prefix.length)
    this.#used += prefix.length
    crc = crc32c(crc, content, 0, content.length)
    crc = crcPadding(crc, bodyBytes)
    writeRecordCrc(this.#small, at, crc)
    this.#chain.add(crc)
    if (content.length <= COPIED_BYTES_MAX) {
      this.#small.set(content, this.#used)
      this.#used += content.length
    } else {
      this.#endChunk()
      this.#chunks.push(content)
    }
    const padding = paddedBytes(bodyBytes) - bodyBytes
    this.#small.fill(0, this.#used, this.#used + padding)
    this.#used += padding
    return RECORD_HEADER_BYTES + bodyBytes + padding
  }

  #reserve(records: readonly PreparedRecord[]): void {
    let byteLength = COMMIT_RECORD_BYTES
    for (const { prefix, content } of records) {
      const copied = content.length <= COPIED_BYTES_MAX ? content.length : 0
      byteLength += RECORD_HEADER_BYTES + prefix.length + copied + 8
    }
    if (this.#small.length < byteLength) this.#small = new Uint8Array(byteLength * 2)
    this.#used = 0
    this.#pending = 0
    this.#chunks = []
  }

  #endChunk(): void {
    assert(this.#used <= this.#small.length, 'the room was reserved')
    if (this.#used > this.#pending) {
      this.#chunks.push(this.#small.subarray(this.#pending, this.#used))
    }
    this.#pending = this.#used
  }
}
