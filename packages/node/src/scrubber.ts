/**
 * Looks through the journal for damage while the node runs: when it starts, and once a day.
 *
 * A slice of it now and then, so that nobody waits for it. Rule ND22 of docs/spec/node.md.
 *
 * @module
 */
import { isLongshoreError } from '@longshore/capsule'
import type { ScrubReport, Slices } from '@longshore/engine'

/** Between two slices of some 2 MiB: a terabyte takes a day. */
const PAUSE_MS = 100
const DAY_MS = 86_400_000

export interface ScrubberOptions {
  readonly begin: () => Slices<ScrubReport>
  readonly found: (report: ScrubReport) => void
  /** It could not be finished; the next one is tried all the same. */
  readonly failed: (error: Error) => void
}

export class Scrubber {
  readonly #options: ScrubberOptions
  #timer: NodeJS.Timeout | undefined
  #work: Slices<ScrubReport> | undefined

  constructor(options: ScrubberOptions) {
    this.#options = options
  }

  start(): void {
    this.#wait(PAUSE_MS)
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#work?.return(undefined as never)
    this.#work = undefined
  }

  #wait(ms: number): void {
    this.#timer = setTimeout(() => this.#step(), ms)
    this.#timer.unref()
  }

  #step(): void {
    try {
      this.#work ??= this.#options.begin()
      const slice = this.#work.next()
      if (slice.done !== true) {
        this.#wait(PAUSE_MS)
        return
      }
      this.#work = undefined
      this.#wait(DAY_MS)
      this.#options.found(slice.value)
    } catch (error) {
      if (!isLongshoreError(error)) throw error
      this.#work = undefined
      this.#wait(DAY_MS)
      this.#options.failed(error)
    }
  }
}
