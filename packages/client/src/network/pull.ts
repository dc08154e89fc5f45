/**
 * Brings what mirrors hold of a capsule into this home, in steps of a few MiB.
 *
 * Each step is verified by whoever holds the home, and committed. Until the last one the head from
 * before is in force; what was cut off goes on where it stopped. Rule NW22 of docs/spec/network.md.
 *
 * @module
 */
import type { SignedManifest } from '@longshore/capsule'
import type { RemoteBranch } from './remote-branch.ts'
import type { TakenEntries } from './taken-entries.ts'

/** Stores verified entries; fails if they do not continue what is here. */
export type TakeIn = (signed: SignedManifest, entries: readonly TakenEntries[]) => Promise<void>

export interface PullContext {
  readonly takeIn: TakeIn
  /** Entries that are stored by now. */
  readonly sizeHere: () => number
}

const STEP_BYTES = 4_194_304

/** Until this home holds everything below the head that the branch shows. */
export async function pullBranch(
  branch: RemoteBranch,
  signed: SignedManifest,
  { takeIn, sizeHere }: PullContext,
  { signal }: { readonly signal?: AbortSignal },
): Promise<void> {
  let treeSize = branch.head?.size ?? 0
  if (treeSize === 0) await takeIn(signed, [])
  // The tree may grow meanwhile: a head counts when its last entry is here.
  while (sizeHere() < treeSize) {
    let step: TakenEntries[] = []
    let stepBytes = 0
    const range = { start: sizeHere(), end: treeSize, wantsBodies: true }
    for await (const { tree, message } of branch.read(range, signal)) {
      step.push({ tree, message })
      stepBytes += message.length
      treeSize = tree.size
      if (stepBytes < STEP_BYTES) continue
      await takeIn(signed, step)
      step = []
      stepBytes = 0
    }
    await takeIn(signed, step)
  }
}
