/**
 * Three trust domains on one machine, every process its own, every link through a proxy:
 *
 *     domain one    router-1   mirror-1          writer-1, writer-2
 *     domain two    router-2   mirror-2          followers, in homes of their own
 *     domain three             mirror-3          (a stranger's)
 *
 * Router 2 has joined router 1; everybody else has joined both, so either may die.
 *
 * @module
 */
import { join } from 'node:path'
import { parseName } from '@longshore/capsule'
import { openHome } from '@longshore/client/node'
import type { Prng } from '@longshore/engine/testing'
import { CapsuleHistory } from '../history.ts'
import { FollowerProcess } from './follower-process.ts'
import { type Link, NodeProcess } from './node-process.ts'
import { WriterProcess } from './writer-process.ts'

export interface FederationOptions {
  /** Empty, and used for nothing else. */
  readonly directory: string
  readonly prng: Prng
  readonly writers: number
  readonly followers: number
  readonly linesPerS: number
}

/** What an acknowledgement promises. */
export const COPIES = 2
const MEMBERSHIP_S = 86_400
const MIRRORS = 3

export class Federation {
  readonly options: FederationOptions
  readonly routers: NodeProcess[] = []
  readonly mirrors: NodeProcess[] = []
  readonly writers: WriterProcess[] = []
  readonly followers: FollowerProcess[] = []
  readonly links: Link[] = []
  readonly #failure = Promise.withResolvers<never>()
  /** Ends the run. */
  readonly fail = (error: unknown): void => this.#failure.reject(error)
  /** Names of the domains, in the home of whoever made them. */
  readonly #domains: string[] = []

  private constructor(options: FederationOptions) {
    this.options = options
    this.#failure.promise.catch(() => {})
  }

  /** Brings everything up, and has every capsule taken on by every mirror. */
  static async open(options: FederationOptions): Promise<Federation> {
    const federation = new Federation(options)
    await federation.#createDomains()
    await federation.#startRouters()
    await federation.#startMirrors()
    await federation.#createWriters()
    await federation.#createFollowers()
    return federation
  }

  get nodes(): readonly NodeProcess[] {
    return [...this.routers, ...this.mirrors]
  }

  /** Rejects when a promise is broken, or a process ends that should not; never resolves. */
  get failed(): Promise<never> {
    return this.#failure.promise
  }

  /** Starts whoever writes and follows. */
  start(): void {
    for (const writer of this.writers) writer.start()
    for (const follower of this.followers) follower.start()
  }

  /** The mirror's disk is lost, and with it the node: another one takes its place. */
  async replaceMirror(mirror: NodeProcess, old: string): Promise<void> {
    await mirror.kill()
    mirror.erase()
    // Nobody has joined a mirror: it is reached over the routers that it joins.
    await mirror.start()
    await this.#admit([mirror])
    for (const writer of this.writers) {
      await writer.kill()
      await writer.replaceMirror(old, mirror)
      writer.start()
    }
  }

  /** Good weather everywhere. */
  calm(): void {
    for (const { proxy } of this.links) proxy.set(undefined)
  }

  /** Ends everything, at once. */
  async close(): Promise<void> {
    for (const process of [...this.followers, ...this.writers, ...this.nodes]) await process.kill()
    for (const { proxy } of this.links) await proxy.close()
  }

  async #createDomains(): Promise<void> {
    await using home = await openHome({ path: this.#authority })
    for (const label of ['one', 'two', 'three']) {
      const { text } = await home.createIdentity({ type: 'domain', label })
      this.#domains.push(text)
    }
  }

  async #startRouters(): Promise<void> {
    const first = this.#createNode('router', 0)
    await first.start()
    const second = this.#createNode('router', 1)
    await second.start([await this.#link('router-2', first)])
    this.routers.push(first, second)
  }

  async #startMirrors(): Promise<void> {
    const starts: Promise<void>[] = []
    for (let i = 0; i < MIRRORS; i++) {
      const mirror = this.#createNode('mirror', i)
      this.mirrors.push(mirror)
      starts.push(mirror.start(await this.#linksToRouters(mirror.id)))
    }
    await Promise.all(starts)
    await this.#admit(this.nodes)
  }

  async #createWriters(): Promise<void> {
    const { directory, linesPerS, writers } = this.options
    for (let i = 1; i <= writers; i++) {
      const history = new CapsuleHistory({ copies: COPIES })
      const id = `writer-${i}`
      const writer = new WriterProcess({
        ...{ id, directory, history, linesPerS },
        ...{ copies: COPIES, fail: this.fail },
      })
      await writer.create(await this.#linksToRouters(id), this.mirrors)
      this.writers.push(writer)
    }
  }

  async #createFollowers(): Promise<void> {
    const { directory, followers } = this.options
    for (let i = 0; i < followers; i++) {
      const writer = this.writers[i % this.writers.length] as WriterProcess
      const id = `follower-${i + 1}`
      const { capsule } = writer
      const { history } = writer.options
      const follower = new FollowerProcess({
        ...{ id, directory, capsule, history },
        fail: this.fail,
      })
      await follower.create(await this.#linksToRouters(id))
      this.followers.push(follower)
    }
  }

  #createNode(role: 'mirror' | 'router', i: number): NodeProcess {
    const { directory } = this.options
    return new NodeProcess({ id: `${role}-${i + 1}`, role, directory, fail: this.fail })
  }

  /** The first router and the first mirror belong to the first domain, and so on. */
  async #admit(nodes: readonly NodeProcess[]): Promise<void> {
    await using home = await openHome({ path: this.#authority })
    const joins: Promise<void>[] = []
    for (const node of nodes) {
      const number = Math.max(this.routers.indexOf(node), this.mirrors.indexOf(node))
      const membership = await home.admit({
        domain: parseName(this.#domains[number] as string),
        subject: parseName(node.principal),
        notAfterS: Math.floor(Date.now() / 1000) + MEMBERSHIP_S,
      })
      joins.push(node.command('node', 'join-domain', membership))
    }
    await Promise.all(joins)
  }

  async #linksToRouters(from: string): Promise<Link[]> {
    const links: Link[] = []
    for (const router of this.routers) links.push(await this.#link(from, router))
    return links
  }

  async #link(from: string, to: NodeProcess): Promise<Link> {
    const link = await to.createLink(from, this.options.prng.child())
    this.links.push(link)
    return link
  }

  get #authority(): string {
    return join(this.options.directory, 'authority')
  }
}
