/**
 * Takes records that were read from the journal into the committed state, and draws the
 * conclusions from damage between them.
 *
 * Every record may have been taken in before (rule IX5). What lay in damage is found out in two
 * ways: later records of the branch do not continue where the known ones end, or the damaged
 * bytes still tell the name. Rules JR13 and JR14 of docs/spec/journal.md.
 *
 * @module
 */
import {
  type BranchId,
  bytesEqual,
  type CapsuleName,
  decodeHeader,
  decodeUtf8,
  type EraseRange,
  HASH_BYTES,
  MAIN_BRANCH,
  sha256Ranges,
  VerificationError,
} from '@longshore/capsule'
import { readUint32 } from './big-endian.ts'
import type { Branch, EntryRun } from './branch.ts'
import type { CommittedState } from './committed-state.ts'
import { tryDecodeHead } from './index-layout.ts'
import { LostErasures } from './lost-erasures.ts'
import type { Place } from './position-block.ts'
import { framesPlace } from './prepared-record.ts'
import {
  ADDRESS_BYTES,
  decodeAddress,
  decodeNoteBody,
  decodeRanges,
  type JournalRecord,
  NAME_BYTES,
  RANGE_BYTES,
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
} from './record.ts'
import type { SegmentName } from './segment-header.ts'
import { FrameCursor } from './stored-frame.ts'

/** In a record header. */
const TYPE_AT = 4

/** No erase record becomes one of these by one flipped bit. */
const HARMLESS_TYPES: ReadonlySet<number> = new Set([
  RECORD_ENTRIES,
  RECORD_HEAD,
  RECORD_NOTE,
  RECORD_COMMIT,
  RECORD_REMOVE,
])

/** Enough of a damaged record to see whom it belonged to. */
export const TRACE_BYTES: number = RECORD_HEADER_BYTES + ADDRESS_BYTES

const REMOVAL_BYTES: number = RECORD_HEADER_BYTES + NAME_BYTES

export interface FrameRun {
  readonly offsets: Uint32Array
  /** Empty unless they were asked for. */
  readonly leafHashes: Uint8Array
  readonly timesUs: Float64Array
  readonly timeUsMax: number
  /** Which entries the erase entries among them erase. */
  readonly erased: readonly EraseRange[]
}

/** First byte of a header with an extension: only those say that something is erased. */
const HEADER_WITH_EXTENSION = 0x86

/** The frames of an entries record; undefined if they are malformed. */
export function readFrames(
  body: Uint8Array,
  { index, count }: Pick<RecordAddress, 'index' | 'count'>,
  wantHashes: boolean,
): FrameRun | undefined {
  const cursor = new FrameCursor()
  const offsets = new Uint32Array(count)
  // Start, end and place of each leaf hash.
  const leaves = new Uint32Array(wantHashes ? 3 * count : 0)
  const timesUs = new Float64Array(count)
  const erased: EraseRange[] = []
  let timeUsMax = 0
  let at = ADDRESS_BYTES
  for (let i = 0; i < count; i++) {
    if (!cursor.read(body, at, body.length) || cursor.end > body.length) return undefined
    offsets[i] = at - ADDRESS_BYTES
    // The zero byte before the header is the leaf prefix.
    if (wantHashes) leaves.set([cursor.headerAt - 1, cursor.bodyAt, i * HASH_BYTES], 3 * i)
    timesUs[i] = cursor.timeUs
    if (cursor.timeUs > timeUsMax) timeUsMax = cursor.timeUs
    if (body[cursor.headerAt] === HEADER_WITH_EXTENSION) {
      const header = body.subarray(cursor.headerAt, cursor.bodyAt)
      for (const range of erasedBy(header, index + i)) erased.push(range)
    }
    at = cursor.end
  }
  if (at !== body.length) return undefined
  const leafHashes = new Uint8Array(wantHashes ? count * HASH_BYTES : 0)
  if (wantHashes) sha256Ranges(body, leaves, count, leafHashes)
  return { offsets, leafHashes, timesUs, timeUsMax, erased }
}

/** What entry `index` erases, if it is an erase entry. An invalid one erases nothing. */
function erasedBy(header: Uint8Array, index: number): readonly EraseRange[] {
  try {
    const { control } = decodeHeader(header).ext
    if (control?.type !== 'erase' || control.ranges.some(({ end }) => end > index)) return []
    return control.ranges
  } catch (error) {
    if (error instanceof VerificationError) return []
    throw error
  }
}

