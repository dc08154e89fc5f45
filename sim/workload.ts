/**
 * What writers do while a world runs: appends of one to many entries, small and large, now and
 * then an erasure, until it is told to stop.
 *
 * @module
 */
import type { Writer } from './actors/writer.ts'
import type { World } from './world.ts'

export interface Pace {
  /** Between two transactions of a writer, at most. */
  readonly pauseUsMax: number
  readonly entriesMax: number
  readonly payloadBytesMax: number
  /** Of a transaction to be an erasure. */
  readonly erasures: number
}

const STEADY: Pace = {
  ...{ pauseUsMax: 2_000_000, entriesMax: 40, payloadBytesMax: 400, erasures: 0.05 },
}

export class Workload {
  readonly #world: World
  readonly #pace: Pace
  #isOver = false

  constructor(world: World, writers: readonly Writer[], pace: Pace = STEADY) {
    this.#world = world
    this.#pace = pace
    for (const writer of writers) this.#plan(writer)
  }

  stop(): void {
    this.#isOver = true
  }

  #plan(writer: Writer): void {
    const { prng } = this.#world
    const { pauseUsMax, entriesMax, payloadBytesMax, erasures } = this.#pace
    this.#world.after(prng.below(pauseUsMax), () => {
      if (this.#isOver) return
      if (prng.chance(erasures)) writer.erase()
      else writer.append(prng.between(1, entriesMax), payloadBytesMax)
      this.#plan(writer)
    })
  }
}
