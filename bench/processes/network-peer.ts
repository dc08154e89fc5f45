/**
 * A process that speaks to nodes without being one: engine, TLS and one service, under a name that
 * lives as long as the process.
 *
 * @module
 */
import { type CapsuleName, createSigner, parseTicket } from '@longshore/capsule'
import { createNodeRuntime } from '@longshore/client/node'
import {
  createNodePrincipal,
  type NodeEffect,
  NodeEngine,
  type NodeEvent,
  type Runtime,
  type Service,
  type ServiceEffect,
  type ServiceNews,
} from '@longshore/engine'
import { TlsTransport } from '@longshore/engine/node'

const SERVICE = 'service'

export interface NetworkPeerOptions {
  /** Of the neighbor. */
  readonly ticket: string
  readonly service: Service
  readonly onNews: (news: ServiceNews) => void
}

export class NetworkPeer {
  readonly runtime: Runtime = createNodeRuntime()
  readonly #onNews: (news: ServiceNews) => void
  readonly #transport: TlsTransport
  readonly #engine: NodeEngine
  #timer: NodeJS.Timeout | undefined
  #linked: (() => void) | undefined

  private constructor({ service, onNews }: NetworkPeerOptions) {
    this.#onNews = onNews
    const { runtime } = this
    const facts = { nonce: runtime.randomBytes(16), timeUs: runtime.nowUs() }
    const { node, seeds } = createNodePrincipal(runtime.randomBytes(32), facts)
    this.#transport = new TlsTransport({ seed: seeds.tls, onEvent: (event) => this.#step(event) })
    this.#engine = new NodeEngine({
      identity: {
        name: node.name,
        signedManifest: node.signed,
        manifest: node.manifest,
        identity: createSigner(seeds.identity),
        mirror: createSigner(seeds.mirror),
      },
      runtime,
      isRouter: false,
      services: { [SERVICE]: service },
    })
  }

  /** Resolves when the link to the neighbor stands. */
  static async join(options: NetworkPeerOptions): Promise<NetworkPeer> {
    const peer = new NetworkPeer(options)
    const linked = new Promise<void>((resolve) => {
      peer.#linked = resolve
    })
    peer.#step({ type: 'join', ticket: parseTicket(options.ticket) })
    await linked
    return peer
  }

  canSend(session: number): boolean {
    return this.#engine.sessions.canSend(session, true)
  }

  openSession(target: CapsuleName): void {
    this.run([{ type: 'open-session', target }])
  }

  /** What the service said outside of a step; without anything it looks for something to do. */
  run(effects: readonly ServiceEffect[]): void {
    this.#step({ type: 'run', service: SERVICE, effects })
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
        const ms = Math.ceil((effect.atUs - this.runtime.nowUs()) / 1000)
        this.#timer = setTimeout(() => this.#step({ type: 'tick' }), Math.max(ms, 0))
        return
      }
      case 'link-up':
        this.#linked?.()
        return
      case 'news':
        this.#onNews(effect.news)
    }
  }
}
