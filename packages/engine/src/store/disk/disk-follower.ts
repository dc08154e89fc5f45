/**
 * The store as a process sees it that only reads, beside a writer or without one.
 *
 * It holds in memory what the journal has behind the index. `refresh` reads on to the watermark;
 * when the writer has written the index meanwhile, that memory is given up. Nothing on disk is
 * changed. What the index says may be newer than `sequence`, never older.
 *
 * Rules JR16 and JR20 of docs/spec/journal.md.
 *
 * @module
 */
import { assert, UnavailableError, UsageError } from '@longshore/capsule'
import type { Slices } from '../slices.ts'
import type { Store, StoreEffect, StoreEvent } from '../store.ts'
import { DiskReads } from './disk-reads.ts'
import type { FsckReport } from './fsck-report.ts'
import { JournalReader } from './journal-reader.ts'
import {
  chooseHighest,
  noteGenerations,
  type OpenedIndex,
  openIndex,
  readIndexWatermark,
} from './open-index.ts'
import { OpenedJournal } from './opened-journal.ts'
import type { StoreParts } from './recovery.ts'
import { SegmentFiles } from './segment-files.ts'
import type { SegmentName } from './segment-header.ts'
import { type JournalPosition, samePosition, type Watermark, WatermarkFile } from './watermark.ts'

/** The writer may compact while we look: then the files and the index do not fit together yet. */
const OPEN_ATTEMPTS_MAX = 3

export interface FollowerParts extends StoreParts {
  /** Makes visible what another process has written to the index since. */
  readonly refreshIndex: () => void
}

export class DiskFollower extends DiskReads implements Store {
  readonly #parts: FollowerParts
  readonly #watermark: WatermarkFile
  readonly #files: SegmentFiles
  #journal: OpenedJournal
  #reader: JournalReader
  #segments: readonly SegmentName[]
  /** The position of the index that this view builds on; undefined if it could not be used. */
  #indexed: JournalPosition | undefined
  #isClosed = false

  constructor(parts: FollowerParts) {
    super()
    this.#parts = parts
    this.#watermark = new WatermarkFile(parts.disk, parts.runtime.bootId)
    this.#files = new SegmentFiles(parts.disk, parts.limits.filesMax)
    const opened = this.#open()
    this.#journal = opened.journal
    this.#reader = opened.reader
    this.#segments = opened.segments
    this.#indexed = opened.indexed
  }

  step(event: StoreEvent): StoreEffect[] {
    this.#checkOpen()
    assert(event.type === 'refresh', 'a store that was opened for reading takes no changes')
    this.attempt(() => this.#refresh())
    return []
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#watermark.close()
    this.#files.close()
  }

  compact(): never {
    throw new UsageError('USAGE', 'only the process that writes can compact the store')
  }

  compactInSlices(): never {
    return this.compact()
  }

  /** All in one slice: the writer may change files and index before another one. */
  *fsckInSlices(options: { readonly repair?: boolean } = {}): Slices<FsckReport> {
    const report = this.fsck(options)
    yield
    return report
  }

  fsck(options: { readonly repair?: boolean } = {}): FsckReport {
    if (options.repair !== true) return this.check()
    throw new UsageError('USAGE', 'only the process that writes can repair the store')
  }

  protected override get sliceBytes(): number {
    return this.#parts.limits.sliceBytes
  }

  protected override get journal(): OpenedJournal {
    this.#checkOpen()
    return this.#journal
  }

  protected override lookAgain(): boolean {
    this.#reopen()
    return true
  }

  #refresh(): void {
    this.#parts.refreshIndex()
    const { position, state, files } = this.#journal
    const watermark = this.#watermark.read()
    const indexed = readIndexWatermark(this.#parts.index)
    const sameIndex =
      indexed === undefined || this.#indexed === undefined
        ? indexed === this.#indexed
        : samePosition(indexed, this.#indexed)
    const goesOn = watermark?.isCurrent === true && watermark.sequence >= position.sequence
    if (!sameIndex || !goesOn) {
      this.#reopen()
      return
    }
    if (samePosition(watermark, position)) return
    if (!this.#segments.some(({ number }) => number === watermark.segment)) {
      this.#segments = chooseHighest(files.list()).filter(
        ({ number }) => number >= position.segment,
      )
    }
    const stops = { floor: undefined, stop: watermark }
    const end = this.#reader.readOn(position, this.#segments, stops)
    this.#journal = new OpenedJournal(files, state, end.position)
  }

  #reopen(): void {
    const opened = this.#open()
    this.#journal = opened.journal
    this.#reader = opened.reader
    this.#segments = opened.segments
    this.#indexed = opened.indexed
  }

  #open(): {
    journal: OpenedJournal
    reader: JournalReader
    segments: readonly SegmentName[]
    indexed: JournalPosition | undefined
  } {
    const { limits, runtime } = this.#parts
    const files = this.#files
    let opened: OpenedIndex
    let watermark: Watermark | undefined
    for (let attempt = 1; ; attempt++) {
      this.#parts.refreshIndex()
      watermark = this.#watermark.read()
      opened = openIndex(this.#parts.index, limits.branchesMax, files, files.list(), watermark)
      const isIndexed = readIndexWatermark(this.#parts.index) !== undefined
      if (opened.isUsable || !isIndexed || attempt === OPEN_ATTEMPTS_MAX) break
    }
    const { state, segments } = opened
    noteGenerations(state, segments)
    const reader = new JournalReader({ files, state, runtime, onProgress: () => undefined })
    const stop = watermark?.isCurrent === true ? watermark : undefined
    // A segment that was just begun may end where the one before it was given up: at sequence 0.
    const isBehind =
      stop !== undefined &&
      stop.sequence <= opened.position.sequence &&
      stop.segment <= opened.position.segment
    const position = isBehind
      ? opened.position
      : reader.readOn(opened.position, segments, { floor: watermark, stop }).position
    const indexed = opened.isUsable ? opened.position : undefined
    return { journal: new OpenedJournal(files, state, position), reader, segments, indexed }
  }

  #checkOpen(): void {
    if (this.#isClosed) throw new UnavailableError('CLOSED', 'the store is closed')
  }
}
