/**
 * Writes the new file of a compacted segment.
 *
 * Rules JR17 and JR18 of docs/spec/journal.md.
 *
 * @module
 */
import { assert } from '@longshore/capsule'
import { DiskError, type DiskFile } from '../../runtime/disk.ts'
import type { Slices } from '../slices.ts'
import type { KeptPiece, KeptRecord, SegmentPlan } from './compaction-plan.ts'
import { crc32c } from './crc32c.ts'
import {
  ADDRESS_BYTES,
  Chain,
  COMMIT_BODY_BYTES,
  encodeAddress,
  isIntactRecord,
  RECORD_COMMIT,
  RECORD_HEADER_BYTES,
  readRecord,
  recordBytes,
  writeCommitBody,
  writeRecordCrc,
  writeRecordHeader,
} from './record.ts'
import { firstChain, SEGMENT_HEADER_BYTES, type SegmentHeader } from './segment-header.ts'
import { readFully } from './segment-window.ts'
import { FRAME_ERASED, FRAME_PRESENT, FrameCursor } from './stored-frame.ts'

/** Written at a time. */
const WRITE_BYTES: number = 1024 * 1024

/**
 * Writes everything behind the segment header. Each slice ends with a sync, so that the last one
 * does not have everything to write.
 */
export function* rewriteSegment(
  from: DiskFile,
  to: DiskFile,
  header: SegmentHeader,
  plan: SegmentPlan,
  sliceBytes: number,
): Slices<void> {
  const output = new RecordOutput(to, header)
  let sliceEnd = sliceBytes
  for (const record of plan.records) {
    output.add(record.type, record.bodyBytes, (out, at) => copyBody(from, record, out, at))
    if (output.byteLength < sliceEnd) continue
    to.sync()
    yield
    sliceEnd = output.byteLength + sliceBytes
  }
  output.finish()
}

/** Puts the body of a record into `out`, behind its header at `at`. */
function copyBody(from: DiskFile, record: KeptRecord, out: Uint8Array, at: number): void {
  const { entries, pieces } = record
  if (entries === undefined) {
    out.set(readBody(from, pieces[0] as KeptPiece), at)
    return
  }
  const { start, count, erased } = entries
  out.set(encodeAddress({ ...entries, index: start }), at)
  let end = at + ADDRESS_BYTES
  let index = start
  const cursor = new FrameCursor()
  for (const piece of pieces) {
    const body = readBody(from, piece)
    for (let frame = ADDRESS_BYTES; frame < body.length; index++) {
      const isFrame = cursor.read(body, frame, body.length)
      assert(isFrame, 'the plan has read these frames')
      const isErased = cursor.state === FRAME_PRESENT && erased.has(index)
      out.set(body.subarray(frame, isErased ? cursor.bodyAt : cursor.end), end)
      if (isErased) out[end + 2] = FRAME_ERASED
      end += (isErased ? cursor.bodyAt : cursor.end) - frame
      frame = cursor.end
    }
  }
  assert(
    index === start + count && end === at + record.bodyBytes,
    'the plan has counted these bytes',
  )
}

/** The body of a record of the old file, verified once more. */
function readBody(from: DiskFile, piece: KeptPiece): Uint8Array {
  const bytes = new Uint8Array(piece.byteLength)
  const isWhole = readFully(from, piece.offset, bytes) === bytes.length
  if (!isWhole || !isIntactRecord(bytes, 0, bytes.length)) {
    throw new DiskError('IO', from.path, `the record at ${piece.offset} has changed meanwhile`)
  }
  return readRecord(bytes, 0, piece.offset).body
}

/** Records one after the other, closed by one commit record. */
class RecordOutput {
  readonly #file: DiskFile
  readonly #segmentId: Uint8Array
  readonly #firstSequence: number
  readonly #chain = new Chain()
  #offset: number = SEGMENT_HEADER_BYTES
  #sequence: number
  #buffer: Uint8Array = new Uint8Array(WRITE_BYTES)
  #used = 0

  constructor(file: DiskFile, header: SegmentHeader) {
    this.#file = file
    this.#segmentId = header.id
    this.#firstSequence = header.firstSequence
    this.#sequence = header.firstSequence
    this.#chain.begin(firstChain(header))
  }

  /** What is written and what is about to be. */
  get byteLength(): number {
    return this.#offset + this.#used
  }

  add(type: number, bodyBytes: number, fill: (out: Uint8Array, at: number) => void): void {
    const byteLength = recordBytes(bodyBytes)
    if (this.#used + byteLength > this.#buffer.length) this.#write()
    if (byteLength > this.#buffer.length) this.#buffer = new Uint8Array(byteLength)
    const at = this.#used
    const bodyAt = at + RECORD_HEADER_BYTES
    this.#buffer.fill(0, bodyAt + bodyBytes, at + byteLength)
    fill(this.#buffer, bodyAt)
    const start = writeRecordHeader(
      this.#buffer,
      at,
      bodyBytes,
      type,
      this.#segmentId,
      this.#sequence++,
    )
    const crc = crc32c(start, this.#buffer, bodyAt, at + byteLength)
    writeRecordCrc(this.#buffer, at, crc)
    this.#used += byteLength
    if (type !== RECORD_COMMIT) this.#chain.add(crc)
  }

  finish(): void {
    const firstSequence = this.#firstSequence
    const commit = {
      firstSequence,
      count: this.#sequence - firstSequence,
      chain: this.#chain.value,
    }
    this.add(RECORD_COMMIT, COMMIT_BODY_BYTES, (out, at) => writeCommitBody(out, at, commit))
    this.#write()
  }

  #write(): void {
    if (this.#used > 0) this.#file.write(this.#offset, [this.#buffer.subarray(0, this.#used)])
    this.#offset += this.#used
    this.#used = 0
  }
}
