/**
 * Cuts on their way through the store, oldest first. Their heads are signed and nobody may see
 * them: this list and the store's copy are the only places where they are (F14).
 *
 * Rules WR3 to WR5 of docs/spec/writer.md.
 *
 * @module
 */
import { assert, type Hash, type Head } from '@longshore/capsule'
import type { AppendRange } from './pending-batch.ts'

export interface CutInFlight {
  /** Size of the branch with this cut; rises from cut to cut. */
  readonly size: number
  readonly root: Hash
  /** Undefined for a catch-up, which signs nothing. */
  readonly head: Head | undefined
  readonly appends: readonly AppendRange[]
  /** Of its entries; undefined if it has none. */
  readonly frames: Uint8Array | undefined
}

export class CutsInFlight {
  #cuts: CutInFlight[] = []
  /** Of the cuts above, the first so many are synced and in the anchor. */
  #durableCount = 0

  get count(): number {
    return this.#cuts.length
  }

  push(cut: CutInFlight): void {
    const last = this.#cuts.at(-1)
    assert(last === undefined || last.size < cut.size, 'sizes of cuts rise')
    this.#cuts.push(cut)
  }

  /** The cut with this size. There must be one. */
  at(size: number): CutInFlight {
    return this.#cuts[this.#position(size)] as CutInFlight
  }

  /** The cut with this size and all before it are synced and in the anchor. */
  markDurable(size: number): void {
    this.#durableCount = this.#position(size) + 1
  }

  /** Takes out the cut with this size and all before it. They must be durable. */
  takeCommitted(size: number): readonly CutInFlight[] {
    const count = this.#position(size) + 1
    assert(count <= this.#durableCount, 'the anchor is written before anything is released')
    this.#durableCount -= count
    return this.#cuts.splice(0, count)
  }

  /** Takes out the cuts from this size on; none is left if later ones were refused before. */
  takeRefused(size: number): readonly CutInFlight[] {
    const kept = this.#cuts.filter((cut) => cut.size < size).length
    assert(kept >= this.#durableCount, 'what is durable is not refused')
    return this.#cuts.splice(kept)
  }

  #position(size: number): number {
    const position = this.#cuts.findIndex((cut) => cut.size === size)
    assert(position !== -1, 'a cut of this size is in flight')
    return position
  }
}
