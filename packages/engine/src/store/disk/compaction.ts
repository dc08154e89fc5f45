/**
 * Compaction: rewrites sealed segments without what was erased or replaced, with the entries of
 * each branch together.
 *
 * Works in slices: between two of them the store takes changes and gives answers. What is erased
 * meanwhile goes with the next compaction. Only while the places of one segment are taken over,
 * the index must not be written (`moving`), because it would mean both files.
 *
 * Safe against a crash at any point: the new file is durable before it has its name, the index
 * changes in one batch, and the old file goes last. Until then the old one counts; after that the
 * index says which. A segment with damage in it is left as it is, because nothing but the damaged
 * bytes says what is lost.
 *
 * Rules JR17 to JR19 of docs/spec/journal.md.
 *
 * @module
 */
import type { DiskFile } from '../../runtime/disk.ts'
import type { Runtime } from '../../runtime/runtime.ts'
import { runSlices, type Slices } from '../slices.ts'
import type { CommittedState } from './committed-state.ts'
import { planSegment, type SegmentPlan } from './compaction-plan.ts'
import { rewriteSegment } from './compaction-rewrite.ts'
import { startOf } from './journal-reader.ts'
import { scanInSlices } from './journal-scan.ts'
import type { JournalWriter } from './journal-writer.ts'
import { chooseHighest } from './open-index.ts'
import { countedSegments, type OpenedJournal } from './opened-journal.ts'
import type { JournalRecord } from './record.ts'
import { Replay } from './replay.ts'
import type { Segment, SegmentFiles } from './segment-files.ts'
import {
  SEGMENT_HEADER_BYTES,
  SEGMENT_ID_BYTES,
  SEGMENTS_DIRECTORY,
  type SegmentHeader,
  type SegmentName,
  segmentPath,
} from './segment-header.ts'
import { SegmentWindow } from './segment-window.ts'

export interface CompactReport {
  /** Bytes of all segment files. */
  readonly bytesBefore: number
  readonly bytesAfter: number
  readonly segmentsRewritten: number
  /** Left alone because of damage. */
  readonly segmentsDamaged: number
}

export interface CompactionParts {
  readonly files: SegmentFiles
  readonly state: CommittedState
  readonly writer: JournalWriter
  readonly runtime: Runtime
  /** A new segment was begun. */
  sealed(): void
  /** Writes the index; throws if that fails. */
  flushIndex(): void
  /** From true to false the index is not written. */
  moving(isMoving: boolean): void
  readonly sliceBytes: number
}

/** With nothing erased or removed in it, a segment is rewritten if it becomes this much smaller. */
const GAIN_MIN = 0.1

/** To be called, and called again for each slice, while no sync is in flight. */
export function* compactStore(parts: CompactionParts): Slices<CompactReport> {
  const { files, state, writer } = parts
  const bytesBefore = countBytes(files)
  if (writer.position.offset > SEGMENT_HEADER_BYTES) {
    writer.beginSegment()
    parts.sealed()
  }
  parts.flushIndex()
  // Others may begin meanwhile.
  const active = writer.segmentNumber
  let segmentsRewritten = 0
  let segmentsDamaged = 0
  // So far nothing was left as it is, or is missing: it could hold what was removed later.
  let isFirst = true
  let lastNumber = 0
  for (const { number } of chooseHighest(files.list())) {
    if (number >= active) break
    yield
    const segment = files.inspect({ number, generation: state.generation(number) })
    const end = findEnd(files, segment)
    isFirst &&= number === lastNumber + 1
    lastNumber = number
    // A file of its own: those that are shared are closed when others are read.
    const file = files.disk.open(segmentPath(segment), 'read')
    try {
      const plan: SegmentPlan | undefined =
        end === undefined
          ? undefined
          : yield* planSegment(file, state, segment, end, isFirst, parts.sliceBytes)
      isFirst &&= plan !== undefined && segment.header !== undefined
      if (plan === undefined || segment.header === undefined) segmentsDamaged++
      else if (isWorthIt(plan)) {
        yield* compactSegment(parts, segment, segment.header, file, plan)
        segmentsRewritten++
      } else if (segment.byteLength > plan.end) cutTail(files, segment, plan.end)
    } finally {
      file.close()
    }
  }
  return { bytesBefore, bytesAfter: countBytes(files), segmentsRewritten, segmentsDamaged }
}

