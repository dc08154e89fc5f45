/**
 * A writer in this process that has everything ready and pushes it to a mirror as fast as the
 * mirror takes it: its capsule is in memory, so nothing but the mirror and the path slow it down.
 *
 * @module
 */
import {
  type CapsuleName,
  encodeCertChain,
  formatName,
  MAIN_BRANCH,
  type Ticket,
} from '@longshore/capsule'
import { createNodeRuntime, type Network, openNodeNetwork } from '@longshore/client/node'
import { MemoryStore, Publisher, publisherService, type ServiceNews } from '@longshore/engine'
import {
  type CapsuleFixture,
  createAdChain,
  createAuthority,
  createCapsuleFixture,
  type Prng,
  SignedBranch,
  StoreDriver,
} from '@longshore/engine/testing'

export interface PushTarget {
  readonly name: CapsuleName
  readonly ticket: Ticket
}

export interface PushClientOptions {
  readonly prng: Prng
  readonly target: PushTarget
  readonly payloadBytes: number
}

const SERVICE = 'publisher'
const DAY_S = 86_400

export class PushClient {
  readonly refusals: { readonly error: Error; readonly retryAfterMs: number | undefined }[] = []
  readonly #options: PushClientOptions
  readonly #fixture: CapsuleFixture
  readonly #driver = new StoreDriver(new MemoryStore())
  readonly #branch: SignedBranch
  readonly #publisher: Publisher
  readonly #network: Network
  #done = Promise.withResolvers<void>()
  readonly #timers = new Set<NodeJS.Timeout>()

  constructor(options: PushClientOptions) {
    this.#options = options
    const { prng, target } = options
    this.#fixture = createCapsuleFixture(prng, { read: 'any' })
    this.#driver.commit(this.#fixture.manifest)
    this.#branch = new SignedBranch(prng.child(), this.#fixture, MAIN_BRANCH)
    this.#publisher = new Publisher({
      store: this.#driver.store,
      canSend: (session) => this.#network.canSend(session),
    })
    const tickets = [target.ticket]
    // As patient as a node: the mirror is to be overloaded.
    const runtime = createNodeRuntime()
    const network = openNodeNetwork({ runtime, tickets, sessionLimits: {} })
    network.add(SERVICE, publisherService(this.#publisher), (news) => this.#hear(news))
    this.#network = network
  }

  get name(): CapsuleName {
    return this.#fixture.name
  }

  get capsule(): string {
    return formatName(this.name)
  }

  get entries(): number {
    return this.#branch.size
  }

  /** So many entries more, for the next push. */
  append(entries: number): void {
    const { payloadBytes } = this.#options
    this.#driver.commit(this.#branch.append(entries, { payloadBytes }))
  }

  /** Resolves when the mirror has stated that it holds everything. */
  async push(): Promise<void> {
    this.#done = Promise.withResolvers()
    const target = { mirror: this.#options.target.name, chain: this.#grant(), counts: true }
    this.#network.run(SERVICE, this.#publisher.publish(this.#fixture.name, MAIN_BRANCH, [target]))
    await this.#done.promise
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer)
    await this.#network.close()
  }

  #hear(news: ServiceNews): void {
    if (news.type === 'receipt' && 'head' in news && news.head.size === this.entries) {
      this.#done.resolve()
    }
    if (news.type !== 'failed' || !('mirror' in news)) return
    const { error, retryAfterMs, mirror } = news
    this.refusals.push({ error, retryAfterMs })
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      this.#network.run(SERVICE, this.#publisher.retry(mirror))
    }, retryAfterMs ?? 0)
    this.#timers.add(timer)
  }

  /** The owner lets the mirror serve the capsule. */
  #grant(): Uint8Array {
    const { owner } = this.#fixture
    const { prng, target } = this.#options
    const nowS = Math.floor(Date.now() / 1000)
    const chain = createAdChain(prng, createAuthority(prng, 'person', owner), target.name, {
      notBeforeS: nowS - DAY_S,
      notAfterS: nowS + DAY_S,
    })
    return encodeCertChain(chain)
  }
}
