/**
 * Who in a node hears what is published of a capsule: services, and whoever runs the node. The node
 * itself subscribes once.
 *
 * @module
 */
import type { CapsuleName } from '@longshore/capsule'
import { nameKey } from '../store/branch-key.ts'

/** Whoever runs the node; no service has this name. */
export const RUNNER = ''

export class Subscriptions {
  readonly #byName = new Map<string, Set<string>>()

  /** True for the first one. */
  add(name: CapsuleName, subscriber: string): boolean {
    const key = nameKey(name)
    const known = this.#byName.get(key)
    known?.add(subscriber)
    if (known === undefined) this.#byName.set(key, new Set([subscriber]))
    return known === undefined
  }

  /** True for the last one. */
  remove(name: CapsuleName, subscriber: string): boolean {
    const key = nameKey(name)
    const known = this.#byName.get(key)
    if (known?.delete(subscriber) !== true || known.size > 0) return false
    return this.#byName.delete(key)
  }

  of(name: CapsuleName): readonly string[] {
    return [...(this.#byName.get(nameKey(name)) ?? [])]
  }
}
