/**
 * SIGINT and SIGTERM.
 *
 * A command that has something to finish says so with `finish()`: then the first signal only
 * aborts `signal`, and the second one ends the process. All others end at the first one; what they
 * leave is what a crash would leave, which every format here survives. Rule CL13 of
 * docs/spec/cli.md.
 *
 * @module
 */

const EXIT_CODES = { SIGINT: 130, SIGTERM: 143 } as const

export class Stop {
  readonly #controller = new AbortController()
  #finishing = false
  #exitCode: number | undefined

  /** Listens until the process ends. */
  constructor() {
    for (const name of ['SIGINT', 'SIGTERM'] as const) {
      process.on(name, () => {
        const first = this.#exitCode === undefined
        this.#exitCode ??= EXIT_CODES[name]
        if (!first || !this.#finishing) process.exit(this.#exitCode)
        this.#controller.abort()
      })
    }
  }

  /** Aborts at the first signal. From now on the command ends by itself when that happens. */
  finish(): AbortSignal {
    this.#finishing = true
    return this.#controller.signal
  }

  /** 130 or 143 once a signal came. */
  get exitCode(): number | undefined {
    return this.#exitCode
  }
}
