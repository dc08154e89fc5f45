/**
 * A node of this process without a home: an engine with the services that are given to it, a real
 * connection, and a clock. What it says is up to its services; each has sessions of its own.
 *
 * @module
 */
import { createSigner, type Ticket } from '@longshore/capsule'
import { createNodeRuntime } from '@longshore/client/node'
import {
  createNodePrincipal,
  type NodeEffect,
  NodeEngine,
  type NodeEvent,
  type Service,
  type ServiceEffect,
  type ServiceNews,
} from '@longshore/engine'
import { TlsTransport } from '@longshore/engine/node'
import type { Prng } from '@longshore/engine/testing'

export interface BareNodeOptions {
  readonly prng: Prng
  readonly join: Ticket
  readonly onNews?: (news: ServiceNews) => void
}

export class BareNode {
  readonly #runtime = createNodeRuntime()
  readonly #engine: NodeEngine
  readonly #transport: TlsTransport
  readonly #onNews: (news: ServiceNews) => void
  #timer: NodeJS.Timeout | undefined
  #isClosed = false

  constructor(services: readonly Service[], { prng, join, onNews = () => {} }: BareNodeOptions) {
    this.#onNews = onNews
    const facts = { nonce: prng.bytes(16), timeUs: this.#runtime.nowUs() }
    const { node, seeds } = createNodePrincipal(prng.bytes(32), facts)
    this.#transport = new TlsTransport({ seed: seeds.tls, onEvent: (event) => this.#step(event) })
    this.#engine = new NodeEngine({
      identity: {
        ...{ name: node.name, signedManifest: node.signed, manifest: node.manifest },
        ...{ identity: createSigner(seeds.identity), mirror: createSigner(seeds.mirror) },
      },
      runtime: this.#runtime,
      isRouter: false,
      services: Object.fromEntries(services.map((service, i) => [String(i), service])),
    })
    this.#step({ type: 'join', ticket: join })
  }

  canSend(session: number, isBulk: boolean): boolean {
    return this.#engine.sessions.canSend(session, isBulk)
  }

  /** `service`: its place in the list. */
  run(effects: readonly ServiceEffect[], service = 0): void {
    this.#step({ type: 'run', service: String(service), effects })
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#timer)
    await this.#transport.close()
  }

  #step(event: NodeEvent): void {
    if (this.#isClosed) return
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
      case 'news':
        this.#onNews(effect.news)
        return
      case 'wake': {
        clearTimeout(this.#timer)
        const ms = Math.max(0, Math.ceil((effect.atUs - this.#runtime.nowUs()) / 1000))
        this.#timer = setTimeout(() => this.#step({ type: 'tick' }), ms)
      }
    }
  }
}
