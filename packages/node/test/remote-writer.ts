/**
 * A writer elsewhere, for tests of nodes: a capsule in memory, an engine with a publisher, and a
 * real connection.
 *
 * @module
 */
import {
  type CapsuleName,
  type CertChain,
  createSigner,
  encodeCertChain,
  MAIN_BRANCH,
  type Manifest,
  type Policy,
  signAdCert,
  signManifest,
  type Ticket,
} from '@longshore/capsule'
import { createNodeRuntime } from '@longshore/client/node'
import {
  createNodePrincipal,
  MemoryStore,
  type NodeEffect,
  NodeEngine,
  type NodeEvent,
  Publisher,
  type PublisherEffect,
  publisherService,
} from '@longshore/engine'
import { TlsTransport } from '@longshore/engine/node'
import {
  type CapsuleFixture,
  createCapsuleFixture,
  Prng,
  SignedBranch,
  StoreDriver,
} from '@longshore/engine/testing'

type News = Exclude<PublisherEffect, { type: 'send' | 'open-session' | 'consumed' }>

/** A mirror that was killed is noticed sooner than a path that may heal. */
const HASTY = { keepaliveUs: 200_000, pingUs: 200_000, peerLostUs: 2_000_000 }

export class RemoteWriter {
  readonly capsule: CapsuleFixture
  readonly #prng: Prng
  readonly #branch: SignedBranch
  readonly #driver = new StoreDriver(new MemoryStore())
  readonly #publisher: Publisher
  readonly #engine: NodeEngine
  readonly #transport: TlsTransport
  readonly #runtime = createNodeRuntime()
  readonly #news: News[] = []
  #timer: NodeJS.Timeout | undefined
  #onNews: (() => void) | undefined

  constructor(seed: number, policy: Partial<Policy> = { read: 'any' }) {
    this.#prng = new Prng(seed)
    this.capsule = createCapsuleFixture(this.#prng, policy)
    this.#branch = new SignedBranch(this.#prng.child(), this.capsule, MAIN_BRANCH)
    this.#driver.commit(this.capsule.manifest)
    const facts = { nonce: this.#runtime.randomBytes(16), timeUs: 0 }
    const { node, seeds } = createNodePrincipal(this.#runtime.randomBytes(32), facts)
    this.#transport = new TlsTransport({ seed: seeds.tls, onEvent: (event) => this.#step(event) })
    this.#publisher = new Publisher({
      store: this.#driver.store,
      canSend: (session) => this.#engine.sessions.canSend(session, true),
    })
    this.#engine = new NodeEngine({
      identity: {
        ...{ name: node.name, signedManifest: node.signed, manifest: node.manifest },
        ...{ identity: createSigner(seeds.identity), mirror: createSigner(seeds.mirror) },
      },
      runtime: this.#runtime,
      isRouter: false,
      services: { publisher: publisherService(this.#publisher) },
      sessionLimits: HASTY,
    })
  }

  join(ticket: Ticket): void {
    this.#step({ type: 'join', ticket })
  }

  /** Appends, and pushes to whoever was published to. */
  append(count: number, payloadBytes = 100): void {
    this.#driver.commit(this.#branch.append(count, { payloadBytes }))
    this.#step({ type: 'run', service: 'publisher', effects: [] })
  }

  publish(mirror: CapsuleName, chain: CertChain = this.grant(mirror)): void {
    const target = { mirror, chain: encodeCertChain(chain), counts: true }
    const effects = this.#publisher.publish(this.capsule.name, MAIN_BRANCH, [target])
    this.#step({ type: 'run', service: 'publisher', effects })
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
    const nowS = Math.floor(this.#runtime.nowUs() / 1_000_000)
    const { owner } = this.capsule
    const person = signManifest(personOf(this.capsule), owner)
    const cert = signAdCert(
      {
        ...{ issuer: person.name, subject, parent: null, serial: this.#prng.bytes(16) },
        ...{ notBeforeS: nowS - 86_400, notAfterS: terms.untilS ?? nowS + 86_400 },
        ...{ revocation: null, stalenessS: 0, depth: 0 },
        ...{ capsules: 'all', rights: ['advertise', 'serve'], domains: 'any' },
      },
      owner,
    )
    return { certs: [cert], manifests: [person.signed] }
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer)
    await this.#transport.close()
  }

  #step(event: NodeEvent): void {
    for (const effect of this.#engine.step(event)) this.#apply(effect)
  }

  #apply(effect: NodeEffect): void {
    switch (effect.type) {
      case 'dial':
      case 'write':
      case 'close':
      case 'pause':
      case 'resume':
        this.#transport.apply(effect)
        return
      case 'wake': {
        clearTimeout(this.#timer)
        const ms = Math.max(0, Math.ceil((effect.atUs - this.#runtime.nowUs()) / 1000))
        this.#timer = setTimeout(() => this.#step({ type: 'tick' }), ms)
        return
      }
      case 'news':
        this.#news.push(effect.news as News)
        this.#onNews?.()
    }
  }
}

function personOf({ owner }: CapsuleFixture): Manifest {
  return {
    type: 'person',
    version: 1,
    keys: [{ alg: 'ed25519', key: owner.publicKey, use: 'owner' }],
    mode: 'strict',
    nonce: new Uint8Array(16),
    timeUs: 0,
    policy: { carry: 'any', copies: 1, exclude: [], hold: 'any', read: 'any' },
    blind: false,
    authority: null,
    labels: {},
    crit: [],
    ext: new Map(),
  }
}
