/**
 * Starts the real `bin/longshore` for tests that talk to it while it runs.
 *
 * @module
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join, resolve } from 'node:path'
import { createInterface } from 'node:readline'

const root = resolve(import.meta.dirname, '../../..')
const BINARY = join(root, 'bin/longshore')

/** A directory of its own for one test: home, anchors and files. */
export class Place implements Disposable {
  readonly directory: string = mkdtempSync(join(tmpdir(), 'longshore-'))
  readonly #running: LongshoreProcess[] = []

  start(args: readonly string[], env: Readonly<Record<string, string>> = {}): LongshoreProcess {
    return this.#start(BINARY, args, env)
  }

  /** Runs a script of the shell, for which `longshore` is in the PATH. */
  async shell(script: string, env: Readonly<Record<string, string>> = {}): Promise<Finished> {
    const started = this.#start('sh', ['-c', script], env)
    started.child.stdin.end()
    return await started.finished
  }

  /** Runs to the end with the given stdin. */
  async run(args: readonly string[], input = ''): Promise<Finished> {
    const started = this.start(args)
    started.child.stdin.end(input)
    return await started.finished
  }

  /** The name of a new capsule. */
  async create(): Promise<string> {
    return (await this.run(['create'])).stdout.trim()
  }

  [Symbol.dispose](): void {
    for (const { child } of this.#running) child.kill('SIGKILL')
    rmSync(this.directory, { recursive: true, force: true })
  }

  #start(
    command: string,
    args: readonly string[],
    env: Readonly<Record<string, string>>,
  ): LongshoreProcess {
    const child = spawn(command, args, {
      cwd: this.directory,
      env: {
        PATH: [dirname(BINARY), process.env['PATH']].join(delimiter),
        HOME: this.directory,
        LONGSHORE_HOME: join(this.directory, 'home'),
        XDG_STATE_HOME: join(this.directory, 'state'),
        NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'],
        ...env,
      },
    })
    const started = new LongshoreProcess(child)
    this.#running.push(started)
    return started
  }
}

export interface Finished {
  /** Null if a signal ended it that it did not handle. */
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

class LongshoreProcess {
  readonly child: ChildProcessWithoutNullStreams
  readonly finished: Promise<Finished>
  #stderr = ''
  readonly #lines: string[] = []
  #taken = 0
  #wake: (() => void) | undefined
  #closed = false

  constructor(child: ChildProcessWithoutNullStreams) {
    this.child = child
    // Writing to a process that has ended is part of some tests.
    child.stdin.on('error', () => undefined)
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text
      this.#wake?.()
    })
    createInterface({ input: child.stdout }).on('line', (line) => {
      this.#lines.push(line)
      this.#wake?.()
    })
    this.finished = new Promise((done, reject) => {
      child.on('error', reject)
      child.on('close', (code) => {
        this.#closed = true
        this.#wake?.()
        done({
          code,
          stdout: this.#lines.map((line) => `${line}\n`).join(''),
          stderr: this.#stderr,
        })
      })
    })
  }

  /** The next line of stdout; throws if the process ends before it. */
  async line(): Promise<string> {
    while (this.#taken >= this.#lines.length) {
      if (this.#closed) throw new Error(`it ended: ${this.#stderr}`)
      await new Promise<void>((done) => {
        this.#wake = done
      })
    }
    return this.#lines[this.#taken++]!
  }

  /** Resolves when something that a node logs has been written to stderr. */
  async logged(event: string): Promise<void> {
    while (!this.#stderr.includes(event)) {
      if (this.#closed) throw new Error(`it ended: ${this.#stderr}`)
      await new Promise<void>((done) => {
        this.#wake = done
      })
    }
  }

  /** The next line of stdout, which has to be JSON. */
  async json(): Promise<Record<string, unknown>> {
    return JSON.parse(await this.line())
  }
}
