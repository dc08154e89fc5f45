/**
 * What a command prints: results on stdout, everything else on stderr.
 *
 * Results are gathered and written in large pieces, at the latest when the event loop turns, so a
 * fast reader costs few system calls and a slow one sees each line at once. A reader that goes
 * away (broken pipe) is no error: `broken` aborts, and later output goes nowhere. Rules CL9,
 * CL12 and CL15 of docs/spec/cli.md.
 *
 * @module
 */
import type { Writable } from 'node:stream'

/** Enough for few system calls, little enough to keep memory small. */
const BUFFER_BYTES_MAX = 65_536

export interface OutputOptions {
  readonly json: boolean
  readonly quiet: boolean
}

/** Where and how to print; `process` has this shape. */
export interface OutputStreams {
  readonly stdout: Writable & { readonly isTTY?: boolean }
  readonly stderr: Writable & { readonly isTTY?: boolean }
  readonly env: Readonly<Record<string, string | undefined>>
}

export class Output {
  readonly json: boolean
  readonly quiet: boolean
  /** stdout's reader is gone. */
  readonly broken: AbortSignal
  /** Progress may be drawn on stderr. */
  readonly interactive: boolean
  readonly #broken = new AbortController()
  readonly #stdout: Writable
  readonly #stderr: Writable
  readonly #colour: { readonly stdout: boolean; readonly stderr: boolean }
  #pending: Uint8Array[] = []
  #pendingBytes = 0
  #scheduled = false
  #failure: Error | undefined

  constructor(options: OutputOptions, { stdout, stderr, env }: OutputStreams) {
    this.json = options.json
    this.quiet = options.quiet
    this.#stdout = stdout
    this.#stderr = stderr
    const colour = !options.json && !env['NO_COLOR'] && env['TERM'] !== 'dumb'
    this.#colour = {
      stdout: colour && stdout.isTTY === true,
      stderr: colour && stderr.isTTY === true,
    }
    this.interactive =
      stderr.isTTY === true && !options.quiet && !options.json && env['TERM'] !== 'dumb'
    this.broken = this.#broken.signal
    stdout.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') this.#failure ??= error
      this.#broken.abort(error)
    })
    // Nobody is left to be told that stderr is gone.
    stderr.on('error', () => undefined)
  }

  /** stdout's reader was found to be gone, without a write that failed. */
  readerLeft(): void {
    this.#broken.abort()
  }

  /** A result: as one line of JSON with `--json`, else as text (which ends without newline). */
  result(object: object, text: string | (() => string)): void {
    this.line(this.json ? JSON.stringify(object) : typeof text === 'string' ? text : text())
  }

  /** A remark that nobody needs: not with `--json`, not with `--quiet`. */
  remark(text: string): void {
    if (!this.json && !this.quiet) this.line(text)
  }

  line(text: string): void {
    this.bytes(Buffer.from(`${text}\n`))
  }

  bytes(bytes: Uint8Array): void {
    if (this.broken.aborted) return
    this.#pending.push(bytes)
    this.#pendingBytes += bytes.length
    if (this.#pendingBytes >= BUFFER_BYTES_MAX) this.#write()
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      this.#write()
    })
  }

  /** Waits while stdout's reader is slow. Rejects if writing failed, unless the reader left. */
  async ready(): Promise<void> {
    await this.#checkFailure()
    if (!this.#stdout.writableNeedDrain || this.broken.aborted) return
    await new Promise<void>((done) => {
      this.#stdout.once('drain', done)
      this.broken.addEventListener('abort', () => done(), { once: true })
    })
  }

  /** Everything so far has left this process, or never will. */
  async flush(): Promise<void> {
    this.#write()
    if (!this.broken.aborted) {
      await new Promise<void>((done) => this.#stdout.write('', () => done()))
    }
    await this.#checkFailure()
  }

  /** One line on stderr. */
  note(text: string): void {
    this.#stderr.write(`${text}\n`)
  }

  /** Replaces what was last drawn on the last line of the terminal; `''` clears it. */
  draw(text: string): void {
    if (this.interactive) this.#stderr.write(`\r\x1b[K${text}`)
  }

  good(text: string): string {
    return this.#colour.stdout ? `\x1b[32m${text}\x1b[39m` : text
  }

  bad(text: string, stream: 'stdout' | 'stderr' = 'stdout'): string {
    return this.#colour[stream] ? `\x1b[31m${text}\x1b[39m` : text
  }

  async #checkFailure(): Promise<void> {
    if (this.#failure === undefined) return
    // Imported only now: `--version` prints without loading the library.
    const { fileUnwritable } = await import('@longshore/client/node')
    throw fileUnwritable('stdout', this.#failure)
  }

  #write(): void {
    if (this.#pendingBytes === 0) return
    const [only] = this.#pending
    const bytes = this.#pending.length === 1 ? only! : Buffer.concat(this.#pending)
    this.#pending = []
    this.#pendingBytes = 0
    if (!this.broken.aborted) this.#stdout.write(bytes)
  }
}
