/**
 * A store reader whose store may change under it: a guest becomes the holder, or the holder
 * replaces its index. Whoever reads goes on with the same object.
 *
 * @module
 */
import { type BranchId, type CapsuleName, UnavailableError } from '@longshore/capsule'
import type { BranchState, IndexRange, StoredEntry, StoreReader } from '@longshore/engine'

export class LiveReader implements StoreReader {
  #store: StoreReader | undefined

  /** Reads from here now; from nowhere if undefined. */
  use(store: StoreReader | undefined): void {
    this.#store = store
  }

  get sequence(): number {
    return this.#current().sequence
  }

  names(): CapsuleName[] {
    return this.#current().names()
  }

  get nameCount(): number {
    return this.#current().nameCount
  }

  namesAfter(after: CapsuleName | undefined, countMax: number): CapsuleName[] {
    return this.#current().namesAfter(after, countMax)
  }

  manifest(name: CapsuleName): Uint8Array | undefined {
    return this.#current().manifest(name)
  }

  branches(name: CapsuleName): BranchId[] {
    return this.#current().branches(name)
  }

  state(name: CapsuleName, branch: BranchId): BranchState | undefined {
    return this.#current().state(name, branch)
  }

  entry(name: CapsuleName, branch: BranchId, index: number): StoredEntry {
    return this.#current().entry(name, branch, index)
  }

  scan(name: CapsuleName, branch: BranchId, range: IndexRange): Iterable<StoredEntry> {
    return this.#current().scan(name, branch, range)
  }

  tile(name: CapsuleName, branch: BranchId, level: number, n: number, width: number): Uint8Array {
    return this.#current().tile(name, branch, level, n, width)
  }

  indexAtTime(name: CapsuleName, branch: BranchId, timeUs: number): number {
    return this.#current().indexAtTime(name, branch, timeUs)
  }

  note(key: string): Uint8Array | undefined {
    return this.#current().note(key)
  }

  #current(): StoreReader {
    if (this.#store === undefined) throw new UnavailableError('CLOSED', 'the home was closed')
    return this.#store
  }
}
