/**
 * Do two signed heads belong to one history? If not, their writer is convicted.
 *
 * Both heads have been verified. Where this node holds the larger tree it decides by itself;
 * otherwise whoever showed the larger head is asked for the path of PR9, which proves or disproves.
 * Rules MI5 and RR6 of docs/spec/mirror.md; F22.
 *
 * @module
 */
import {
  bytesEqual,
  createEquivocation,
  type Hash,
  type Head,
  type HeadPointer,
  isLongshoreError,
  type ProofSource,
  proveInconsistency,
  rootFromTiles,
  type TileSource,
  VerificationError,
  verifyConsistency,
} from '@longshore/capsule'

/** What came out of comparing two heads. */
export type HeadVerdict = 'consistent' | { readonly evidence: Uint8Array }

/** `known` is the head of the tree in `tiles`, and `shown` is not larger. */
export function judgeByTree(
  manifest: Uint8Array,
  known: Head,
  shown: Head,
  tiles: TileSource,
  nodes: ProofSource = tiles,
): HeadVerdict {
  const isSameSize = shown.size === known.size
  const root = isSameSize ? known.root : rootFromTiles(tiles, shown.size)
  if (bytesEqual(root, shown.root)) return 'consistent'
  const path = isSameSize ? [] : proveInconsistency(nodes, shown.size, known.size)
  return { evidence: createEquivocation(manifest, [shown, known], path) }
}

/**
 * `path` is what the tree of `larger` is said to say about its first `smaller.size` entries.
 *
 * @throws {VerificationError} `PROOF_SHAPE` or `ROOT_MISMATCH` if it is not the path of that tree:
 * then it says nothing about the writer.
 */
export function judgeByPath(
  manifest: Uint8Array,
  smaller: Head,
  larger: Head,
  path: readonly Hash[],
): HeadVerdict {
  if (isContinued(smaller, larger, path)) return 'consistent'
  try {
    return { evidence: createEquivocation(manifest, [smaller, larger], path) }
  } catch (cause) {
    if (!isLongshoreError(cause)) throw cause
    const details = { size: smaller.size, largerSize: larger.size }
    const message = 'the path does not belong to the larger head'
    throw new VerificationError('ROOT_MISMATCH', message, details, { cause })
  }
}

/** True if the path proves that the tree of `larger` begins with that of `smaller`. */
export function isContinued(
  smaller: Pick<HeadPointer, 'size' | 'root'>,
  larger: Pick<HeadPointer, 'size' | 'root'>,
  path: readonly Hash[],
): boolean {
  // Where the smaller tree is a node of the larger one, its root is known and not in the proof.
  const isNode = isPowerOfTwo(smaller.size)
  const [first, ...rest] = path
  if (isNode && (first === undefined || !bytesEqual(first, smaller.root))) return false
  const proof = {
    ...{ oldSize: smaller.size, oldRoot: smaller.root },
    ...{ newSize: larger.size, newRoot: larger.root, path: isNode ? rest : path },
  }
  try {
    verifyConsistency(proof)
    return true
  } catch (error) {
    if (!isLongshoreError(error)) throw error
    return false
  }
}

function isPowerOfTwo(n: number): boolean {
  let power = 1
  while (power < n) power *= 2
  return power === n
}
