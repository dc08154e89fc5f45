/**
 * SIGINT and SIGTERM.
 *
 * A command that has something to finish says so with `finish()`: then the first signal only
 * aborts `signal`, and the second one ends the process. All others have no handler, so that the
 * system ends them at once, also amid work that never lets the event loop have its turn; what
 * they leave is what a crash would leave, which every format here survives. Rule CL13 of
 * docs/spec/cli.md.
 *
 * @module
 */

const EXIT_CODES = { SIGINT: 130, SIGTERM: 143 } as const

export class Stop {
  readonly #controller = new AbortController()
  #isListening = false
  #isService = false
  #exitCode: number | undefined

  /** Aborts at the first signal. From now on the command ends by itself when that happens. */
  finish(): AbortSignal {
    if (!this.#isListening) this.#listen()
    return this.#controller.signal
  }

  /** As `finish`, for a service: SIGTERM is how it is told to stop, and ends it with 0. */
  finishService(): AbortSignal {
    this.#isService = true
    return this.finish()
  }

  /** What the process ends with once a signal came. */
  get exitCode(): number | undefined {
    return this.#exitCode
  }

  /** Until the process ends. */
  #listen(): void {
    this.#isListening = true
    for (const name of ['SIGINT', 'SIGTERM'] as const) {
      process.on(name, () => {
        if (this.#exitCode !== undefined) process.exit(EXIT_CODES[name])
        this.#exitCode = this.#isService && name === 'SIGTERM' ? 0 : EXIT_CODES[name]
        this.#controller.abort()
      })
    }
  }
}
