/**
 * Makes the changes that a store would get for one branch, and remembers what it must then hold.
 *
 * Headers, tiles and roots are real; the head's signature is noise, because a store does not look
 * at it.
 *
 * @module
 */
import {
  asCapsuleName,
  asSignature,
  type BranchId,
  type CapsuleName,
  type Head,
  hotHeaderBytes,
  MAIN_BRANCH,
  RightEdge,
  sha256,
  writeHotHeader,
} from '@longshore/capsule'
import { EntryBatchBuilder } from '../store/entry-batch-builder.ts'
import type { StoreOp } from '../store/store.ts'
import type { Prng } from './prng.ts'

export type ManifestOp = Extract<StoreOp, { type: 'manifest' }>
export type AppendOp = Extract<StoreOp, { type: 'append' }>

export interface FixtureEntry {
  readonly header: Uint8Array
  readonly timeUs: number
  readonly body: Uint8Array
}

export interface AppendShape {
  /** One per entry. Default: the index of the entry. */
  readonly timesUs?: readonly number[]
  /** Appended without payload. Indices are counted from the first entry of this append. */
  readonly holes?: readonly number[]
  readonly payloadBytes?: number
}

/** A name and something to stand for its signed manifest. */
export function createManifestOp(prng: Prng): ManifestOp {
  const signed = prng.bytes(300)
  return { type: 'manifest', name: asCapsuleName(sha256(signed)), signed }
}

export class BranchFixture {
  readonly name: CapsuleName
  readonly branch: BranchId
  /** Everything that append ops were made for, in order. */
  readonly entries: FixtureEntry[] = []
  /** Leaf hashes of `entries`. */
  readonly leafHashes: Uint8Array[] = []
  readonly #prng: Prng
  readonly #edge: RightEdge = RightEdge.empty()
  readonly #builder = new EntryBatchBuilder()

  constructor(prng: Prng, name: CapsuleName, branch: BranchId = MAIN_BRANCH) {
    this.#prng = prng
    this.name = name
    this.branch = branch
  }

  get size(): number {
    return this.entries.length
  }

  /** The next `count` entries as one change. */
  append(count: number, shape: AppendShape = {}): AppendOp {
    const start = this.size
    for (let i = 0; i < count; i++) {
      const timeUs = shape.timesUs?.[i] ?? start + i
      const entry = this.#createEntry(timeUs, shape.payloadBytes ?? this.#prng.between(0, 40))
      this.entries.push(entry)
      const hole = shape.holes?.includes(i) === true
      this.#builder.addEncoded(entry.header, timeUs, hole ? undefined : entry.body)
    }
    const entries = this.#builder.build()
    for (let at = 0; at < entries.leafHashes.length; at += 32) {
      this.leafHashes.push(entries.leafHashes.slice(at, at + 32))
    }
    const tiles = this.#edge.append(entries.leafHashes)
    const { name, branch } = this
    return { type: 'append', name, branch, start, entries, tiles, head: this.#createHead() }
  }

  fill(index: number): StoreOp {
    const body = (this.entries[index] as FixtureEntry).body
    return { type: 'payload', name: this.name, branch: this.branch, index, body }
  }

  erase(...ranges: readonly (readonly [start: number, end: number])[]): StoreOp {
    return {
      type: 'erase',
      name: this.name,
      branch: this.branch,
      ranges: ranges.map(([start, end]) => ({ start, end })),
    }
  }

  #createHead(): Head {
    return {
      branch: this.branch,
      epoch: 0,
      size: this.size,
      root: this.#edge.root(),
      signature: asSignature(this.#prng.bytes(64)),
    }
  }

  #createEntry(timeUs: number, payloadBytes: number): FixtureEntry {
    const body = this.#prng.bytes(payloadBytes)
    const header = new Uint8Array(hotHeaderBytes(timeUs, payloadBytes))
    writeHotHeader(header, 0, 0, timeUs, payloadBytes, sha256(body), 0)
    return { header, timeUs, body }
  }
}
