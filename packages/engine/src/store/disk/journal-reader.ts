/**
 * Reads the journal forward, over all segments, into the committed state.
 *
 * The writer does this once, when it opens; a process that only reads does it again whenever the
 * watermark has moved. Rules JR11 to JR16 of docs/spec/journal.md, IX8 and IX9 of
 * docs/spec/index.md.
 *
 * @module
 */
import { DiskError } from '../../runtime/disk.ts'
import type { Runtime } from '../../runtime/runtime.ts'
import type { CommittedState } from './committed-state.ts'
import { type ScanSink, scanDurable, scanTail, type TailKind } from './journal-scan.ts'
import type { JournalRecord } from './record.ts'
import { Replay, TRACE_BYTES } from './replay.ts'
import { type Segment, type SegmentFiles, sameRecordId } from './segment-files.ts'
import {
  firstChain,
  SEGMENT_HEADER_BYTES,
  type SegmentHeader,
  type SegmentName,
} from './segment-header.ts'
import { SegmentWindow } from './segment-window.ts'
import type { JournalPosition, Watermark } from './watermark.ts'

/** Before the first record of the first segment. */
export const JOURNAL_START: JournalPosition = { segment: 0, offset: 0, sequence: 0, chain: 0 }

/** Nothing is left that tells what a record was. */
const NO_TRACE = new Uint8Array(0)

/** Where reading ended, and what the last segment looks like there. */
export interface JournalEnd {
  readonly position: JournalPosition
  readonly kind: TailKind
  /** The segment of the position; undefined if there is none, or its file is missing. */
  readonly segment: Segment | undefined
}

export interface JournalReaderOptions {
  readonly files: SegmentFiles
  readonly state: CommittedState
  readonly runtime: Runtime
  /**
   * Called after each record. `position` is that of the last commit record: the state has reached
   * it, or passed it. Without `header` the state holds what may not be durable yet.
   */
  readonly onProgress: (
    position: JournalPosition,
    header: SegmentHeader | undefined,
    bytesRead: number,
  ) => void
}

export class JournalReader {
  readonly #options: JournalReaderOptions
  readonly #replay: Replay

  constructor(options: JournalReaderOptions) {
    this.#options = options
    this.#replay = new Replay(options.state)
  }

  /**
   * Reads on from `from`. `segments` are the files that count, one per number, in order.
   *
   * With `stop` reading ends exactly there. Otherwise it ends with the last valid group, and
   * everything below `floor` is known to have been durable.
   */
  readOn(
    from: JournalPosition,
    segments: readonly SegmentName[],
    limits: { readonly floor: Watermark | undefined; readonly stop: Watermark | undefined },
  ): JournalEnd {
    this.#replay.begin(from.sequence)
    const lastNumber = limits.stop?.segment ?? segments.at(-1)?.number ?? 0
    let end: JournalEnd = { position: from, kind: 'clean', segment: undefined }
    const ahead = segments.filter(({ number }) => number >= from.segment && number <= lastNumber)
    let before = Math.max(0, from.segment - 1)
    for (const [i, name] of ahead.entries()) {
      this.#noteMissing(before, name.number)
      before = name.number
      const segment = this.#inspect(name, ahead[i + 1], limits.stop ?? limits.floor)
      const start = name.number === from.segment ? from : startOf(segment, end.position)
      const isLast = name.number === lastNumber
      end = isLast
        ? this.#readLast(segment, start, limits)
        : this.#readSealed(segment, start, ahead[i + 1])
    }
    this.#noteMissing(before, lastNumber + 1)
    this.#replay.finish(end.position.sequence)
    return end
  }

