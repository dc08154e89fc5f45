/**
 * What compaction keeps of one segment, and in which order: capsule by capsule and branch by
 * branch, in each the order of writing, with neighbouring entries records joined.
 *
 * Rule JR17 of docs/spec/journal.md.
 *
 * @module
 */
import type { BranchId, CapsuleName } from '@longshore/capsule'
import type { DiskFile } from '../../runtime/disk.ts'
import { branchKey, nameKey } from '../branch-key.ts'
import type { Slices } from '../slices.ts'
import type { CommittedState } from './committed-state.ts'
import { tryDecodeHead } from './index-layout.ts'
import { startOf } from './journal-reader.ts'
import { scanInSlices } from './journal-scan.ts'
import {
  ADDRESS_BYTES,
  COMMIT_RECORD_BYTES,
  decodeAddress,
  decodeNoteBody,
  type JournalRecord,
  NAME_BYTES,
  RECORD_COMMIT,
  RECORD_ENTRIES,
  RECORD_ERASE,
  RECORD_HEAD,
  RECORD_HEADER_BYTES,
  RECORD_MANIFEST,
  RECORD_NOTE,
  RECORD_PAYLOAD,
  RECORD_REMOVE,
  type RecordAddress,
  recordBytes,
} from './record.ts'
import type { Segment } from './segment-files.ts'
import { SEGMENT_HEADER_BYTES } from './segment-header.ts'
import { SegmentWindow } from './segment-window.ts'
import { FRAME_PRESENT, FrameCursor } from './stored-frame.ts'

const REMOVALS = 'removals'

/** In a record header. */
const TYPE_AT = 4
/** Enough of a record to see whom it is about, if its type says that it names somebody. */
const NAMED_BYTES: number = RECORD_HEADER_BYTES + NAME_BYTES
const NAMING_TYPES: ReadonlySet<number> = new Set([
  ...[RECORD_MANIFEST, RECORD_ENTRIES, RECORD_HEAD],
  ...[RECORD_PAYLOAD, RECORD_ERASE, RECORD_REMOVE],
])

/** Entries records are joined up to this: one record is checked and held as a whole. */
const JOINED_BYTES_MAX: number = 1024 * 1024

/** A record of the old file. */
export interface KeptPiece {
  readonly offset: number
  readonly byteLength: number
}

/** The entries of a record of the new file. */
export interface KeptEntries {
  readonly name: CapsuleName
  readonly branch: BranchId
  readonly start: number
  count: number
  /** Bodies that are left out. What is erased later goes with the next compaction. */
  readonly erased: Set<number>
}

/** A record of the new file. */
export interface KeptRecord {
  readonly type: number
  /** One, or several entries records that follow each other. */
  readonly pieces: KeptPiece[]
  bodyBytes: number
  /** Undefined for records that do not hold entries. */
  readonly entries: KeptEntries | undefined
}

export interface SegmentPlan {
  /** Of the old file. */
  readonly end: number
  readonly records: readonly KeptRecord[]
  /** Of the new file, without its header. */
  readonly bytesAfter: number
  /** In the old file is what has to leave the disk: erased, or of a capsule that was removed. */
  readonly dropsContent: boolean
  /** Capsules whose removal this segment says, and no segment has to say any more. */
  readonly removals: readonly CapsuleName[]
}

/**
 * Undefined if there is damage in the segment. `isFirst`: no segment before this one holds anything
 * of a capsule that was removed later, so the records that say so have done their work.
 */
