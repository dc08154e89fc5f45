/**
 * The path that a peer asks for when it holds another tree than the one it was shown.
 *
 * @module
 */
import { type Hash, proveInconsistency, type TreeNodes, UsageError } from '@longshore/capsule'

/**
 * What the tree of `newSize` entries says about its first `oldSize` (PR9). Only what the head in
 * force covers, `size` entries, is shown.
 *
 * @throws {UsageError} `INDEX_OUT_OF_RANGE`
 */
export function provePath(
  nodes: TreeNodes,
  oldSize: number,
  newSize: number,
  size: number,
): Hash[] {
  if (newSize > size) {
    throw new UsageError('INDEX_OUT_OF_RANGE', 'the tree is not as large', { newSize, size })
  }
  return proveInconsistency(nodes, oldSize, newSize)
}
