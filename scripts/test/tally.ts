/**
 * What the tests said so far: counts, failures and skips, and how that is printed.
 *
 * @module
 */

export interface Result {
  readonly outcome: 'pass' | 'fail' | 'skip'
  readonly file: string
  readonly line: number
  /** The test file that ran it. */
  readonly entry: string
  readonly title: string
  readonly durationMs: number
  /** The error of a failure, the reason of a skip. */
  readonly detail: string
}

const SLOWEST_SHOWN = 8

export class Tally {
  passed = 0
  failed = 0
  skipped = 0
  readonly #required: readonly string[]
  readonly #failures: Result[] = []
  readonly #skips: Result[] = []
  readonly #durations = new Map<string, number>()

  /** `required` names tools whose absence is no reason to skip. */
  constructor(required: readonly string[]) {
    this.#required = required
  }

  add(result: Result): void {
    const { entry, durationMs } = result
    this.#durations.set(entry, (this.#durations.get(entry) ?? 0) + durationMs)
    if (result.outcome === 'pass') this.passed++
    if (result.outcome === 'skip') this.#addSkip(result)
    if (result.outcome === 'fail') this.#addFailure(result)
  }

  #addSkip(result: Result): void {
    const words = result.detail.toLowerCase().split(/\W+/)
    const tool = this.#required.find((name) => words.includes(name))
    if (result.detail === '') {
      this.#addFailure({ ...result, detail: 'skipped without a reason' })
    } else if (tool !== undefined) {
      const detail = `LONGSHORE_REQUIRE names ${tool}, but the test skipped: ${result.detail}`
      this.#addFailure({ ...result, detail })
    } else {
      this.skipped++
      this.#skips.push(result)
    }
  }

  /** A file from which no result came. */
  addSilent(file: string): void {
    const detail = 'there is no test in this file'
    const place = { file, line: 1, entry: file, title: 'the whole file', durationMs: 0 }
    this.#addFailure({ ...place, outcome: 'fail', detail })
  }

  #addFailure(result: Result): void {
    this.failed++
    this.#failures.push(result)
  }

  /** Skips and failures, as lines. */
  report(): string[] {
    const lines = this.#skips.map(
      ({ file, line, title, detail }) => `skipped ${file}:${line} ${title}: ${detail}`,
    )
    for (const { file, line, title, detail } of this.#failures) {
      lines.push('', `FAILED ${file}:${line} ${title}`)
      lines.push(...detail.split('\n').map((text) => `    ${text}`))
    }
    return this.#failures.length > 0 ? [...lines, ''] : lines
  }

  slowest(): string[] {
    return [...this.#durations]
      .sort(([, a], [, b]) => b - a)
      .slice(0, SLOWEST_SHOWN)
      .map(([file, ms]) => `${(ms / 1000).toFixed(1).padStart(6)} s  ${file}`)
  }

  /** The last line of a run; other programs read it. */
  summary(): string {
    const skipped = this.skipped === 0 ? '' : `, ${this.skipped} skipped`
    return `${this.passed} passed, ${this.failed} failed${skipped}`
  }
}
