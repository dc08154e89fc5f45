/**
 * Subtree proofs, verifying side: are these entries, at these places, in the tree that a
 * checkpoint commits to? Inclusion and consistency proofs are special cases of it.
 *
 * Part of the trusted base. Rules PR5-PR7 of docs/spec/proof.md.
 *
 * @module
 */
import type { Hash } from '../bytes/brands.ts'
import { bytesEqual } from '../bytes/bytes.ts'
import { VerificationError } from '../errors.ts'
import {
  checkSubtreeRange,
  computePathRoots,
  isNodeOfTree,
  type SubtreeRange,
} from './subtree-path.ts'

export interface SubtreeProof extends SubtreeRange {
  /** Hashes from the subtree towards the root. */
  readonly path: readonly Hash[]
}

/**
 * Returns if the entries [start, end) of the tree with root `root` have the root `subtreeHash`;
 * throws otherwise. The caller must already trust `root`, usually from a verified checkpoint.
 *
 * @throws {VerificationError} `PROOF_SHAPE` if range, size and path length cannot belong together;
 * `ROOT_MISMATCH` if they can, but lead to another root.
 */
export function verifySubtree(proof: SubtreeProof, subtreeHash: Hash, root: Hash): void {
  checkSubtreeRange(proof)
  const nodes = isNodeOfTree(proof) ? [subtreeHash, ...proof.path] : proof.path
  const computed = computePathRoots(proof, nodes)
  const { start, end, size } = proof
  if (!bytesEqual(computed.subtree, subtreeHash)) {
    const message = 'the path belongs to other entries'
    throw new VerificationError('ROOT_MISMATCH', message, { start, end, size })
  }
  if (!bytesEqual(computed.tree, root)) {
    const message = 'the entries are not under this root'
    throw new VerificationError('ROOT_MISMATCH', message, { start, end, size })
  }
}
