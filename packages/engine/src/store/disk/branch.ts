/**
 * The committed state of one branch: what changed since the last index flush is here, the rest is
 * in the index.
 *
 * Every change may be applied twice: after a crash the journal is read again from a point that
 * the index may already be past. So entries that are known only move, and heads only grow.
 *
 * Rules IX5 and IX9 of docs/spec/index.md, JR14 of docs/spec/journal.md.
 *
 * @module
 */
import {
  assert,
  type BranchId,
  type CapsuleName,
  type FullTile,
  HASH_BYTES,
  type Head,
} from '@longshore/capsule'
import type { IndexWrite } from '../../runtime/index-store.ts'
import type { BranchState } from '../store.ts'
import type { BlockCache, BlocksRead } from './block-cache.ts'
import { BranchTiles } from './branch-tiles.ts'
import {
  blockKey,
  checkIndex,
  decodeState,
  encodeBranchKey,
  encodeState,
  stateKey,
  tileKey,
  WITHHELD_FOR_EVER,
} from './index-layout.ts'
import type { MaskedIndex } from './masked-index.ts'
import {
  BLOCK_ENTRIES,
  type EntryPlace,
  findInBlock,
  LOST_GENERATION,
  type Place,
  PositionBlock,
  readTimeUsMax,
} from './position-block.ts'

/** Entries as they are added: from a batch, or read back from the journal. */
export interface EntryRun {
  /** Index of the first entry. */
  readonly start: number
  /** Where the first frame lies. */
  readonly place: Place
  /** Where each frame begins, from `place` on. */
  readonly offsets: Uint32Array
  /** 32 bytes per entry. */
  readonly leafHashes: Uint8Array
  /** The tiles that they fill, lower levels first; none where nobody knows them. */
  readonly tiles: readonly FullTile[]
  /** Largest header time of all of them. */
  readonly timeUsMax: number
  /** Header time of the entry at a position in this run. Called only where a block ends. */
  timeUs(position: number): number
}

export class Branch {
  readonly name: CapsuleName
  readonly branch: BranchId
  /** Must not leave the memory: changed, or taken up by a transaction on its way. */
  pins = 0
  /** For choosing what leaves the memory first. */
  lastUse = 0
  isDirty = false
  readonly #key: Uint8Array
  readonly #index: MaskedIndex
  /** Blocks that differ from the index, and the last one once it was needed. */
  readonly #blocks = new Map<number, PositionBlock>()
  /** Blocks as the index has them, of those that were read lately. */
  readonly #readBlocks: BlocksRead = new Map()
  readonly #cache: BlockCache
  readonly #tiles: BranchTiles
  #known = 0
  #head: Head | undefined
  #timeUsMax = 0
  #isDamaged = false
  #withheldEnd = 0

