/**
 * The index without what it still says about capsules that were removed since it was written.
 *
 * Rules IX5 and IX12 of docs/spec/index.md.
 *
 * @module
 */
import type { CapsuleName } from '@longshore/capsule'
import type { IndexStore, IndexWrite } from '../../runtime/index-store.ts'
import { nameKey } from '../branch-key.ts'
import { capsuleRanges, nameOfKey } from './index-layout.ts'

export class MaskedIndex implements Pick<IndexStore, 'get' | 'range'> {
  readonly #index: IndexStore
  readonly #removed = new Map<string, CapsuleName>()

  constructor(index: IndexStore) {
    this.#index = index
  }

  remove(name: CapsuleName): void {
    this.#removed.set(nameKey(name), name.slice() as CapsuleName)
  }

  get(key: Uint8Array): Uint8Array | undefined {
    return this.#isMasked(key) ? undefined : this.#index.get(key)
  }

  *range(
    from: Uint8Array,
    to: Uint8Array,
  ): Iterable<readonly [key: Uint8Array, value: Uint8Array]> {
    for (const item of this.#index.range(from, to)) if (!this.#isMasked(item[0])) yield item
  }

  /** What takes the removed capsules out of the index: to stand before what is new of them. */
  collectRemovals(into: IndexWrite[]): void {
    for (const name of this.#removed.values()) {
      for (const [from, to] of capsuleRanges(name)) {
        for (const [key] of this.#index.range(from, to)) into.push({ key, value: undefined })
      }
    }
  }

  /** The index was written. */
  settle(): void {
    this.#removed.clear()
  }

  #isMasked(key: Uint8Array): boolean {
    if (this.#removed.size === 0) return false
    const name = nameOfKey(key)
    return name !== undefined && this.#removed.has(nameKey(name))
  }
}
