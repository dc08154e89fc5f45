/**
 * What mirrors hold of a capsule of which a part has rotted here.
 *
 * Only what is damaged is asked for, in whole tiles, so that it can be verified without anything
 * that lies here; and the end of the tree, which says how far the mirrors are. Whoever holds the
 * home verifies all of it again, and writes the capsule anew. Rule NW28 of docs/spec/network.md.
 *
 * @module
 */
import { packageAlignedStart, UnavailableError } from '@longshore/capsule'
import { RangeSet } from '@longshore/engine'
import type { RemoteBranch } from './remote-branch.ts'
import type { TakenEntries } from './taken-entries.ts'

/** All of it is in memory until the capsule is written anew. */
export const MEND_BYTES_MAX = 67_108_864

export async function readDamaged(
  branch: RemoteBranch,
  damaged: RangeSet,
  signal: AbortSignal | undefined,
): Promise<TakenEntries[]> {
  const size = branch.head?.size ?? 0
  const wanted = new RangeSet()
  for (const { start, end } of damaged.ranges) {
    if (start < size) wanted.add(packageAlignedStart(start), Math.min(end, size))
  }
  if (size > 0) wanted.add(packageAlignedStart(size - 1), size)
  const taken: TakenEntries[] = []
  let bytes = 0
  for (const { start, end } of wanted.ranges) {
    for await (const { tree, message } of branch.read({ start, end, wantsBodies: true }, signal)) {
      taken.push({ tree, message })
      bytes += message.length
      if (bytes > MEND_BYTES_MAX) throw tooLarge()
    }
  }
  return taken
}

/** More is damaged, or lies beside it, than is replaced at once. */
export function tooLarge(): UnavailableError {
  const message =
    'too much of this capsule is damaged to be replaced at once: pull it into another home, export it there, and import that here'
  return new UnavailableError('STORE_CORRUPT', message, { bytesMax: MEND_BYTES_MAX })
}