  #readSealed(
    segment: Segment,
    start: JournalPosition,
    successor: SegmentName | undefined,
  ): JournalEnd {
    const end = this.sealedEnd(segment, successor)
    const window = this.#window(segment)
    if (window === undefined) {
      this.#damage(segment, start.offset, end ?? segment.byteLength, NO_TRACE, false)
      return { position: start, kind: 'damaged', segment }
    }
    const sink = this.#sink(segment, window, start, true)
    const limit = end ?? segment.byteLength
    const position = scanDurable(window, start, limit, end !== undefined, sink)
    return { position, kind: 'clean', segment }
  }

  #readLast(
    segment: Segment,
    start: JournalPosition,
    { floor, stop }: { floor: Watermark | undefined; stop: Watermark | undefined },
  ): JournalEnd {
    const window = this.#window(segment)
    const durable = stop ?? (isIn(floor, segment) ? floor : undefined)
    if (window === undefined) {
      this.#damage(segment, start.offset, segment.byteLength, NO_TRACE, false)
      return { position: durable ?? start, kind: 'damaged', segment }
    }
    let position = start
    const below = this.#sink(segment, window, start, true)
    if (durable !== undefined && durable.offset > start.offset) {
      scanDurable(window, start, durable.offset, true, below)
      position = durable
    }
    if (stop !== undefined) return { position, kind: 'clean', segment }
    const above = this.#sink(segment, window, position, false)
    const tail = scanTail(window, position, segment.byteLength, above)
    const isCut = segment.byteLength < tail.position.offset || segment.header === undefined
    const kind = below.isDamaged || isCut ? 'damaged' : tail.kind
    return { position: tail.position, kind, segment }
  }

  /** Where a sealed segment ends; undefined if nothing tells. */
  sealedEnd(segment: Segment, successor: SegmentName | undefined): number | undefined {
    if (segment.generation > 0) return segment.byteLength
    if (successor === undefined || successor.number !== segment.number + 1) return undefined
    return this.#options.files.inspect(successor).header?.previousEnd
  }

  /** If neither the file nor the next one tells the id, the watermark may. */
  #inspect(
    name: SegmentName,
    successor: SegmentName | undefined,
    watermark: Watermark | undefined,
  ): Segment {
    const segment = this.#options.files.inspect(name, this.#linkedId(successor))
    const isMarked = watermark?.segment === name.number && name.generation === 0
    if (segment.recordId !== undefined || !isMarked) return segment
    return { ...segment, recordId: watermark.segmentId }
  }

  #linkedId(successor: SegmentName | undefined): Uint8Array | undefined {
    if (successor === undefined) return undefined
    return this.#options.files.inspect(successor).header?.previousId
  }

  #window(segment: Segment): SegmentWindow | undefined {
    if (segment.recordId === undefined) return undefined
    return new SegmentWindow(this.#options.files.file(segment), segment.recordId)
  }

  #noteMissing(before: number, next: number): void {
    for (let number = before + 1; number < next; number++) {
      this.#options.runtime.log('error', 'store.segment-missing', { segment: number })
      this.#replay.noteDamage(number, 0, NO_TRACE, false)
    }
  }

  #damage(
    segment: SegmentName,
    start: number,
    end: number,
    trace: Uint8Array,
    isRecord: boolean,
  ): void {
    const details = { segment: segment.number, offset: start, bytes: end - start }
    this.#options.runtime.log('error', 'store.damage', details)
    this.#replay.noteDamage(segment.number, start, trace, isRecord)
  }

  #sink(
    segment: Segment,
    window: SegmentWindow,
    start: JournalPosition,
    isSynced: boolean,
  ): ScanSink & { isDamaged: boolean } {
    let last = start
    const sink = {
      isDamaged: false,
      record: (record: JournalRecord) => {
        const taken = this.#replay.apply(record, segment)
        if (!taken) this.#damage(segment, record.offset, record.end, NO_TRACE, false)
        const header = isSynced ? segment.header : undefined
        this.#options.onProgress(last, header, record.end - record.offset)
      },
      damage: (from: number, to: number) => {
        sink.isDamaged = true
        this.#noteTraces(segment, window, from, to)
      },
      commit: (position: JournalPosition) => {
        last = position
      },
    }
    return sink
  }

  /** Damage may cover several records: looks at each of them that can still be told apart. */
  #noteTraces(segment: Segment, window: SegmentWindow, from: number, to: number): void {
    let offset = from
    do {
      const trace = window.peek(offset, Math.min(TRACE_BYTES, to - offset)).slice()
      const bytes = window.plausibleBytes(offset)
      this.#damage(segment, offset, to, trace, bytes !== undefined)
      offset += bytes ?? to
    } while (offset < to)
  }
}

/** Before the first record of a segment that is read behind `before`. */
export function startOf(segment: Segment, before: JournalPosition): JournalPosition {
  const { header, number } = segment
  return {
    segment: number,
    offset: SEGMENT_HEADER_BYTES,
    sequence: header === undefined ? before.sequence : header.firstSequence - 1,
    chain: header === undefined ? 0 : firstChain(header),
  }
}

function isIn(watermark: Watermark | undefined, segment: Segment): boolean {
  if (watermark === undefined || segment.recordId === undefined) return false
  if (watermark.segment !== segment.number || segment.generation > 0) return false
  return sameRecordId(watermark.segmentId, segment.recordId)
}

/** A segment file was there a moment ago: another process has compacted it. */
export function isGone(error: unknown): boolean {
  return error instanceof DiskError && error.code === 'NOT_FOUND'
}
