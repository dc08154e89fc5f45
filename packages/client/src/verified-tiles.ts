/**
 * Tiles that are believed only after they led to a root that is believed.
 *
 * A full tile is compared with its hash in the tile above, which is authenticated first, up to
 * the right edge of the tree, whose root the caller has compared with a signed one. A full tile
 * never changes, so it is authenticated once and kept, also when the tree grows.
 *
 * Rules HM24-HM25 of docs/spec/home.md.
 *
 * @module
 */
import {
  assert,
  bytesEqual,
  type FullTile,
  fullTileCount,
  HASH_BYTES,
  RightEdge,
  subtreeRoot,
  type TileSource,
  tileWidth,
  VerificationError,
} from '@longshore/capsule'
import { TileCache } from './tile-cache.ts'
import { TileDigests } from './tile-digests.ts'

const TILE_WIDTH = 256

export class VerifiedTiles implements TileSource {
  readonly #source: TileSource
  readonly #kept: TileCache
  readonly #digests = new TileDigests()
  /** Copies of the tiles of `#edge`, by level. */
  readonly #edgeTiles: Uint8Array[] = []
  #edge: RightEdge = RightEdge.empty()

  /** Reads tiles from `source` and keeps up to `bytesMax` bytes of them. */
  constructor(source: TileSource, bytesMax: number) {
    this.#source = source
    this.#kept = new TileCache(bytesMax)
  }

  get size(): number {
    return this.#edge.size
  }

  get edge(): RightEdge {
    return this.#edge
  }

  /**
   * Believes this edge from now on. The caller has compared its root with a signed one, and has
   * made sure that its tree begins with the tree believed so far. `full` are tiles that the edge
   * completed since.
   */
  believe(edge: RightEdge, full: readonly FullTile[] = []): void {
    this.#edge = edge
    this.#edgeTiles.length = 0
    for (const { level, n, bytes } of full) this.#kept.put(level, n, bytes)
  }

  /** @throws {VerificationError} `ROOT_MISMATCH` if the source's tile does not lead to the root. */
  tile(level: number, n: number, width: number): Uint8Array {
    assert(width <= tileWidth(level, n, this.size), 'a tile of the believed tree')
    const bytes = this.wholeTile(level, n)
    return bytes.byteLength === width * HASH_BYTES ? bytes : bytes.subarray(0, width * HASH_BYTES)
  }

  /** As many hashes as the tile has in the believed tree. */
  wholeTile(level: number, n: number): Uint8Array {
    if (n >= fullTileCount(level, this.size)) {
      return (this.#edgeTiles[level] ??= this.#edge.partialTile(level))
    }
    return this.#kept.get(level, n) ?? this.#authenticate(level, n)
  }

  /** Level by level upwards to a tile that is believed already; at most seven. */
  #authenticate(level: number, n: number): Uint8Array {
    const bytes = this.#source.tile(level, n, TILE_WIDTH)
    if (level === 0 && this.#digests.has(n, bytes)) {
      this.#kept.put(level, n, bytes)
      return bytes
    }
    const parent = Math.floor(n / TILE_WIDTH)
    const at = (n - parent * TILE_WIDTH) * HASH_BYTES
    const expected = this.wholeTile(level + 1, parent).subarray(at, at + HASH_BYTES)
    if (!bytesEqual(subtreeRoot(bytes), expected)) {
      const message = `tile ${level}/${n} is not of the tree that the writer signed`
      throw new VerificationError('ROOT_MISMATCH', message, { level, n, size: this.size })
    }
    this.#kept.put(level, n, bytes)
    if (level === 0) this.#digests.add(n, bytes)
    return bytes
  }
}
