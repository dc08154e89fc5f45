/**
 * Reads entries: from the committed state to a place, from there to the bytes.
 *
 * What it returns is what the journal holds, checked for shape only. Whoever shows an entry to
 * anybody verifies it against the tree. Rules JR14 and JR20 of docs/spec/journal.md, IX10 and IX11
 * of docs/spec/index.md.
 *
 * @module
 */
import { UnavailableError } from '@longshore/capsule'
import { DiskError } from '../../runtime/disk.ts'
import type { SpareMemory } from '../../runtime/spare-memory.ts'
import type { IndexRange, PayloadState, StoredEntry } from '../store.ts'
import { readUint32 } from './big-endian.ts'
import type { Branch } from './branch.ts'
import { ENTRY_GUESS_BYTES, SCAN_BYTES, SHARED_BYTES } from './limits.ts'
import { BLOCK_ENTRIES, type EntryPlace, isLost, type Place } from './position-block.ts'
import {
  ADDRESS_BYTES,
  isIntactRecord,
  NAME_BYTES,
  plausibleRecordBytes,
  RECORD_HEADER_BYTES,
  RECORD_MANIFEST,
  RECORD_PAYLOAD,
  recordBytes,
} from './record.ts'
import type { SegmentFiles } from './segment-files.ts'
import type { SegmentName } from './segment-header.ts'
import { readFully } from './segment-window.ts'
import {
  FRAME_ABSENT,
  FRAME_BYTES_MAX,
  FRAME_ERASED,
  FRAME_PRESENT,
  FrameCursor,
} from './stored-frame.ts'

/** Runs an action, perhaps more than once, and returns what it returned. */
export type Attempt = <TResult>(action: () => TResult) => TResult

/** Bytes of one segment file, from `start` on. */
interface Window {
  readonly start: number
  readonly bytes: Uint8Array
}

interface Batch {
  readonly entries: readonly StoredEntry[]
  readonly failure: unknown
}

/** Header and body of one frame, not yet an entry: a fill or an erasure may override the body. */
interface Frame {
  readonly header: Uint8Array
  readonly state: number
  readonly body: Uint8Array
}

export class EntryReader {
  readonly #files: SegmentFiles
  readonly #cursor = new FrameCursor()
  #shared: Uint8Array = new Uint8Array(0)
  #sharedAt = 0

  constructor(files: SegmentFiles) {
    this.#files = files
  }

  /** One read for an entry of up to a KiB; `index` is within the size. */
  entry(branch: Branch, index: number): StoredEntry {
    const place = branch.find(index)
    return this.#toEntry(branch, index, place, this.#readFrame(place))
  }

