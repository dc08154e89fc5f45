/**
 * The right edge of a growing tree: all that a writer needs in order to append and to know the
 * root, whatever the size.
 *
 * It holds one partial tile per level and, per height, the root of a complete subtree that waits
 * for its right sibling: a binary counter whose digits are hashes. An append costs one node hash
 * per leaf on average, allocates nothing per leaf, and hands out each tile once, when it is full.
 *
 * Rules TR2-TR5, TR8 and TR9 of docs/spec/tree.md.
 *
 * @module
 */
import { assert } from '../assert.ts'
import type { Hash } from '../bytes/brands.ts'
import { sha256Into } from '../crypto/sha256.ts'
import { HASH_BYTES } from '../limits.ts'
import { EMPTY_ROOT, hashNode, NODE_BYTES, NODE_PREFIX } from './hash.ts'
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

/** Where the two children lie in a node. */
const LEFT = 1
const RIGHT: number = 1 + HASH_BYTES

/** One digit of the counter. */
interface Slot {
  /** Ready input of the hash above: 0x01 || left || right. */
  readonly node: Uint8Array
  /** True while the left child waits for the right one. */
  occupied: boolean
}

/** The hashes of a level that do not fill a tile yet. */
interface PartialTile {
  bytes: Uint8Array
  /** Position of this tile in its level. */
  n: number
  width: number
}

export class RightEdge {
  #size = 0
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
      for (let position = 0; position < tile.length; position += HASH_BYTES) {
        edge.#add(level, tile, position, full)
      }
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
    for (let position = 0; position < leafHashes.length; position += HASH_BYTES) {
      this.#add(0, leafHashes, position, full)
    }
    this.#size += count
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
    const full: FullTile[] = [{ level: 0, n: tile.n++, bytes: leafHashes.slice() }]
    this.#add(1, root, 0, full)
    this.#size += TILE_WIDTH
    return full
  }

  /** Root of the tree. At most one hash per bit of the size; nothing is read. */
  root(): Hash {
    let root: Hash | undefined
    for (const { node, occupied } of this.#slots) {
      if (!occupied) continue
      const left = node.slice(LEFT, RIGHT) as Hash
      root = root === undefined ? left : hashNode(left, root)
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
    for (const { node, occupied } of this.#slots) copy.#slots.push({ node: node.slice(), occupied })
    for (const tile of this.#tiles) copy.#tiles.push({ ...tile, bytes: tile.bytes.slice() })
    return copy
  }

  #tile(level: number): PartialTile {
    while (this.#tiles.length <= level) this.#tiles.push({ bytes: NO_BYTES, n: 0, width: 0 })
    return this.#tiles[level] as PartialTile
  }

  #slot(height: number): Slot {
    while (this.#slots.length <= height) {
      const node = new Uint8Array(NODE_BYTES)
      node[0] = NODE_PREFIX
      this.#slots.push({ node, occupied: false })
    }
    return this.#slots[height] as Slot
  }

  /** Takes in one hash of tile `level`: into the tile, and into the counter at that height. */
  #add(level: number, from: Uint8Array, position: number, full: FullTile[]): void {
    this.#extendTile(level, from, position, full)
    let height = level * TILE_HEIGHT
    let slot = this.#slot(height)
    copyHash(slot.node, slot.occupied ? RIGHT : LEFT, from, position)
    while (slot.occupied) {
      slot.occupied = false
      height++
      const above = this.#slot(height)
      const side = above.occupied ? RIGHT : LEFT
      sha256Into(above.node, side, slot.node, 0, NODE_BYTES)
      if (height % TILE_HEIGHT === 0) {
        this.#extendTile(height / TILE_HEIGHT, above.node, side, full)
      }
      slot = above
    }
    slot.occupied = true
  }

  #extendTile(level: number, from: Uint8Array, position: number, full: FullTile[]): void {
    const tile = this.#tile(level)
    if (tile.width === 0) tile.bytes = new Uint8Array(TILE_BYTES)
    copyHash(tile.bytes, tile.width * HASH_BYTES, from, position)
    tile.width++
    if (tile.width < TILE_WIDTH) return
    full.push({ level, n: tile.n, bytes: tile.bytes })
    tile.n++
    tile.width = 0
    tile.bytes = NO_BYTES
  }
}

/** Byte by byte: for 32 bytes this beats `set`, which would need a view. */
function copyHash(to: Uint8Array, toOffset: number, from: Uint8Array, fromOffset: number): void {
  for (let i = 0; i < HASH_BYTES; i++) to[toOffset + i] = from[fromOffset + i] as number
}
