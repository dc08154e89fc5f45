/**
 * A process of a measurement, which answers commands (`processes/command.ts`).
 *
 * @module
 */
import { type ChildProcess, fork } from 'node:child_process'
import { join } from 'node:path'
import type { Answer } from '../processes/command.ts'

export class Child {
  readonly #process: ChildProcess
  #cpuUs = 0
  #reportedCpuUs = 0

  private constructor(child: ChildProcess) {
    this.#process = child
  }

  /** Resolves when the process is ready for commands. */
  static async start(script: string, ...args: readonly string[]): Promise<Child> {
    const path = join(import.meta.dirname, '..', 'processes', script)
    const child = new Child(fork(path, args))
    await child.#answer()
    return child
  }

  async ask<T>(name: string, argument?: unknown): Promise<T> {
    const answer = this.#answer()
    this.#process.send({ name, argument })
    return (await answer) as T
  }

  /** Microseconds of processor time that the process has used since it was asked last. */
  async cpuUs(): Promise<number> {
    await this.ask('cpu')
    const before = this.#reportedCpuUs
    this.#reportedCpuUs = this.#cpuUs
    return this.#cpuUs - before
  }

  /** Resolves when the process has ended. */
  async close(): Promise<void> {
    const child = this.#process
    if (child.exitCode !== null || child.signalCode !== null) return
    const ended = new Promise((resolve) => child.once('exit', resolve))
    if (child.connected) child.disconnect()
    await ended
  }

  #answer(): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const child = this.#process
      const onExit = (code: number | null): void => {
        reject(new Error(`a process of the benchmark ended early, with ${code}`))
      }
      child.once('exit', onExit)
      child.once('message', ({ result, error, cpuUs }: Answer) => {
        child.off('exit', onExit)
        this.#cpuUs = cpuUs
        if (error === undefined) resolve(result)
        else reject(new Error(error))
      })
    })
  }
}
