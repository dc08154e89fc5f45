/**
 * One `longshore` process of a run: its lines of JSON, the end of what it said on stderr, its
 * memory, and how it ended. None outlives the run.
 *
 * @module
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { createInterface } from 'node:readline'

const BIN = resolve(import.meta.dirname, '..', '..', '..', 'bin', 'longshore')
const STDERR_CHARACTERS_KEPT = 4000
/** USER_HZ of Linux, the same on every machine that Node runs on. */
const TICKS_PER_S = 100

const running = new Set<Child>()
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})
for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const) {
  process.on(signal, () => process.exit(code))
}

export interface ChildEnd {
  /** Null if a signal ended it that it did not handle. */
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export interface ChildOptions {
  readonly env: Readonly<Record<string, string>>
  /** Arguments before `bin/longshore`, such as those that enter a network namespace. */
  readonly wrapper?: readonly string[]
  readonly onLine: (line: Record<string, unknown>) => void
  /** Called with what `onLine` throws. */
  readonly fail: (error: unknown) => void
}

export class Child {
  readonly ended: Promise<ChildEnd>
  readonly #process: ChildProcessWithoutNullStreams
  #stderr = ''
  #rssBytesMax = 0

  constructor(args: readonly string[], { env, onLine, fail, wrapper = [] }: ChildOptions) {
    const [command = BIN, ...rest] = [...wrapper, BIN, ...args]
    this.#process = spawn(command, rest, { env: { ...process.env, ...env } })
    running.add(this)
    // Whoever writes to a process that was killed notices by its end.
    this.#process.stdin.on('error', () => {})
    this.#process.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-STDERR_CHARACTERS_KEPT)
    })
    createInterface({ input: this.#process.stdout }).on('line', (line) => {
      const value = parseLine(line)
      try {
        if (value !== undefined) onLine(value)
      } catch (error) {
        fail(error)
      }
    })
    this.ended = new Promise((done, failed) => {
      this.#process.on('error', failed)
      this.#process.on('close', (code, signal) => {
        running.delete(this)
        done({ code, signal })
      })
    })
  }

  get stderr(): string {
    return this.#stderr
  }

  get rssBytesMax(): number {
    return this.#rssBytesMax
  }

  get pid(): number | undefined {
    return this.#process.pid
  }

  /** False if it should be given nothing more for now; what was given is kept. */
  write(text: string): boolean {
    return this.#process.stdin.writable && this.#process.stdin.write(text)
  }

  endInput(): void {
    this.#process.stdin.end()
  }

  kill(signal: NodeJS.Signals): void {
    this.#process.kill(signal)
  }

  /** Seconds on a processor so far; undefined where the system does not tell. */
  get cpuS(): number | undefined {
    return readCpuS(this.#process.pid)
  }

  /** Resident memory now; undefined where the system does not tell, or the process is gone. */
  sampleRss(): number | undefined {
    const bytes = readRss(this.#process.pid)
    this.#rssBytesMax = Math.max(this.#rssBytesMax, bytes ?? 0)
    return bytes
  }
}

/** A killed process may leave half a line: it says nothing. */
function parseLine(line: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(line) as Record<string, unknown>
  } catch {
    return undefined
  }
}

function readRss(pid: number | undefined): number | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    const kib = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]
    return kib === undefined ? undefined : Number(kib) * 1024
  } catch {
    return undefined
  }
}

function readCpuS(pid: number | undefined): number | undefined {
  try {
    // The name of the program, in parentheses, may contain anything.
    const [, rest = ''] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')
    const [userTicks = 0, systemTicks = 0] = rest.split(' ').slice(11, 13).map(Number)
    return (userTicks + systemTicks) / TICKS_PER_S
  } catch {
    return undefined
  }
}