/**
 * By how many bytes `compactStore` would make the segment files smaller, without changing anything.
 * Reads the journal once. Zero if they would grow.
 */
export function countReclaimable(journal: OpenedJournal): number {
  const { files, state, position } = journal
  let bytes = 0
  let isFirst = true
  let lastNumber = 0
  for (const name of countedSegments(journal)) {
    isFirst &&= name.number === lastNumber + 1
    lastNumber = name.number
    const segment = files.inspect(name)
    const isActive = name.number === position.segment
    // Compaction begins a new segment, unless nothing was written to the active one.
    if (isActive && position.offset <= SEGMENT_HEADER_BYTES) break
    const end = isActive ? position.offset : findEnd(files, segment)
    const file = files.file(name)
    const plan: SegmentPlan | undefined =
      end === undefined
        ? undefined
        : runSlices(planSegment(file, state, segment, end, isFirst, Number.POSITIVE_INFINITY))
    isFirst &&= plan !== undefined && segment.header !== undefined
    const trimmed = isActive ? position.offset : segment.byteLength
    let bytesAfter = plan === undefined ? trimmed : Math.min(trimmed, plan.end)
    if (plan !== undefined && isWorthIt(plan)) bytesAfter = SEGMENT_HEADER_BYTES + plan.bytesAfter
    bytes += segment.byteLength - bytesAfter - (isActive ? SEGMENT_HEADER_BYTES : 0)
  }
  return Math.max(0, bytes)
}

function isWorthIt(plan: SegmentPlan): boolean {
  const bytesBefore = plan.end - SEGMENT_HEADER_BYTES
  return plan.dropsContent || plan.bytesAfter <= bytesBefore * (1 - GAIN_MIN)
}

function* compactSegment(
  parts: CompactionParts,
  old: Segment,
  header: SegmentHeader,
  from: DiskFile,
  plan: SegmentPlan,
): Slices<void> {
  const { files, state, runtime, sliceBytes } = parts
  const next: SegmentHeader = {
    ...header,
    generation: old.generation + 1,
    id: runtime.randomBytes(SEGMENT_ID_BYTES),
  }
  yield* files.createInSlices(next, (file) => rewriteSegment(from, file, next, plan, sliceBytes))
  parts.moving(true)
  yield* takeOverPlaces(parts, next)
  for (const name of plan.removals) {
    const place = state.removalPlace(name)
    const isHere = place?.segment === old.number && place.generation === old.generation
    if (isHere) state.setRemovalPlace(name, undefined)
  }
  state.setGeneration(next.number, next.generation)
  parts.moving(false)
  // Whoever has the places taken over at once stops here: what follows is for the caller.
  yield
  parts.flushIndex()
  files.remove(old)
  files.disk.syncDirectory(SEGMENTS_DIRECTORY)
  const details = { segment: next.number, generation: next.generation }
  runtime.log('info', 'store.compacted', details)
}

/** Reads the new file, which also verifies it before the old one goes. */
function* takeOverPlaces(parts: CompactionParts, header: SegmentHeader): Slices<void> {
  const { files, state, sliceBytes } = parts
  const segment = files.inspect(header)
  const replay = new Replay(state)
  const file = files.disk.open(segmentPath(segment), 'read')
  const start = startOf(segment, { segment: 0, offset: 0, sequence: 0, chain: 0 })
  const sink = {
    record: (record: JournalRecord) => void replay.applyMove(record, segment),
    damage: (offset: number) => {
      throw new Error(`the segment that was just written is damaged at ${offset}`)
    },
    commit: () => undefined,
  }
  try {
    const window = new SegmentWindow(file, header.id)
    yield* scanInSlices(window, start, segment.byteLength, true, sink, sliceBytes)
  } finally {
    file.close()
  }
}

/** A dropped tail may hold a copy of something that was committed later, and erased. */
function cutTail(files: SegmentFiles, segment: SegmentName, end: number): void {
  const file = files.disk.open(segmentPath(segment), 'write')
  file.truncate(end)
  file.sync()
  file.close()
}

function findEnd(files: SegmentFiles, segment: Segment): number | undefined {
  if (segment.generation > 0) return segment.byteLength
  const successor = files.list().find(({ number }) => number === segment.number + 1)
  return successor === undefined ? undefined : files.inspect(successor).header?.previousEnd
}

function countBytes(files: SegmentFiles): number {
  let sum = 0
  for (const name of files.list()) sum += files.file(name).byteLength()
  return sum
}
