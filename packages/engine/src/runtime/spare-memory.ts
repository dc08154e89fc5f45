/**
 * Memory of one node that is used again: packets, received frames, messages and what is read to
 * make them.
 *
 * V8 counts such arrays when it decides when to look through the whole heap, which costs tens of
 * milliseconds of all threads. At 50 MB/s of new arrays it does so several times a second, and
 * finds nothing else to free.
 *
 * Whoever takes memory may give it back, once, when nobody looks at it any more; the next owner
 * writes over it. Memory that is not given back is left to the garbage collector, so that what is
 * handed to somebody else needs no care. See docs/design/0011-memory.md.
 *
 * @module
 */

/** Below this new memory costs little, and there is much of it. */
const SPARE_BYTES_MIN = 16_384
/** The largest message of a session, and as much room as its size class adds. */
const SPARE_BYTES_MAX = 10_485_760
/** Of all sizes, kept while nobody has them: what a busy mirror takes in for one commit. */
const KEPT_BYTES_MAX = 67_108_864
/** So long nobody has needed it: half of it goes. */
const UNUSED_US = 60_000_000
/** Of so little the half is not worth keeping. */
const UNUSED_BYTES_MIN = 1_048_576
const SPOILED = 0xdb

export interface SpareMemoryOptions {
  /** For tests, in which little is large. */
  readonly spareBytesMin?: number
  /** For tests: what is given back is written over at once, so that a late look finds nonsense. */
  readonly isSpoiled?: boolean
}

export class SpareMemory {
  readonly #spareBytesMin: number
  readonly #isSpoiled: boolean
  /** By their size. */
  readonly #kept = new Map<number, ArrayBuffer[]>()
  #keptBytes = 0
  /** The least that was kept since the time before `#dueUs`. */
  #unusedBytes = 0
  #dueUs = Number.NEGATIVE_INFINITY
  readonly #lent = new WeakSet<ArrayBufferLike>()

  constructor({ spareBytesMin = SPARE_BYTES_MIN, isSpoiled = false }: SpareMemoryOptions = {}) {
    this.#spareBytesMin = spareBytesMin
    this.#isSpoiled = isSpoiled
  }

  /** Bytes of the memory that nobody has. */
  get keptBytes(): number {
    return this.#keptBytes
  }

  /** An array of this length. What is in it is left over from before: write all of it. */
  take(byteLength: number): Uint8Array {
    if (byteLength < this.#spareBytesMin || byteLength > SPARE_BYTES_MAX) {
      return new Uint8Array(byteLength)
    }
    const size = sizeFor(byteLength)
    const memory = this.#kept.get(size)?.pop()
    if (memory === undefined) return this.#lend(new ArrayBuffer(size), byteLength)
    this.#keptBytes -= size
    this.#unusedBytes = Math.min(this.#unusedBytes, this.#keptBytes)
    return this.#lend(memory, byteLength)
  }

  /** The smallest that is kept and has so many bytes, all of it; undefined if none has. */
  takeKept(leastBytes: number): Uint8Array | undefined {
    let best = Number.POSITIVE_INFINITY
    for (const [size, kept] of this.#kept) {
      if (size >= leastBytes && size < best && kept.length > 0) best = size
    }
    return best === Number.POSITIVE_INFINITY ? undefined : this.take(best)
  }

  /** Nobody looks at any part of this memory any more. Whatever is not lent is left alone. */
  giveBack({ buffer }: Uint8Array): void {
    const size = buffer.byteLength
    if (size < this.#spareBytesMin || !this.#lent.delete(buffer)) return
    if (this.#isSpoiled) new Uint8Array(buffer).fill(SPOILED)
    if (this.#keptBytes + size > KEPT_BYTES_MAX) return
    const kept = this.#kept.get(size)
    if (kept === undefined) this.#kept.set(size, [buffer as ArrayBuffer])
    else kept.push(buffer as ArrayBuffer)
    this.#keptBytes += size
  }

  /** Several have this memory from now on: it is not used again. */
  disown({ buffer }: Uint8Array): void {
    this.#lent.delete(buffer)
  }

  /**
   * Called now and then, with a clock that never goes back: lets go of half of what nobody has
   * needed for a minute. A node that is busy again needs it again.
   */
  tick(nowUs: number): void {
    if (nowUs < this.#dueUs) return
    this.#dueUs = nowUs + UNUSED_US
    const unused = this.#unusedBytes
    this.#letGo(unused < UNUSED_BYTES_MIN ? unused : unused / 2)
    this.#unusedBytes = this.#keptBytes
  }

  /** At least so many bytes, of any sizes. */
  #letGo(byteLength: number): void {
    const keptBytesMax = this.#keptBytes - byteLength
    for (const [size, kept] of this.#kept) {
      while (this.#keptBytes > keptBytesMax && kept.length > 0) {
        // Freed now: a node that is idle does not collect its garbage for a long time.
        kept.pop()?.transfer(0)
        this.#keptBytes -= size
      }
    }
  }

  #lend(memory: ArrayBuffer, byteLength: number): Uint8Array {
    this.#lent.add(memory)
    return new Uint8Array(memory, 0, byteLength)
  }
}

/** The next power of two, or a quarter, a half or three quarters of the way to it. */
function sizeFor(byteLength: number): number {
  const quarter = 1 << Math.max(0, 29 - Math.clz32(byteLength - 1))
  return Math.ceil(byteLength / quarter) * quarter
}
