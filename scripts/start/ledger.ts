/**
 * What was written, acknowledged and delivered, entry by entry: whether anything was lost is
 * counted here and believed of nobody.
 *
 * The writer says what it appended (index and digest of each payload) and up to where it was
 * acknowledged; the follower says what it verified. Either may come first.
 *
 * @module
 */
import { createHash } from 'node:crypto'

export function digestPayload(payload: Uint8Array): string {
  return createHash('sha256').update(payload).digest('hex').slice(0, 16)
}

export class Ledger {
  /** Written here and not delivered yet, by index. */
  readonly #written = new Map<number, string>()
  /** Delivered, and the writer has not said yet that it wrote it. */
  readonly #early = new Map<number, string | null>()
  #entries = 0
  #verified = 0
  #altered = 0
  #storedSize = 0
  #deliveredSize = 0
  #ackedSize = 0
  #ackedEntries = 0
  /** Entries of this run below the acknowledged size are counted once. */
  readonly #waiting: number[] = []

  /** Entries that this run has written. */
  get entries(): number {
    return this.#entries
  }

  /** Those of them that were delivered as they were written. */
  get verified(): number {
    return this.#verified
  }

  /** Those of them that enough mirrors hold. */
  get acked(): number {
    return this.#ackedEntries
  }

  /** Entries in the capsule, as the writer says. */
  get storedSize(): number {
    return this.#storedSize
  }

  get ackedSize(): number {
    return this.#ackedSize
  }

  /** Acknowledged entries that were passed over, or did not arrive as they were written. */
  get lost(): number {
    return this.#altered + this.#countMissing(this.#deliveredSize)
  }

  /** The same at the end: nothing is under way any more, so what has not arrived is lost. */
  get lostForGood(): number {
    return this.#altered + this.#countMissing(Number.POSITIVE_INFINITY)
  }

  /** So many entries are in the capsule. */
  stored(size: number): void {
    this.#storedSize = Math.max(this.#storedSize, size)
  }

  /** A run that goes on with a capsule begins at its size. */
  open(size: number): void {
    this.#storedSize = size
    this.#ackedSize = size
  }

  wrote(index: number, digests: readonly string[]): void {
    for (const [at, digest] of digests.entries()) {
      const early = this.#early.get(index + at)
      this.#early.delete(index + at)
      if (early === undefined) this.#written.set(index + at, digest)
      else this.#compare(digest, early)
      this.#waiting.push(index + at)
    }
    this.#entries += digests.length
    this.#storedSize = Math.max(this.#storedSize, index + digests.length)
    this.#countAcked()
  }

  /** Enough mirrors hold everything below `size`. */
  acknowledged(size: number): void {
    this.#ackedSize = Math.max(this.#ackedSize, size)
    this.#storedSize = Math.max(this.#storedSize, size)
    this.#countAcked()
  }

  /** Null: the payload was erased on purpose, so there is nothing to compare. */
  delivered(index: number, digest: string | null): void {
    this.#deliveredSize = index + 1
    const written = this.#written.get(index)
    this.#written.delete(index)
    if (written === undefined) this.#early.set(index, digest)
    else this.#compare(written, digest)
  }

  #countMissing(below: number): number {
    let count = 0
    for (const index of this.#written.keys()) {
      if (index < Math.min(below, this.#ackedSize)) count++
    }
    return count
  }

  #compare(written: string, delivered: string | null): void {
    if (delivered === null || written === delivered) this.#verified += 1
    else this.#altered += 1
  }

  #countAcked(): void {
    const rest = this.#waiting.filter((index) => index >= this.#ackedSize)
    this.#ackedEntries += this.#waiting.length - rest.length
    this.#waiting.length = 0
    this.#waiting.push(...rest)
  }
}
