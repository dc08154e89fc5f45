/**
 * The root over a row of hashes that lie in memory.
 *
 * Rules TR3 and TR5 of docs/spec/tree.md.
 *
 * @module
 */
import { assert } from '../assert.ts'
import type { Hash } from '../bytes/brands.ts'
import { copyBytes } from '../bytes/bytes.ts'
import { HASH_BYTES } from '../limits.ts'
import { EMPTY_ROOT, hashPairsInto } from './hash.ts'

/**
 * Root of the tree whose leaves are `hashes`, one after the other (32 bytes each). With the roots
 * of equal complete subtrees instead of leaf hashes, the root above them.
 *
 * Works row by row: neighbours are joined, a last one without a neighbour goes up unchanged. This
 * is the RFC 9162 tree, without recursion.
 */
export function subtreeRoot(hashes: Uint8Array): Hash {
  let width = hashes.length / HASH_BYTES
  assert(Number.isInteger(width), 'hashes have 32 bytes each')
  if (width === 0) return EMPTY_ROOT
  const row = copyBytes(hashes)
  while (width > 1) {
    const pairs = Math.floor(width / 2)
    hashPairsInto(row, 0, row, 0, pairs)
    if (width % 2 === 1) {
      row.copyWithin(pairs * HASH_BYTES, (width - 1) * HASH_BYTES, width * HASH_BYTES)
    }
    width = pairs + (width % 2)
  }
  return row.slice(0, HASH_BYTES) as Hash
}
