/**
 * Entries that wait for the next cut: who appended them, and what they erase.
 *
 * @module
 */

import type { EntryBatch } from '../store/entry-batch.ts'
import { EntryBatchBuilder } from '../store/entry-batch-builder.ts'
import type { IndexRange } from '../store/store.ts'

/** The entries [start, start + count) were appended under this ticket, one after the other. */
export interface AppendRange {
  readonly ticket: number
  readonly start: number
  readonly count: number
}

export interface ClosedBatch {
  readonly entries: EntryBatch
  readonly appends: readonly AppendRange[]
  readonly erasures: readonly IndexRange[]
}

export class PendingBatch {
  readonly #builder = new EntryBatchBuilder()
  /** Closed ranges; the open one is in the fields below. */
  #appends: AppendRange[] = []
  #erasures: IndexRange[] = []
  #ticket = -1
  #start = 0
  #rangeCount = 0

  get count(): number {
    return this.#builder.count
  }

  get framesBytes(): number {
    return this.#builder.framesBytes
  }

  /** `index` is where the entry will be in the branch. */
  add(
    ticket: number,
    index: number,
    kind: 0 | 1 | 2,
    timeUs: number,
    payload: Uint8Array,
    salt: Uint8Array | undefined,
  ): void {
    this.#builder.add(kind, timeUs, payload, salt)
    this.#note(ticket, index)
  }

  addEncoded(
    ticket: number,
    index: number,
    header: Uint8Array,
    timeUs: number,
    body: Uint8Array,
  ): void {
    this.#builder.addEncoded(header, timeUs, body)
    this.#note(ticket, index)
  }

  /** The entry added last erases these payloads. */
  addErasures(ranges: readonly IndexRange[]): void {
    this.#erasures.push(...ranges)
  }

  /** Who waits for an answer. */
  appends(): readonly AppendRange[] {
    this.#closeRange()
    return this.#appends
  }

  close(): ClosedBatch {
    const closed: ClosedBatch = {
      appends: this.appends(),
      erasures: this.#erasures,
      entries: this.#builder.build(),
    }
    this.#appends = []
    this.#erasures = []
    return closed
  }

  /** A batch of this writer is committed: its memory is used again. */
  giveBack(frames: Uint8Array): void {
    this.#builder.giveBack(frames)
  }

  /** Entries of one call come in a row, so a range is only extended, not looked up. */
  #note(ticket: number, index: number): void {
    if (this.#rangeCount > 0 && ticket !== this.#ticket) this.#closeRange()
    if (this.#rangeCount === 0) {
      this.#ticket = ticket
      this.#start = index
    }
    this.#rangeCount++
  }

  #closeRange(): void {
    if (this.#rangeCount === 0) return
    this.#appends.push({ ticket: this.#ticket, start: this.#start, count: this.#rangeCount })
    this.#rangeCount = 0
  }
}
