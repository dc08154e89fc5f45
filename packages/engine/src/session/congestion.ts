/**
 * How many bytes of one stream may be on their way: slow start and additive increase, halved when
 * something is lost (as TCP does, RFC 5681). Routers drop what their queues cannot hold; without
 * this a full credit window would be sent into them again and again.
 *
 * @module
 */
import { CHUNK_BYTES_MAX } from './limits.ts'

/** Ten segments, as RFC 6928 has it. */
const FIRST_BYTES: number = 10 * CHUNK_BYTES_MAX
const MIN_BYTES: number = 2 * CHUNK_BYTES_MAX

export class Congestion {
  readonly #bytesMax: number
  #windowBytes = FIRST_BYTES
  #slowStartBytes: number
  /** Losses of packets sent before the last reduction belong to it. */
  #reducedAt = -1

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
    this.#slowStartBytes = bytesMax
  }

  hasRoom(inFlightBytes: number): boolean {
    return inFlightBytes < this.#windowBytes
  }

  acknowledged(bytes: number, inFlightBefore: number, isQueueing: boolean): void {
    // To double what already queues up would fill the queue and lose half of it.
    if (isQueueing && this.#windowBytes < this.#slowStartBytes) {
      this.#slowStartBytes = this.#windowBytes
    }
    // A window that was not used has proven nothing.
    if (2 * inFlightBefore < this.#windowBytes) return
    const grown =
      this.#windowBytes < this.#slowStartBytes
        ? bytes
        : Math.floor((CHUNK_BYTES_MAX * bytes) / this.#windowBytes)
    this.#windowBytes = Math.min(this.#windowBytes + grown, this.#bytesMax)
  }

  /** A packet with transmission number `order` was lost; `newest` is the last one so far. */
  lost(order: number, newest: number): void {
    if (order <= this.#reducedAt) return
    this.#reducedAt = newest
    this.#slowStartBytes = Math.max(Math.floor(this.#windowBytes / 2), MIN_BYTES)
    this.#windowBytes = this.#slowStartBytes
  }

  /** Nothing came back for a whole timeout. */
  expired(newest: number): void {
    this.lost(newest, newest)
    this.#windowBytes = MIN_BYTES
  }

  /** Another path, about which nothing is known. */
  restart(newest: number): void {
    this.#reducedAt = newest
    this.#windowBytes = FIRST_BYTES
    this.#slowStartBytes = this.#bytesMax
  }
}
