/**
 * Position blocks as the index has them: those that were read last, of all branches of a store.
 *
 * Each branch looks into a map of its own; this only bounds how many blocks all maps hold. The
 * one that was read first goes first.
 *
 * @module
 */

/** Blocks of one branch, by number. Nobody may change the bytes. */
export type BlocksRead = Map<number, Uint8Array>

/** Some 1.1 KiB each: places of a million entries. */
const BLOCKS_MAX = 4096

interface Slot {
  readonly of: BlocksRead
  readonly n: number
}

export class BlockCache {
  readonly #slots: Slot[] = []
  #next = 0

  keep(of: BlocksRead, n: number, bytes: Uint8Array): void {
    const oldest = this.#slots[this.#next]
    oldest?.of.delete(oldest.n)
    of.set(n, bytes)
    this.#slots[this.#next] = { of, n }
    this.#next = (this.#next + 1) % BLOCKS_MAX
  }
}
