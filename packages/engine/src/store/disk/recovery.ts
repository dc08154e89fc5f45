/**
 * Opens the journal for writing, whatever the last process left.
 *
 * After this returns everything that the state holds is durable, the writer stands behind it, and
 * the index covers it or is behind it by less than one flush. Opening twice gives the same.
 *
 * Rules JR11 to JR15 of docs/spec/journal.md, IX7 to IX9 of docs/spec/index.md.
 *
 * @module
 */
import { type Disk, DiskError, type DiskFile } from '../../runtime/disk.ts'
import type { IndexStore } from '../../runtime/index-store.ts'
import type { Runtime } from '../../runtime/runtime.ts'
import { CommittedState } from './committed-state.ts'
import { type JournalEnd, JournalReader } from './journal-reader.ts'
import { createNextHeader, JournalWriter, segmentStart } from './journal-writer.ts'
import type { DiskStoreLimits } from './limits.ts'
import { WINDOW_BYTES } from './limits.ts'
import { noteGenerations, type OpenedIndex, openIndex } from './open-index.ts'
import { type Segment, SegmentFiles, sameRecordId } from './segment-files.ts'
import {
  SEGMENT_HEADER_BYTES,
  SEGMENTS_DIRECTORY,
  type SegmentHeader,
  type SegmentName,
} from './segment-header.ts'
import { readFully } from './segment-window.ts'
import type { JournalPosition, Watermark, WatermarkFile } from './watermark.ts'

export interface StoreParts {
  readonly disk: Disk
  readonly index: IndexStore
  readonly runtime: Runtime
  readonly limits: DiskStoreLimits
}

export interface RecoveredStore {
  readonly files: SegmentFiles
  readonly state: CommittedState
  readonly writer: JournalWriter
  /** Journal bytes that the index does not cover. */
  readonly unflushedBytes: number
}

/** `rebuild` ignores what the index holds. */
export function recover(
  parts: StoreParts,
  watermarkFile: WatermarkFile,
  rebuild = false,
): RecoveredStore {
  const files = new SegmentFiles(parts.disk, parts.limits.filesMax)
  try {
    return recoverFrom(parts, files, watermarkFile, rebuild)
  } catch (error) {
    if (!(error instanceof DiskError)) throw error
    files.close()
    watermarkFile.close()
    throw error
  }
}

function recoverFrom(
  parts: StoreParts,
  files: SegmentFiles,
  watermarkFile: WatermarkFile,
  rebuild: boolean,
): RecoveredStore {
  const { disk, index, runtime, limits } = parts
  makeDirectory(disk)
  files.removeTemporary()
  const watermark = watermarkFile.read()
  if (rebuild) index.clear()
  const opened = openIndex(index, limits.branchesMax, files, files.list(), watermark)
  const state = opened.isUsable ? opened.state : clearIndex(parts)
  removeOtherGenerations(files, opened)
  noteGenerations(state, opened.segments)
  const progress = new IndexProgress(state, runtime, limits.indexFlushBytes)
  const reader = new JournalReader({ files, state, runtime, onProgress: progress.note })
  const stops = { floor: watermark, stop: undefined }
  const end = reader.readOn(opened.position, opened.segments, stops)
  // A process that was killed may have left names that are not durable.
  disk.syncDirectory(SEGMENTS_DIRECTORY)
  const writer = continueJournal(parts, files, end, watermark)
  watermarkFile.openForWriting()
  disk.syncDirectory('')
  watermarkFile.write(writer.position, writer.segmentId)
  if (state.hasRemovals) watermarkFile.guard()
  const { sequence, segment } = writer.position
  const details = { sequence, segment, tail: end.kind, index: opened.isUsable ? 'used' : 'rebuilt' }
  runtime.log('info', 'store.opened', details)
  return { files, state, writer, unflushedBytes: progress.bytes }
}

function makeDirectory(disk: Disk): void {
  if (disk.exists(SEGMENTS_DIRECTORY)) return
  disk.makeDirectory(SEGMENTS_DIRECTORY)
  disk.syncDirectory('')
}

