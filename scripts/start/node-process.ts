/**
 * One node of the federation: `longshore node run`, a process of its own.
 *
 * It has its own process group, so that Ctrl-C in the terminal reaches only the process that
 * decides about the order in which everything stops. What it logs is in `LABEL.log` beside its
 * data directory.
 *
 * @module
 */
import { type ChildProcess, fork } from 'node:child_process'
import fs from 'node:fs'
import { createInterface } from 'node:readline'
import { askNode, type NodeStatus } from '@longshore/node'

const COMMAND_LINE = new URL('../../packages/cli/src/main.ts', import.meta.url)
const LIFELINE = new URL('./lifeline.ts', import.meta.url)
const STOP_MS_MAX = 10_000
const PORT_TAKEN = '"PORT_TAKEN"'

/** The first line that `longshore node run --json` prints. */
export interface ReadyNode {
  readonly principal: string
  readonly ticket: string
  readonly listen: readonly string[]
}

export interface NodeProcessOptions {
  readonly label: string
  readonly data: string
  readonly role: 'router' | 'mirror'
}

export class NodeProcess {
  readonly label: string
  readonly role: 'router' | 'mirror'
  readonly data: string
  readonly #log: string
  #child: ChildProcess | undefined
  #exit: Promise<void> = Promise.resolve()
  #ready: ReadyNode | undefined
  #joins: readonly string[] = []

  constructor({ label, data, role }: NodeProcessOptions) {
    this.label = label
    this.role = role
    this.data = data
    this.#log = `${data}.log`
  }

  /** Undefined while it is not running. */
  get ready(): ReadyNode | undefined {
    return this.#ready
  }

  /** Resolves when it can be dialled. Where it listened before it listens again, if it can. */
  async start(joins: readonly string[] = this.#joins): Promise<ReadyNode> {
    this.#joins = joins
    const before = this.#lastAddress()
    try {
      return await this.#run(before ?? 'tls://127.0.0.1:0')
    } catch (error) {
      if (before === undefined || !this.#logText().includes(PORT_TAKEN)) throw error
      return await this.#run('tls://127.0.0.1:0')
    }
  }

  async kill(): Promise<void> {
    this.#ready = undefined
    this.#child?.kill('SIGKILL')
    await this.#exit
  }

  /** Lets it finish; ends it by force after a while. */
  async stop(): Promise<void> {
    this.#ready = undefined
    const child = this.#child
    child?.kill('SIGTERM')
    const timer = setTimeout(() => child?.kill('SIGKILL'), STOP_MS_MAX)
    await this.#exit
    clearTimeout(timer)
  }

  /** Undefined while it does not answer. */
  async status(): Promise<NodeStatus | undefined> {
    if (this.#ready === undefined) return undefined
    try {
      return (await askNode(this.data, 'GET /status')) as NodeStatus
    } catch {
      return undefined
    }
  }

  async join(membership: string): Promise<void> {
    await askNode(this.data, 'POST /membership', { membership })
  }

  #run(listen: string): Promise<ReadyNode> {
    const args = ['node', 'run', '--json', '--data', this.data, '--listen', listen]
    args.push('--roles', this.role, ...this.#joins.flatMap((ticket) => ['--join', ticket]))
    const log = fs.openSync(this.#log, 'w', 0o600)
    const child = fork(COMMAND_LINE, args, {
      execArgv: ['--import', LIFELINE.href],
      stdio: ['ignore', 'pipe', log, 'ipc'],
      detached: true,
    })
    fs.closeSync(log)
    this.#child = child
    this.#exit = new Promise((resolve) => {
      child.once('exit', () => {
        if (this.#child === child) this.#ready = undefined
        resolve()
      })
    })
    return new Promise((resolve, reject) => {
      child.once('error', reject)
      void this.#exit.then(() => {
        reject(new Error(`${this.label} does not start: ${this.#lastError()}`))
      })
      createInterface({ input: child.stdout as NodeJS.ReadableStream }).once('line', (line) => {
        this.#ready = JSON.parse(line) as ReadyNode
        resolve(this.#ready)
      })
    })
  }

  #logText(): string {
    return fs.readFileSync(this.#log, 'utf8')
  }

  /** The command line ends with the error, as one line of JSON. */
  #lastError(): string {
    const last = this.#logText().trim().split('\n').at(-1) ?? ''
    try {
      const { code, message } = JSON.parse(last) as { code?: string; message?: string }
      return code === undefined ? `see ${this.#log}` : `${code}: ${message}`
    } catch {
      return `see ${this.#log}`
    }
  }

  #lastAddress(): string | undefined {
    try {
      const file = JSON.parse(fs.readFileSync(`${this.data}/node.json`, 'utf8')) as ReadyNode
      return file.listen[0]
    } catch {
      // It has never run.
      return undefined
    }
  }
}
