/**
 * Memory for things that are built in place and then handed out.
 *
 * Batches are cut from one large array, one after the other, so that a small batch costs no
 * allocation of its own and no batch is ever copied. A slab that is full is left to the garbage
 * collector, which frees it with the last batch in it; or, if all that was taken from it is given
 * back, it is filled again. Megabytes of new memory in every second would have the collector look
 * through everything dozens of times a second.
 *
 * @module
 */
import { assert } from '@longshore/capsule'

/** The first slab is this part of an ordinary one. */
const FIRST_PART = 64
/** Slabs that grew larger than so many ordinary ones are not kept. */
const KEPT_MAX = 4

type SlabArray = Uint8Array | Uint32Array

export class Slab<TArray extends SlabArray> {
  /** Write here, from `end` on, after `reserve`. Changes with every `reserve`. */
  array: TArray
  /** First element of what is being built. */
  start = 0
  /** One past the last element of what is being built; the builder moves it. */
  end = 0
  /** Handed out and not given back, by the memory that it lies in, which is not kept by this. */
  readonly #lent = new WeakMap<ArrayBufferLike, { readonly slab: TArray; count: number }>()
  /** Full, and nothing of it is lent. */
  #spare: TArray | undefined
  readonly #create: (size: number) => TArray
  /** Of a slab that is used again. */
  readonly #size: number
  #nextSize: number

  /**
   * `size` elements are taken from the system at a time, or more where one batch needs more. The
   * first slabs are smaller: most builders build little.
   */
  constructor(create: (size: number) => TArray, size: number) {
    this.#create = create
    this.#size = size
    this.#nextSize = Math.ceil(size / FIRST_PART)
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
    const lent = this.#lent.get(taken.buffer)
    if (lent === undefined) this.#lent.set(taken.buffer, { slab: this.array, count: 1 })
    else lent.count++
    return taken
  }

  /** What `take` returned is needed by nobody any more: it will be overwritten. */
  giveBack(taken: SlabArray): void {
    const lent = this.#lent.get(taken.buffer)
    assert(lent !== undefined, 'it is given back once, to where it came from')
    if (--lent.count > 0) return
    this.#lent.delete(taken.buffer)
    const { slab } = lent
    if (slab !== this.array) this.#keep(slab)
  }

  #move(count: number): void {
    const built = this.end - this.start
    const size = Math.max(this.#nextSize, 2 * (built + count))
    const isSpareEnough = this.#spare !== undefined && this.#spare.length >= size
    const moved = isSpareEnough ? (this.#spare as TArray) : this.#create(size)
    if (isSpareEnough) this.#spare = undefined
    this.#nextSize = Math.min(this.#size, 2 * size)
    moved.set(this.array.subarray(this.start, this.end))
    const before = this.array
    this.array = moved
    // Everything of it came back while it was in use.
    if (!this.#lent.has(before.buffer)) this.#keep(before)
    this.start = 0
    this.end = built
  }

  /** Nothing of it is lent: it is filled again, if it is of a useful size. */
  #keep(slab: TArray): void {
    if (slab.length < this.#size || slab.length > KEPT_MAX * this.#size) return
    if (slab.length > (this.#spare?.length ?? 0)) this.#spare = slab
  }
}
