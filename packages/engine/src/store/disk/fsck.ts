/**
 * Reads the whole journal and says what is wrong with it, and where the index disagrees.
 *
 * Changes nothing. What belongs to which entry is checked in `fsck-branches.ts`.
 * Rule JR21 of docs/spec/journal.md.
 *
 * @module
 */
import { type CapsuleName, decodeUtf8 } from '@longshore/capsule'
import type { Slices } from '../slices.ts'
import { BranchChecks } from './fsck-branches.ts'
import { FsckProblems, type FsckReport, NO_PLACE } from './fsck-report.ts'
import { startOf } from './journal-reader.ts'
import { scanInSlices } from './journal-scan.ts'
import { countedSegments, type OpenedJournal } from './opened-journal.ts'
import type { Place } from './position-block.ts'
import {
  decodeAddress,
  decodeNoteBody,
  type JournalRecord,
  NAME_BYTES,
  RECORD_COMMIT,
  RECORD_ENTRIES,
  RECORD_HEAD,
  RECORD_MANIFEST,
  RECORD_NOTE,
  RECORD_PAYLOAD,
  RECORD_REMOVE,
} from './record.ts'
import { type Segment, sameRecordId } from './segment-files.ts'
import {
  parseSegmentName,
  SEGMENT_HEADER_BYTES,
  SEGMENTS_DIRECTORY,
  type SegmentName,
  segmentPath,
} from './segment-header.ts'
import { SegmentWindow } from './segment-window.ts'
import { GUARDED_WATERMARK_PATH, type JournalPosition, WATERMARK_PATH } from './watermark.ts'

/**
 * How often what was written meanwhile is read in slices, and then what was written during that.
 * What is left after so many passes is read in one slice: a writer may be as fast as we are.
 */
const PASSES_MAX = 8

const OWN_NAMES: ReadonlySet<string> = new Set([
  SEGMENTS_DIRECTORY,
  WATERMARK_PATH,
  GUARDED_WATERMARK_PATH,
])

/** Checks everything up to the position that `journal` has in the last slice. */
export function checkStore(journal: OpenedJournal, sliceBytes: number): Slices<FsckReport> {
  return new Fsck(journal, sliceBytes).run()
}

class Fsck {
  readonly #journal: OpenedJournal
  readonly #problems = new FsckProblems()
  readonly #branches: BranchChecks
  readonly #notes = new Map<string, Uint8Array>()
  readonly #sliceBytes: number
  #bytes = 0
  /** Where the journal ended when this pass began. */
  #passEnd: JournalPosition
  #passes = 1

  constructor(journal: OpenedJournal, sliceBytes: number) {
    this.#journal = journal
    this.#sliceBytes = sliceBytes
    this.#passEnd = journal.position
    this.#branches = new BranchChecks(journal.state, journal.entries, this.#problems)
  }

  *run(): Slices<FsckReport> {
    const { state } = this.#journal
    this.#checkNames()
    let before: Segment | undefined
    let position: JournalPosition = { segment: 0, offset: 0, sequence: 0, chain: 0 }
    for (;;) {
      const [name, successor] = this.#segmentsBehind(before)
      if (name === undefined) break
      for (let number = (before?.number ?? 0) + 1; number < name.number; number++) {
        const place = { segment: number, offset: 0 }
        this.#problems.add('SEGMENT_MISSING', place, 'there is no file for this segment')
      }
      const segment = this.#journal.files.inspect(name, this.#linkedId(successor))
      this.#checkHeader(segment, before, position)
      position = yield* this.#checkSegment(segment, position)
      before = segment
    }
    this.#branches.finish()
    this.#checkNotes()
    const { problems, count } = this.#problems
    return {
      ok: count === 0,
      problems,
      problemCount: count,
      entries: this.#branches.entries,
      capsules: state.names().length,
      bytes: this.#bytes,
    }
  }

