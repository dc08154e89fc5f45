/**
 * Tiles of one tree in memory.
 *
 * @module
 */
import type { FullTile, RightEdge, TileSource } from '@longshore/capsule'

const LEVELS_MAX = 7

export class MemoryTiles implements TileSource {
  readonly #tiles = new Map<string, Uint8Array>()

  keep(tiles: readonly FullTile[]): void {
    for (const { level, n, bytes } of tiles) this.#tiles.set(`${level}/${n}`, bytes)
  }

  /** The tiles beyond the full ones; once, when the tree does not grow any more. */
  keepPartial(edge: RightEdge): void {
    for (let level = 0; level < LEVELS_MAX; level++) {
      const bytes = edge.partialTile(level)
      const n = Math.floor(edge.size / 256 ** (level + 1))
      if (bytes.length > 0) this.#tiles.set(`${level}/${n}`, bytes)
    }
  }

  tile(level: number, n: number, width: number): Uint8Array {
    const bytes = this.#tiles.get(`${level}/${n}`)
    if (bytes === undefined) throw new Error(`there is no tile ${level}/${n}`)
    return bytes.subarray(0, 32 * width)
  }
}
