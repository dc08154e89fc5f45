/**
 * Payloads of a branch that are neither here nor erased.
 *
 * Where some may be missing stands in the note of the branch (mirror-note.ts), which whoever takes
 * entries in from elsewhere keeps. Rule NW22 of docs/spec/network.md.
 *
 * @module
 */
import type { BranchId, CapsuleName } from '@longshore/capsule'
import type { StoreReader } from '../store/store.ts'
import { readMirrorNote } from './mirror-note.ts'
import { RangeSet } from './range-set.ts'

export function missingPayloads(store: StoreReader, name: CapsuleName, branch: BranchId): RangeSet {
  const missing = new RangeSet()
  const size = store.state(name, branch)?.size ?? 0
  for (const hole of readMirrorNote(store, name, branch).holes) {
    const range = { start: hole.start, end: Math.min(hole.end, size) }
    if (range.start >= range.end) continue
    for (const { index, state } of store.scan(name, branch, range)) {
      if (state === 'absent') missing.add(index, index + 1)
    }
  }
  return missing
}
