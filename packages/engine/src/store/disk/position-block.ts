/**
 * Where 256 consecutive entries of a branch lie in the journal, and what became of their payloads.
 *
 * `PositionBlock` is the form in memory, for blocks that change; `findInBlock` reads one position
 * from the encoded form without decoding the rest. Rule IX2 of docs/spec/index.md shows the bytes.
 *
 * @module
 */
import { assert } from '@longshore/capsule'
import {
  readUint16,
  readUint32,
  readUint64,
  writeUint16,
  writeUint32,
  writeUint64,
} from './big-endian.ts'
import { checkIndex } from './index-layout.ts'

export const BLOCK_ENTRIES = 256

/** In place of a generation: the entry is lost, and the offset says where the damage begins. */
export const LOST_GENERATION = 0xffff_ffff

const HEAD_BYTES = 16
const RUN_BYTES = 9
const OFFSET_BYTES = 4
const ERASED_BYTES: number = BLOCK_ENTRIES / 8
const FILL_BYTES = 13
const PLACE_BYTES = 12

const FLAG_ERASED = 1
const FLAG_FILLS = 2

/** A place in the journal. */
export interface Place {
  readonly segment: number
  readonly generation: number
  readonly offset: number
}

/** Where one entry lies. */
export interface EntryPlace extends Place {
  /** Where the next entry lies, if that is known and behind this one in the same file; else 0. */
  readonly nextOffset: number
  readonly erased: boolean
  /** The payload record that filled this hole. */
  readonly fill: Place | undefined
}

export function isLost(place: Place): boolean {
  return place.generation === LOST_GENERATION
}

export function encodePlace(place: Place): Uint8Array {
  const bytes = new Uint8Array(PLACE_BYTES)
  writePlace(bytes, 0, place)
  return bytes
}

export function decodePlace(bytes: Uint8Array): Place {
  checkIndex(bytes.length === PLACE_BYTES)
  return readPlace(bytes, 0)
}

function writePlace(bytes: Uint8Array, at: number, place: Place): void {
  writeUint32(bytes, at, place.segment)
  writeUint32(bytes, at + 4, place.generation)
  writeUint32(bytes, at + 8, place.offset)
}

function readPlace(bytes: Uint8Array, at: number): Place {
  return {
    segment: readUint32(bytes, at),
    generation: readUint32(bytes, at + 4),
    offset: readUint32(bytes, at + 8),
  }
}

/** Three words per entry: where, in which segment, in which generation of it. */
const OFFSET = 0
const SEGMENT = 1
const GENERATION = 2
const WORDS = 3

export class PositionBlock {
  /** Position of this block in its branch. */
  readonly n: number
  count = 0
  /** Largest header time of all entries of the branch up to the last one in this block. */
  timeUsMax = 0
  /** Differs from what the index holds. */
  isDirty = false
  #words: Uint32Array = new Uint32Array(8 * WORDS)
  #erased: Uint8Array | undefined
  #erasedCount = 0
  #fills: Map<number, Place> | undefined

  constructor(n: number) {
    this.n = n
  }

  /**
   * Appends entries that lie in one segment file: entry j at `base + offsets[j]`, for j from
   * `from` on, as many as fit. Returns one past the last one taken.
   */
  appendRun(file: Omit<Place, 'offset'>, base: number, offsets: Uint32Array, from: number): number {
    const taken = Math.min(BLOCK_ENTRIES - this.count, offsets.length - from)
    this.#reserve(this.count + taken)
    const { segment, generation } = file
    let at = this.count * WORDS
    for (let j = from; j < from + taken; j++) {
      this.#words[at + OFFSET] = base + (offsets[j] as number)
      this.#words[at + SEGMENT] = segment
      this.#words[at + GENERATION] = generation
      at += WORDS
    }
    this.count += taken
    this.isDirty = true
    return from + taken
  }