export function* planSegment(
  file: DiskFile,
  state: CommittedState,
  segment: Segment,
  end: number,
  isFirst: boolean,
  sliceBytes: number,
): Slices<SegmentPlan | undefined> {
  if (segment.recordId === undefined) return undefined
  const planner = new Planner(state, segment, isFirst)
  let isDamaged = false
  const window = new SegmentWindow(file, segment.recordId)
  const start = startOf(segment, { segment: 0, offset: 0, sequence: 0, chain: 0 })
  const sink = {
    record: (record: JournalRecord) => {
      isDamaged ||= !planner.add(record)
    },
    damage: (from: number, to: number) => {
      isDamaged ||= !planner.skipDamage(window, from, to)
    },
    commit: () => undefined,
  }
  yield* scanInSlices(window, start, end, true, sink, sliceBytes)
  return isDamaged || end < SEGMENT_HEADER_BYTES ? undefined : planner.finish(end)
}

class Planner {
  readonly #state: CommittedState
  readonly #cursor = new FrameCursor()
  /** By branch, in order of first appearance. Notes and manifests are clusters of their own. */
  readonly #clusters = new Map<string, KeptRecord[]>()
  /** Those of which only the last counts, by what they are about. */
  readonly #replaceable = new Map<string, KeptRecord>()
  readonly #replaced = new Set<KeptRecord>()
  readonly #removals = new Map<string, CapsuleName>()
  readonly #segment: Segment
  readonly #isFirst: boolean
  #dropsContent = false

  constructor(state: CommittedState, segment: Segment, isFirst: boolean) {
    this.#state = state
    this.#segment = segment
    this.#isFirst = isFirst
    // What removes a capsule stands before what was stored of it anew.
    this.#clusters.set(REMOVALS, [])
  }

  /** False if the body is malformed. */
  add(record: JournalRecord): boolean {
    const { type, body } = record
    if (type === RECORD_COMMIT) return true
    if (type === RECORD_NOTE) {
      const note = decodeNoteBody(body)
      if (note === undefined) return false
      return this.#keep(record, 'notes', `note ${String.fromCharCode(...note.key)}`)
    }
    const name = body.slice(0, NAME_BYTES) as CapsuleName
    if (this.#isRemovedAfter(name, record.offset)) {
      this.#dropsContent = true
      return true
    }
    if (type === RECORD_MANIFEST) return this.#keep(record, 'manifests')
    if (type === RECORD_REMOVE) return this.#addRemoval(record, name)
    if (type === RECORD_HEAD) {
      const head = tryDecodeHead(body.subarray(NAME_BYTES))
      if (head === undefined) return false
      const key = branchKey(name, head.branch)
      return this.#keep(record, key, `head ${key}`)
    }
    const address = decodeAddress(body)
    if (address === undefined) return false
    if (type === RECORD_ENTRIES) return this.#addEntries(record, address)
    if (type === RECORD_PAYLOAD && this.#isErased(address)) {
      this.#dropsContent = true
      return true
    }
    return this.#keep(record, branchKey(name, address.branch))
  }