  #checkNames(): void {
    const { disk } = this.#journal.files
    for (const name of disk.list('')) {
      if (OWN_NAMES.has(name)) continue
      this.#problems.add('FILE_UNKNOWN', NO_PLACE, name)
    }
    if (!disk.exists(SEGMENTS_DIRECTORY)) return
    for (const name of disk.list(SEGMENTS_DIRECTORY)) {
      if (parseSegmentName(name) !== undefined || name.endsWith('.tmp')) continue
      this.#problems.add('FILE_UNKNOWN', NO_PLACE, `${SEGMENTS_DIRECTORY}/${name}`)
    }
  }

  #checkHeader(segment: Segment, before: Segment | undefined, position: JournalPosition): void {
    const { header, number } = segment
    const place = { segment: number, offset: 0 }
    if (header === undefined) {
      this.#problems.add('SEGMENT_HEADER', place, 'the header of the segment is damaged')
      return
    }
    const follows = before === undefined || header.firstSequence > position.sequence
    // A compacted segment has an id of its own; the link names the file before that.
    const isLinked =
      before?.header === undefined ||
      before.number !== number - 1 ||
      before.generation > 0 ||
      sameRecordId(header.previousId, before.header.id)
    if (!follows || !isLinked) {
      this.#problems.add('SEGMENT_HEADER', place, 'the segment does not follow the one before it')
    }
  }

  /** The segments that follow one, or all. */
  #segmentsBehind(segment: Segment | undefined): SegmentName[] {
    const number = segment?.number ?? 0
    return countedSegments(this.#journal).filter((name) => name.number > number)
  }

  *#checkSegment(segment: Segment, before: JournalPosition): Slices<JournalPosition> {
    const damage = (from: number, to: number): void => {
      const place = { segment: segment.number, offset: from }
      const detail = from === to ? 'records are missing here' : `${to - from} bytes are damaged`
      this.#problems.add('RECORD_DAMAGED', place, detail)
    }
    let position = startOf(segment, before)
    let [end, limit] = this.#endOf(segment)
    if (segment.recordId === undefined) {
      damage(SEGMENT_HEADER_BYTES, limit)
      return position
    }
    const sink = {
      record: (record: JournalRecord) => this.#checkRecord(record, segment),
      damage,
      commit: () => undefined,
    }
    // A file of its own: those that are shared are closed when others are read.
    const file = this.#journal.files.disk.open(segmentPath(segment), 'read')
    try {
      for (let read = 0; read < limit; ) {
        // A window keeps what it has read, and behind the end that may have changed.
        const window = new SegmentWindow(file, segment.recordId)
        const sliceBytes = this.#sliceBytesAt(position)
        position = yield* scanInSlices(window, position, limit, end !== undefined, sink, sliceBytes)
        read = limit
        ;[end, limit] = this.#endOf(segment)
      }
    } finally {
      file.close()
    }
    this.#bytes += limit
    return position
  }

  #sliceBytesAt({ segment, offset }: JournalPosition): number {
    const { segment: last, offset: end } = this.#passEnd
    if (segment > last || (segment === last && offset >= end)) {
      this.#passEnd = this.#journal.position
      this.#passes++
    }
    return this.#passes <= PASSES_MAX ? this.#sliceBytes : Number.POSITIVE_INFINITY
  }

  /** Where a segment ends, if that is known, and as far as it may go if not. */
  #endOf(segment: Segment): [end: number | undefined, limit: number] {
    const end = this.#knownEnd(segment, this.#segmentsBehind(segment)[0])
    return [end, end ?? segment.byteLength]
  }

  #knownEnd(segment: Segment, successor: SegmentName | undefined): number | undefined {
    const { position, files } = this.#journal
    if (segment.number === position.segment) return position.offset
    if (segment.generation > 0) return segment.byteLength
    if (successor?.number !== segment.number + 1) return undefined
    return files.inspect(successor).header?.previousEnd
  }

  #linkedId(successor: SegmentName | undefined): Uint8Array | undefined {
    if (successor === undefined) return undefined
    return this.#journal.files.inspect(successor).header?.previousId
  }

  #checkRecord(record: JournalRecord, { number, generation }: SegmentName): void {
    const place: Place = { segment: number, generation, offset: record.offset }
    if (!this.#takeRecord(record, place)) {
      const detail = `the body of a record of type ${record.type} is malformed`
      this.#problems.add('RECORD_SHAPE', place, detail)
    }
  }

  /** False if the body is malformed. */
  #takeRecord({ type, body }: JournalRecord, place: Place): boolean {
    if (type === RECORD_COMMIT) return true
    if (type === RECORD_NOTE) return this.#addNote(body)
    const name = body.slice(0, NAME_BYTES) as CapsuleName
    if (type === RECORD_REMOVE ? body.length !== NAME_BYTES : body.length <= NAME_BYTES) {
      return false
    }
    if (this.#branches.isRemovedAfter(name, place)) return true
    if (type === RECORD_REMOVE) {
      this.#branches.remove(name, place)
      return true
    }
    if (type === RECORD_HEAD) return this.#branches.addHead(body, place)
    if (type === RECORD_MANIFEST) {
      this.#branches.manifest(body, place)
      return true
    }
    const address = decodeAddress(body)
    if (address === undefined) return false
    if (type === RECORD_ENTRIES) return this.#branches.addEntries(address, body, place)
    if (type !== RECORD_PAYLOAD) return this.#branches.addErasure(address, body, place)
    this.#branches.addPayload(address, body, place)
    return true
  }

  #addNote(body: Uint8Array): boolean {
    const note = decodeNoteBody(body)
    const key = note === undefined ? undefined : decodeUtf8(note.key)
    if (note === undefined || key === undefined) return false
    this.#notes.set(key, note.value)
    return true
  }

  #checkNotes(): void {
    for (const [key, value] of this.#notes) {
      const indexed = this.#journal.state.note(key)
      const same = indexed?.length === value.length && value.every((byte, i) => byte === indexed[i])
      if (!same) this.#problems.add('INDEX_MISMATCH', NO_PLACE, `the note ${key} differs`)
    }
  }
}