  constructor(name: CapsuleName, branch: BranchId, index: MaskedIndex, cache: BlockCache) {
    this.name = name
    this.branch = branch
    this.#index = index
    this.#cache = cache
    this.#key = encodeBranchKey(name, branch)
    const stored = index.get(stateKey(this.#key))
    if (stored !== undefined) {
      const state = decodeState(stored)
      this.#known = state.known
      this.#head = state.head
      this.#timeUsMax = state.timeUsMax
      this.#isDamaged = state.isDamaged
      this.#withheldEnd = state.withheldEnd
    }
    this.#tiles = new BranchTiles(this.#known, (level, n) =>
      index.get(tileKey(this.#key, level, n)),
    )
  }

  /** Something of it was committed. */
  get exists(): boolean {
    return this.#known > 0 || this.#head !== undefined || this.#isDamaged
  }

  /** Entries that a head covers: what readers see. */
  get size(): number {
    return this.#head?.size ?? 0
  }

  /** Entries that are known, with or without a head. */
  get known(): number {
    return this.#known
  }

  get head(): Head | undefined {
    return this.#head
  }

  /** Part of its history was lost: no appends. */
  get isDamaged(): boolean {
    return this.#isDamaged
  }

  /** An erasure may have been lost. */
  get isWithheld(): boolean {
    return this.#withheldEnd > 0
  }

  /** The bodies of entries before this one may be erased: they are not shown. */
  get withheldEnd(): number {
    return this.#withheldEnd
  }

  /** Entries and head do not belong together, which only lasts within a group. */
  get isUnsettled(): boolean {
    return this.#known !== this.size
  }

  state(): BranchState {
    return {
      size: this.size,
      head: this.#head,
      timeUsMax: this.#timeUsMax,
      isDamaged: this.#isDamaged,
    }
  }

  /** Reads from the index what an append needs, so that applying it cannot fail. */
  prepareAppend(): void {
    if (this.#known % BLOCK_ENTRIES > 0) this.#block(Math.floor(this.#known / BLOCK_ENTRIES))
  }

  /** Adds entries. Those that are known already move to their place in this run. */
  addEntries(run: EntryRun): void {
    const count = run.offsets.length
    const fresh = Math.max(0, this.#known - run.start)
    assert(run.start <= this.#known, 'a gap is declared lost before')
    if (fresh > 0) this.#moveEntries(run, Math.min(fresh, count))
    if (fresh >= count) return
    this.#tiles.append(run.leafHashes.subarray(fresh * HASH_BYTES), run.tiles)
    for (let from = fresh; from < count; ) {
      const block = this.#block(Math.floor((run.start + from) / BLOCK_ENTRIES))
      const before = this.#timeUsMax
      const to = block.appendRun(run.place, run.place.offset, run.offsets, from)
      if (to === count) this.#timeUsMax = Math.max(before, run.timeUsMax)
      else for (let i = from; i < to; i++) this.#raiseTime(run.timeUs(i))
      block.timeUsMax = this.#timeUsMax
      from = to
    }
    this.#known = run.start + count
    this.isDirty = true
  }

  /** Entries up to `end` were lost in damage at `place`. */
  loseEntries(end: number, place: Omit<Place, 'generation'>): void {
    const lost = { ...place, generation: LOST_GENERATION }
    for (let index = this.#known; index < end; index++) {
      const block = this.#block(Math.floor(index / BLOCK_ENTRIES))
      block.set(index % BLOCK_ENTRIES, lost)
      block.timeUsMax = this.#timeUsMax
      this.#tiles.append(new Uint8Array(HASH_BYTES))
    }
    this.#known = Math.max(this.#known, end)
    this.declareDamaged()
  }

  declareDamaged(): void {
    this.#isDamaged = true
    this.isDirty = true
  }

  /** Without `end` also those of entries that are still to come. */
  declareWithheld(end: number = WITHHELD_FOR_EVER): void {
    this.#withheldEnd = Math.max(this.#withheldEnd, end)
    this.isDirty = true
  }

  /** Takes a head unless a larger one is known. */
  setHead(head: Head): void {
    if (head.size < this.size) return
    this.#head = head
    this.isDirty = true
  }

  fill(index: number, place: Place): void {
    this.#block(Math.floor(index / BLOCK_ENTRIES)).fill(index % BLOCK_ENTRIES, place)
    this.isDirty = true
  }

  erase(start: number, end: number): void {
    for (let n = Math.floor(start / BLOCK_ENTRIES); n * BLOCK_ENTRIES < end; n++) {
      const from = Math.max(0, start - n * BLOCK_ENTRIES)
      this.#block(n).erase(from, Math.min(BLOCK_ENTRIES, end - n * BLOCK_ENTRIES))
    }
    this.isDirty = true
  }

  /** Where entry `index` lies; it must be known. */
  find(index: number): EntryPlace {
    const n = Math.floor(index / BLOCK_ENTRIES)
    const block = this.#blocks.get(n)
    if (block !== undefined) return block.find(index % BLOCK_ENTRIES)
    return findInBlock(this.#read(n), index % BLOCK_ENTRIES)
  }

  /** Running maximum of header times at the end of a block. */
  blockTimeUsMax(n: number): number {
    const block = this.#blocks.get(n)
    return block === undefined ? readTimeUsMax(this.#read(n)) : block.timeUsMax
  }

  tile(level: number, n: number, width: number): Uint8Array {
    return this.#tiles.tile(level, n, width)
  }

  /** Everything that the index lacks. */
  collectChanges(into: IndexWrite[]): void {
    for (const [n, block] of this.#blocks) {
      if (block.isDirty) into.push({ key: blockKey(this.#key, n), value: block.encode() })
    }
    for (const { level, n, bytes } of this.#tiles.changes()) {
      into.push({ key: tileKey(this.#key, level, n), value: bytes })
    }
    const state = {
      isDamaged: this.#isDamaged,
      withheldEnd: this.#withheldEnd,
      known: this.#known,
      timeUsMax: this.#timeUsMax,
      head: this.#head,
    }
    into.push({ key: stateKey(this.#key), value: encodeState(state) })
  }

  /** The index holds all changes now. */
  settle(): void {
    const last = Math.floor(this.#known / BLOCK_ENTRIES)
    for (const [n, block] of this.#blocks) {
      if (n === last) block.isDirty = false
      else this.#blocks.delete(n)
    }
    this.#readBlocks.clear()
    this.#tiles.settle()
    this.isDirty = false
  }

  #raiseTime(timeUs: number): void {
    if (timeUs > this.#timeUsMax) this.#timeUsMax = timeUs
  }

  #moveEntries(run: EntryRun, count: number): void {
    for (let i = 0; i < count; i++) {
      const index = run.start + i
      const block = this.#block(Math.floor(index / BLOCK_ENTRIES))
      const offset = run.place.offset + (run.offsets[i] as number)
      block.set(index % BLOCK_ENTRIES, { ...run.place, offset })
    }
    this.isDirty = true
  }

  /** A block to change: in memory from now on until the next index flush. */
  #block(n: number): PositionBlock {
    let block = this.#blocks.get(n)
    if (block !== undefined) return block
    const isNew = n * BLOCK_ENTRIES >= this.#known
    if (isNew) {
      block = new PositionBlock(n)
      block.timeUsMax = this.#timeUsMax
    } else {
      // Another process may have made it longer than what this one knows of.
      const count = Math.min(BLOCK_ENTRIES, this.#known - n * BLOCK_ENTRIES)
      block = PositionBlock.decode(n, this.#read(n), count)
    }
    this.#blocks.set(n, block)
    return block
  }

  #read(n: number): Uint8Array {
    const known = this.#readBlocks.get(n)
    if (known !== undefined) return known
    const bytes = this.#index.get(blockKey(this.#key, n))
    checkIndex(bytes !== undefined)
    this.#cache.keep(this.#readBlocks, n, bytes)
    return bytes
  }
}
