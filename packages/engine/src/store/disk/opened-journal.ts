/**
 * A journal that was read up to a position: what a store answers from.
 *
 * @module
 */
import type { CommittedState } from './committed-state.ts'
import { EntryReader } from './entry-reader.ts'
import { chooseHighest } from './open-index.ts'
import type { SegmentFiles } from './segment-files.ts'
import type { SegmentName } from './segment-header.ts'
import type { JournalPosition } from './watermark.ts'

export class OpenedJournal {
  readonly files: SegmentFiles
  readonly state: CommittedState
  readonly entries: EntryReader
  position: JournalPosition

  constructor(files: SegmentFiles, state: CommittedState, position: JournalPosition) {
    this.files = files
    this.state = state
    this.entries = new EntryReader(files)
    this.position = position
  }
}

/** The segment files that count, in order, up to the one that is written now. */
export function countedSegments({ files, state, position }: OpenedJournal): SegmentName[] {
  const list = files.list()
  const counted: SegmentName[] = []
  for (const highest of chooseHighest(list)) {
    const { number } = highest
    if (number > position.segment) break
    const generation = state.generation(number)
    // Nearly always it is the highest: no search, or many segments cost their square.
    const isCounted = (name: SegmentName): boolean => {
      return name.number === number && name.generation === generation
    }
    counted.push(isCounted(highest) ? highest : (list.find(isCounted) ?? highest))
  }
  return counted
}
