/**
 * What a subtree proof says about the entries before its subtree.
 *
 * On the way from a subtree that begins at entry `start` to the root, the siblings on the left are
 * exactly the complete subtrees that make up the first `start` entries. So a proof that has been
 * verified also tells the root of those entries, and whoever holds them can compare: then the tree
 * is a continuation of the one that it holds, without a consistency proof of its own.
 *
 * Rule PR12 of docs/spec/proof.md.
 *
 * @module
 */
import type { Hash } from '../bytes/brands.ts'
import { EMPTY_ROOT, hashNode } from '../tree/hash.ts'
import { isNodeOfTree } from './subtree-path.ts'
import type { SubtreeProof } from './verify-subtree.ts'

/**
 * Root of the first `start` entries, or, with `inner` (the root of the entries [start, start + k)),
 * of the first `start + k`.
 *
 * The proof has been verified (`verifySubtree`), and `k` is at most the span of its subtree.
 */
export function prefixRoot(proof: SubtreeProof, inner: Hash | undefined): Hash {
  const { start, end, size, path } = proof
  const siblings = isNodeOfTree(proof) ? path : path.slice(1)
  // Variables and loop as in subtree-path.ts; fn === sn means: above the subtree.
  let [fn, sn, tn] = [start, end - 1, size - 1]
  const shift = (): void => {
    fn = Math.floor(fn / 2)
    sn = Math.floor(sn / 2)
    tn = Math.floor(tn / 2)
  }
  while (fn !== sn && (sn === tn || sn % 2 === 1)) shift()
  let root = inner
  for (const sibling of siblings) {
    if (sn % 2 === 1 || sn === tn) {
      if (fn === sn) root = root === undefined ? sibling : hashNode(sibling, root)
      while (sn % 2 === 0) shift()
    }
    shift()
  }
  return root ?? EMPTY_ROOT
}
