/**
 * Inclusion proofs, verifying side: is this entry in the tree that a checkpoint commits to?
 *
 * Part of the trusted base. RFC 9162 section 2.1.3: the subtree proof of a single entry.
 *
 * Rules PR1 and PR5-PR7 of docs/spec/proof.md.
 *
 * @module
 */
import type { Hash } from '../bytes/brands.ts'
import { VerificationError } from '../errors.ts'
import { verifySubtree } from './verify-subtree.ts'

export interface InclusionProof {
  /** 0-based position of the entry. Always less than `size`. */
  readonly index: number
  /** Number of entries in the tree the proof was made for. */
  readonly size: number
  /** Sibling hashes from the leaf towards the root. */
  readonly path: readonly Hash[]
}

/**
 * Returns if `leafHash` is at `index` in the tree with root `root`; throws otherwise.
 *
 * There is deliberately no boolean result: a caller who forgets to look at it must not read an
 * unverified entry. The caller must already trust `root`, usually from a verified checkpoint.
 *
 * @throws {VerificationError} `PROOF_SHAPE` if index, size and path length cannot belong together;
 * `ROOT_MISMATCH` if they can, but lead to another root.
 *
 * @example
 * verifyInclusion(hashLeaf(header), proof, checkpoint.root) // then, and only then, use it
 */
export function verifyInclusion(leafHash: Hash, proof: InclusionProof, root: Hash): void {
  const { index, size, path } = proof
  // Before the sum: the largest index plus one is no safe integer.
  if (index >= size) {
    throw new VerificationError('PROOF_SHAPE', 'the index is beyond the tree', { index, size })
  }
  verifySubtree({ start: index, end: index + 1, size, path }, leafHash, root)
}
