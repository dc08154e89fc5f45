/**
 * How long an answer takes, and when to stop waiting for it: RFC 6298 in integers.
 *
 * @module
 */
import type { SessionLimits } from './limits.ts'

export class RoundTrip {
  readonly #limits: SessionLimits
  /** Smoothed time and its variation; undefined before the first measurement. */
  #smoothUs: number | undefined
  #variationUs = 0
  #backoff = 1

  constructor(limits: SessionLimits) {
    this.#limits = limits
  }

  /** `us` from a packet that was sent once to its acknowledgement. */
  measured(us: number): void {
    this.#backoff = 1
    if (this.#smoothUs === undefined) {
      this.#smoothUs = us
      this.#variationUs = Math.ceil(us / 2)
      return
    }
    const difference = Math.abs(this.#smoothUs - us)
    this.#variationUs = Math.ceil((3 * this.#variationUs + difference) / 4)
    this.#smoothUs = Math.ceil((7 * this.#smoothUs + us) / 8)
  }

  /** Nothing came in time: wait twice as long for the next. */
  expired(): void {
    this.#backoff = Math.min(2 * this.#backoff, 64)
  }

  /** Something came, or the path is another one: what was slow may be fast now. */
  recovered(): void {
    this.#backoff = 1
  }

  get timeoutUs(): number {
    const { retransmitFirstUs, retransmitMinUs, retransmitMaxUs, ackDelayUs } = this.#limits
    if (this.#smoothUs === undefined) {
      return Math.min(retransmitFirstUs * this.#backoff, retransmitMaxUs)
    }
    const timeoutUs = this.#smoothUs + 4 * this.#variationUs + ackDelayUs
    return Math.min(Math.max(timeoutUs, retransmitMinUs) * this.#backoff, retransmitMaxUs)
  }
}
