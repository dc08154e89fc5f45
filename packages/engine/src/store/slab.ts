/**
 * Memory for things that are built in place and then handed out for ever.
 *
 * Batches are cut from one large array, one after the other, so that a small batch costs no
 * allocation of its own and no batch is ever copied or reused. A slab that is full is left to the
 * garbage collector, which frees it with the last batch in it.
 *
 * @module
 */
import { assert } from '@longshore/capsule'

type SlabArray = Uint8Array | Uint32Array

export class Slab<TArray extends SlabArray> {
  /** Write here, from `end` on, after `reserve`. Changes with every `reserve`. */
  array: TArray
  /** First element of what is being built. */
  start = 0
  /** One past the last element of what is being built; the builder moves it. */
  end = 0
  readonly #create: (size: number) => TArray
  readonly #sizeMin: number

  /** `sizeMin` elements are taken from the system at a time, or more where one batch needs more. */
  constructor(create: (size: number) => TArray, sizeMin: number) {
    this.#create = create
    this.#sizeMin = sizeMin
    this.array = create(0)
  }

  /** Makes sure that `count` more elements fit behind `end`. */
  reserve(count: number): void {
    if (this.end + count > this.array.length) this.#move(count)
  }

  /** What was built, as a view; the next thing begins behind it. */
  take(): TArray {
    const taken = this.array.subarray(this.start, this.end) as TArray
    this.start = this.end
    return taken
  }

  #move(count: number): void {
    const built = this.end - this.start
    const size = Math.max(this.#sizeMin, 2 * (built + count))
    const moved = this.#create(size)
    assert(moved.length === size, 'a slab has the size that was asked for')
    moved.set(this.array.subarray(this.start, this.end))
    this.array = moved
    this.start = 0
    this.end = built
  }
}
