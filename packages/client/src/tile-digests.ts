/**
 * Remembers which tiles were authenticated, at 16 bytes for 256 entries.
 *
 * Authenticating a tile takes 255 hashes. A capsule can be larger than the tiles that are kept in
 * memory; when a tile is read again, one hash over its bytes shows that it is the same one.
 * Whoever could find other bytes with the same 128 bits could break more than this.
 *
 * @module
 */
import { sha256 } from '@longshore/capsule'

const DIGEST_BYTES = 16
const CHUNK_TILES = 4096
/** 64 MiB: a thousand million entries. */
const CHUNKS_MAX = 1024

export class TileDigests {
  readonly #chunks = new Map<number, Uint8Array>()

  /** Tile `n` of level 0 has been authenticated and has these bytes. */
  add(n: number, tile: Uint8Array): void {
    const chunkNumber = Math.floor(n / CHUNK_TILES)
    let chunk = this.#chunks.get(chunkNumber)
    if (chunk === undefined) {
      chunk = new Uint8Array(CHUNK_TILES * DIGEST_BYTES)
      this.#chunks.set(chunkNumber, chunk)
      if (this.#chunks.size > CHUNKS_MAX) this.#forgetOldest()
    }
    chunk.set(digest(tile), (n % CHUNK_TILES) * DIGEST_BYTES)
  }

  /** True if these are the bytes that tile `n` was authenticated with. */
  has(n: number, tile: Uint8Array): boolean {
    const chunk = this.#chunks.get(Math.floor(n / CHUNK_TILES))
    if (chunk === undefined) return false
    const at = (n % CHUNK_TILES) * DIGEST_BYTES
    // Never authenticated: zeros. No tile is known whose digest is that.
    if (chunk[at] === 0 && chunk.subarray(at, at + DIGEST_BYTES).every((byte) => byte === 0)) {
      return false
    }
    return digest(tile).every((byte, i) => chunk[at + i] === byte)
  }

  #forgetOldest(): void {
    for (const oldest of this.#chunks.keys()) {
      this.#chunks.delete(oldest)
      return
    }
  }
}

function digest(tile: Uint8Array): Uint8Array {
  return sha256(tile).subarray(0, DIGEST_BYTES)
}
