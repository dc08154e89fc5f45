/**
 * The root of a tree that is kept as tiles.
 *
 * Rules TR3 and TR9 of docs/spec/tree.md.
 *
 * @module
 */
import type { Hash } from '../bytes/brands.ts'
import { RightEdge } from './right-edge.ts'
import type { TileSource } from './tile.ts'

/** Root of the first `size` entries. Reads at most one tile per level. */
export function rootFromTiles(source: TileSource, size: number): Hash {
  return RightEdge.open(source, size).root()
}
