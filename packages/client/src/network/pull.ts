/**
 * Brings a capsule from its mirrors into this home, in steps. Whoever holds the home verifies each
 * step again and commits it; until the last one the head from before is in force; what was cut off
 * goes on where it stopped. Then payloads that were missing here are brought in, from whichever
 * mirror has them. Rule NW22 of docs/spec/network.md.
 *
 * @module
 */
import type { SignedManifest } from '@longshore/capsule'
import type { RangeSet } from '@longshore/engine'
import type { RemoteBranch } from './remote-branch.ts'
import type { ServingNode } from './remote-branch-options.ts'
import type { TakenEntries } from './taken-entries.ts'

/** Stores verified entries; fails if they do not continue what is here. */
export type TakeIn = (signed: SignedManifest, entries: readonly TakenEntries[]) => Promise<void>

export interface PullContext {
  readonly takeIn: TakeIn
  /** Entries that are stored by now. */
  readonly sizeHere: () => number
}

export interface FillContext {
  readonly takeIn: TakeIn
  /** Payloads that are not here and not erased. */
  readonly missing: () => RangeSet
  /** Opens the branch at one mirror only. */
  readonly openAt: (mirror: ServingNode) => Promise<RemoteBranch>
}

interface PullOptions {
  readonly signal?: AbortSignal
}

const STEP_BYTES = 4_194_304

/** Until this home holds everything below the head that the branch shows. */
export async function pullBranch(
  branch: RemoteBranch,
  signed: SignedManifest,
  { takeIn, sizeHere }: PullContext,
  { signal }: PullOptions,
): Promise<void> {
  let treeSize = branch.head?.size ?? 0
  if (treeSize === 0) await takeIn(signed, [])
  // The tree may grow meanwhile: a head counts when its last entry is here.
  while (sizeHere() < treeSize) {
    const steps = new Steps(signed, takeIn)
    const range = { start: sizeHere(), end: treeSize, wantsBodies: true }
    for await (const { tree, message } of branch.read(range, signal)) {
      treeSize = tree.size
      await steps.add({ tree, message })
    }
    await steps.end()
  }
}

/** Until no mirror has a payload that is missing here. */
export async function fillHoles(
  branch: RemoteBranch,
  signed: SignedManifest,
  context: FillContext,
  { signal }: PullOptions,
): Promise<void> {
  await fillFrom(branch, signed, context, signal)
  // Whoever was asked lacks some: each of the others may have them.
  for (const { peer } of branch.sources) {
    const chain = branch.chainOf(peer.name)
    if (context.missing().count === 0) return
    if (chain === undefined) continue
    const other = await context.openAt({ name: peer.name, chain })
    try {
      await other.ready(signal)
      await fillFrom(other, signed, context, signal)
    } finally {
      other.close()
    }
  }
}

async function fillFrom(
  branch: RemoteBranch,
  signed: SignedManifest,
  { takeIn, missing }: FillContext,
  signal: AbortSignal | undefined,
): Promise<void> {
  const steps = new Steps(signed, takeIn)
  const treeSize = branch.head?.size ?? 0
  for (const { start, end: holeEnd } of missing().ranges) {
    const end = Math.min(holeEnd, treeSize)
    if (start >= end) continue
    for await (const { tree, message } of branch.read({ start, end, wantsBodies: true }, signal)) {
      await steps.add({ tree, message })
    }
  }
  await steps.end()
}

/** Gathers messages until they are worth a transaction. */
class Steps {
  readonly #signed: SignedManifest
  readonly #takeIn: TakeIn
  #entries: TakenEntries[] = []
  #bytes = 0

  constructor(signed: SignedManifest, takeIn: TakeIn) {
    this.#signed = signed
    this.#takeIn = takeIn
  }

  async add(taken: TakenEntries): Promise<void> {
    this.#entries.push(taken)
    this.#bytes += taken.message.length
    if (this.#bytes >= STEP_BYTES) await this.end()
  }

  async end(): Promise<void> {
    const entries = this.#entries
    this.#entries = []
    this.#bytes = 0
    if (entries.length > 0) await this.#takeIn(this.#signed, entries)
  }
}
