/**
 * One branch in the memory engine: entries, hash rows, running maximum of times.
 *
 * Simple on purpose: it computes every tile itself, by definition, and so checks the tiles that a
 * writer hands in.
 *
 * @module
 */
import {
  assert,
  bytesEqual,
  decodeHeader,
  HASH_BYTES,
  type Head,
  subtreeRoot,
  TILE_WIDTH,
  UsageError,
} from '@longshore/capsule'
import { frameAt } from './frame.ts'
import type { BranchState, IndexRange, PayloadState, StoredEntry, StoreOp } from './store.ts'

type AppendOp = Extract<StoreOp, { type: 'append' }>

interface MemoryEntry {
  readonly header: Uint8Array
  readonly timeUsMax: number
  state: PayloadState
  body: Uint8Array | undefined
}

export class MemoryBranch {
  readonly #entries: MemoryEntry[] = []
  /** By level: the hashes of all tiles of that level, in order. */
  readonly #rows: Uint8Array[][] = []
  #head: Head | undefined

  /** As a raw copy of a home would hold it. Bytes are shared, because nobody changes them. */
  copy(): MemoryBranch {
    const copy = new MemoryBranch()
    for (const entry of this.#entries) copy.#entries.push({ ...entry })
    for (const row of this.#rows) copy.#rows.push([...row])
    copy.#head = this.#head
    return copy
  }

  get size(): number {
    return this.#entries.length
  }

  state(): BranchState {
    const timeUsMax = this.#entries.at(-1)?.timeUsMax ?? 0
    return { size: this.size, head: this.#head, timeUsMax, isDamaged: false }
  }

  append({ entries, tiles, head }: AppendOp): void {
    let timeUsMax = this.state().timeUsMax
    for (let i = 0; i < entries.count; i++) {
      const { header, body } = frameAt(entries, i)
      timeUsMax = Math.max(timeUsMax, decodeHeader(header).timeUs)
      const state = body === undefined ? 'absent' : 'present'
      // Copies: the frames are overwritten one day (ST19).
      this.#entries.push({ header: header.slice(), timeUsMax, state, body: body?.slice() })
      const at = i * HASH_BYTES
      this.#addHash(0, entries.leafHashes.slice(at, at + HASH_BYTES))
    }
    for (const { level, n, bytes, root } of tiles) {
      const own = this.tile(level, n, TILE_WIDTH)
      assert(bytesEqual(own, bytes), 'a writer hands in the tiles of its tree')
      assert(bytesEqual(subtreeRoot(own), root), 'a tile comes with its root')
    }
    assert(head.size === this.size, 'the transaction was checked')
    this.#head = head
  }

  fill(index: number, body: Uint8Array): void {
    const entry = this.#at(index)
    if (entry.state !== 'absent') return
    entry.state = 'present'
    entry.body = body
  }

  erase(ranges: readonly IndexRange[]): void {
    for (const { start, end } of ranges) {
      for (let index = start; index < end; index++) {
        const entry = this.#at(index)
        entry.state = 'erased'
        entry.body = undefined
      }
    }
  }

  entry(index: number): StoredEntry {
    const { header, state, body } = this.#at(index)
    return { index, header, state, body }
  }

  tile(level: number, n: number, width: number): Uint8Array {
    const row = this.#rows[level] ?? []
    const start = n * TILE_WIDTH
    if (!(n >= 0 && width >= 1 && width <= TILE_WIDTH && start + width <= row.length)) {
      const details = { level, n, width, size: this.size }
      throw new UsageError('INDEX_OUT_OF_RANGE', 'the tree has no such tile', details)
    }
    return joinHashes(row.slice(start, start + width))
  }

  indexAtTime(timeUs: number): number {
    let low = 0
    let high = this.size
    while (low < high) {
      const middle = Math.floor((low + high) / 2)
      if (this.#at(middle).timeUsMax < timeUs) low = middle + 1
      else high = middle
    }
    return low
  }

  #at(index: number): MemoryEntry {
    const entry = this.#entries[index]
    if (entry === undefined) {
      const details = { index, size: this.size }
      throw new UsageError('INDEX_OUT_OF_RANGE', 'the branch has no such entry', details)
    }
    return entry
  }

  #addHash(level: number, hash: Uint8Array): void {
    const row = (this.#rows[level] ??= [])
    row.push(hash)
    if (row.length % TILE_WIDTH !== 0) return
    this.#addHash(level + 1, subtreeRoot(joinHashes(row.slice(-TILE_WIDTH))))
  }
}

function joinHashes(hashes: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(hashes.length * HASH_BYTES)
  hashes.forEach((hash, i) => {
    joined.set(hash, i * HASH_BYTES)
  })
  return joined
}