function clearIndex({ index, limits }: StoreParts): CommittedState {
  // A new index is empty already; clearing a real one means a new file.
  for (const _ of index.range(Uint8Array.of(0), Uint8Array.of(0xff))) {
    index.clear()
    break
  }
  return new CommittedState(index, limits.branchesMax)
}

/** Removes what an interrupted compaction left. */
function removeOtherGenerations(files: SegmentFiles, opened: OpenedIndex): void {
  const counts = (name: SegmentName): boolean =>
    opened.segments.some((n) => n.number === name.number && n.generation === name.generation)
  const others = files.list().filter((name) => !counts(name))
  for (const name of others) files.remove(name)
  if (others.length > 0) files.disk.syncDirectory(SEGMENTS_DIRECTORY)
}

/** Writes the index while a long journal is read, so that memory stays bounded. */
class IndexProgress {
  /** Read, and not in the index. */
  bytes = 0
  #flushAt: number
  readonly #state: CommittedState
  readonly #runtime: Runtime
  readonly #flushBytes: number

  constructor(state: CommittedState, runtime: Runtime, flushBytes: number) {
    this.#state = state
    this.#runtime = runtime
    this.#flushBytes = flushBytes
    this.#flushAt = flushBytes
  }

  readonly note = (
    position: JournalPosition,
    header: SegmentHeader | undefined,
    bytesRead: number,
  ): void => {
    this.bytes += bytesRead
    if (this.bytes < this.#flushAt || header === undefined) return
    const failure = this.#state.flush(position, header.id)
    if (failure === undefined) this.bytes = 0
    else this.#runtime.log('warn', 'store.index-unwritable', { reason: String(failure) })
    this.#flushAt = this.bytes + this.#flushBytes
  }
}

/** Makes durable what was read, and finds the place to go on writing. */
function continueJournal(
  parts: StoreParts,
  files: SegmentFiles,
  end: JournalEnd,
  watermark: Watermark | undefined,
): JournalWriter {
  const { runtime, limits } = parts
  const { segment, position } = end
  if (segment !== undefined) secure(files, segment, position, watermark)
  const header = segment?.header
  const goesOn = end.kind === 'clean' && header !== undefined && header.generation === 0
  if (goesOn && header.number >= (watermark?.segment ?? 0)) {
    return new JournalWriter(files, runtime, limits, { header, position })
  }
  // Numbers and sequences that may have been used before are never used again.
  const lost = watermark !== undefined && watermark.segment > position.segment
  const before = lost ? watermark : position
  const next = createNextHeader(runtime, before, lost ? watermark.segmentId : segment?.recordId)
  files.create(next, () => undefined)
  if (end.kind === 'torn' && segment !== undefined) {
    files.openActive(segment).truncate(position.offset)
  }
  return new JournalWriter(files, runtime, limits, { header: next, position: segmentStart(next) })
}

/**
 * Syncs what lies above the watermark. If this operating system has run the writer before, a
 * failed sync may have left pages that look written and are not: so they are written again.
 */
function secure(
  files: SegmentFiles,
  segment: Segment,
  position: JournalPosition,
  watermark: Watermark | undefined,
): void {
  const isHere =
    watermark !== undefined &&
    segment.recordId !== undefined &&
    watermark.segment === segment.number &&
    sameRecordId(watermark.segmentId, segment.recordId)
  const durable = isHere ? watermark.offset : SEGMENT_HEADER_BYTES
  if (durable >= position.offset) return
  const file = files.openActive(segment)
  if (watermark === undefined || watermark.isCurrent) rewrite(file, durable, position.offset)
  file.sync()
}

/** Writes the bytes [start, end) of a file to where they are. */
function rewrite(file: DiskFile, start: number, end: number): void {
  const window = new Uint8Array(Math.min(WINDOW_BYTES, end - start))
  for (let offset = start; offset < end; offset += window.length) {
    const piece = window.subarray(0, Math.min(window.length, end - offset))
    file.write(offset, [piece.subarray(0, readFully(file, offset, piece))])
  }
}
