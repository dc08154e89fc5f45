/**
 * Walks through one segment and tells what counts: durable records, damage, and where the last
 * valid group ends.
 *
 * Below a known end every valid record counts, whatever happened to its neighbours. At the end of
 * the active segment only whole groups count, and what is behind them has to be judged: it was
 * never durable (a torn tail), or it was (damage).
 *
 * Rules JR11, JR12 and JR13 of docs/spec/journal.md.
 *
 * @module
 */
import { runSlices, type Slices } from '../slices.ts'
import { Chain, decodeCommitBody, type JournalRecord, RECORD_COMMIT } from './record.ts'
import type { SegmentWindow } from './segment-window.ts'
import type { JournalPosition } from './watermark.ts'

const RECORD_ALIGNMENT = 8

export interface ScanSink {
  /** A durable record, in order. */
  record(record: JournalRecord): void
  /** Bytes [start, end) were durable and are no valid record. Empty: a jump of the sequence. */
  damage(start: number, end: number): void
  /** A commit record was passed on; everything before it was. */
  commit(position: JournalPosition): void
}

/**
 * Reads from `from` to `end`, where everything was durable. With `endIsKnown` false the segment
 * may end earlier: bytes behind the last valid record are no damage.
 */
export function scanDurable(
  window: SegmentWindow,
  from: JournalPosition,
  end: number,
  endIsKnown: boolean,
  sink: ScanSink,
): JournalPosition {
  return runSlices(scanInSlices(window, from, end, endIsKnown, sink, Number.POSITIVE_INFINITY))
}

/** The same in slices of about `sliceBytes`. The window is nobody else's meanwhile. */
export function* scanInSlices(
  window: SegmentWindow,
  from: JournalPosition,
  end: number,
  endIsKnown: boolean,
  sink: ScanSink,
  sliceBytes: number,
): Slices<JournalPosition> {
  let { offset, sequence, chain } = from
  let afterDamage = false
  let sliceEnd = offset + sliceBytes
  while (offset < end) {
    if (offset >= sliceEnd) {
      yield
      sliceEnd = offset + sliceBytes
    }
    let record = window.recordAt(offset, end)
    if (record === undefined || record.sequence <= sequence) {
      record = window.findRecord(offset + RECORD_ALIGNMENT, end, sequence)
      if (record === undefined && !endIsKnown) break
      // The sink may read: the record that was found is read again below.
      const found = record?.offset ?? end
      sink.damage(offset, found)
      offset = found
      afterDamage = true
      continue
    }
    if (record.sequence !== sequence + 1 && !afterDamage) sink.damage(offset, offset)
    afterDamage = false
    const { type, end: next } = record
    sequence = record.sequence
    const commit = type === RECORD_COMMIT ? decodeCommitBody(record.body) : undefined
    sink.record(record)
    offset = next
    if (commit === undefined) continue
    chain = commit.chain
    sink.commit({ segment: from.segment, offset, sequence, chain })
  }
  return { segment: from.segment, offset, sequence, chain }
}

/** How the active segment ended. */
export type TailKind = 'clean' | 'torn' | 'damaged'

export interface Tail {
  readonly kind: TailKind
  /** Behind what counts. */
  readonly position: JournalPosition
}

/**
 * Reads groups from `from` to the last valid one in the file. Whatever follows it lies above the
 * watermark: it was durable only if a later group follows.
 */
export function scanTail(
  window: SegmentWindow,
  from: JournalPosition,
  fileBytes: number,
  sink: ScanSink,
): Tail {
  let position = from
  for (;;) {
    const end = findGroupEnd(window, position, fileBytes)
    if (end === undefined) break
    position = scanDurable(window, position, end, true, sink)
  }
  const durable = findDurableEnd(window, position, fileBytes)
  if (durable > position.offset) {
    return { kind: 'damaged', position: scanDurable(window, position, durable, true, sink) }
  }
  const isClean = window.isZero(position.offset, fileBytes)
  return { kind: isClean ? 'clean' : 'torn', position }
}

/** Where the group that begins at `start` ends; undefined if it is not whole. */
function findGroupEnd(
  window: SegmentWindow,
  start: JournalPosition,
  limit: number,
): number | undefined {
  const chain = new Chain()
  chain.begin(start.chain)
  let { offset } = start
  for (let count = 0; ; count++) {
    const record = window.recordAt(offset, limit)
    if (record === undefined || record.sequence !== start.sequence + 1 + count) return undefined
    if (record.type !== RECORD_COMMIT) {
      chain.add(record.crc)
      offset = record.end
      continue
    }
    const commit = decodeCommitBody(record.body)
    const fits =
      commit?.firstSequence === start.sequence + 1 &&
      commit.count === count &&
      commit.chain === chain.value
    return fits ? record.end : undefined
  }
}

/**
 * Everything below the result was durable, although the group at `position` is broken: a later
 * group was written. Returns `position.offset` if there is no later group.
 */
function findDurableEnd(window: SegmentWindow, position: JournalPosition, limit: number): number {
  let durable = position.offset
  let { offset, sequence } = position
  /** Valid records behind `durable`. */
  let seen: SeenRecord[] = []
  for (;;) {
    const record = window.findRecord(offset, limit, sequence)
    if (record === undefined) return durable
    offset = record.end
    sequence = record.sequence
    seen.push({ offset: record.offset, end: record.end, sequence })
    const commit = record.type === RECORD_COMMIT ? decodeCommitBody(record.body) : undefined
    if (commit === undefined || commit.firstSequence <= position.sequence + 1) continue
    // This group may itself be torn: then only what is before it was durable.
    const { firstSequence } = commit
    const members = seen.filter((member) => member.sequence >= firstSequence)
    const isWhole = members.length === commit.count + 1
    const before = seen.find((member) => member.sequence === firstSequence - 1)
    const start = before?.end ?? members[0]?.offset ?? record.offset
    durable = isWhole ? record.end : start
    seen = isWhole ? [] : members
  }
}

interface SeenRecord {
  readonly offset: number
  readonly end: number
  readonly sequence: number
}
