/**
 * What a mirror that starts has to tell its node: everything that it holds, and what of that is
 * damaged. In turns of some milliseconds: everybody who asks is answered meanwhile, also about what
 * has not had its turn yet.
 *
 * Rule ND9 of docs/spec/node.md.
 *
 * @module
 */
import { setImmediate } from 'node:timers/promises'
import type { CapsuleName } from '@longshore/capsule'
import { heldCapsules, type Mirror, type MirrorEffect, type StoreReader } from '@longshore/engine'

export interface TakeUpParts {
  readonly mirror: Mirror
  readonly store: StoreReader
  readonly self: CapsuleName
  readonly tell: (effects: readonly MirrorEffect[]) => void
  /** The node is about to end. */
  readonly isClosing: () => boolean
}

export async function takeUp(parts: TakeUpParts): Promise<void> {
  for (const effects of turns(parts)) {
    parts.tell(effects)
    await setImmediate()
    if (parts.isClosing()) return
  }
}

function* turns({ mirror, store, self }: TakeUpParts): Iterable<readonly MirrorEffect[]> {
  yield* heldCapsules(store, self)
  yield* mirror.inspect()
}
