/**
 * What a path of hashes says, computed in one place for every kind of proof.
 *
 * Part of the trusted base. No I/O, no clock, no recursion: work is bounded by the length of the
 * path, at most 54 hashes. Written to be read next to section 4.4.3 of
 * draft-ietf-plants-merkle-tree-certs and section 2.1.4.2 of RFC 9162, whose variable names (fn,
 * sn, tn) it keeps.
 *
 * Rules PR5-PR7 of docs/spec/proof.md.
 *
 * @module
 */
import { assert } from '../assert.ts'
import type { Hash } from '../bytes/brands.ts'
import { VerificationError } from '../errors.ts'
import { hashNode } from '../tree/hash.ts'
import { isSize, isSubtree, smallestPowerOfTwoFrom } from '../tree/tree-shape.ts'

/** The entries [start, end) of the tree of `size` entries. */
export interface SubtreeRange {
  readonly start: number
  readonly end: number
  readonly size: number
}

/** The two roots that one path leads to. */
export interface PathRoots {
  /** Root of the entries [start, end). */
  readonly subtree: Hash
  /** Root of the whole tree. */
  readonly tree: Hash
}

/** @throws {VerificationError} `PROOF_SHAPE` unless the range is a subtree within the tree. */
export function checkSubtreeRange({ start, end, size }: SubtreeRange): void {
  assert(isSize(start) && isSize(end) && isSize(size), 'the decoder bounds numbers')
  if (end > size || !isSubtree(start, end)) {
    throw new VerificationError('PROOF_SHAPE', 'no subtree of this tree', { start, end, size })
  }
}

/**
 * True if the subtree is a node of the tree, so that a path begins at its root. Otherwise it is
 * spread over several nodes, and the path names the right-most one first.
 */
export function isNodeOfTree({ start, end, size }: SubtreeRange): boolean {
  return end === size || smallestPowerOfTwoFrom(end - start) === end - start
}

/**
 * Climbs from `nodes[0]`, the right-most node of the subtree, to the root of the tree; the rest of
 * `nodes` are the siblings on the way. The caller compares the roots with those it trusts: this
 * function alone proves nothing.
 *
 * @throws {VerificationError} `PROOF_SHAPE` if range and number of nodes cannot belong together.
 */
export function computePathRoots(range: SubtreeRange, nodes: readonly Hash[]): PathRoots {
  const { start, end, size } = range
  const shape = { start, end, size, nodes: nodes.length }
  const [first, ...siblings] = nodes
  if (first === undefined) throw new VerificationError('PROOF_SHAPE', 'path too short', shape)

  // Division, not >>: bit operators would truncate sizes above 2^31 to 32 bits.
  let [fn, sn, tn] = [start, end - 1, size - 1]
  const shift = (): void => {
    fn = Math.floor(fn / 2)
    sn = Math.floor(sn / 2)
    tn = Math.floor(tn / 2)
  }
  while (fn !== sn && (sn === tn || sn % 2 === 1)) shift()

  let [subtree, tree] = [first, first]
  for (const sibling of siblings) {
    if (tn === 0) throw new VerificationError('PROOF_SHAPE', 'path too long', shape)
    if (sn % 2 === 1 || sn === tn) {
      // The sibling is on the left: inside the subtree as long as fn has not caught up with sn.
      if (fn < sn) subtree = hashNode(sibling, subtree)
      tree = hashNode(sibling, tree)
      while (sn % 2 === 0) shift()
    } else {
      tree = hashNode(tree, sibling)
    }
    shift()
  }
  if (tn !== 0) throw new VerificationError('PROOF_SHAPE', 'path too short', shape)
  return { subtree, tree }
}
