/**
 * What clients were told and what they saw, in order of time; and whether it could have been one
 * append-only history. Knows nothing of nodes, mirrors or proofs: it judges only what came out.
 *
 * @module
 */
import { Violation } from './violation.ts'

export type HistoryEvent =
  /** A writer was told that all entries below `size` are held as it asked for. */
  | { readonly type: 'acknowledged'; readonly capsule: string; readonly size: number }
  /** A reader went by this head from here on. */
  | {
      readonly type: 'head'
      readonly reader: string
      readonly capsule: string
      readonly size: number
      readonly root: string
    }
  /** A reader reads anew, from index 0. */
  | { readonly type: 'begun'; readonly reader: string; readonly capsule: string }
  | {
      readonly type: 'entry'
      readonly reader: string
      readonly capsule: string
      readonly index: number
      readonly leaf: string
    }
  /** All entries of a capsule at the end, as anybody who asks gets them. */
  | { readonly type: 'final'; readonly capsule: string; readonly leaves: readonly string[] }

/** @throws {Violation} I1 or I2, or I3 for what was acknowledged and is gone. */
export function checkHistory(events: readonly HistoryEvent[]): void {
  const finals = new Map<string, readonly string[]>()
  for (const event of events) {
    if (event.type === 'final') finals.set(event.capsule, event.leaves)
  }
  const heads = new Map<string, { readonly size: number; readonly root: string }>()
  const roots = new Map<string, string>()
  /** By reader and capsule: the index of the entry that it gets next. */
  const nexts = new Map<string, number>()
  for (const event of events) {
    if (event.type === 'final') continue
    const leaves = finals.get(event.capsule) ?? []
    const where = `${event.capsule} of ${leaves.length} entries`
    switch (event.type) {
      case 'acknowledged':
        if (event.size > leaves.length) {
          throw new Violation('I3', `${where}: ${event.size} were acknowledged`)
        }
        break
      case 'begun':
        nexts.set(`${event.reader}/${event.capsule}`, 0)
        break
      case 'entry': {
        const key = `${event.reader}/${event.capsule}`
        const next = nexts.get(key) ?? 0
        if (event.index !== next) {
          const what = `${event.index} where ${next} comes next`
          throw new Violation('I2', `${where}: ${event.reader} got entry ${what}`)
        }
        nexts.set(key, next + 1)
        if (leaves[event.index] !== event.leaf) {
          throw new Violation('I1', `${where}: ${event.reader} saw another entry ${event.index}`)
        }
        break
      }
      case 'head': {
        const key = `${event.reader}/${event.capsule}`
        const before = heads.get(key)
        if (before !== undefined && event.size < before.size) {
          const steps = `${before.size} to ${event.size}`
          throw new Violation('I2', `${where}: ${event.reader} went back from ${steps}`)
        }
        heads.set(key, event)
        const tree = `${event.capsule}/${event.size}`
        const root = roots.get(tree) ?? event.root
        roots.set(tree, root)
        if (root !== event.root) {
          throw new Violation('I2', `${where}: two trees of size ${event.size} were believed`)
        }
      }
    }
  }
}
