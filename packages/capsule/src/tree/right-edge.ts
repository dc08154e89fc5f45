/**
 * The right edge of a growing tree: all that a writer needs in order to append and to know the
 * root, whatever the size.
 *
 * It holds one partial tile per level and, per height, the root of a complete subtree that waits
 * for its right sibling: a binary counter whose digits are hashes. An append costs one node hash
 * per leaf on average, allocates nothing per leaf, and hands out each tile once, when it is full.
 * It goes up row by row, because a row of nodes is hashed much faster than node after node.
 *
 * Rules TR2-TR5, TR8 and TR9 of docs/spec/tree.md.
 *
 * @module
 */
import { assert } from '../assert.ts'
import type { Hash } from '../bytes/brands.ts'
import { HASH_BYTES } from '../limits.ts'
import { EMPTY_ROOT, hashNode, hashPairsInto } from './hash.ts'
import type { FullTile, TileSource } from './tile.ts'
import {
  fullTileCount,
  isSize,
  TILE_HEIGHT,
  TILE_LEVEL_MAX,
  TILE_WIDTH,
  tileWidth,
} from './tree-shape.ts'

const TILE_BYTES: number = TILE_WIDTH * HASH_BYTES
const NO_BYTES: Uint8Array = new Uint8Array(0)

/** Hashes that go up together: their rows stay in the processor's cache. */
const ROW_COUNT_MAX = 1024
/** The row in work, behind room for the hash that waits for it. Nothing in it outlives a call. */
const row: Uint8Array = new Uint8Array(HASH_BYTES + ROW_COUNT_MAX * HASH_BYTES)
const ROW_AT = HASH_BYTES

/** One digit of the counter. */
interface Slot {
  /** Root of the subtree that waits for its right sibling. */
  readonly left: Uint8Array
  occupied: boolean
}

/** The hashes of a level that do not fill a tile yet. */
interface PartialTile {
  bytes: Uint8Array
  /** Position of this tile in its level. */
  n: number
  width: number
}

type FilledTile = Omit<FullTile, 'root'>

export class RightEdge {
  #size = 0
  /** Of this size; undefined until somebody asks for it. */
  #root: Hash | undefined
  /** By height. */
  readonly #slots: Slot[] = []
  /** By level. */
  readonly #tiles: PartialTile[] = []

  private constructor() {}

  /** The edge of a tree without entries. */
  static empty(): RightEdge {
    return new RightEdge()
  }

  /**
   * The edge of an existing tree, from its right-most tiles: at most one read per level, seven for
   * the largest tree. Compare `root()` with a signed root before relying on it.
   */
  static open(source: TileSource, size: number): RightEdge {
    assert(isSize(size), 'a size is a safe integer')
    const edge = new RightEdge()
    edge.#size = size
    const full: FullTile[] = []
    for (let level = 0; level <= TILE_LEVEL_MAX; level++) {
      const n = fullTileCount(level, size)
      const width = tileWidth(level, n, size)
      edge.#tile(level).n = n
      if (width === 0) continue
      const tile = source.tile(level, n, width)
      assert(tile.length === width * HASH_BYTES, 'a tile source returns what it was asked for')
      edge.#addRow(level * TILE_HEIGHT, tile, full)
    }
    assert(full.length === 0, 'partial tiles do not add up to a full one')
    return edge
  }

  /** Entries in the tree. */
  get size(): number {
    return this.#size
  }

