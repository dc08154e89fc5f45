/**
 * The tiles of one branch, as far as they differ from the index.
 *
 * Level 0 grows with every append. Hashes of higher levels are made when somebody needs them or
 * the index is written: one full tile below gives one hash above. Bytes that were handed out are
 * never overwritten.
 *
 * @module
 */
import {
  assert,
  type FullTile,
  HASH_BYTES,
  subtreeRoot,
  UnavailableError,
} from '@longshore/capsule'
import { isZero } from './big-endian.ts'

export const TILE_WIDTH = 256
const TILE_BYTES: number = TILE_WIDTH * HASH_BYTES
const WIDTH_MIN = 8

/** Reads tiles that are in the index: the bytes under the key, or undefined. */
export type IndexTiles = (level: number, n: number) => Uint8Array | undefined

interface Level {
  /** Hashes that exist here or in the index. */
  count: number
  /** The last tile, unless `count` is a multiple of 256; undefined while only the index has it. */
  open: Uint8Array | undefined
  openIsDirty: boolean
  /** Full tiles that the index does not have. */
  readonly full: Map<number, Uint8Array>
}

export interface ChangedTile {
  readonly level: number
  readonly n: number
  readonly bytes: Uint8Array
}

export class BranchTiles {
  readonly #index: IndexTiles
  readonly #levels: Level[] = []

  /** The index holds all tiles of a branch with `size` entries. */
  constructor(size: number, index: IndexTiles) {
    this.#index = index
    for (let count = size; count > 0; count = Math.floor(count / TILE_WIDTH)) {
      this.#levels.push({ count, open: undefined, openIsDirty: false, full: new Map() })
    }
  }

  /** Leaf hashes that are known. */
  get size(): number {
    return this.#levels[0]?.count ?? 0
  }

  /**
   * Appends leaf hashes, 32 bytes each. `tiles` are those that they fill, lower levels first, or
   * none: their roots, which the writer has computed already, need not be hashed again.
   */
  append(leafHashes: Uint8Array, tiles: readonly FullTile[] = []): void {
    this.#push(0, leafHashes)
    for (const { level, n, root } of tiles) {
      // A level that lags behind is completed when somebody needs it.
      if (this.#level(level + 1).count === n && n < this.#expected(level + 1)) {
        this.#push(level + 1, root)
      }
    }
  }

  /** The first `width` hashes of a tile; the caller has checked that they lie within the size. */
  tile(level: number, n: number, width: number): Uint8Array {
    this.#complete(level)
    const found = this.#find(level, n)
    if (found === undefined || found.length < width * HASH_BYTES) {
      const details = { level, n, width }
      const message = 'the index lacks a tile; fsck --repair rebuilds it'
      throw new UnavailableError('STORE_CORRUPT', message, details)
    }
    const bytes = found.subarray(0, width * HASH_BYTES)
    for (let at = 0; at < bytes.length; at += HASH_BYTES) {
      if (bytes[at] === 0 && isZero(bytes, at, at + HASH_BYTES)) {
        const details = { level, n, width }
        throw new UnavailableError('STORE_CORRUPT', 'a leaf hash was lost to damage', details)
      }
    }
    return bytes
  }

  /** Everything that the index lacks, lower levels first. */
  changes(): ChangedTile[] {
    const changed: ChangedTile[] = []
    for (let level = 0; level < this.#levels.length || this.#expected(level) > 0; level++) {
      this.#complete(level)
      const { full, open, openIsDirty, count } = this.#level(level)
      for (const [n, bytes] of full) changed.push({ level, n, bytes })
      if (open === undefined || !openIsDirty) continue
      const n = Math.floor(count / TILE_WIDTH)
      changed.push({ level, n, bytes: open.slice(0, (count % TILE_WIDTH) * HASH_BYTES) })
    }
    return changed
  }

  /** The index holds `changes` now. */
  settle(): void {
    for (const level of this.#levels) {
      level.full.clear()
      level.openIsDirty = false
    }
  }

  #level(level: number): Level {
    while (this.#levels.length <= level) {
      this.#levels.push({ count: 0, open: undefined, openIsDirty: false, full: new Map() })
    }
    return this.#levels[level] as Level
  }

  /** Hashes that a level has once every full tile below is hashed. */
  #expected(level: number): number {
    const below = level === 0 ? undefined : this.#levels[level - 1]
    return below === undefined ? 0 : Math.floor(below.count / TILE_WIDTH)
  }

  /** Hashes full tiles of the levels below into this one. */
  #complete(level: number): void {
    for (let l = 1; l <= level; l++) {
      const expected = this.#expected(l)
      for (let n = this.#level(l).count; n < expected; n++) {
        const below = this.#find(l - 1, n)
        assert(below?.length === TILE_BYTES, 'a full tile lies below each hash')
        // The root over a lost hash is lost as well.
        this.#push(l, hasLostHash(below) ? new Uint8Array(HASH_BYTES) : subtreeRoot(below))
      }
    }
  }

  #find(level: number, n: number): Uint8Array | undefined {
    const found = this.#levels[level]
    if (found === undefined) return undefined
    const full = found.full.get(n)
    if (full !== undefined) return full
    const isOpen = n === Math.floor(found.count / TILE_WIDTH)
    return isOpen ? this.#openTile(level) : this.#index(level, n)
  }

  /** The last tile of a level that is not full, from the index if need be. */
  #openTile(level: number): Uint8Array {
    const found = this.#level(level)
    if (found.open !== undefined) return found.open
    const width = found.count % TILE_WIDTH
    if (width === 0) return (found.open = new Uint8Array(WIDTH_MIN * HASH_BYTES))
    const stored = this.#index(level, Math.floor(found.count / TILE_WIDTH))
    if (stored === undefined || stored.length < width * HASH_BYTES) {
      const message = 'the index lacks a tile; fsck --repair rebuilds it'
      throw new UnavailableError('STORE_CORRUPT', message, { level, width })
    }
    return (found.open = stored.slice(0, width * HASH_BYTES))
  }

  #push(levelNumber: number, hashes: Uint8Array): void {
    const level = this.#level(levelNumber)
    for (let at = 0; at < hashes.length; ) {
      const used = (level.count % TILE_WIDTH) * HASH_BYTES
      const taken = Math.min(TILE_BYTES - used, hashes.length - at)
      const open = withRoom(this.#openTile(levelNumber), used, used + taken)
      open.set(hashes.subarray(at, at + taken), used)
      at += taken
      level.open = open
      level.openIsDirty = true
      if (used + taken === TILE_BYTES) {
        level.full.set(Math.floor(level.count / TILE_WIDTH), open)
        level.open = undefined
        level.openIsDirty = false
      }
      level.count += taken / HASH_BYTES
    }
  }
}

function hasLostHash(tile: Uint8Array): boolean {
  for (let at = 0; at < tile.length; at += HASH_BYTES) {
    if (tile[at] === 0 && isZero(tile, at, at + HASH_BYTES)) return true
  }
  return false
}

/** `bytes` with its first `used` bytes and room for `byteLength`: itself, or a longer copy. */
function withRoom(bytes: Uint8Array, used: number, byteLength: number): Uint8Array {
  if (bytes.length >= byteLength) return bytes
  const grown = new Uint8Array(Math.min(TILE_BYTES, Math.max(byteLength, bytes.length * 2)))
  grown.set(bytes.subarray(0, used))
  return grown
}
