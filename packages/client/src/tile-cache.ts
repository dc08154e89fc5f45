/**
 * Verified tiles of one branch, in bounded memory.
 *
 * A full tile never changes, and it was compared with the signed tree before it came here, so it
 * can be believed for as long as it is kept. The tiles used longest ago go first.
 *
 * @module
 */

/** Levels are below this; it makes one number of level and position. */
const LEVEL_COUNT = 8
const TILE_BYTES = 8192

export class TileCache {
  readonly #tiles = new Map<number, Uint8Array>()
  readonly #countMax: number

  /** Keeps at most `bytesMax` bytes of tiles, and always one tile. */
  constructor(bytesMax: number) {
    this.#countMax = Math.max(1, Math.floor(bytesMax / TILE_BYTES))
  }

  get(level: number, n: number): Uint8Array | undefined {
    return this.#tiles.get(n * LEVEL_COUNT + level)
  }

  /** `bytes` are kept as they are: nobody may change them. */
  put(level: number, n: number, bytes: Uint8Array): void {
    const key = n * LEVEL_COUNT + level
    this.#tiles.delete(key)
    this.#tiles.set(key, bytes)
    if (this.#tiles.size <= this.#countMax) return
    for (const oldest of this.#tiles.keys()) {
      this.#tiles.delete(oldest)
      return
    }
  }
}