  /**
   * Appends leaves, given as their hashes one after the other (32 bytes each). Returns the tiles
   * that are full now and were not before, lower levels first.
   */
  append(leafHashes: Uint8Array): FullTile[] {
    const count = leafHashes.length / HASH_BYTES
    assert(Number.isInteger(count), 'leaf hashes have 32 bytes each')
    assert(isSize(this.#size + count), 'a tree holds at most 2^53 - 1 entries')
    const full: FullTile[] = []
    const rowBytes = ROW_COUNT_MAX * HASH_BYTES
    for (let position = 0; position < leafHashes.length; position += rowBytes) {
      this.#addRow(0, leafHashes.subarray(position, position + rowBytes), full)
    }
    this.#grow(count)
    return full.sort((a, b) => a.level - b.level)
  }

  /**
   * Appends the 256 leaves of one tile, whose root is known because it was verified: nothing of
   * the tile is hashed again. The tree must end with a full tile. Like `append` otherwise.
   */
  appendTile(leafHashes: Uint8Array, root: Hash): FullTile[] {
    assert(this.#size % TILE_WIDTH === 0, 'a tile begins here')
    assert(leafHashes.length === TILE_BYTES, 'a tile has 256 leaves')
    assert(isSize(this.#size + TILE_WIDTH), 'a tree holds at most 2^53 - 1 entries')
    const tile = this.#tile(0)
    const full: FullTile[] = [{ level: 0, n: tile.n++, bytes: leafHashes.slice(), root }]
    this.#addRow(TILE_HEIGHT, root, full)
    this.#grow(TILE_WIDTH)
    return full
  }

  #grow(count: number): void {
    this.#size += count
    this.#root = undefined
  }

  /** Root of the tree. At most one hash per bit of the size, once; nothing is read. */
  root(): Hash {
    this.#root ??= this.#computeRoot()
    return this.#root
  }

  #computeRoot(): Hash {
    let root: Hash | undefined
    for (const { left, occupied } of this.#slots) {
      if (!occupied) continue
      root = root === undefined ? (left.slice() as Hash) : hashNode(left, root)
    }
    return root ?? EMPTY_ROOT
  }

  /** The hashes of `level` beyond its last full tile, 32 bytes each; a copy, possibly empty. */
  partialTile(level: number): Uint8Array {
    const { bytes, width } = this.#tile(level)
    return bytes.slice(0, width * HASH_BYTES)
  }

  /** An independent copy: appending to one does not change the other. */
  clone(): RightEdge {
    const copy = new RightEdge()
    copy.#size = this.#size
    copy.#root = this.#root
    for (const { left, occupied } of this.#slots) copy.#slots.push({ left: left.slice(), occupied })
    for (const tile of this.#tiles) copy.#tiles.push({ ...tile, bytes: tile.bytes.slice() })
    return copy
  }

  #tile(level: number): PartialTile {
    while (this.#tiles.length <= level) this.#tiles.push({ bytes: NO_BYTES, n: 0, width: 0 })
    return this.#tiles[level] as PartialTile
  }

  #slot(height: number): Slot {
    while (this.#slots.length <= height) {
      this.#slots.push({ left: new Uint8Array(HASH_BYTES), occupied: false })
    }
    return this.#slots[height] as Slot
  }

  /**
   * Takes in hashes of one height, at most ROW_COUNT_MAX: into the tile if there is a level of
   * tiles at this height, and into the counter, whose carry is the row of the next height.
   */
  #addRow(fromHeight: number, hashes: Uint8Array, full: FullTile[]): void {
    row.set(hashes, ROW_AT)
    let count = hashes.length / HASH_BYTES
    let filled: FilledTile[] = []
    for (let height = fromHeight; count > 0; height++) {
      if (height % TILE_HEIGHT === 0) {
        // These hashes are the roots of what was filled one level below, in the same order.
        for (const [i, tile] of filled.entries()) full.push({ ...tile, root: hashOfRow(i) })
        filled = this.#extendTiles(height / TILE_HEIGHT, count)
      }
      count = this.#carry(this.#slot(height), count)
    }
    assert(filled.length === 0, 'what fills a tile reaches the level above it')
  }

  /** Joins neighbours in the row; the result is the next row. Returns how many hashes that has. */
  #carry(slot: Slot, count: number): number {
    const first = slot.occupied ? 0 : ROW_AT
    if (slot.occupied) row.set(slot.left, 0)
    const total = slot.occupied ? count + 1 : count
    const pairs = Math.floor(total / 2)
    slot.occupied = total % 2 === 1
    if (slot.occupied) {
      const last = first + (total - 1) * HASH_BYTES
      slot.left.set(row.subarray(last, last + HASH_BYTES))
    }
    hashPairsInto(row, 0, row, first, pairs)
    row.copyWithin(ROW_AT, 0, pairs * HASH_BYTES)
    return pairs
  }

  /** Takes the row into the tiles of a level; returns those that it fills. */
  #extendTiles(level: number, count: number): FilledTile[] {
    const tile = this.#tile(level)
    const filled: FilledTile[] = []
    for (let done = 0; done < count; ) {
      const taken = Math.min(TILE_WIDTH - tile.width, count - done)
      if (tile.width === 0) tile.bytes = new Uint8Array(TILE_BYTES)
      const from = ROW_AT + done * HASH_BYTES
      tile.bytes.set(row.subarray(from, from + taken * HASH_BYTES), tile.width * HASH_BYTES)
      tile.width += taken
      done += taken
      if (tile.width < TILE_WIDTH) continue
      filled.push({ level, n: tile.n, bytes: tile.bytes })
      tile.n++
      tile.width = 0
      tile.bytes = NO_BYTES
    }
    return filled
  }
}

/** A copy of one hash of the row in work. */
function hashOfRow(position: number): Hash {
  const at = ROW_AT + position * HASH_BYTES
  return row.slice(at, at + HASH_BYTES) as Hash
}
