/**
 * Decides how much of the index to believe, and which segment files count.
 *
 * Rules IX7 and IX8 of docs/spec/index.md, JR18 of docs/spec/journal.md.
 *
 * @module
 */
import { bytesEqual } from '@longshore/capsule'
import type { IndexStore } from '../../runtime/index-store.ts'
import { CommittedState, EMPTY_INDEX } from './committed-state.ts'
import { decodeIndexWatermark, type IndexWatermark, WATERMARK_KEY } from './index-layout.ts'
import { JOURNAL_START } from './journal-reader.ts'
import { COMMIT_RECORD_BYTES, decodeCommitBody, RECORD_COMMIT } from './record.ts'
import { type SegmentFiles, sameRecordId } from './segment-files.ts'
import { firstChain, SEGMENT_HEADER_BYTES, type SegmentName } from './segment-header.ts'
import { SegmentWindow } from './segment-window.ts'
import { type JournalPosition, samePosition, type Watermark } from './watermark.ts'

export interface OpenedIndex {
  readonly state: CommittedState
  /** What the index covers. */
  readonly position: JournalPosition
  /** The files that count: one per number, in order. */
  readonly segments: readonly SegmentName[]
  /** False: the index tells nothing about this journal. */
  readonly isUsable: boolean
}

export function readIndexWatermark(index: IndexStore): IndexWatermark | undefined {
  const value = index.get(WATERMARK_KEY)
  return value === undefined ? undefined : decodeIndexWatermark(value)
}

/** `list`: all segment files, by number, then generation. */
export function openIndex(
  index: IndexStore,
  branchesMax: number,
  files: SegmentFiles,
  list: readonly SegmentName[],
  watermark: Watermark | undefined,
): OpenedIndex {
  const covered = readIndexWatermark(index)
  if (covered !== undefined) {
    const state = new CommittedState(index, branchesMax)
    const segments = chooseKnown(list, state)
    if (segments !== undefined && isPartOfJournal(covered, files, segments, watermark)) {
      return { state, position: covered, segments, isUsable: true }
    }
  }
  const state = new CommittedState(EMPTY_INDEX, branchesMax)
  return { state, position: JOURNAL_START, segments: chooseHighest(list), isUsable: false }
}

/** Tells the state which generations count where the index does not say so. */
export function noteGenerations(state: CommittedState, segments: readonly SegmentName[]): void {
  for (const { number, generation } of segments) {
    if (state.generation(number) !== generation) state.setGeneration(number, generation)
  }
}

/** The highest generation of each segment: it is whole, because it got its name last. */
export function chooseHighest(list: readonly SegmentName[]): SegmentName[] {
  return list.filter((name, i) => list[i + 1]?.number !== name.number)
}

/**
 * For each segment the generation that the index means, also behind what it covers: it may hold
 * more than it covers. Undefined if one of these files is gone: then this index is from before a
 * compaction.
 */
function chooseKnown(
  list: readonly SegmentName[],
  state: CommittedState,
): SegmentName[] | undefined {
  const chosen: SegmentName[] = []
  for (const highest of chooseHighest(list)) {
    const generation = state.generation(highest.number)
    const known = list.find((n) => n.number === highest.number && n.generation === generation)
    if (known === undefined) return undefined
    chosen.push(known)
  }
  return chosen
}

function isPartOfJournal(
  covered: IndexWatermark,
  files: SegmentFiles,
  segments: readonly SegmentName[],
  watermark: Watermark | undefined,
): boolean {
  // Both were written for the same group of the same journal; what the journal lost is damage.
  if (
    watermark !== undefined &&
    samePosition(watermark, covered) &&
    sameRecordId(watermark.segmentId, covered.segmentId)
  ) {
    return true
  }
  const name = segments.find(({ number }) => number === covered.segment)
  if (name === undefined) return false
  const { header } = files.inspect(name)
  if (header === undefined || !bytesEqual(header.id, covered.segmentId)) return false
  if (covered.offset === SEGMENT_HEADER_BYTES) {
    return covered.chain === firstChain(header) && covered.sequence === header.firstSequence - 1
  }
  const window = new SegmentWindow(files.file(name), header.id)
  const record = window.recordAt(covered.offset - COMMIT_RECORD_BYTES, covered.offset)
  if (record?.type !== RECORD_COMMIT || record.sequence !== covered.sequence) return false
  return decodeCommitBody(record.body)?.chain === covered.chain
}
