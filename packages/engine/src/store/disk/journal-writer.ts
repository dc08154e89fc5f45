/**
 * The writing end of the journal: the active segment, space written ahead, and groups.
 *
 * Writing never makes anything durable by itself; the store asks its driver for the sync. Only
 * beginning a segment syncs in place, once in 256 MiB. Rules JR6, JR8 and JR9 of
 * docs/spec/journal.md.
 *
 * @module
 */
import { assert } from '@longshore/capsule'
import { DiskError, type DiskFile } from '../../runtime/disk.ts'
import type { Runtime } from '../../runtime/runtime.ts'
import { type EncodedGroup, GroupEncoder } from './group-encoder.ts'
import type { DiskStoreLimits } from './limits.ts'
import { type PreparedRecord, preparedBytes } from './prepared-record.ts'
import { COMMIT_RECORD_BYTES } from './record.ts'
import type { SegmentFiles } from './segment-files.ts'
import {
  firstChain,
  SEGMENT_HEADER_BYTES,
  SEGMENT_ID_BYTES,
  type SegmentHeader,
} from './segment-header.ts'
import type { JournalPosition } from './watermark.ts'

const PAGE_BYTES = 4096
const ZEROS: Uint8Array = new Uint8Array(256 * 1024)
const NO_ID: Uint8Array = new Uint8Array(SEGMENT_ID_BYTES)

/** A group that was written and not synced yet. */
export interface WrittenGroup {
  /** Where each record lies, in the active segment. */
  readonly offsets: readonly number[]
  /** Behind the group. */
  readonly position: JournalPosition
  readonly file: DiskFile
}

/** The segment that is written, and how far. */
export interface ActiveSegment {
  readonly header: SegmentHeader
  readonly position: JournalPosition
}

export class JournalWriter {
  readonly #files: SegmentFiles
  readonly #runtime: Runtime
  readonly #limits: DiskStoreLimits
  readonly #encoder = new GroupEncoder()
  #header: SegmentHeader
  #file: DiskFile
  /** Behind the last group, synced or not. */
  #position: JournalPosition
  /** The file holds zeros from the position to here. */
  #zerosEnd: number
  #aheadBytes: number

  /** `active` ends clean: only zeros follow. */
  constructor(
    files: SegmentFiles,
    runtime: Runtime,
    limits: DiskStoreLimits,
    active: ActiveSegment,
  ) {
    this.#files = files
    this.#runtime = runtime
    this.#limits = limits
    this.#header = active.header
    this.#position = active.position
    this.#file = files.openActive(active.header)
    this.#zerosEnd = Math.max(this.#file.byteLength(), active.position.offset)
    this.#aheadBytes = limits.aheadBytesMin
  }

  get position(): JournalPosition {
    return this.#position
  }

  get segmentId(): Uint8Array {
    return this.#header.id
  }

  get segmentNumber(): number {
    return this.#header.number
  }

  /**
   * Writes one group. On `DiskError` `FULL` nothing has changed; after any other error what is on
   * the disk is unknown.
   */
  write(records: readonly PreparedRecord[]): WrittenGroup {
    const byteLength = preparedBytes(records) + COMMIT_RECORD_BYTES
    const { offset } = this.#position
    if (offset > SEGMENT_HEADER_BYTES && offset + byteLength > this.#limits.segmentBytesMax) {
      this.beginSegment()
    }
    if (byteLength <= this.#limits.aheadGroupBytesMax) {
      this.#writeAhead(this.#position.offset + byteLength)
    }
    const start = this.#position
    const group = this.#encoder.encode(records, {
      segmentId: this.#header.id,
      sequence: start.sequence + 1,
      chain: start.chain,
    })
    assert(group.byteLength === byteLength, 'the size of a group is known in advance')
    this.#writeGroup(group)
    this.#position = behind(start, group)
    const offsets = group.offsets.map((at) => start.offset + at)
    return { offsets, position: this.#position, file: this.#file }
  }

  /** Seals the active segment, which must be synced, and begins the next one. */
  beginSegment(): void {
    const sealed = this.#position
    const header = createNextHeader(this.#runtime, sealed, this.#header.id)
    this.#files.create(header, () => undefined)
    this.trim()
    this.#header = header
    this.#file = this.#files.openActive(header)
    this.#position = segmentStart(header)
    this.#zerosEnd = SEGMENT_HEADER_BYTES
    this.#aheadBytes = this.#limits.aheadBytesMin
  }

  /** Cuts off what follows the last group. If that fails, or a crash undoes it, it stays. */
  trim(): void {
    const { offset } = this.#position
    // Whatever stays is no longer taken for zeros.
    this.#zerosEnd = offset
    try {
      if (this.#file.byteLength() > offset) this.#file.truncate(offset)
    } catch (error) {
      if (!(error instanceof DiskError)) throw error
      this.#runtime.log('warn', 'store.untrimmed', { reason: error.message })
    }
  }

  #writeGroup(group: EncodedGroup): void {
    const { offset } = this.#position
    try {
      this.#file.write(offset, group.chunks)
    } catch (error) {
      // A part of it may be there.
      if (error instanceof DiskError && error.code === 'FULL') this.trim()
      throw error
    }
    this.#zerosEnd = Math.max(this.#zerosEnd, offset + group.byteLength)
  }

  /** Makes sure that the file holds zeros, or room for data, up to `end`. */
  #writeAhead(end: number): void {
    if (end <= this.#zerosEnd) return
    const page = Math.ceil(end / PAGE_BYTES) * PAGE_BYTES
    const most = Math.max(page, Math.min(end + this.#aheadBytes, this.#limits.segmentBytesMax))
    try {
      this.#writeZeros(most)
      this.#aheadBytes = Math.min(this.#aheadBytes * 2, this.#limits.aheadBytesMax)
    } catch (error) {
      // Nearly full: perhaps there is room for this group alone.
      if (!(error instanceof DiskError && error.code === 'FULL') || page === most) throw error
      this.#writeZeros(page)
    }
  }

  #writeZeros(to: number): void {
    const chunks: Uint8Array[] = []
    for (let at = this.#zerosEnd; at < to; at += ZEROS.length) {
      chunks.push(ZEROS.subarray(0, Math.min(ZEROS.length, to - at)))
    }
    this.#file.write(this.#zerosEnd, chunks)
    this.#zerosEnd = to
  }
}

/** The header of the segment that follows a position; for the first segment, of nothing. */
export function createNextHeader(
  runtime: Runtime,
  previous: JournalPosition,
  previousId: Uint8Array | undefined,
): SegmentHeader {
  return {
    number: previous.segment + 1,
    generation: 0,
    id: runtime.randomBytes(SEGMENT_ID_BYTES),
    firstSequence: previous.sequence + 1,
    previousEnd: previous.offset,
    previousId: previousId ?? NO_ID,
  }
}

/** Before the first record of a new segment. */
export function segmentStart(header: SegmentHeader): JournalPosition {
  return {
    segment: header.number,
    offset: SEGMENT_HEADER_BYTES,
    sequence: header.firstSequence - 1,
    chain: firstChain(header),
  }
}

function behind(start: JournalPosition, group: EncodedGroup): JournalPosition {
  return {
    segment: start.segment,
    offset: start.offset + group.byteLength,
    sequence: group.sequence,
    chain: group.chain,
  }
}
