/**
 * How long an answer takes, and when to stop waiting for it: RFC 6298 in integers.
 *
 * @module
 */
import type { SessionLimits } from './limits.ts'

/** Waiting in queues: the time is twice what it was at best, and this much more. */
const QUEUEING_US = 50_000

export class RoundTrip {
  readonly #limits: SessionLimits
  /** Smoothed time and its variation; undefined before the first measurement. */
  #smoothUs: number | undefined
  #variationUs = 0
  /** The best on this path. */
  #shortestUs = Number.POSITIVE_INFINITY
  #backoff = 1

  constructor(limits: SessionLimits) {
    this.#limits = limits
  }

  /** `us` from a packet that was sent once to its acknowledgement. */
  measured(us: number): void {
    this.#backoff = 1
    this.#shortestUs = Math.min(this.#shortestUs, us)
    if (this.#smoothUs === undefined) {
      this.#smoothUs = us
      this.#variationUs = Math.ceil(us / 2)
      return
    }
    const difference = Math.abs(this.#smoothUs - us)
    this.#variationUs = Math.ceil((3 * this.#variationUs + difference) / 4)
    this.#smoothUs = Math.ceil((7 * this.#smoothUs + us) / 8)
  }

  /**
   * Nothing came in time: wait twice as long, until something was measured again (Karn). Else a
   * path slower than the timeout would be flooded with repetitions, none of which measures.
   */
  expired(): void {
    this.#backoff = Math.min(2 * this.#backoff, 64)
  }

  /** The path is another one: what was slow may be fast now. */
  recovered(): void {
    this.#backoff = 1
    this.#shortestUs = Number.POSITIVE_INFINITY
  }

  /** Packets wait in a queue on the way: more of them would only wait longer, or be dropped. */
  get isQueueing(): boolean {
    return this.#smoothUs !== undefined && this.#smoothUs > 2 * this.#shortestUs + QUEUEING_US
  }

  /** Twice what an answer takes, or the longest timeout as long as that is not known. */
  get patienceUs(): number {
    if (this.#smoothUs === undefined) return this.#limits.retransmitMaxUs
    return 2 * this.#smoothUs
  }

  get timeoutUs(): number {
    const { retransmitFirstUs, retransmitMinUs, retransmitMaxUs, steadyAckDelayUs } = this.#limits
    if (this.#smoothUs === undefined) {
      return Math.min(retransmitFirstUs * this.#backoff, retransmitMaxUs)
    }
    const timeoutUs = this.#smoothUs + 4 * this.#variationUs + steadyAckDelayUs
    const measuredUs = Math.max(timeoutUs, retransmitMinUs)
    // What was measured may be more than the bound, which is for repetitions.
    return Math.max(measuredUs, Math.min(measuredUs * this.#backoff, retransmitMaxUs))
  }
}
