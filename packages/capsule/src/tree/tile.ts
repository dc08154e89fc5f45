/**
 * Tiles: rows of 256 hashes, the only form in which a tree is kept.
 *
 * Hash i of tile (level, n) is the root of the complete subtree over the entries
 * [(256n + i) * 256^level, (256n + i + 1) * 256^level). Level 0 holds the leaf hashes.
 *
 * Rules TR6 and TR7 of docs/spec/tree.md; C2SP tlog-tiles.
 *
 * @module
 */
import type { Hash } from '../bytes/brands.ts'

/** A tile of 256 hashes that an append completed. */
export interface FullTile {
  readonly level: number
  /** Position of the tile in its level. */
  readonly n: number
  /** Exactly 8192 bytes. */
  readonly bytes: Uint8Array
  /** Root over its 256 hashes: the hash number `n` of the level above. */
  readonly root: Hash
}

/** Where tiles are read from: a store, a directory, memory. */
export interface TileSource {
  /**
   * The first `width` (1..256) hashes of a tile: exactly 32 * width bytes, which nobody changes
   * afterwards. A source that cannot give them throws; it never returns fewer bytes.
   *
   * What a source returns is believed here: a proof made from wrong tiles is refused by whoever
   * verifies it, and `RightEdge.root()` is to be compared with a signed root.
   */
  tile(level: number, n: number, width: number): Uint8Array
}
