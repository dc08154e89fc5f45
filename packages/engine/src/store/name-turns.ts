/**
 * All capsules of a store, some at a time: to open and look at these takes some milliseconds, and
 * then others have their turn.
 *
 * @module
 */
import type { CapsuleName } from '@longshore/capsule'
import type { StoreReader } from './store.ts'

const NAMES_AT_ONCE = 64

export function* nameTurns(store: StoreReader): Iterable<readonly CapsuleName[]> {
  let last: CapsuleName | undefined
  for (;;) {
    const names = store.namesAfter(last, NAMES_AT_ONCE)
    if (names.length === 0) return
    yield names
    last = names.at(-1)
  }
}
