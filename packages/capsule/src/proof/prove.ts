/**
 * Making proofs, from tiles.
 *
 * One construction serves all of them: SUBTREE_PROOF of draft-ietf-plants-merkle-tree-certs. The
 * inclusion proof of RFC 9162 is the proof for the subtree of one entry, the consistency proof the
 * one for the subtree that begins at entry 0. Verifying is `subtree-path.ts`.
 *
 * Rules PR1-PR4, PR9 and PR10 of docs/spec/proof.md.
 *
 * @module
 */
import { assert } from '../assert.ts'
import type { Hash } from '../bytes/brands.ts'
import { UsageError } from '../errors.ts'
import type { TileSource } from '../tree/tile.ts'
import { TreeNodes } from '../tree/tree-nodes.ts'
import { isSize, isSubtree, largestPowerOfTwoBelow } from '../tree/tree-shape.ts'
import { isNodeOfTree } from './subtree-path.ts'

/** Tiles, or tiles with nodes kept from proof to proof (faster when many proofs are made). */
export type ProofSource = TileSource | TreeNodes

/**
 * Path from the entry at `index` to the root of the tree of `size` entries.
 *
 * @throws {UsageError} `INDEX_OUT_OF_RANGE` unless `index < size`.
 */
export function proveInclusion(source: ProofSource, index: number, size: number): Hash[] {
  return proveSubtree(source, index, index + 1, size)
}

/**
 * Path that shows the tree of `oldSize` entries to be the beginning of the tree of `newSize`.
 * Empty if the sizes are equal or `oldSize` is 0.
 *
 * @throws {UsageError} `INDEX_OUT_OF_RANGE` unless `oldSize <= newSize`.
 */
export function proveConsistency(source: ProofSource, oldSize: number, newSize: number): Hash[] {
  if (oldSize === 0) return []
  return proveSubtree(source, 0, oldSize, newSize)
}

/**
 * Path from the subtree [start, end) to the root of the tree of `size` entries.
 *
 * @throws {UsageError} `INDEX_OUT_OF_RANGE` unless [start, end) is a subtree within `size`.
 */
export function proveSubtree(
  source: ProofSource,
  start: number,
  end: number,
  size: number,
): Hash[] {
  if (!isSize(start) || !isSize(end) || !isSize(size) || end > size || !isSubtree(start, end)) {
    throw new UsageError('INDEX_OUT_OF_RANGE', 'no subtree of this tree', { start, end, size })
  }
  const nodes = TreeNodes.over(source)
  const path: Hash[] = []
  // SUBTREE_SUBPROOF(start, end, D[low:high], known), from the root downwards.
  let [from, low, high] = [start, 0, size]
  let known = true
  while (from !== low || end !== high) {
    const middle = low + largestPowerOfTwoBelow(high - low)
    if (end <= middle) {
      path.push(nodes.rangeRoot(middle, high, size))
      high = middle
      continue
    }
    path.push(nodes.rangeRoot(low, middle, size))
    if (from < middle) {
      // The subtree reaches over the middle: its left part is the node just added. What remains is
      // its right part, whose root the verifier does not know.
      assert(from === low, 'a subtree that reaches over the middle begins where its node begins')
      from = middle
      known = false
    }
    low = middle
  }
  if (!known) path.push(nodes.rangeRoot(low, high, size))
  return path.reverse()
}

/**
 * Path that shows what the first `oldSize` entries of this tree really are, to somebody who was
 * told something else: the consistency proof, always beginning with a root of this tree. It
 * convicts together with a signed head of `oldSize` entries and another root.
 *
 * @throws {UsageError} `INDEX_OUT_OF_RANGE` unless `1 <= oldSize < newSize`.
 */
export function proveInconsistency(source: ProofSource, oldSize: number, newSize: number): Hash[] {
  if (oldSize >= newSize) {
    throw new UsageError('INDEX_OUT_OF_RANGE', 'the old tree is not smaller', { oldSize, newSize })
  }
  const nodes = TreeNodes.over(source)
  const path = proveSubtree(nodes, 0, oldSize, newSize)
  const isFirstKnown = isNodeOfTree({ start: 0, end: oldSize, size: newSize })
  return isFirstKnown ? [nodes.rangeRoot(0, oldSize, newSize), ...path] : path
}
