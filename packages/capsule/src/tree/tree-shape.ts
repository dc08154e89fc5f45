/**
 * The shape of a tree: pure arithmetic on sizes, without a single hash.
 *
 * Sizes go up to 2^53 - 1, so there are no bit operators here: they would silently cut a size to
 * 32 bits. Doubling and halving are exact on these numbers.
 *
 * Rules TR4, TR6 and TR7 of docs/spec/tree.md.
 *
 * @module
 */
import { assert } from '../assert.ts'

/** Hashes in a full tile (C2SP tlog-tiles). */
export const TILE_WIDTH = 256

/** A tile spans this many rows of the tree: 2^8 = 256. */
export const TILE_HEIGHT = 8

/** 256^level, exact. Seven levels hold any tree of up to 2^53 - 1 entries. */
const ENTRIES_PER_HASH: readonly number[] = [
  1, 0x100, 0x10000, 0x1000000, 0x100000000, 0x10000000000, 0x1000000000000,
]

/** Highest level at which a tree of 2^53 - 1 entries has a hash. */
export const TILE_LEVEL_MAX: number = ENTRIES_PER_HASH.length - 1

/** Entries below one hash of a tile at `level`: 256^level. */
export function entriesPerHash(level: number): number {
  const entries = ENTRIES_PER_HASH[level]
  assert(entries !== undefined, 'tile level out of range')
  return entries
}

export function isSize(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0
}

/** The largest power of two that is at most `n`. `n` is at least 1. */
export function largestPowerOfTwoUpTo(n: number): number {
  assert(n >= 1, 'a power of two covers at least one entry')
  let k = 1
  while (k <= n - k) k *= 2
  return k
}

/** The k of RFC 9162: the largest power of two smaller than `n`. `n` is at least 2. */
export function largestPowerOfTwoBelow(n: number): number {
  return largestPowerOfTwoUpTo(n - 1)
}

/** The smallest power of two that is at least `n`. `n` is at least 1. */
export function smallestPowerOfTwoFrom(n: number): number {
  assert(n >= 1, 'a power of two covers at least one entry')
  let k = 1
  while (k < n) k *= 2
  return k
}

/**
 * True if [start, end) is a subtree in the sense of draft-ietf-plants-merkle-tree-certs: not
 * empty, and `start` a multiple of the smallest power of two that covers the range.
 */
export function isSubtree(start: number, end: number): boolean {
  return start >= 0 && start < end && start % smallestPowerOfTwoFrom(end - start) === 0
}

/** Full tiles at `level` in a tree of `size` entries; also the n of the one being filled. */
export function fullTileCount(level: number, size: number): number {
  return Math.floor(Math.floor(size / entriesPerHash(level)) / TILE_WIDTH)
}

/** How many hashes the tile (level, n) has in a tree of `size` entries: 0 to 256. */
export function tileWidth(level: number, n: number, size: number): number {
  const hashes = Math.floor(size / entriesPerHash(level)) - n * TILE_WIDTH
  return Math.max(0, Math.min(TILE_WIDTH, hashes))
}
