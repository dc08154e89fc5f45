/**
 * Capsules that the operator of a mirror has dropped: held no longer as far as anybody can see,
 * and not taken on again until the operator says otherwise.
 *
 *     dropped/<name hex>      01
 *
 * What is on the disk stays there: a store forgets only what was erased. Rule ND13 of
 * docs/spec/node.md.
 *
 * @module
 */
import { type CapsuleName, formatHex } from '@longshore/capsule'
import type { StoreOp, StoreReader } from '../store/store.ts'

/** The change that drops a capsule, or takes that back. */
export function droppedOp(name: CapsuleName, isDropped: boolean): StoreOp {
  const value = isDropped ? Uint8Array.of(1) : new Uint8Array(0)
  return { type: 'note', key: noteKey(name), value }
}

export function isDropped(store: StoreReader, name: CapsuleName): boolean {
  return (store.note(noteKey(name))?.length ?? 0) > 0
}

function noteKey(name: CapsuleName): string {
  return `dropped/${formatHex(name)}`
}
