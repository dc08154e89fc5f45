/**
 * Consistency proofs, verifying side: is the old tree the beginning of the new one?
 *
 * Part of the trusted base. RFC 9162 section 2.1.4: the subtree proof of the entries [0, oldSize).
 *
 * Rules PR2, PR5-PR8 of docs/spec/proof.md.
 *
 * @module
 */
import { assert } from '../assert.ts'
import type { Hash } from '../bytes/brands.ts'
import { bytesEqual } from '../bytes/bytes.ts'
import { VerificationError } from '../errors.ts'
import { EMPTY_ROOT } from '../tree/hash.ts'
import { isSize } from '../tree/tree-shape.ts'
import { verifySubtree } from './verify-subtree.ts'

export interface ConsistencyProof {
  readonly oldSize: number
  readonly oldRoot: Hash
  readonly newSize: number
  readonly newRoot: Hash
  readonly path: readonly Hash[]
}

/**
 * Returns if the tree of `oldSize` entries with root `oldRoot` is the beginning of the tree of
 * `newSize` entries with root `newRoot`; throws otherwise.
 *
 * Says nothing about where the two roots come from: verify the two heads first. The empty tree is
 * the beginning of every tree, so with `oldSize` 0 the new root is not checked at all.
 *
 * @throws {VerificationError} `PROOF_SHAPE` if sizes and path length cannot belong together;
 * `ROOT_MISMATCH` if they can, but lead to another root.
 */
export function verifyConsistency(proof: ConsistencyProof): void {
  const { oldSize, oldRoot, newSize, newRoot, path } = proof
  assert(isSize(oldSize) && isSize(newSize), 'the decoder bounds numbers')
  if (oldSize > 0) {
    verifySubtree({ start: 0, end: oldSize, size: newSize, path }, oldRoot, newRoot)
    return
  }
  if (path.length > 0) {
    throw new VerificationError('PROOF_SHAPE', 'nothing is to be shown of an empty tree', {
      newSize,
      nodes: path.length,
    })
  }
  checkEmptyRoot(oldSize, oldRoot)
  checkEmptyRoot(newSize, newRoot)
}

function checkEmptyRoot(size: number, root: Hash): void {
  if (size === 0 && !bytesEqual(root, EMPTY_ROOT)) {
    throw new VerificationError('ROOT_MISMATCH', 'an empty tree has another root', { size })
  }
}
