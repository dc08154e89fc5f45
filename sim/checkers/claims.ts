/**
 * Checks of what nodes believe and state, at the moment in which they do: invariants I1 to I4.
 *
 * @module
 */
import {
  bytesEqual,
  formatHex,
  type Head,
  sha256,
  VerificationError,
  verifyEquivocation,
} from '@longshore/capsule'
import type { EntryBatch, MirrorReceipt } from '@longshore/engine'
import type { Truth } from '../truth.ts'
import { hold, Violation } from '../violation.ts'

const FRAME_HEAD_BYTES = 4
const HASH_BYTES = 32

export class Claims {
  /** The largest receipt of each mirror for each capsule; mirrors by key of their name. */
  readonly stated: Map<string, Map<Truth, number>> = new Map()
  /** Capsules whose writer was convicted, and by how many. */
  readonly convicted: Map<Truth, number> = new Map()
  receipts = 0
  entryCount = 0
  readonly #keyOf: (name: Uint8Array) => string
  /** Nodes that lie, by key. */
  readonly #liars: ReadonlySet<string>
  readonly #truths: readonly Truth[]
  readonly #heads = new Map<string, number>()
  /** In which histories of a forked capsule all heads of a reader were. */
  readonly #histories = new Map<string, readonly Truth[]>()

  constructor(
    keyOf: (name: Uint8Array) => string,
    liars: ReadonlySet<string>,
    truths: readonly Truth[],
  ) {
    this.#keyOf = keyOf
    this.#liars = liars
    this.#truths = truths
  }

  /** A publisher counted this receipt. */
  receipt(truth: Truth, { mirror, head }: MirrorReceipt): void {
    this.receipts++
    this.#expectTree('a receipt', truth, head)
    const key = this.#keyOf(mirror)
    const sizes = this.stated.get(key) ?? new Map<Truth, number>()
    this.stated.set(key, sizes)
    sizes.set(truth, Math.max(sizes.get(truth) ?? 0, head.size))
  }

  /** A publisher says that so many mirrors hold all entries below `size`. */
  replicated(truth: Truth, size: number, count: number): void {
    let holding = 0
    for (const sizes of this.stated.values()) if ((sizes.get(truth) ?? 0) >= size) holding++
    hold('I3', holding >= count, () => {
      return `${truth.label}: ${size} entries on ${count} mirrors, and ${holding} have said so`
    })
  }

  /** A publisher gave up on a mirror, for a reason. */
  refusedPush(truth: Truth, mirror: Uint8Array, error: Error): void {
    if (!truth.isCorrect || this.#liars.has(this.#keyOf(mirror))) return
    if (!(error instanceof VerificationError) || error.code.startsWith('CERT_')) return
    throw new Violation('I4', `a correct mirror of ${truth.label} was refused: ${error.message}`)
  }

  /** A reader goes by this head from now on. */
  head(reader: string, truth: Truth, head: Head): void {
    this.#expectTree(reader, truth, head)
    const before = this.#heads.get(reader) ?? 0
    hold('I2', head.size >= before, () => `${reader} went back from ${before} to ${head.size}`)
    this.#expectOneHistory(reader, truth, head)
    this.#heads.set(reader, head.size)
  }

  /** A reader hands these entries to its application, which has `size` entries. */
  entries(
    reader: string,
    truth: Truth,
    { start, entries }: { readonly start: number; readonly entries: EntryBatch },
    size: number,
  ): string[] {
    hold('I2', start === size, () => `${reader} has ${size} entries and got those from ${start}`)
    const leaves: string[] = []
    for (let i = 0; i < entries.count; i++) {
      const at = i * HASH_BYTES
      const leaf = formatHex(entries.leafHashes.subarray(at, at + HASH_BYTES))
      leaves.push(leaf)
      this.entryCount++
      if (truth.isCorrect) this.#expectEntry(reader, truth, start + i, leaf, bodyOf(entries, i))
    }
    return leaves
  }

  /** A reader does not ask this mirror any more. */
  distrusted(reader: string, mirror: string, error: Error): void {
    if (this.#liars.has(mirror)) return
    throw new Violation('I4', `${reader} distrusts a correct mirror: ${error.message}`)
  }

  /** Somebody holds a file that is to convict the writer. */
  evidence(who: string, truth: Truth, bytes: Uint8Array): void {
    hold('I4', !truth.isCorrect, () => `${who} convicted the correct writer of ${truth.label}`)
    const proven = verifyEquivocation(bytes)
    hold('I4', bytesEqual(proven.name, truth.name), () => `${who} convicted somebody else`)
    this.convicted.set(truth, (this.convicted.get(truth) ?? 0) + 1)
  }

  /** Whoever signs two histories may show each reader one of them, and no reader both. */
  #expectOneHistory(reader: string, truth: Truth, { size, root }: Head): void {
    const before = this.#histories.get(reader) ?? this.#truths
    const histories = before.filter((known) => {
      return bytesEqual(known.name, truth.name) && known.root(size) === formatHex(root)
    })
    hold('I4', histories.length > 0, () => {
      return `${reader} went from one history of ${truth.label} to another at ${size}`
    })
    this.#histories.set(reader, histories)
  }

  #expectTree(who: string, truth: Truth, { size, root }: Pick<Head, 'size' | 'root'>): void {
    if (!truth.isCorrect) return
    const expected = truth.root(size)
    hold('I1', expected === formatHex(root), () => {
      const was = expected === undefined ? 'was never released' : 'had another root'
      return `${who}: a head of ${truth.label} with ${size} entries ${was}`
    })
  }

  #expectEntry(
    reader: string,
    truth: Truth,
    index: number,
    leaf: string,
    body: Uint8Array | undefined,
  ): void {
    const where = `${reader}: entry ${index} of ${truth.label}`
    hold('I1', truth.leaf(index) === leaf, () => `${where} is not what was committed`)
    if (body === undefined) return
    const payload = truth.payload(index) ?? new Uint8Array(0)
    hold('I1', bytesEqual(sha256(body), sha256(payload)), () => `${where} has another payload`)
  }
}

/** Undefined where there is none. */
function bodyOf({ frames, offsets, count }: EntryBatch, i: number): Uint8Array | undefined {
  const at = offsets[i] as number
  const end = i + 1 < count ? (offsets[i + 1] as number) : frames.length
  if (frames[at + 2] === 0) return undefined
  const headerBytes = ((frames[at] as number) << 8) | (frames[at + 1] as number)
  return frames.subarray(at + FRAME_HEAD_BYTES + headerBytes, end)
}
