/**
 * A follower of a run: `longshore follow` in a home of its own, far from the writer, killed and
 * started again where it was.
 *
 * @module
 */
import { join } from 'node:path'
import { openHome } from '@longshore/client/node'
import type { CapsuleHistory } from '../history.ts'
import { Child } from './child.ts'
import type { Link, Machine } from './node-process.ts'

export interface FollowerOptions {
  readonly id: string
  readonly directory: string
  readonly capsule: string
  readonly history: CapsuleHistory
  /** Called when a promise is broken, or it ends by itself for no good reason. */
  readonly fail: (error: unknown) => void
  /** Default: this machine. */
  readonly machine?: Machine
}

/**
 * Nobody could be reached; or whoever could be holds less than the one who is gone now, which is as
 * it may be: the rest is with the writer and comes.
 */
const GAVE_UP = /NO_MIRROR|NOT_FOUND|NO_ROUTE|ROLLBACK/

export class FollowerProcess {
  readonly options: FollowerOptions
  /** Times that it ended by itself because nobody could be reached. */
  gaveUp = 0
  readonly #home: string
  #child: Child | undefined
  #waiting: { readonly size: number; readonly resolve: () => void } | undefined

  constructor(options: FollowerOptions) {
    this.options = options
    this.#home = join(options.directory, options.id)
  }

  get id(): string {
    return this.options.id
  }

  get isRunning(): boolean {
    return this.#child !== undefined
  }

  async create(links: readonly Pick<Link, 'ticket'>[]): Promise<void> {
    await using home = await openHome({ path: this.#home })
    for (const { ticket } of links) await home.network.connect(ticket)
  }

  start(): void {
    const { capsule, history, id, fail, machine } = this.options
    const from = String(history.nextOf(id))
    const args = ['--home', this.#home, 'follow', capsule, '--from', from, '--json']
    const child = new Child(args, {
      ...{ env: {}, wrapper: machine?.wrapper ?? [], fail },
      onLine: ({ index, payload }) => {
        if (typeof index !== 'number') return
        const line = Buffer.from(String(payload), 'base64').toString('utf8')
        history.followed(id, index, line)
        if (history.nextOf(id) >= (this.#waiting?.size ?? Number.POSITIVE_INFINITY)) {
          this.#waiting?.resolve()
        }
      },
    })
    this.#child = child
    void child.ended.then(({ code, signal }) => {
      if (this.#child !== child) return
      this.#child = undefined
      if (!GAVE_UP.test(child.stderr)) {
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
    this.#child = undefined
    child.kill('SIGKILL')
    await child.ended
  }

  /** Resolves when it has printed all entries below `size`. */
  async caughtUp(size: number): Promise<void> {
    if (this.options.history.nextOf(this.id) >= size) return
    await new Promise<void>((resolve) => {
      this.#waiting = { size, resolve }
    })
  }
}