export class Replay {
  readonly #state: CommittedState
  /** Branches whose entries and head do not fit together yet. */
  readonly #unsettled = new Set<Branch>()
  readonly #erasures: LostErasures
  #lastDamage: Omit<Place, 'generation'> | undefined

  constructor(state: CommittedState) {
    this.#state = state
    this.#erasures = new LostErasures(state)
  }

  /** Records behind the one with this sequence come next. */
  begin(sequence: number): void {
    this.#erasures.begin(sequence)
  }

  /** Takes in a record. False if its body has a shape that its type does not allow. */
  apply(record: JournalRecord, file: SegmentName): boolean {
    this.#erasures.pass(record.sequence)
    return this.#apply(record, file)
  }

  #apply(record: JournalRecord, file: SegmentName): boolean {
    const { number: segment, generation } = file
    const place: Place = { segment, generation, offset: record.offset }
    const { body } = record
    switch (record.type) {
      case RECORD_MANIFEST:
        if (body.length <= NAME_BYTES) return false
        this.#state.setManifest(body.slice(0, NAME_BYTES) as CapsuleName, place)
        return true
      case RECORD_REMOVE:
        if (body.length !== NAME_BYTES) return false
        this.#remove(body.slice() as CapsuleName, place)
        return true
      case RECORD_HEAD:
        return this.#applyHead(body)
      case RECORD_NOTE:
        return this.#applyNote(body)
      case RECORD_COMMIT:
        return true
      default:
        return this.#applyAddressed(record.type, body, place)
    }
  }

  /**
   * Takes in the new places of what a segment holds after compaction. Heads and notes may be newer
   * than in this segment, and an erasure is known already.
   */
  applyMove(record: JournalRecord, file: SegmentName): void {
    const { type, body, offset } = record
    const name = body.subarray(0, NAME_BYTES) as CapsuleName
    const place: Place = { segment: file.number, generation: file.generation, offset }
    // It may have been removed since the file was read.
    if (type === RECORD_NOTE || this.#state.isRemovedAfter(name, place)) return
    if (type === RECORD_REMOVE) this.#state.setRemovalPlace(name, place)
    if (type === RECORD_ENTRIES || type === RECORD_PAYLOAD || type === RECORD_MANIFEST) {
      this.#apply(record, file)
    }
  }

  /**
   * `trace`: the first bytes of a damaged record that began at `offset`; `isRecord` if they still
   * look like those of a record.
   */
  noteDamage(segment: number, offset: number, trace: Uint8Array, isRecord: boolean): void {
    this.#lastDamage = { segment, offset }
    const type = trace[TYPE_AT]
    const isHarmless = isRecord && type !== undefined && HARMLESS_TYPES.has(type)
    const branches = type === undefined ? [] : this.#traced(trace, type)
    this.#erasures.note(isHarmless || branches.some(({ isWithheld }) => isWithheld), branches)
  }

  /** The branches that a trace names, and what it says about them. */
  #traced(trace: Uint8Array, type: number): Branch[] {
    const isRemoval = type === RECORD_REMOVE
    if (trace.length < (isRemoval ? REMOVAL_BYTES : TRACE_BYTES)) return []
    const body = trace.subarray(RECORD_HEADER_BYTES)
    const name = body.slice(0, NAME_BYTES) as CapsuleName
    if (this.#state.manifestPlace(name) === undefined) return []
    return this.#branchesOf(name, type, body).map((id) => {
      const branch = this.#state.change(name, id)
      if (type !== RECORD_PAYLOAD && type !== RECORD_ERASE) branch.declareDamaged()
      if (mayBeErasure(type, readUint32(trace, 0), body)) branch.declareWithheld()
      return branch
    })
  }

  /**
   * Everything up to the record with this sequence was read: what does not fit together now never
   * will.
   */
  finish(sequence: number): void {
    for (const branch of this.#unsettled) {
      this.#state.change(branch.name, branch.branch)
      if (branch.size > branch.known) this.#lose(branch, branch.size)
      else branch.declareDamaged()
    }
    this.#unsettled.clear()
    for (const branch of this.#erasures.finish(sequence)) branch.declareWithheld()
  }

  /** What was lost of it before does not matter any more. */
  #remove(name: CapsuleName, place: Place): void {
    this.#state.remove(name, place)
    for (const branch of this.#unsettled) {
      if (bytesEqual(branch.name, name)) this.#unsettled.delete(branch)
    }
    this.#erasures.forget(name)
  }

  #applyHead(body: Uint8Array): boolean {
    const head = body.length > NAME_BYTES ? tryDecodeHead(body.subarray(NAME_BYTES)) : undefined
    if (head === undefined) return false
    const branch = this.#state.change(body.slice(0, NAME_BYTES) as CapsuleName, head.branch)
    branch.setHead(head)
    if (head.size === branch.known) this.#erasures.confirm(branch)
    this.#watch(branch)
    return true
  }

  #applyNote(body: Uint8Array): boolean {
    const note = decodeNoteBody(body)
    if (note === undefined) return false
    const key = decodeUtf8(note.key)
    if (key === undefined) return false
    this.#state.setNote(key, note.value)
    return true
  }

  #applyAddressed(type: number, body: Uint8Array, place: Place): boolean {
    const address = decodeAddress(body)
    if (address === undefined) return false
    if (type === RECORD_ENTRIES) return this.#applyEntries(address, body, place)
    const { name, index } = address
    if (type === RECORD_PAYLOAD) {
      this.#known(name, address.branch, index + 1).fill(index, place)
      return true
    }
    const ranges = type === RECORD_ERASE ? decodeRanges(body, address.count) : undefined
    if (ranges === undefined) return false
    for (const { start, end } of ranges) this.#known(name, address.branch, end).erase(start, end)
    return true
  }

  #applyEntries(address: RecordAddress, body: Uint8Array, place: Place): boolean {
    const { name, index: start, count } = address
    const known = this.#state.open(name, address.branch).known
    const frames = readFrames(body, address, start + count > known)
    if (frames === undefined) return false
    const branch = this.#known(name, address.branch, start)
    this.#erasures.confirm(branch)
    const { offsets, leafHashes, timesUs, timeUsMax, erased } = frames
    const run: EntryRun = {
      start,
      place: framesPlace(place),
      offsets,
      leafHashes,
      tiles: [],
      timeUsMax,
      timeUs: (position) => timesUs[position] as number,
    }
    branch.addEntries(run)
    // The erase record of the same transaction says it too, but may lie in damage.
    for (const range of erased) branch.erase(range.start, range.end)
    this.#watch(branch)
    return true
  }

  /** The branch, with at least `size` entries: those that were not seen are lost. */
  #known(name: CapsuleName, id: BranchId, size: number): Branch {
    const branch = this.#state.change(name, id)
    if (branch.known < size) this.#lose(branch, size)
    return branch
  }

  /** An entry erases only what stands before it. */
  #lose(branch: Branch, end: number): void {
    branch.loseEntries(end, this.#damageBefore())
    if (this.#erasures.mayBeLost) branch.declareWithheld(end)
    this.#erasures.confirm(branch)
  }

  #damageBefore(): Omit<Place, 'generation'> {
    return this.#lastDamage ?? { segment: 0, offset: 0 }
  }

  #watch(branch: Branch): void {
    if (branch.isUnsettled) this.#unsettled.add(branch)
    else this.#unsettled.delete(branch)
  }

  /** Branches that a damaged record of this capsule may have been about. */
  #branchesOf(name: CapsuleName, type: number, body: Uint8Array): BranchId[] {
    if (type === RECORD_REMOVE) return this.#state.branches(name)
    if (type !== RECORD_HEAD) {
      const address = decodeAddress(body)
      return address === undefined ? this.#state.branches(name) : [address.branch]
    }
    // A compact head begins with the branch id: an empty byte string, or one of 16 bytes.
    if (body[NAME_BYTES + 1] === 0x40) return [MAIN_BRANCH]
    if (body[NAME_BYTES + 1] !== 0x50) return this.#state.branches(name)
    return [body.slice(NAME_BYTES + 2, NAME_BYTES + 18) as BranchId]
  }
}

/**
 * A payload record in damage only leaves a hole; but the type itself may be what is damaged. One
 * flipped bit makes no entries record and no head record of an erase record.
 */
function mayBeErasure(type: number, bodyBytes: number, body: Uint8Array): boolean {
  if (type === RECORD_ERASE) return true
  if (type === RECORD_ENTRIES || type === RECORD_HEAD || type === RECORD_REMOVE) return false
  const address = decodeAddress(body)
  return address !== undefined && bodyBytes === ADDRESS_BYTES + address.count * RANGE_BYTES
}
