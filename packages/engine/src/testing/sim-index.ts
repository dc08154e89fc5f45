/**
 * A simulated index: an `IndexStore` that a crash may empty or roll back to any earlier batch.
 *
 * Whatever it forgets, the disk engine has to rebuild from the journal; whatever it still knows
 * may be older than the journal, but is never a mix of batches. What happens at a crash is drawn
 * from the seed. Handles from before a crash or a close throw.
 *
 * @module
 */
import { assert } from '@longshore/capsule'
import type { IndexStore, IndexWrite } from '../runtime/index-store.ts'
import type { Prng } from './prng.ts'

/** Keys as strings of code units 0 to 255: JavaScript then compares them in byte order. */
function keyText(key: Uint8Array): string {
  return String.fromCharCode(...key)
}

function keyBytes(text: string): Uint8Array {
  return Uint8Array.from(text, (char) => char.charCodeAt(0))
}

interface Undo {
  readonly key: string
  readonly before: Uint8Array | undefined
}

export interface SimIndexCounts {
  reads: number
  /** Batches, not keys. */
  writes: number
  bytesWritten: number
}

export type IndexCrash = 'keep' | 'roll-back' | 'vanish'

export class SimIndex {
  readonly counts: SimIndexCounts = { reads: 0, writes: 0, bytesWritten: 0 }
  readonly #prng: Prng
  readonly #values = new Map<string, Uint8Array>()
  /** All keys, sorted. */
  readonly #keys: string[] = []
  /** How to undo each batch, oldest first. */
  readonly #history: Undo[][] = []
  #incarnation = 0

  constructor(prng: Prng) {
    this.#prng = prng
  }

  /** Batches that are applied now. */
  get batchCount(): number {
    return this.#history.length
  }

  /** A handle, as one process would hold it. Several may be open at once. */
  open(): IndexStore {
    const incarnation = this.#incarnation
    let open = true
    const check = (): void => {
      assert(open, 'the index is closed')
      assert(incarnation === this.#incarnation, 'this handle died in a crash')
    }
    return {
      get: (key) => {
        check()
        this.counts.reads++
        return this.#values.get(keyText(key))?.slice()
      },
      range: (from, to) => {
        check()
        return this.#range(keyText(from), keyText(to))
      },
      write: (batch) => {
        check()
        this.#write(batch)
      },
      clear: () => {
        check()
        this.#write(this.#keys.map((key) => ({ key: keyBytes(key), value: undefined })))
      },
      close: () => {
        check()
        open = false
      },
    }
  }

  /** The process dies. `how` undefined: the seed decides what is left. */
  crash(how?: IndexCrash): void {
    this.#incarnation++
    const chosen = how ?? this.#prng.pick<IndexCrash>(['keep', 'roll-back', 'vanish'])
    if (chosen === 'roll-back') this.rollBack(this.#prng.below(this.#history.length + 1))
    if (chosen === 'vanish') this.#vanish()
  }

  /** Puts back the state after the first `batchCount` batches: an older copy of the index. */
  rollBack(batchCount: number): void {
    while (this.#history.length > batchCount) {
      const undo = this.#history.pop() as Undo[]
      for (const { key, before } of undo.reverse()) this.#set(key, before)
    }
  }

  #vanish(): void {
    this.#values.clear()
    this.#keys.length = 0
    this.#history.length = 0
  }

  #write(batch: readonly IndexWrite[]): void {
    this.counts.writes++
    const undo: Undo[] = []
    for (const { key, value } of batch) {
      const text = keyText(key)
      undo.push({ key: text, before: this.#values.get(text) })
      this.#set(text, value?.slice())
      this.counts.bytesWritten += key.length + (value?.length ?? 0)
    }
    this.#history.push(undo)
  }

  #set(key: string, value: Uint8Array | undefined): void {
    const known = this.#values.has(key)
    if (value === undefined) {
      this.#values.delete(key)
      if (known) this.#keys.splice(this.#position(key), 1)
      return
    }
    this.#values.set(key, value)
    if (!known) this.#keys.splice(this.#position(key), 0, key)
  }

  /** Position of the first key that is not below `key`. */
  #position(key: string): number {
    let low = 0
    let high = this.#keys.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#keys[middle] as string) < key) low = middle + 1
      else high = middle
    }
    return low
  }

  *#range(from: string, to: string): Generator<readonly [Uint8Array, Uint8Array]> {
    const keys = this.#keys.slice(this.#position(from), this.#position(to))
    for (const key of keys) {
      this.counts.reads++
      const value = this.#values.get(key)
      if (value !== undefined) yield [keyBytes(key), value.slice()]
    }
  }
}