  /**
   * Entries in order, read in windows. `find` and each window are run by `attempt`, which may run
   * them again: places change when a segment is compacted.
   */
  *scan(
    find: () => Branch,
    range: IndexRange,
    attempt: Attempt,
    spares?: SpareMemory,
  ): Generator<StoredEntry> {
    for (let index = range.start; index < range.end; ) {
      const { entries, failure } = attempt(() => this.#readBatch(find(), index, range.end, spares))
      yield* entries
      index += entries.length
      // A file that is gone is looked for again, from this entry on.
      if (failure !== undefined && !(failure instanceof DiskError)) throw failure
    }
  }

  /** Smallest index whose running maximum of header times is at least `timeUs`. */
  indexAtTime(branch: Branch, timeUs: number): number {
    let low = 0
    let high = Math.ceil(branch.size / BLOCK_ENTRIES)
    while (low < high) {
      const middle = Math.floor((low + high) / 2)
      if (branch.blockTimeUsMax(middle) >= timeUs) high = middle
      else low = middle + 1
    }
    const end = Math.min(branch.size, (low + 1) * BLOCK_ENTRIES)
    for (let index = low * BLOCK_ENTRIES; index < end; ) {
      const places = collectPlaces(branch, index, end)
      const window = isLost(places[0] as EntryPlace) ? undefined : this.#readWindow(places)
      for (const place of places) {
        if (window !== undefined && this.#timeUs(window, place) >= timeUs) return index
        index++
      }
    }
    return branch.size
  }

  /** The signed manifest in the record at `place`. */
  manifest(place: Place): Uint8Array {
    return this.#readRecord(place, RECORD_MANIFEST, NAME_BYTES)
  }

  /** The state of a payload, without reading it. */
  payloadState(branch: Branch, index: number): PayloadState {
    const place = branch.find(index)
    if (place.erased) return 'erased'
    if (place.fill !== undefined) return 'present'
    return payloadStateOf(this.#readFrame(place).state)
  }

  #toEntry(branch: Branch, index: number, place: EntryPlace, frame: Frame): StoredEntry {
    const { header } = frame
    if (place.erased || frame.state === FRAME_ERASED) {
      return { index, header, state: 'erased', body: undefined }
    }
    const isFilled = frame.state === FRAME_ABSENT && place.fill !== undefined
    if (frame.state === FRAME_ABSENT && !isFilled) {
      return { index, header, state: 'absent', body: undefined }
    }
    if (index < branch.withheldEnd) {
      const message = 'a damaged record may have erased this payload, so it is not shown'
      throw new UnavailableError('STORE_CORRUPT', message, { index, ...detailsOf(place) })
    }
    const body = isFilled ? this.#readFill(place.fill as Place) : frame.body
    return { index, header, state: 'present', body }
  }

  #readFill(place: Place): Uint8Array {
    return this.#readRecord(place, RECORD_PAYLOAD, ADDRESS_BYTES)
  }

  /** The frame at a place, with one read if it is as long as expected. */
  #readFrame(place: EntryPlace): Frame {
    checkNotLost(place)
    const expected = place.nextOffset - place.offset
    const isKnown = expected > 0 && expected <= SCAN_BYTES
    const bytes = this.#readInto(place, this.#allocate(isKnown ? expected : ENTRY_GUESS_BYTES))
    if (!this.#cursor.read(bytes, 0, bytes.length)) throw damagedEntry(place)
    const { end } = this.#cursor
    if (end <= bytes.length) return this.#cut(bytes)
    if (end > FRAME_BYTES_MAX) throw damagedEntry(place)
    const whole = new Uint8Array(end)
    whole.set(bytes)
    const restPlace = { ...place, offset: place.offset + bytes.length }
    whole.set(this.#read(restPlace, end - bytes.length), bytes.length)
    if (!this.#cursor.read(whole, 0, end) || this.#cursor.end !== end) throw damagedEntry(place)
    return this.#cut(whole)
  }

  #frameIn(window: Window, place: EntryPlace): Frame | undefined {
    checkNotLost(place)
    const at = place.offset - window.start
    if (!this.#cursor.read(window.bytes, at, window.bytes.length)) return undefined
    return this.#cursor.end <= window.bytes.length ? this.#cut(window.bytes) : undefined
  }

  #timeUs(window: Window, place: EntryPlace): number {
    if (this.#frameIn(window, place) === undefined) this.#readFrame(place)
    return this.#cursor.timeUs
  }

  /** As many entries as one read brings, at least one, and why there are no more. */
  #readBatch(branch: Branch, start: number, end: number, spares?: SpareMemory): Batch {
    const places = collectPlaces(branch, start, end)
    const window = this.#readWindow(places, spares)
    const entries: StoredEntry[] = []
    for (const [i, place] of places.entries()) {
      try {
        const frame = this.#frameIn(window, place) ?? this.#readFrame(place)
        entries.push(this.#toEntry(branch, start + i, place, frame))
      } catch (failure) {
        // What was read before the damage is good.
        if (entries.length === 0) throw failure
        return { entries, failure }
      }
    }
    return { entries, failure: undefined }
  }

  /** Views of the frame that the cursor has read. */
  #cut(bytes: Uint8Array): Frame {
    const { headerAt, bodyAt, end, state } = this.#cursor
    return { header: bytes.subarray(headerAt, bodyAt), body: bytes.subarray(bodyAt, end), state }
  }

  #readWindow(places: readonly EntryPlace[], spares?: SpareMemory): Window {
    const first = places[0] as EntryPlace
    const last = places.at(-1) as EntryPlace
    checkNotLost(first)
    const byteLength = Math.min(SCAN_BYTES, endOf(last) - first.offset)
    const bytes = this.#read(first, byteLength, spares)
    return { start: first.offset, bytes }
  }

  /** The body of a record behind `prefixBytes`, after a check of its type and checksum. */
  #readRecord(place: Place, type: number, prefixBytes: number): Uint8Array {
    const start = this.#read(place, ENTRY_GUESS_BYTES)
    if (start.length < RECORD_HEADER_BYTES || start[4] !== type) throw damagedEntry(place)
    const bodyBytes = readUint32(start, 0)
    if (bodyBytes < prefixBytes || bodyBytes > FRAME_BYTES_MAX + ADDRESS_BYTES) {
      throw damagedEntry(place)
    }
    const byteLength = recordBytes(bodyBytes)
    const record = byteLength <= start.length ? start : this.#read(place, byteLength)
    const isWhole =
      record.length >= byteLength &&
      plausibleRecordBytes(record, 0, record.subarray(8, 16)) === byteLength &&
      isIntactRecord(record, 0, byteLength)
    if (!isWhole) throw damagedEntry(place)
    return record.subarray(RECORD_HEADER_BYTES + prefixBytes, RECORD_HEADER_BYTES + bodyBytes)
  }

