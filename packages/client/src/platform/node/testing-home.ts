/**
 * Homes and processes for tests: everything in temporary directories, anchors included.
 *
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import { join } from 'node:path'
import readline from 'node:readline'
import type { Home, OpenHomeOptions } from '../../home.ts'
import { openHome } from './home.ts'
import { temporaryDirectory } from './testing-directory.ts'

/** The tests' own anchors: set before any home is opened. */
process.env['XDG_STATE_HOME'] = temporaryDirectory()

/** A path where there is no home yet. */
export function newHomePath(): string {
  return join(temporaryDirectory(), 'home')
}

export function openAt(path: string, options: OpenHomeOptions = {}): Promise<Home> {
  return openHome({ ...options, path })
}

/** A new capsule with one entry in the home at `path`, which is closed again. Returns its name. */
export async function createCapsuleAt(path: string, payload: string): Promise<string> {
  await using home = await openAt(path)
  await using capsule = await home.create()
  await capsule.append(payload)
  return capsule.text
}

/** A copy as `cp -a` makes it, which is what people do to homes. */
export function copyHome(from: string): string {
  const to = newHomePath()
  fs.cpSync(from, to, {
    recursive: true,
    preserveTimestamps: true,
    filter: (path) => !path.endsWith('/socket'),
  })
  return to
}

/** Another process that runs a piece of code with a home, line by line observed. */
export class OtherProcess implements AsyncDisposable {
  readonly child: ChildProcess
  readonly #lines: AsyncIterator<string>
  #stderr = ''

  /** `code` may use `home`, `openHome`, `print` and top-level await. */
  constructor(path: string, code: string, options: OpenHomeOptions = {}) {
    const module = new URL('./home.ts', import.meta.url).href
    const script = `
      import { openHome } from ${JSON.stringify(module)}
      const print = (line) => console.log(typeof line === 'string' ? line : JSON.stringify(line))
      const home = await openHome(${JSON.stringify({ ...options, path })})
      ${code}`
    this.child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    this.child.stderr!.on('data', (chunk) => (this.#stderr += chunk))
    this.#lines = readline.createInterface({ input: this.child.stdout! })[Symbol.asyncIterator]()
  }

  /** The next line that it prints; an error with its stderr if it ends before. */
  async line(): Promise<string> {
    const { done, value } = await this.#lines.next()
    if (done) throw new Error(`the other process ended: ${this.#stderr}`)
    return value
  }

  /** Ends it with SIGKILL. */
  async kill(): Promise<void> {
    if (!this.#isRunning) return
    this.child.kill('SIGKILL')
    await once(this.child, 'exit')
  }

  /** Ends its input and waits until it has ended by itself. */
  async end(): Promise<void> {
    this.child.stdin!.end()
    if (this.#isRunning) await once(this.child, 'exit')
    if (this.child.exitCode !== 0) throw new Error(`exit ${this.child.exitCode}: ${this.#stderr}`)
  }

  /** A test that failed leaves nobody behind. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.kill()
  }

  get #isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null
  }
}

/** Code for {@link OtherProcess}: waits until the test ends its input. */
export const UNTIL_END = `await new Promise((resolve) => process.stdin.resume().on('end', resolve))`

export async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = []
  for await (const item of source) items.push(item)
  return items
}
