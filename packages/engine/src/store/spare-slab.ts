/**
 * A slab whose memory belongs to the whole node while nothing is in it.
 *
 * Builders are many and few of them are busy: one that has nothing under way holds nothing.
 *
 * @module
 */
import { assert } from '@longshore/capsule'
import type { SpareMemory } from '../runtime/spare-memory.ts'

const FIRST_BYTES = 16_384
/** Room for several batches, unless one is larger. */
const SLAB_BYTES_MAX = 4_194_304
const NOTHING: Uint8Array = new Uint8Array(0)

export class SpareSlab {
  /** Write here, from `end` on, after `reserve`. Changes with every `reserve`. */
  array: Uint8Array = NOTHING
  /** First byte of what is being built. */
  start = 0
  /** One past the last byte of what is being built; the builder moves it. */
  end = 0
  readonly #spares: SpareMemory
  /** Handed out and not given back, by the memory that it lies in, which is not kept by this. */
  readonly #lent = new WeakMap<ArrayBufferLike, { readonly slab: Uint8Array; count: number }>()
  #nextBytes = FIRST_BYTES

  constructor(spares: SpareMemory) {
    this.#spares = spares
  }

  /** Makes sure that `count` more bytes fit behind `end`. */
  reserve(count: number): void {
    if (this.end + count > this.array.length) this.#move(count)
  }

  /** What was built, as a view; the next thing begins behind it. */
  take(): Uint8Array {
    const taken = this.array.subarray(this.start, this.end)
    this.start = this.end
    this.#nextBytes = Math.min(SLAB_BYTES_MAX, Math.max(FIRST_BYTES, 4 * taken.length))
    const lent = this.#lent.get(taken.buffer)
    if (lent === undefined) this.#lent.set(taken.buffer, { slab: this.array, count: 1 })
    else lent.count++
    return taken
  }

  /** What `take` returned is needed by nobody any more: it will be overwritten. */
  giveBack(taken: Uint8Array): void {
    const lent = this.#lent.get(taken.buffer)
    assert(lent !== undefined, 'it is given back once, to where it came from')
    if (--lent.count > 0) return
    this.#lent.delete(taken.buffer)
    if (lent.slab === this.array) {
      if (this.start < this.end) return
      this.array = NOTHING
      this.start = 0
      this.end = 0
    }
    this.#spares.giveBack(lent.slab)
  }

  #move(count: number): void {
    const built = this.end - this.start
    const before = this.array
    this.array = this.#spares.take(Math.max(this.#nextBytes, 2 * (built + count)))
    this.array.set(before.subarray(this.start, this.end))
    // Everything of it came back while it was in use.
    if (!this.#lent.has(before.buffer)) this.#spares.giveBack(before)
    this.start = 0
    this.end = built
  }
}
