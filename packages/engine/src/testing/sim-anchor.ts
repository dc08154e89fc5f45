/**
 * A simulated anchor slot: written to the page cache, durable after `sync`.
 *
 * @module
 */
import type { AnchorSlot } from '../runtime/anchor-slot.ts'
import type { Prng } from './prng.ts'

export class SimAnchor implements AnchorSlot {
  readonly counts = { writes: 0, syncs: 0 }
  /** Thrown by the next `write`, once. */
  failure: Error | undefined
  readonly #prng: Prng
  #cache: Uint8Array | undefined
  #platter: Uint8Array | undefined

  constructor(prng: Prng) {
    this.#prng = prng
  }

  read(): Uint8Array | undefined {
    return this.#cache?.slice()
  }

  write(bytes: Uint8Array): void {
    const { failure } = this
    this.failure = undefined
    if (failure !== undefined) throw failure
    this.counts.writes++
    // The kernel may write an earlier version back at any time.
    if (this.#prng.chance(0.25)) this.#platter = this.#cache
    this.#cache = bytes.slice()
  }

  get isSynced(): boolean {
    return this.#platter === this.#cache
  }

  sync(): void {
    this.counts.syncs++
    this.#platter = this.#cache
  }

  /** What a power loss could leave: the version on the platter, or the one in the cache. */
  versions(): (Uint8Array | undefined)[] {
    return [this.#platter, this.#cache]
  }

  /** Keeps one of the versions and returns whether something was lost. */
  losePower(): boolean {
    const lost = this.#cache !== this.#platter && this.#prng.chance(0.5)
    if (lost) this.#cache = this.#platter
    else this.#platter = this.#cache
    return lost
  }

  /** Puts bytes there by hand, durably; undefined removes the anchor. */
  plant(bytes: Uint8Array | undefined): void {
    this.#cache = bytes?.slice()
    this.#platter = this.#cache
  }
}
