/**
 * Any node of a tree, from its tiles.
 *
 * Tiles hold every eighth row of the tree; the rows between are hashed again when they are needed.
 * That is 255 hashes for a full tile, so the result is kept: proofs for entries in the same tile,
 * or for the same size, then cost a handful. Of leaf tiles only the rows from height 3 on are kept
 * (2 KiB instead of 16 KiB per tile); the rows below take at most three hashes.
 *
 * Rules TR6, TR7 and TR10 of docs/spec/tree.md.
 *
 * @module
 */
import { assert } from '../assert.ts'
import type { Hash } from '../bytes/brands.ts'
import { copyBytes } from '../bytes/bytes.ts'
import { HASH_BYTES } from '../limits.ts'
import { hashNode, hashPairsInto } from './hash.ts'
import { subtreeRoot } from './subtree-root.ts'
import type { TileSource } from './tile.ts'
import {
  entriesPerHash,
  largestPowerOfTwoUpTo,
  TILE_HEIGHT,
  TILE_LEVEL_MAX,
  TILE_WIDTH,
  tileWidth,
} from './tree-shape.ts'

/** A proof touches two tiles per level at most, and there are seven levels. */
export const TILES_PER_PROOF_MAX = 14

/** Lowest row that is kept of a leaf tile. */
const LEAF_TILE_KEPT_HEIGHT = 3

/** Levels are below this; it makes one number of a tile's level and position, at most 2^48. */
const LEVEL_COUNT = 8

interface KeptTile {
  readonly width: number
  /** Row `height - lowest kept height`: floor(width / 2^height) hashes. */
  readonly rows: readonly Uint8Array[]
  wasUsed: boolean
}

export class TreeNodes {
  readonly #source: TileSource
  readonly #tilesMax: number
  /** In the order in which `#forgetOne` looks at them. */
  readonly #kept = new Map<number, KeptTile>()
  /** The tile read last: the low rows of one tile are asked for one after the other. */
  #last: { readonly level: number; readonly n: number; readonly bytes: Uint8Array } | undefined

  /**
   * Keeps the rows of up to `tilesMax` tiles: about 2 KiB for each leaf tile (256 entries) and
   * 16 KiB for each of the few tiles above.
   */
  constructor(source: TileSource, tilesMax: number = TILES_PER_PROOF_MAX) {
    assert(tilesMax >= TILES_PER_PROOF_MAX, 'one proof fits into what is kept')
    this.#source = source
    this.#tilesMax = tilesMax
  }

  /** `source` itself if it keeps nodes already, else something that keeps them for one proof. */
  static over(source: TileSource | TreeNodes): TreeNodes {
    return source instanceof TreeNodes ? source : new TreeNodes(source)
  }

  /**
   * Root of the entries [start, end) in a tree of `size` entries. `start` must be a multiple of
   * the largest power of two that is at most their number: true of every node of the tree and of
   * every subtree.
   */
  rangeRoot(start: number, end: number, size: number): Hash {
    assert(0 <= start && start < end && end <= size, 'the range lies in the tree')
    const complete: Hash[] = []
    let position = start
    while (position < end) {
      const span = largestPowerOfTwoUpTo(end - position)
      complete.push(this.#completeRoot(position, span, size))
      position += span
    }
    return complete.reduceRight((right, left) => hashNode(left, right))
  }

  /** Root of the complete subtree over [start, start + span), `span` a power of two. */
  #completeRoot(start: number, span: number, size: number): Hash {
    let level = 0
    while (level < TILE_LEVEL_MAX && entriesPerHash(level + 1) <= span) level++
    const first = start / entriesPerHash(level)
    const count = span / entriesPerHash(level)
    assert(first % count === 0, 'a complete subtree begins at a multiple of its span')
    const n = Math.floor(first / TILE_WIDTH)
    const offset = first - n * TILE_WIDTH
    const width = tileWidth(level, n, size)

    const lowest = lowestKeptHeight(level)
    if (count < 2 ** lowest) {
      const tile = this.#read(level, n, width)
      return subtreeRoot(tile.subarray(offset * HASH_BYTES, (offset + count) * HASH_BYTES))
    }
    let height = lowest
    while (2 ** height < count) height++
    const row = this.#rows(level, n, width)[height - lowest]
    const position = (offset / count) * HASH_BYTES
    assert(row !== undefined && position < row.length, 'the subtree is complete in this tile')
    return copyBytes(row, position, position + HASH_BYTES) as Hash
  }

  /** The kept rows of a tile. They may be those of a wider one: complete nodes never change. */
  #rows(level: number, n: number, width: number): readonly Uint8Array[] {
    const key = n * LEVEL_COUNT + level
    const kept = this.#kept.get(key)
    if (kept !== undefined && kept.width >= width) {
      kept.wasUsed = true
      return kept.rows
    }
    const rows = createRows(this.#read(level, n, width), lowestKeptHeight(level))
    this.#kept.set(key, { width, rows, wasUsed: false })
    if (this.#kept.size > this.#tilesMax) this.#forgetOne()
    return rows
  }

  /** Second chance: the oldest tile that nobody asked for again since it was looked at last. */
  #forgetOne(): void {
    for (const [key, tile] of this.#kept) {
      this.#kept.delete(key)
      if (!tile.wasUsed) return
      tile.wasUsed = false
      this.#kept.set(key, tile)
    }
  }

  #read(level: number, n: number, width: number): Uint8Array {
    const last = this.#last
    const byteLength = width * HASH_BYTES
    if (last?.level === level && last.n === n && last.bytes.length >= byteLength) return last.bytes
    const bytes = this.#source.tile(level, n, width)
    assert(bytes.length === byteLength, 'a tile source returns what it was asked for')
    this.#last = { level, n, bytes }
    return bytes
  }
}

function lowestKeptHeight(level: number): number {
  return level === 0 ? LEAF_TILE_KEPT_HEIGHT : 0
}

/** The rows of a tile from height `lowest` to 7; `hashes` is row 0. */
function createRows(hashes: Uint8Array, lowest: number): Uint8Array[] {
  const rows: Uint8Array[] = []
  let row = hashes
  for (let height = 0; height < TILE_HEIGHT; height++) {
    if (height >= lowest) rows.push(row)
    const pairs = Math.floor(row.length / (2 * HASH_BYTES))
    const above = new Uint8Array(pairs * HASH_BYTES)
    hashPairsInto(above, 0, row, 0, pairs)
    row = above
  }
  return rows
}
