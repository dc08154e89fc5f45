/**
 * Milliseconds from append to delivery, in the order of delivery, for whoever asks for the next.
 *
 * @module
 */
export class Delays {
  readonly #waiting: number[] = []
  #take: ((ms: number) => void) | undefined

  /** `stampedNs`: the machine's monotonic clock when it was appended. */
  delivered(stampedNs: bigint): void {
    this.#waiting.push(Number(process.hrtime.bigint() - stampedNs) / 1e6)
    this.#give()
  }

  next(): Promise<number> {
    return new Promise((resolve) => {
      this.#take = resolve
      this.#give()
    })
  }

  #give(): void {
    if (this.#take === undefined || this.#waiting.length === 0) return
    this.#take(this.#waiting.shift() as number)
    this.#take = undefined
  }
}

/** Bytes that say when they were made. */
export function stamped(byteLength: number): Uint8Array {
  const bytes = new Uint8Array(byteLength)
  new DataView(bytes.buffer).setBigUint64(0, process.hrtime.bigint())
  return bytes
}

export function stampOf(bytes: Uint8Array): bigint {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getBigUint64(0)
}
