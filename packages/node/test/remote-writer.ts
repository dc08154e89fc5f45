/**
 * A writer elsewhere, for tests of nodes: a capsule in memory, a publisher, and a real
 * connection.
 *
 * @module
 */
import {
  type CapsuleName,
  type CertChain,
  encodeCertChain,
  MAIN_BRANCH,
  type Policy,
  type Ticket,
} from '@longshore/capsule'
import { createNodeRuntime, type Network, openNodeNetwork } from '@longshore/client/node'
import { MemoryStore, Publisher, type PublisherEffect, publisherService } from '@longshore/engine'
import {
  type Authority,
  type CapsuleFixture,
  createAdChain,
  createAuthority,
  createCapsuleFixture,
  Prng,
  SignedBranch,
  StoreDriver,
} from '@longshore/engine/testing'

type News = Exclude<PublisherEffect, { type: 'send' | 'open-session' | 'consumed' }>

const SERVICE = 'publisher'
/** A mirror that was killed is noticed sooner than a path that may heal. */
const HASTY = { keepaliveUs: 200_000, pingUs: 200_000, peerLostUs: 2_000_000 }

export class RemoteWriter {
  readonly capsule: CapsuleFixture
  readonly #prng: Prng
  readonly #owner: Authority
  readonly #branch: SignedBranch
  readonly #driver = new StoreDriver(new MemoryStore())
  readonly #publisher: Publisher
  readonly #network: Network
  readonly #news: News[] = []
  #onNews: (() => void) | undefined

  constructor(seed: number, policy: Partial<Policy> = { read: 'any' }) {
    this.#prng = new Prng(seed)
    this.capsule = createCapsuleFixture(this.#prng, policy)
    this.#owner = createAuthority(this.#prng, 'person', this.capsule.owner)
    this.#branch = new SignedBranch(this.#prng.child(), this.capsule, MAIN_BRANCH)
    this.#driver.commit(this.capsule.manifest)
    this.#network = openNodeNetwork({ runtime: createNodeRuntime(), sessionLimits: HASTY })
    const canSend = (session: number): boolean => this.#network.canSend(session)
    this.#publisher = new Publisher({ store: this.#driver.store, canSend })
    this.#network.add(SERVICE, publisherService(this.#publisher), (news) => {
      this.#news.push(news as News)
      this.#onNews?.()
    })
  }

  join(ticket: Ticket): void {
    this.#network.join(ticket)
  }

  /** Appends, and pushes to whoever was published to. */
  append(count: number, payloadBytes = 100): void {
    this.#driver.commit(this.#branch.append(count, { payloadBytes }))
    this.#network.run(SERVICE, [])
  }

  publish(mirror: CapsuleName, chain: CertChain = this.grant(mirror)): void {
    const target = { mirror, chain: encodeCertChain(chain), counts: true }
    const effects = this.#publisher.publish(this.capsule.name, MAIN_BRANCH, [target])
    this.#network.run(SERVICE, effects)
  }

  /** The next thing that the publisher says that fits, from those that were not taken yet. */
  async next<TType extends News['type']>(
    type: TType,
    fits: (news: Extract<News, { type: TType }>) => boolean = () => true,
  ): Promise<Extract<News, { type: TType }>> {
    for (;;) {
      const isIt = (news: News): boolean => news.type === type && fits(news as never)
      const at = this.#news.findIndex(isIt)
      if (at >= 0) return this.#news.splice(0, at + 1)[at] as Extract<News, { type: TType }>
      await new Promise<void>((resolve) => {
        this.#onNews = resolve
      })
    }
  }

  /** The owner lets a node serve the capsule. */
  grant(subject: CapsuleName, terms: { readonly untilS?: number } = {}): CertChain {
    const nowS = Math.floor(this.#network.runtime.nowUs() / 1_000_000)
    return createAdChain(this.#prng, this.#owner, subject, {
      notBeforeS: nowS - 86_400,
      notAfterS: terms.untilS ?? nowS + 86_400,
    })
  }

  async close(): Promise<void> {
    await this.#network.close()
  }
}
