/**
 * A branch as it lies in a store that may have rotted: which entries can still be shown.
 *
 * An entry counts if it can be read, its leaf hash is the one that the store knows, and its body
 * fits its header. Where the leaf hash is lost, what can be read is a candidate: whoever uses it
 * compares the root of all of them with a signed head. Rule HM62 of docs/spec/home.md.
 *
 * @module
 */
import {
  type BranchId,
  bytesEqual,
  type CapsuleName,
  decodeHeader,
  HASH_BYTES,
  type Head,
  hashLeaf,
  isLongshoreError,
  openBody,
  TILE_WIDTH,
  VerificationError,
} from '@longshore/capsule'
import type { Slices } from '../store/slices.ts'
import type { StoredEntry, StoreReader } from '../store/store.ts'
import { committedHead } from './committed-head.ts'
import { RangeSet } from './range-set.ts'

/** The entries of one tile. */
export interface LocalTile {
  readonly start: number
  /** By position; undefined where nothing can be shown. */
  readonly entries: readonly (StoredEntry | undefined)[]
  /** Each leaf hash was compared. */
  readonly isProven: boolean
}

export class LocalCopy {
  readonly head: Head | undefined
  readonly #store: StoreReader
  readonly #name: CapsuleName
  readonly #branch: BranchId

  constructor(store: StoreReader, name: CapsuleName, branch: BranchId) {
    this.#store = store
    this.#name = name
    this.#branch = branch
    this.head = committedHead(store, name, branch)
  }

  /** Entries below the head in force. */
  get size(): number {
    return this.head?.size ?? 0
  }

  /** What cannot be shown, or cannot be proven from here alone. Reads every entry. */
  *findDamage(): Slices<RangeSet> {
    const damaged = new RangeSet()
    for (let start = 0; start < this.size; start += TILE_WIDTH) {
      const { entries, isProven } = this.tile(start)
      if (!isProven) damaged.add(start, start + entries.length)
      for (const [i, entry] of entries.entries()) {
        if (entry === undefined) damaged.add(start + i, start + i + 1)
      }
      yield
    }
    return damaged
  }

  /** `start` is a multiple of 256, below the size. */
  tile(start: number): LocalTile {
    const width = Math.min(TILE_WIDTH, this.size - start)
    const leaves = readable(() =>
      this.#store.tile(this.#name, this.#branch, 0, start / TILE_WIDTH, width),
    )
    const entries = this.#read(start, width).map((entry, i) => {
      const leaf = leaves?.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES)
      return entry !== undefined && isSound(entry, leaf) ? entry : undefined
    })
    return { start, entries, isProven: leaves !== undefined }
  }

  #read(start: number, width: number): (StoredEntry | undefined)[] {
    const entries = Array.from<StoredEntry | undefined>({ length: width })
    let at = start
    while (at < start + width) {
      readable(() => {
        const range = { start: at, end: start + width }
        for (const entry of this.#store.scan(this.#name, this.#branch, range)) {
          entries[entry.index - start] = entry
          at = entry.index + 1
        }
      })
      // The one that cannot be read.
      at++
    }
    return entries
  }
}

function isSound({ header, body }: StoredEntry, leaf: Uint8Array | undefined): boolean {
  if (leaf !== undefined && !bytesEqual(hashLeaf(header), leaf)) return false
  try {
    const decoded = decodeHeader(header)
    if (body !== undefined) openBody(decoded, body)
    return true
  } catch (error) {
    if (error instanceof VerificationError) return false
    throw error
  }
}

function readable<TResult>(read: () => TResult): TResult | undefined {
  try {
    return read()
  } catch (error) {
    if (isLongshoreError(error) && error.code === 'STORE_CORRUPT') return undefined
    throw error
  }
}
