/**
 * One `longshore node run` of a run, which can be killed and started again on its data directory,
 * and the links by which it is reached: each goes through a proxy of its own.
 *
 * @module
 */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { formatTicket, parseTicket } from '@longshore/capsule'
import type { Prng } from '@longshore/engine/testing'
import { askNode, type NodeStatus } from '@longshore/node'
import { FaultProxy } from '../fault-proxy.ts'
import { Child, type ChildEnd } from './child.ts'

export interface NodeProcessOptions {
  readonly id: string
  readonly role: 'mirror' | 'router'
  /** Holds everything of the run; the node has a directory of its own in it. */
  readonly directory: string
  /** Called when it ends by itself. */
  readonly fail: (error: unknown) => void
  /** Default: this machine, on the loopback. */
  readonly machine?: Machine
}

/** Where a process runs. */
export interface Machine {
  readonly host: string
  /** Before each command, so that it runs there. */
  readonly wrapper: readonly string[]
}

const LOOPBACK: Machine = { host: '127.0.0.1', wrapper: [] }

/** From one process to a node. */
export interface Link {
  readonly id: string
  readonly proxy: FaultProxy
  /** The node's ticket, but for the address: that is the proxy's. */
  readonly ticket: string
}

interface Ready {
  readonly principal: string
  readonly ticket: string
  readonly listen: readonly string[]
}

export class NodeProcess {
  readonly options: NodeProcessOptions
  readonly data: string
  /** Links to this node. */
  readonly links: Link[] = []
  rssBytesMax = 0
  /** Times that it was started. */
  lives = 0
  /** It may end by itself: its disk is damaged. */
  isExpendable = false
  /** Bytes were flipped on its disk, and what was lost came back from others. */
  hasMended = false
  #uplinks: readonly Pick<Link, 'ticket'>[] = []
  #ready: Ready | undefined
  #isReady = false
  #child: Child | undefined

  constructor(options: NodeProcessOptions) {
    this.options = options
    this.data = join(options.directory, options.id)
  }

  get id(): string {
    return this.options.id
  }

  get principal(): string {
    return this.#known.principal
  }

  get port(): number {
    return Number(/:(\d+)$/.exec(this.#known.listen[0] ?? '')?.[1])
  }

  get ticket(): string {
    return this.#known.ticket
  }

  get isRunning(): boolean {
    return this.#child !== undefined
  }

  get #known(): Ready {
    if (this.#ready === undefined) throw new Error(`${this.id} was never started`)
    return this.#ready
  }

  /** Resolves when others can dial it. */
  async start(uplinks: readonly Pick<Link, 'ticket'>[] = this.#uplinks): Promise<void> {
    this.#uplinks = uplinks
    this.lives++
    const { role, id, fail, machine = LOOPBACK } = this.options
    const { host, wrapper } = machine
    const args = ['node', 'run', '--data', this.data, '--listen', `tls://${host}:0`]
    const joins = uplinks.flatMap(({ ticket }) => ['--join', ticket])
    const ready = Promise.withResolvers<Ready>()
    const child = new Child([...args, '--roles', role, ...joins, '--json', '--log-level', 'warn'], {
      ...{ env: this.#env, wrapper, fail },
      onLine: (line) => {
        if (line['event'] === 'ready') ready.resolve(line as unknown as Ready)
      },
    })
    this.#child = child
    this.#isReady = false
    const early = child.ended.then(({ code, signal }) => {
      throw new Error(`${id} ended (${code ?? signal}) before it was ready: ${child.stderr}`)
    })
    early.catch(() => {})
    try {
      this.#ready = await Promise.race([ready.promise, early])
    } catch (error) {
      this.#child = undefined
      throw error
    }
    this.#isReady = true
    for (const { proxy } of this.links) proxy.aim(this.port)
    void child.ended.then((end) => this.#onEnd(child, end))
  }

  /** SIGKILL; resolves when it is gone. */
  async kill(): Promise<void> {
    const child = this.#child
    if (child === undefined) return
    this.#child = undefined
    for (const { proxy } of this.links) proxy.aim(undefined)
    child.kill('SIGKILL')
    await child.ended
  }

  /** SIGTERM: it says goodbye and ends with 0. */
  async stop(): Promise<void> {
    const child = this.#child
    if (child === undefined) return
    this.#child = undefined
    child.kill('SIGTERM')
    const { code, signal } = await child.ended
    if (code !== 0) throw new Error(`${this.id} ended with ${code ?? signal}: ${child.stderr}`)
  }

  /** Everything that it was is gone: the next start makes another node. */
  erase(): void {
    rmSync(this.data, { recursive: true, force: true })
    this.#ready = undefined
  }

  /** A command about this node, such as `node join-domain`; it must succeed. */
  async command(...args: readonly string[]): Promise<void> {
    const child = new Child([...args, '--data', this.data, '--json'], {
      env: this.#env,
      fail: this.options.fail,
      onLine: () => {},
    })
    const { code } = await child.ended
    if (code !== 0) throw new Error(`longshore ${args.slice(0, 2).join(' ')}: ${child.stderr}`)
  }

  /** A new way to this node. Its proxy follows the node from start to start. */
  async createLink(from: string, prng: Prng): Promise<Link> {
    const proxy = await FaultProxy.open(prng)
    proxy.aim(this.port)
    const addresses = [`tls://127.0.0.1:${proxy.port}`]
    const ticket = formatTicket({ ...parseTicket(this.ticket), addresses })
    const link = { id: `${from}-${this.id}`, proxy, ticket }
    this.links.push(link)
    return link
  }

  get pid(): number {
    const pid = this.#child?.pid
    if (pid === undefined) throw new Error(`${this.id} is not running`)
    return pid
  }

  /** Undefined if it is not running, or does not answer any more. */
  async status(): Promise<NodeStatus | undefined> {
    if (this.#child === undefined || !this.#isReady) return undefined
    try {
      return (await askNode(this.data, 'GET /status')) as NodeStatus
    } catch {
      return undefined
    }
  }

  get cpuS(): number {
    return this.#child?.cpuS ?? 0
  }

  sampleRss(): number {
    const bytes = this.#child?.sampleRss() ?? 0
    this.rssBytesMax = Math.max(this.rssBytesMax, bytes)
    return bytes
  }

  get #env(): Record<string, string> {
    const { directory, id } = this.options
    return { XDG_STATE_HOME: join(directory, 'state', id) }
  }

  /** Nobody asked it to end. */
  #onEnd(child: Child, { code, signal }: ChildEnd): void {
    if (this.#child !== child) return
    this.#child = undefined
    if (this.isExpendable) return
    const what = `${this.id} ended by itself (${code ?? signal}): ${child.stderr}`
    this.options.fail(new Error(what))
  }
}
