/**
 * When to say what was received: with the next packet that goes to the peer anyway, or else by
 * itself, soon enough that nobody waits for it.
 *
 * @module
 */
import { CHUNK_BYTES_MAX, type SessionLimits } from './limits.ts'

/**
 * Received but not acknowledged: more is acknowledged at once. The bytes are a part of what came in
 * order without a gap, within bounds: a sender whose window is small soon needs to hear of it, and
 * one that has sent megabytes without a loss is held up by nothing.
 */
const CHUNKS_MAX = 16
const BYTES_MIN: number = 2 * CHUNK_BYTES_MAX
const BYTES_MAX: number = 8 * CHUNK_BYTES_MAX
const PART = 16
/**
 * After so many small chunks in a row the sender is one whose window is no concern: each further
 * one may be acknowledged later.
 */
const STEADY_CHUNKS_MIN = 64
const STEADY_BYTES_MAX: number = CHUNK_BYTES_MAX / 8

export class Acknowledging {
  readonly #limits: SessionLimits
  #chunks = 0
  #bytes = 0
  /** Of chunks, since one was missing or came twice. */
  #inOrderBytes = 0
  /** Since then, as long as they are small. */
  #steadyChunks = 0
  /** What was received is acknowledged by then, infinite if all of it is. */
  dueUs: number = Number.POSITIVE_INFINITY

  constructor(limits: SessionLimits) {
    this.#limits = limits
  }

  /** A chunk was received, in order or not. Returns whether that is to be acknowledged at once. */
  received(chunkBytes: number, isInOrder: boolean, nowUs: number): boolean {
    this.#chunks++
    this.#bytes += chunkBytes
    this.#inOrderBytes = isInOrder ? this.#inOrderBytes + chunkBytes : 0
    this.#steadyChunks = isInOrder && chunkBytes <= STEADY_BYTES_MAX ? this.#steadyChunks + 1 : 0
    const bytesMax = Math.min(Math.max(BYTES_MIN, this.#inOrderBytes / PART), BYTES_MAX)
    if (!isInOrder || this.#chunks >= CHUNKS_MAX || this.#bytes >= bytesMax) return true
    const { ackDelayUs, steadyAckDelayUs } = this.#limits
    const delayUs = this.#steadyChunks > STEADY_CHUNKS_MIN ? steadyAckDelayUs : ackDelayUs
    this.dueUs = Math.min(this.dueUs, nowUs + delayUs)
    return false
  }

  /** A packet went out: every packet acknowledges. */
  sent(): void {
    this.#chunks = 0
    this.#bytes = 0
    this.dueUs = Number.POSITIVE_INFINITY
  }
}