  /** Appends one entry, or moves one that is there. */
  set(position: number, place: Place): void {
    assert(position <= this.count && position < BLOCK_ENTRIES, 'blocks have no gaps')
    if (position === this.count) this.#reserve(++this.count)
    const at = position * WORDS
    this.#words[at + OFFSET] = place.offset
    this.#words[at + SEGMENT] = place.segment
    this.#words[at + GENERATION] = place.generation
    this.isDirty = true
  }

  /** Cheap where everything is erased: a writer may say so again with every entry. */
  erase(start: number, end: number): void {
    if (this.#erasedCount === this.count) return
    this.#erased ??= new Uint8Array(ERASED_BYTES)
    for (let position = start; position < end; position++) {
      if (this.#isErased(position)) continue
      const byte = this.#erased[position >>> 3] as number
      this.#erased[position >>> 3] = byte | (1 << (position & 7))
      this.#erasedCount++
      this.#fills?.delete(position)
      this.isDirty = true
    }
  }

  /** Notes the payload record of a hole. The first one stays, unless its segment was rewritten. */
  fill(position: number, place: Place): void {
    if (this.#isErased(position)) return
    this.#fills ??= new Map()
    const known = this.#fills.get(position)
    const moved = known?.segment === place.segment && known.generation !== place.generation
    if (known !== undefined && !moved) return
    this.#fills.set(position, place)
    this.isDirty = true
  }

  find(position: number): EntryPlace {
    assert(position < this.count, 'the block has this entry')
    const at = position * WORDS
    const words = this.#words
    const offset = words[at + OFFSET] as number
    const segment = words[at + SEGMENT] as number
    const generation = words[at + GENERATION] as number
    let nextOffset = 0
    if (position + 1 < this.count && words[at + WORDS + SEGMENT] === segment) {
      const next = words[at + WORDS + OFFSET] as number
      if (words[at + WORDS + GENERATION] === generation && next > offset) nextOffset = next
    }
    const erased = this.#isErased(position)
    return { segment, generation, offset, nextOffset, erased, fill: this.#fills?.get(position) }
  }

  encode(): Uint8Array {
    const runs = this.#runs()
    const fills = [...(this.#fills ?? [])].sort(([a], [b]) => a - b)
    const erased = this.#erased
    const out = new Uint8Array(
      HEAD_BYTES +
        runs.length * RUN_BYTES +
        this.count * OFFSET_BYTES +
        (erased === undefined ? 0 : ERASED_BYTES) +
        fills.length * FILL_BYTES,
    )
    writeUint16(out, 0, this.count)
    out[2] = (erased === undefined ? 0 : FLAG_ERASED) | (fills.length === 0 ? 0 : FLAG_FILLS)
    writeUint16(out, 4, runs.length)
    writeUint16(out, 6, fills.length)
    writeUint64(out, 8, this.timeUsMax)
    let at = HEAD_BYTES
    for (const first of runs) {
      out[at] = first
      writeUint32(out, at + 1, this.#words[first * WORDS + SEGMENT] as number)
      writeUint32(out, at + 5, this.#words[first * WORDS + GENERATION] as number)
      at += RUN_BYTES
    }
    for (let i = 0; i < this.count; i++, at += OFFSET_BYTES) {
      writeUint32(out, at, this.#words[i * WORDS + OFFSET] as number)
    }
    if (erased !== undefined) out.set(erased, at)
    at += erased === undefined ? 0 : ERASED_BYTES
    for (const [position, place] of fills) {
      out[at] = position
      writePlace(out, at + 1, place)
      at += FILL_BYTES
    }
    return out
  }

  /** The first `count` entries of an encoded block. */
  static decode(n: number, bytes: Uint8Array, count: number): PositionBlock {
    const block = new PositionBlock(n)
    for (let i = 0; i < count; i++) {
      const place = findInBlock(bytes, i)
      block.set(i, place)
      if (place.erased) block.erase(i, i + 1)
      if (place.fill !== undefined) block.fill(i, place.fill)
    }
    block.timeUsMax = readTimeUsMax(bytes)
    block.isDirty = false
    return block
  }

  #isErased(position: number): boolean {
    return this.#erased !== undefined && isBitSet(this.#erased, 0, position)
  }

  /** First entry of each run. */
  #runs(): number[] {
    const runs: number[] = []
    for (let at = 0; at < this.count * WORDS; at += WORDS) {
      const sameFile =
        at > 0 &&
        this.#words[at + SEGMENT] === this.#words[at - WORDS + SEGMENT] &&
        this.#words[at + GENERATION] === this.#words[at - WORDS + GENERATION]
      if (!sameFile) runs.push(at / WORDS)
    }
    return runs
  }

  #reserve(count: number): void {
    if (count * WORDS <= this.#words.length) return
    const grown = new Uint32Array(Math.min(BLOCK_ENTRIES, Math.max(count, count * 2)) * WORDS)
    grown.set(this.#words)
    this.#words = grown
  }
}

interface BlockLayout {
  readonly count: number
  readonly runCount: number
  readonly fillCount: number
  readonly offsetsAt: number
  /** 0 if nothing is erased. */
  readonly erasedAt: number
  readonly fillsAt: number
}

function readLayout(bytes: Uint8Array): BlockLayout {
  const count = readUint16(bytes, 0)
  const flags = bytes[2] as number
  const runCount = readUint16(bytes, 4)
  const fillCount = readUint16(bytes, 6)
  const offsetsAt = HEAD_BYTES + runCount * RUN_BYTES
  const behindOffsets = offsetsAt + count * OFFSET_BYTES
  const hasErased = (flags & FLAG_ERASED) !== 0
  const fillsAt = behindOffsets + (hasErased ? ERASED_BYTES : 0)
  checkIndex(fillsAt + fillCount * FILL_BYTES === bytes.length)
  return { count, runCount, fillCount, offsetsAt, erasedAt: hasErased ? behindOffsets : 0, fillsAt }
}

export function readTimeUsMax(block: Uint8Array): number {
  return readUint64(block, 8)
}

/** Entry `position` of an encoded block; it must have it. */
export function findInBlock(bytes: Uint8Array, position: number): EntryPlace {
  const layout = readLayout(bytes)
  checkIndex(position < layout.count && layout.runCount > 0 && bytes[HEAD_BYTES] === 0)
  let run = layout.runCount - 1
  while ((bytes[HEAD_BYTES + run * RUN_BYTES] as number) > position) run--
  const runAt = HEAD_BYTES + run * RUN_BYTES
  const nextRunFirst = run + 1 < layout.runCount ? bytes[runAt + RUN_BYTES] : layout.count
  const offset = readUint32(bytes, layout.offsetsAt + position * OFFSET_BYTES)
  let nextOffset = 0
  if (position + 1 < (nextRunFirst as number)) {
    const next = readUint32(bytes, layout.offsetsAt + (position + 1) * OFFSET_BYTES)
    if (next > offset) nextOffset = next
  }
  return {
    segment: readUint32(bytes, runAt + 1),
    generation: readUint32(bytes, runAt + 5),
    offset,
    nextOffset,
    erased: layout.erasedAt > 0 && isBitSet(bytes, layout.erasedAt, position),
    fill: layout.fillCount > 0 ? findFill(bytes, layout, position) : undefined,
  }
}

function findFill(bytes: Uint8Array, layout: BlockLayout, position: number): Place | undefined {
  for (let i = 0; i < layout.fillCount; i++) {
    const at = layout.fillsAt + i * FILL_BYTES
    if (bytes[at] === position) return readPlace(bytes, at + 1)
  }
  return undefined
}

function isBitSet(bytes: Uint8Array, base: number, position: number): boolean {
  return (((bytes[base + (position >>> 3)] as number) >>> (position & 7)) & 1) === 1
}