  /** Up to `byteLength` bytes at a place; fewer only at the end of the file. */
  #read(place: Place, byteLength: number, spares?: SpareMemory): Uint8Array {
    return this.#readInto(place, spares?.take(byteLength) ?? new Uint8Array(byteLength))
  }

  #readInto(place: Place, bytes: Uint8Array): Uint8Array {
    const read = readFully(this.#files.file(fileOf(place)), place.offset, bytes)
    return read === bytes.length ? bytes : bytes.subarray(0, read)
  }

  /** Small ones lie together: an array of its own for each costs more than to read it. */
  #allocate(byteLength: number): Uint8Array {
    if (byteLength > ENTRY_GUESS_BYTES) return new Uint8Array(byteLength)
    if (this.#sharedAt + byteLength > this.#shared.length) {
      this.#shared = new Uint8Array(SHARED_BYTES)
      this.#sharedAt = 0
    }
    const start = this.#sharedAt
    this.#sharedAt += byteLength
    return this.#shared.subarray(start, this.#sharedAt)
  }
}

/** Places of entries from `start` on that one read can cover. */
function collectPlaces(branch: Branch, start: number, end: number): EntryPlace[] {
  const first = branch.find(start)
  const places = [first]
  let previous = first
  for (let index = start + 1; index < end; index++) {
    const place = branch.find(index)
    const sameFile = place.segment === first.segment && place.generation === first.generation
    const fits = place.offset > previous.offset && endOf(place) - first.offset <= SCAN_BYTES
    if (!sameFile || !fits) break
    places.push(place)
    previous = place
  }
  return places
}

/** Where the frame at a place ends, or probably ends. */
function endOf(place: EntryPlace): number {
  return place.nextOffset > 0 ? place.nextOffset : place.offset + ENTRY_GUESS_BYTES
}

function fileOf({ segment, generation }: Place): SegmentName {
  return { number: segment, generation }
}

function payloadStateOf(frameState: number): PayloadState {
  if (frameState === FRAME_ERASED) return 'erased'
  return frameState === FRAME_PRESENT ? 'present' : 'absent'
}

function detailsOf(place: Place): { segment: number; offset: number } {
  return { segment: place.segment, offset: place.offset }
}

function checkNotLost(place: Place): void {
  if (!isLost(place)) return
  const message = 'this entry was lost in damage of the journal'
  throw new UnavailableError('STORE_CORRUPT', message, detailsOf(place))
}

function damagedEntry(place: Place): UnavailableError {
  return new UnavailableError('STORE_CORRUPT', 'the journal is damaged here', detailsOf(place))
}
