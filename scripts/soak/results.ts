/**
 * Where long runs leave what they found (bench/RESULTS.md), and what they need to go on after an
 * interruption (`.longshore/soak`, which git ignores).
 *
 * @module
 */
import { execFileSync } from 'node:child_process'
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

const ROOT = resolve(import.meta.dirname, '..', '..')
const RESULTS = join(ROOT, 'bench', 'RESULTS.md')

/** Everything that an interrupted run leaves behind. */
export const SOAK_DIRECTORY: string = join(ROOT, '.longshore', 'soak')

/** Of the tree that runs, with `+` if it has changes. */
export function currentCommit(): string {
  const git = (...args: string[]): string =>
    execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).trim()
  return git('rev-parse', '--short=12', 'HEAD') + (git('status', '--porcelain') ? '+' : '')
}

/** Appends one run: when, which commit, which seed, how long, what came out. */
export function recordRun(title: string, facts: Readonly<Record<string, string | number>>): void {
  const date = new Date().toISOString().slice(0, 16).replace('T', ' ')
  const width = Math.max(...Object.keys(facts).map((key) => key.length))
  const lines = Object.entries(facts).map(([key, value]) => `${key.padEnd(width)}  ${value}`)
  appendFileSync(RESULTS, `\n## ${title}, ${date}\n\n\`\`\`text\n${lines.join('\n')}\n\`\`\`\n`)
}

/** Counters that survive Ctrl-C. They belong to one commit: another one starts from nothing. */
export class Progress<TState extends object> {
  readonly state: TState
  readonly #path: string
  readonly #commit: string

  constructor(name: string, commit: string, start: TState) {
    this.#path = join(SOAK_DIRECTORY, `${name}.json`)
    this.#commit = commit
    this.state = this.#load() ?? start
  }

  #load(): TState | undefined {
    if (!existsSync(this.#path)) return undefined
    const saved = JSON.parse(readFileSync(this.#path, 'utf8')) as {
      readonly commit: string
      readonly state: TState
    }
    return saved.commit === this.#commit ? saved.state : undefined
  }

  save(): void {
    mkdirSync(dirname(this.#path), { recursive: true })
    const { state } = this
    writeFileSync(this.#path, JSON.stringify({ commit: this.#commit, state }))
  }
  /** The run is complete: the next one starts from nothing. */
  clear(): void {
    rmSync(this.#path, { force: true })
  }
}
