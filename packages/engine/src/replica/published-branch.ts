/**
 * A branch that a publisher keeps on mirrors: what of it is committed, and heads that are on their
 * way.
 *
 * @module
 */
import type { Head } from '@longshore/capsule'
import { importNoteKey } from './committed-head.ts'
import type { EntriesSource } from './entries-source.ts'
import type { SizedHeartbeat } from './mirror-note.ts'

export interface PublishedBranch<Route> {
  readonly source: EntriesSource
  /** Of an import into it. */
  readonly noteKey: string
  readonly routes: Map<string, Route>
  /** The head that counts, as of this commit of the store. */
  head: Head | undefined
  sequence: number
  /** Heads that mirrors were sent or have shown, by size, so that their receipts can be kept. */
  readonly heads: Map<number, Head>
  heartbeat: SizedHeartbeat | undefined
}

/** Heads on their way, and those of mirrors that are behind. */
const HEADS_MAX = 256

export function createPublished<Route>(source: EntriesSource): PublishedBranch<Route> {
  const nothing = { head: undefined, sequence: -1, heartbeat: undefined }
  const noteKey = importNoteKey(source.name, source.branch)
  return { source, noteKey, routes: new Map(), heads: new Map(), ...nothing }
}

export function keepHead({ heads }: PublishedBranch<unknown>, head: Head): void {
  heads.set(head.size, head)
  const [oldest] = heads.keys()
  if (heads.size > HEADS_MAX && oldest !== undefined) heads.delete(oldest)
}
