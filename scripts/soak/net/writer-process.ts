/**
 * A writer of a run: `longshore append --level replicated:2`, fed with lines at a bounded rate,
 * killed and started again.
 *
 * @module
 */
import { join } from 'node:path'
import { isLongshoreError, parseName } from '@longshore/capsule'
import { openHome } from '@longshore/client/node'
import type { CapsuleHistory } from '../history.ts'
import { Child } from './child.ts'
import type { Link, Machine, NodeProcess } from './node-process.ts'

export interface WriterOptions {
  readonly id: string
  readonly directory: string
  readonly history: CapsuleHistory
  /** Called when a promise is broken, or it ends by itself for no good reason. */
  readonly fail: (error: unknown) => void
  /** Default: this machine. */
  readonly machine?: Machine
  readonly copies: number
  readonly linesPerS: number
}

const ADD_TIMEOUT_MS = 30_000
const PUSH_TIMEOUT_MS = 60_000

export class WriterProcess {
  readonly options: WriterOptions
  readonly home: string
  /** Times that it ended by itself because mirrors could not be reached. */
  gaveUp = 0
  capsule = ''
  #child: Child | undefined
  #feeding: NodeJS.Timeout | undefined
  #life = 0

  constructor(options: WriterOptions) {
    this.options = options
    this.home = join(options.directory, options.id)
  }

  get id(): string {
    return this.options.id
  }

  get isRunning(): boolean {
    return this.#child !== undefined
  }

  /** Makes home and capsule, and has the mirrors take it on. */
  async create(
    links: readonly Pick<Link, 'ticket'>[],
    mirrors: readonly NodeProcess[],
  ): Promise<void> {
    await using home = await openHome({ path: this.home })
    for (const { ticket } of links) await home.network.connect(ticket)
    await using capsule = await home.create({ labels: { soak: this.id }, public: true })
    this.capsule = capsule.text
    const add = ({ principal }: NodeProcess) =>
      home.network.addMirror(capsule.name, parseName(principal), { timeoutMs: ADD_TIMEOUT_MS })
    for (const mirror of mirrors) await add(mirror)
  }

  /**
   * The new mirror is in the place of one that is no more. The writer is not running. If it cannot
   * be reached now, the home knows it all the same.
   */
  async replaceMirror(old: string, mirror: NodeProcess): Promise<void> {
    await using home = await openHome({ path: this.home })
    const name = parseName(this.capsule)
    await home.network.removeMirror(name, parseName(old))
    const options = { timeoutMs: ADD_TIMEOUT_MS }
    await home.network.addMirror(name, parseName(mirror.principal), options).catch((error) => {
      if (!isLongshoreError(error) || error.code !== 'NO_MIRROR') throw error
    })
  }

  start(): void {
    const { history, id, copies, linesPerS, fail, machine } = this.options
    const life = ++this.#life
    history.begin()
    const level = `replicated:${copies}`
    const args = ['--home', this.home, 'append', this.capsule, '--level', level, '--json']
    const child = new Child(args, {
      ...{ env: {}, wrapper: machine?.wrapper ?? [], fail },
      onLine: ({ event, size }) => {
        if (event === 'acked') history.acked(Number(size))
      },
    })
    this.#child = child
    let count = 0
    this.#feeding = setInterval(() => {
      const line = `${id} ${life}.${count++}`
      history.sent(line)
      child.write(`${line}\n`)
    }, 1000 / linesPerS)
    void child.ended.then(({ code, signal }) => {
      if (this.#child !== child) return
      this.#end()
      if (code === 0) return
      // 5: nobody could be reached in time; what was appended stays in the home.
      if (code === null || !/NO_MIRROR|LEVEL_IMPOSSIBLE/.test(child.stderr)) {
        fail(new Error(`${id} ended with ${code ?? signal}: ${child.stderr}`))
        return
      }
      this.gaveUp++
      this.start()
    })
  }

  /** SIGKILL; resolves when it is gone. */
  async kill(): Promise<void> {
    const child = this.#child
    if (child === undefined) return
    this.#end()
    child.kill('SIGKILL')
    await child.ended
  }

  /** No more lines: it ends when everything is acknowledged. */
  async finish(): Promise<void> {
    const child = this.#child
    this.#end()
    child?.endInput()
    await child?.ended
  }

  /** Delivers what was stored and never acknowledged. Returns the size of the capsule. */
  async deliver(): Promise<number> {
    await using home = await openHome({ path: this.home })
    const options = { copies: this.options.copies, timeoutMs: PUSH_TIMEOUT_MS }
    const { size } = await home.network.push(parseName(this.capsule), options)
    return size
  }

  #end(): void {
    this.#child = undefined
    clearInterval(this.#feeding)
  }
}
