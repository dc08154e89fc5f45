/**
 * Time that only goes forward, from a clock that may be set.
 *
 * Timeouts must not fire because somebody corrected the clock, nor wait for an hour because it was
 * set back. A step larger than anything that its user waits for counts as so much.
 *
 * @module
 */

export class SteadyClock {
  readonly #nowUs: () => number
  readonly #stepUsMax: number
  #shownUs: number
  #steadyUs = 0

  /** `nowUs` is the clock; `stepUsMax` the longest time between two readings in normal life. */
  constructor(nowUs: () => number, stepUsMax: number) {
    this.#nowUs = nowUs
    this.#stepUsMax = stepUsMax
    this.#shownUs = nowUs()
  }

  read(): number {
    const shownUs = this.#nowUs()
    const stepUs = Math.min(Math.max(0, shownUs - this.#shownUs), this.#stepUsMax)
    this.#shownUs = shownUs
    this.#steadyUs += stepUs
    return this.#steadyUs
  }

  /** What the clock should show when the steady time is `steadyUs`. */
  shownAt(steadyUs: number): number {
    return this.#shownUs + (steadyUs - this.#steadyUs)
  }
}
