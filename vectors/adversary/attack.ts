/**
 * What an attack on a verifier found: how many mutants were tried and refused, and which ones a
 * verifier believed although they say something else than the original.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { isLongshoreError } from '@longshore/capsule'

/** What a verifier read in something that it accepted. */
export interface Statement {
  /** What it claims at the least; compared as a whole. */
  readonly says: string
  /** Further facts, each of which may be missing in a mutant (RC11). */
  readonly extras?: readonly string[]
}

/** What was really signed: by claim, the further facts that are true with it. */
export type Truths = ReadonlyMap<string, ReadonlySet<string>>

/** The truths behind these statements. */
export function truthsOf(statements: Iterable<Statement>): Truths {
  const truths = new Map<string, Set<string>>()
  for (const { says, extras = [] } of statements) {
    const known = truths.get(says) ?? new Set<string>()
    for (const fact of extras) known.add(fact)
    truths.set(says, known)
  }
  return truths
}

export class Attack {
  readonly #name: string
  #tried = 0
  #refused = 0
  #harmless = 0
  readonly #believed: string[] = []

  constructor(name: string) {
    this.#name = name
  }

  /** Lies that the verifier believed, and its crashes: what was done, one line each. */
  get believed(): readonly string[] {
    return this.#believed
  }

  /**
   * Shows a mutant to a verifier. It may refuse it with one of our errors, or read what is true.
   * Everything else is noted.
   */
  attempt(what: string, truths: Truths, verify: () => Statement): void {
    this.#tried += 1
    // Thousands of refusals, whose stacks nobody reads and which cost more than the checks.
    const { stackTraceLimit } = Error
    Error.stackTraceLimit = 0
    try {
      const read = verify()
      if (isTrue(read, truths)) this.#harmless += 1
      else this.#believed.push(`${what}: read ${read.says.slice(0, 200)}`)
    } catch (error) {
      if (isLongshoreError(error)) this.#refused += 1
      else this.#believed.push(`${what}: crashed with ${String(error)}`)
    } finally {
      Error.stackTraceLimit = stackTraceLimit
    }
  }

  /** One line for the reader of a test run. */
  summary(): string {
    const harmless = this.#harmless === 0 ? '' : `, ${this.#harmless} said nothing else`
    return `${this.#name}: ${this.#tried} mutants tried, ${this.#refused} refused${harmless}`
  }

  /** Prints the summary; fails if a lie was believed, or if hardly anything was tried. */
  check(): void {
    console.log(this.summary())
    assert.deepEqual(this.#believed.slice(0, 20), [])
    assert.ok(this.#tried > 50 && this.#refused > this.#tried / 2, this.summary())
  }
}

function isTrue({ says, extras = [] }: Statement, truths: Truths): boolean {
  const facts = truths.get(says)
  return facts !== undefined && extras.every((fact) => facts.has(fact))
}
