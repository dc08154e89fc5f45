/**
 * Pseudo-random numbers for simulations: the same seed gives the same numbers, on every machine.
 *
 * sfc32 (Chris Doty-Humphrey, PractRand), seeded through splitmix32. Never for keys or nonces of
 * a real home: those come from the runtime's `randomBytes`.
 *
 * @module
 */
import { assert } from '@longshore/capsule'

const TWO_TO_32 = 0x1_0000_0000

/** One step of splitmix32, which spreads a small seed over all bits. */
function createSplitMix(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x9e3779b9) | 0
    let z = state ^ (state >>> 16)
    z = Math.imul(z, 0x21f0aaad)
    z ^= z >>> 15
    z = Math.imul(z, 0x735a2d97)
    return z ^ (z >>> 15)
  }
}

export class Prng {
  readonly seed: number
  #a: number
  #b: number
  #c: number
  #counter = 1

  /** `seed` is any safe integer of 0 or more. */
  constructor(seed: number) {
    assert(Number.isSafeInteger(seed) && seed >= 0, 'a seed is a non-negative safe integer')
    this.seed = seed
    const low = createSplitMix(seed % TWO_TO_32)
    const high = createSplitMix(Math.floor(seed / TWO_TO_32) + 0x5bd1e995)
    this.#a = low() ^ high()
    this.#b = low() ^ high()
    this.#c = low() ^ high()
    for (let i = 0; i < 12; i++) this.uint32()
  }

  /** 0 to 2^32-1. */
  uint32(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0
    this.#counter = (this.#counter + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0
    return sum >>> 0
  }

  /** An integer from 0 to `count` - 1, each equally likely. `count` is 1 to 2^32. */
  below(count: number): number {
    assert(Number.isInteger(count) && count >= 1 && count <= TWO_TO_32, 'count is 1 to 2^32')
    const fair = TWO_TO_32 - (TWO_TO_32 % count)
    let value = this.uint32()
    while (value >= fair) value = this.uint32()
    return value % count
  }

  /** An integer from `min` to `max`, both included. */
  between(min: number, max: number): number {
    return min + this.below(max - min + 1)
  }

  /** True with the given probability (0 never, 1 always). */
  chance(probability: number): boolean {
    return this.uint32() < probability * TWO_TO_32
  }

  pick<TItem>(items: readonly TItem[]): TItem {
    assert(items.length > 0, 'nothing to pick from')
    return items[this.below(items.length)] as TItem
  }

  /** A new array with the same items in an order that the seed decides. */
  shuffle<TItem>(items: readonly TItem[]): TItem[] {
    const shuffled = [...items]
    for (let i = shuffled.length - 1; i > 0; i--) {
      const j = this.below(i + 1)
      const item = shuffled[i] as TItem
      shuffled[i] = shuffled[j] as TItem
      shuffled[j] = item
    }
    return shuffled
  }

  bytes(byteLength: number): Uint8Array {
    const out = new Uint8Array(byteLength)
    for (let i = 0; i < byteLength; i += 4) {
      let word = this.uint32()
      for (let j = i; j < i + 4 && j < byteLength; j++) {
        out[j] = word
        word >>>= 8
      }
    }
    return out
  }

  /** A generator of its own, so that more draws in one place do not shift those of another. */
  child(): Prng {
    return new Prng(this.uint32())
  }
}