  /**
   * True if all that is damaged is records of capsules that were removed later, and manifests that
   * were stored again: as far as they can still be told apart, they need not be read any more.
   * Reads with `window`.
   */
  skipDamage(window: SegmentWindow, from: number, to: number): boolean {
    if (from === to) return false
    for (let offset = from; offset < to; ) {
      const bytes = window.plausibleBytes(offset)
      if (bytes === undefined || offset + bytes > to) return false
      const trace = window.peek(offset, NAMED_BYTES)
      const name = trace.slice(RECORD_HEADER_BYTES, NAMED_BYTES) as CapsuleName
      const type = trace[TYPE_AT] as number
      const isNamed = trace.length === NAMED_BYTES && NAMING_TYPES.has(type)
      const isStoredAgain = type === RECORD_MANIFEST && this.#hasManifestElsewhere(name, offset)
      if (!isNamed || !(isStoredAgain || this.#isRemovedAfter(name, offset))) return false
      offset += bytes
    }
    this.#dropsContent = true
    return true
  }

  finish(end: number): SegmentPlan {
    const records: KeptRecord[] = []
    let bytesAfter = COMMIT_RECORD_BYTES
    for (const cluster of this.#clusters.values()) {
      for (const kept of joinEntries(cluster.filter((record) => !this.#replaced.has(record)))) {
        records.push(kept)
        bytesAfter += recordBytes(kept.bodyBytes)
      }
    }
    const removals = [...this.#removals.values()]
    return { end, records, bytesAfter, dropsContent: this.#dropsContent, removals }
  }

  #keep(record: JournalRecord, cluster: string, replaces?: string): true {
    const kept = keptRecord(record, record.body.length, undefined)
    this.#push(cluster, kept)
    if (replaces === undefined) return true
    const before = this.#replaceable.get(replaces)
    if (before !== undefined) this.#replaced.add(before)
    this.#replaceable.set(replaces, kept)
    return true
  }

  #addEntries(record: JournalRecord, address: RecordAddress): boolean {
    const { body } = record
    const branch = this.#state.find(address.name, address.branch)
    if (branch === undefined || branch.known < address.index + address.count) return false
    const erased = new Set<number>()
    let bodyBytes = body.length
    let at = ADDRESS_BYTES
    for (let i = 0; i < address.count; i++) {
      if (!this.#cursor.read(body, at, body.length) || this.#cursor.end > body.length) return false
      at = this.#cursor.end
      if (this.#cursor.state !== FRAME_PRESENT || !branch.find(address.index + i).erased) continue
      this.#dropsContent = true
      erased.add(address.index + i)
      bodyBytes -= at - this.#cursor.bodyAt
    }
    if (at !== body.length) return false
    const { name, index: start, count } = address
    const entries = { name, branch: address.branch, start, count, erased }
    this.#push(branchKey(address.name, address.branch), keptRecord(record, bodyBytes, entries))
    return true
  }

  #addRemoval(record: JournalRecord, name: CapsuleName): true {
    if (!this.#isFirst) return this.#keep(record, REMOVALS)
    this.#removals.set(nameKey(name), name)
    return true
  }

  #isRemovedAfter(name: CapsuleName, offset: number): boolean {
    const { number: segment, generation } = this.#segment
    return this.#state.isRemovedAfter(name, { segment, generation, offset })
  }

  #hasManifestElsewhere(name: CapsuleName, offset: number): boolean {
    const place = this.#state.manifestPlace(name)
    const { number, generation } = this.#segment
    const isHere = place?.segment === number && place.generation === generation
    return place !== undefined && !(isHere && place.offset === offset)
  }

  #isErased({ name, branch, index }: RecordAddress): boolean {
    const found = this.#state.find(name, branch)
    return found !== undefined && index < found.known && found.find(index).erased
  }

  #push(cluster: string, kept: KeptRecord): void {
    const records = this.#clusters.get(cluster)
    if (records === undefined) this.#clusters.set(cluster, [kept])
    else records.push(kept)
  }
}

function keptRecord(
  record: JournalRecord,
  bodyBytes: number,
  entries: KeptRecord['entries'],
): KeptRecord {
  const piece = { offset: record.offset, byteLength: record.end - record.offset }
  return { type: record.type, pieces: [piece], bodyBytes, entries }
}

/** Joins entries records that continue each other, also across the other records between them. */
function joinEntries(cluster: readonly KeptRecord[]): KeptRecord[] {
  const joined: KeptRecord[] = []
  let last: KeptRecord | undefined
  for (const record of cluster) {
    const { entries } = record
    if (entries === undefined) {
      joined.push(record)
      continue
    }
    const before = last?.entries
    const continues = before !== undefined && before.start + before.count === entries.start
    const bytes = (last?.bodyBytes ?? 0) + record.bodyBytes - ADDRESS_BYTES
    if (last === undefined || !continues || bytes > JOINED_BYTES_MAX) {
      joined.push(record)
      last = record
      continue
    }
    last.pieces.push(...record.pieces)
    last.bodyBytes = bytes
    before.count += entries.count
    for (const index of entries.erased) before.erased.add(index)
  }
  return joined
}
