/**
 * A process that runs worlds, one after the other, and is ended when one gives no verdict in time.
 *
 * @module
 */
import { type ChildProcess, fork } from 'node:child_process'
import { resolve } from 'node:path'

const WORKER = resolve(import.meta.dirname, '../../sim/soak-worker.ts')
/** A world makes much garbage and keeps little: with room it is collected a tenth cheaper. */
const FLAGS: readonly string[] = ['--max-semi-space-size=64']
/** Then a new process: what one leaves behind must not add up. */
const WORLDS_MAX = 200

export interface WorldOrder {
  readonly seed: number
  /** Of kind `long`; otherwise the seed says which. */
  readonly isLong: boolean
  /** Seconds with faults, if not as many as usual. */
  readonly ticks: number | undefined
}

/** What the worker answers. */
export interface WorldReport {
  readonly seed: number
  readonly world: string
  /** Virtual. */
  readonly seconds: number
  readonly events: number
  readonly cpuMs: number
  /** Undefined if everything held. */
  readonly error: string | undefined
}

export class WorldProcess {
  readonly #msMax: number
  #child: ChildProcess | undefined
  #count = 0

  /** `msMax`: from the order to the verdict. */
  constructor(msMax: number) {
    this.#msMax = msMax
  }

  /** One at a time. Never fails: what goes wrong is in the report. */
  run(order: WorldOrder): Promise<WorldReport> {
    if (this.#count++ % WORLDS_MAX === 0) this.close()
    this.#child ??= fork(WORKER, { execArgv: [...process.execArgv, ...FLAGS] })
    const child = this.#child
    return new Promise((settle) => {
      const end = (report: WorldReport): void => {
        clearTimeout(timer)
        child.off('message', end)
        child.off('exit', ended)
        settle(report)
      }
      const lose = (error: string): void => {
        this.close()
        const { seed } = order
        end({ seed, world: 'unknown', seconds: 0, events: 0, cpuMs: 0, error })
      }
      const ended = (code: number | null, signal: string | null): void =>
        lose(`the process ended with ${signal ?? code}`)
      const timer = setTimeout(() => {
        child.kill('SIGKILL')
        lose(`no verdict in ${this.#msMax / 1000} s`)
      }, this.#msMax)
      child.on('message', end)
      child.on('exit', ended)
      child.send(order)
    })
  }

  /** It ends by itself when nobody is connected. */
  close(): void {
    if (this.#child?.connected === true) this.#child.disconnect()
    this.#child = undefined
  }
}
