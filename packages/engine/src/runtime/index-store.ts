/**
 * What the disk engine asks of its index: an ordered map that may be lost at any time.
 *
 * Everything in it can be rebuilt from the journal, so it promises little: a batch is atomic, and
 * after a crash the map is as it was after some earlier batch, or empty. It never mixes batches.
 * The real one is LMDB (client platform room); the simulator's vanishes or rolls back on demand.
 *
 * @module
 */

/** `value` undefined removes the key. */
export interface IndexWrite {
  readonly key: Uint8Array
  readonly value: Uint8Array | undefined
}

export interface IndexStore {
  /** The bytes stay valid and unchanged after the call. */
  get(key: Uint8Array): Uint8Array | undefined
  /** Keys k with `from <= k < to`, in byte order. */
  range(from: Uint8Array, to: Uint8Array): Iterable<readonly [key: Uint8Array, value: Uint8Array]>
  /** Atomic and at once visible to other processes that have the index open; not durable. */
  write(batch: readonly IndexWrite[]): void
  /** Forgets everything, as if new. */
  clear(): void
  close(): void
}
