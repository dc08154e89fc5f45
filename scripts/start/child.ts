/**
 * A process of this folder that talks to its parent by messages and ends with it.
 *
 * @module
 */
import { type ChildProcess, fork } from 'node:child_process'

const STOP_MS_MAX = 30_000

export class Child<TOrder, TMessage> {
  readonly #process: ChildProcess
  /** Its exit code; 1 if a signal ended it. */
  readonly exit: Promise<number>

  constructor(script: string, plan: object, onMessage: (message: TMessage) => void) {
    this.#process = fork(new URL(`./${script}`, import.meta.url), [JSON.stringify(plan)], {
      execArgv: ['--import', new URL('./lifeline.ts', import.meta.url).href],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    this.#process.on('message', (message) => onMessage(message as TMessage))
    this.exit = new Promise((done) => this.#process.once('exit', (code) => done(code ?? 1)))
  }

  order(order: TOrder): void {
    if (this.#process.connected) this.#process.send(order as object)
  }

  /** Waits until it has ended by itself after an order to stop; ends it by force after a while. */
  async ended(): Promise<number> {
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), STOP_MS_MAX)
    const code = await this.exit
    clearTimeout(timer)
    return code
  }
}
