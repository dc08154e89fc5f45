/**
 * The two hashes of the tree, RFC 9162 section 2.1.1 over SHA-256.
 *
 *     leaf  SHA-256(0x00 || header)          node  SHA-256(0x01 || left || right)
 *
 * The first byte keeps a node from passing for a leaf. Inputs are put together in buffers made
 * once: everything here is synchronous and returns before the next call begins.
 *
 * Rules TR1-TR3 of docs/spec/tree.md.
 *
 * @module
 */
import { backend } from '#crypto'
import { assert } from '../assert.ts'
import type { Hash } from '../bytes/brands.ts'
import { sha256, sha256Into } from '../crypto/sha256.ts'
import { HASH_BYTES, HEADER_BYTES_MAX } from '../limits.ts'

/** 0x01 || left || right. */
const NODE_BYTES: number = 1 + 2 * HASH_BYTES
const NODE_PREFIX = 0x01

const node: Uint8Array = new Uint8Array(NODE_BYTES)
node[0] = NODE_PREFIX
/** 0x00 || header. Longer leaves exist only in foreign logs. */
const leaf: Uint8Array = new Uint8Array(1 + HEADER_BYTES_MAX)

/** Root of a tree without entries: SHA-256 of nothing. */
export const EMPTY_ROOT: Hash = sha256(new Uint8Array(0))

/** Leaf hash of an entry: SHA-256(0x00 || header). */
export function hashLeaf(header: Uint8Array): Hash {
  const hash = new Uint8Array(HASH_BYTES)
  hashLeafInto(hash, 0, header)
  return hash as Hash
}

/** Writes the leaf hash of `header` to `out` at `outOffset`. */
export function hashLeafInto(out: Uint8Array, outOffset: number, header: Uint8Array): void {
  const input = header.length <= HEADER_BYTES_MAX ? leaf : new Uint8Array(1 + header.length)
  input.set(header, 1)
  sha256Into(out, outOffset, input, 0, 1 + header.length)
}

/** SHA-256(0x01 || left || right). */
export function hashNode(left: Uint8Array, right: Uint8Array): Hash {
  assert(left.length === HASH_BYTES && right.length === HASH_BYTES, 'a node joins two hashes')
  node.set(left, 1)
  node.set(right, 1 + HASH_BYTES)
  const hash = new Uint8Array(HASH_BYTES)
  sha256Into(hash, 0, node, 0, NODE_BYTES)
  return hash as Hash
}

/**
 * Writes the parents of `count` pairs of neighbouring hashes, which lie from `offset` on, to `out`
 * from `outOffset` on. `out` may be `hashes` if it does not begin behind the pairs.
 */
export function hashPairsInto(
  out: Uint8Array,
  outOffset: number,
  hashes: Uint8Array,
  offset: number,
  count: number,
): void {
  assert(offset + 2 * HASH_BYTES * count <= hashes.length, 'the pairs are complete')
  assert(outOffset + HASH_BYTES * count <= out.length, 'the output has room')
  if (count > 1 && backend.many !== undefined) {
    backend.many().pairs(out, outOffset, hashes, offset, count)
    return
  }
  for (let i = 0; i < count; i++) {
    const pair = offset + 2 * HASH_BYTES * i
    for (let b = 0; b < 2 * HASH_BYTES; b++) node[1 + b] = hashes[pair + b] as number
    sha256Into(out, outOffset + HASH_BYTES * i, node, 0, NODE_BYTES)
  }
}
