/**
 * What the writer of one capsule has committed: the entries that a reader may see, the trees that
 * a head may have, and what was erased. Kept by the world, outside of every machine.
 *
 * An entry is *tried* when it is cut and signed, and *committed* when its sync has ended; after a
 * crash the home says which of the tried ones were.
 *
 * @module
 */
import { assert, type CapsuleName, formatHex, type SignedManifest } from '@longshore/capsule'
import type { StoreOp } from '@longshore/engine'
import { Violation } from './violation.ts'

interface Tried {
  readonly end: number
  readonly root: string
  readonly leaves: readonly string[]
  readonly payloads: readonly Uint8Array[]
  readonly erased: readonly number[]
}

const HASH_BYTES = 32

export class Truth {
  readonly label: string
  readonly capsule: SignedManifest
  /** False for a writer that signs two histories: then nothing here binds anybody. */
  isCorrect = true
  readonly erased: Set<number> = new Set()
  readonly #leaves: string[] = []
  readonly #payloads: Uint8Array[] = []
  readonly #roots = new Map<number, string>()
  #tried: Tried[] = []

  constructor(label: string, capsule: SignedManifest) {
    this.label = label
    this.capsule = capsule
  }

  get name(): CapsuleName {
    return this.capsule.name
  }

  /** Entries that are committed. */
  get size(): number {
    return this.#leaves.length
  }

  /** The head of these changes is signed; nothing of it is durable yet. */
  cut(ops: readonly StoreOp[], payloadAt: (index: number) => Uint8Array): void {
    const append = ops.find((op) => op.type === 'append')
    if (append === undefined) return
    const { start, entries, head } = append
    const leaves: string[] = []
    const payloads: Uint8Array[] = []
    for (let i = 0; i < entries.count; i++) {
      leaves.push(formatHex(entries.leafHashes.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES)))
      payloads.push(payloadAt(start + i))
    }
    const erased = ops.flatMap((op) => (op.type === 'erase' ? op.ranges.flatMap(indices) : []))
    this.#tried.push({ end: head.size, root: formatHex(head.root), leaves, payloads, erased })
  }

  /** Everything up to this size is durable. */
  commit(size: number): void {
    const done = this.#tried.filter(({ end }) => end <= size)
    this.#tried = this.#tried.filter(({ end }) => end > size)
    for (const { leaves, payloads, end, root, erased } of done) {
      this.#leaves.push(...leaves)
      this.#payloads.push(...payloads)
      this.#roots.set(end, root)
      for (const index of erased) this.erased.add(index)
    }
    assert(this.size === size, 'what is committed was tried, in order')
  }

  /** The writer's home was opened again and has this many entries; the rest is lost. */
  reopen(size: number): void {
    if (size < this.size) {
      const message = `${this.label}: ${this.size} entries were stored, ${size} came back`
      throw new Violation('I3', message)
    }
    if (size !== this.size && !this.#tried.some(({ end }) => end === size)) {
      throw new Violation('I3', `${this.label}: half a transaction came back: ${size} entries`)
    }
    this.commit(size)
    this.#tried = []
  }

  leaf(index: number): string | undefined {
    return this.#leaves[index]
  }

  payload(index: number): Uint8Array | undefined {
    return this.#payloads[index]
  }

  /** Root of a committed head; undefined if the writer never released a head of this size. */
  root(size: number): string | undefined {
    return this.#roots.get(size)
  }
}

function indices({ start, end }: { readonly start: number; readonly end: number }): number[] {
  return Array.from({ length: end - start }, (_, i) => start + i)
}
