/**
 * A branch whose heads are really signed, and which can be set back to an earlier size: what a
 * writer does that lost the end of its work in a crash.
 *
 * @module
 */
import {
  type BranchId,
  bytesEqual,
  type Control,
  createBody,
  encodeHeader,
  type Header,
  type HeaderExtension,
  NO_EXTENSION,
  RightEdge,
  sha256,
  signHead,
} from '@longshore/capsule'
import { EntryBatchBuilder } from '../store/entry-batch-builder.ts'
import type { StoreOp } from '../store/store.ts'
import type { AppendOp, AppendShape } from './branch-fixture.ts'
import type { CapsuleFixture } from './capsule-fixture.ts'
import type { Prng } from './prng.ts'

interface SignedEntry {
  readonly header: Uint8Array
  readonly body: Uint8Array
  readonly leafHash: Uint8Array
}

type NewEntry = Omit<SignedEntry, 'leafHash'>

export class SignedBranch {
  readonly capsule: CapsuleFixture
  readonly branch: BranchId
  readonly #prng: Prng
  readonly #builder = new EntryBatchBuilder()
  #entries: SignedEntry[] = []
  /** What it held before each removal of its capsule. */
  readonly #past: SignedEntry[][] = []
  #edge: RightEdge = RightEdge.empty()

  constructor(prng: Prng, capsule: CapsuleFixture, branch: BranchId) {
    this.#prng = prng
    this.capsule = capsule
    this.branch = branch
  }

  get size(): number {
    return this.#entries.length
  }

  /** The capsule is removed: begins anew, with other entries. */
  restart(): void {
    this.#past.push(this.#entries)
    this.rewind(0)
  }

  /** Forgets the entries from `size` on; with `first` goes back to when that was entry 0. */
  rewind(size: number, first?: Uint8Array): void {
    const isIt = ([entry]: SignedEntry[]): boolean => {
      return first !== undefined && entry !== undefined && bytesEqual(entry.header, first)
    }
    const entries = this.#past.findLast(isIt) ?? this.#entries
    this.#entries = (isIt(this.#entries) ? this.#entries : entries).slice(0, size)
    this.#edge = RightEdge.empty()
    for (const { leafHash } of this.#entries) this.#edge.append(leafHash)
  }

  /** The next `count` entries as one change. */
  append(count: number, shape: AppendShape = {}): AppendOp {
    const start = this.size
    for (let i = 0; i < count; i++) {
      const timeUs = shape.timesUs?.[i] ?? start + i
      this.#add(this.#createEntry(timeUs, shape.payloadBytes), timeUs, shape.holes?.includes(i))
    }
    return this.#appendSince(start)
  }

  /** An erase entry as one change; the store is not told to erase anything. */
  appendErase(...ranges: readonly (readonly [start: number, end: number])[]): AppendOp {
    const start = this.size
    const erased = ranges.map(([from, to]) => ({ start: from, end: to }))
    const control: Control = { type: 'erase', ranges: erased, reason: '' }
    this.#add(this.#createEntry(start, 0, { ...NO_EXTENSION, control }), start)
    return this.#appendSince(start)
  }

  #add(entry: NewEntry, timeUs: number, isHole = false): void {
    this.#builder.addEncoded(entry.header, timeUs, isHole ? undefined : entry.body)
    this.#entries.push({ ...entry, leafHash: new Uint8Array(0) })
  }

  #appendSince(start: number): AppendOp {
    const count = this.size - start
    const entries = this.#builder.build()
    for (let i = 0; i < count; i++) {
      const entry = this.#entries[start + i] as SignedEntry
      const leafHash = entries.leafHashes.slice(32 * i, 32 * i + 32)
      this.#entries[start + i] = { ...entry, leafHash }
    }
    const tiles = this.#edge.append(entries.leafHashes)
    const { branch } = this
    const { name, writer } = this.capsule
    const unsigned = { name, branch, epoch: 0, size: this.size, root: this.#edge.root() }
    const head = signHead(unsigned, writer)
    return { type: 'append', name, branch, start, entries, tiles, head }
  }

  fill(index: number): StoreOp {
    const { body } = this.#entries[index] as SignedEntry
    return { type: 'payload', name: this.capsule.name, branch: this.branch, index, body }
  }

  body(index: number): Uint8Array {
    return (this.#entries[index] as SignedEntry).body
  }

  erase(...ranges: readonly (readonly [start: number, end: number])[]): StoreOp {
    return {
      type: 'erase',
      name: this.capsule.name,
      branch: this.branch,
      ranges: ranges.map(([start, end]) => ({ start, end })),
    }
  }

  #createEntry(
    timeUs: number,
    payloadBytes: number | undefined,
    ext: HeaderExtension = NO_EXTENSION,
  ): NewEntry {
    const payload = this.#prng.bytes(payloadBytes ?? this.#prng.between(20, 120))
    const body = createBody(0, payload)
    const header: Header = {
      kind: 0,
      timeUs,
      payloadBytes: payload.length,
      payloadHash: sha256(body),
      pointers: [],
      ext,
    }
    return { header: encodeHeader(header), body }
  }
}
