/**
 * Nodes with sessions on a network of datagrams that loses, repeats, reorders and parts, in virtual
 * time and under one seed.
 *
 * @module
 */
import { bytesEqual, type CapsuleName, formatHex } from '@longshore/capsule'
import type { NodeIdentity } from '../../node/principal.ts'
import { EventQueue } from '../../testing/event-queue.ts'
import { createNodeIdentity } from '../../testing/node-identity.ts'
import type { Prng } from '../../testing/prng.ts'
import { SimRuntime } from '../../testing/sim-runtime.ts'
import type { SessionEffect, SessionEvent } from '../events.ts'
import { Sessions, type SessionsOptions } from '../sessions.ts'

/** What happens to a datagram. Chances are from 0 to 1. */
export interface Weather {
  readonly latencyUs: number
  /** Added to the latency, 0 to this much: datagrams overtake each other. */
  readonly jitterUs: number
  readonly loss: number
  readonly duplication: number
}

const CALM: Weather = { latencyUs: 1000, jitterUs: 0, loss: 0, duplication: 0 }

export interface Datagram {
  readonly source: CapsuleName
  readonly destination: CapsuleName
  readonly payload: Uint8Array
}

const START_US = 1_735_689_600_000_000

type Effect<TType extends SessionEffect['type']> = Extract<SessionEffect, { type: TType }>

export class SessionNode {
  readonly identity: NodeIdentity
  readonly runtime: SimRuntime
  sessions: Sessions
  readonly opened: Effect<'opened'>[] = []
  readonly messages: Effect<'message'>[] = []
  readonly closed: Effect<'closed'>[] = []
  /** Called with each effect that is for the application. */
  onEffect: (effect: SessionEffect) => void = () => {}
  readonly #network: SessionNetwork
  readonly #options: Partial<SessionsOptions>
  #wakeOrder = 0

  constructor(network: SessionNetwork, prng: Prng, options: Partial<SessionsOptions>) {
    this.#network = network
    this.identity = createNodeIdentity(prng)
    this.runtime = new SimRuntime(prng.child())
    this.runtime.timeUs = network.queue.nowUs
    this.#options = options
    this.sessions = this.#createSessions()
  }

  /** The process was killed and runs again: it is the same principal, and knows no session. */
  restart(): void {
    this.#wakeOrder++
    this.sessions = this.#createSessions()
  }

  #createSessions(): Sessions {
    return new Sessions({
      ...{ identity: this.identity, runtime: this.runtime },
      accept: (target) => (bytesEqual(target, this.name) ? { chain: undefined } : undefined),
      ...this.#options,
    })
  }

  get name(): CapsuleName {
    return this.identity.name
  }

  step(event: SessionEvent): void {
    this.runtime.timeUs = this.#network.queue.nowUs
    for (const effect of this.sessions.step(event)) this.#apply(effect)
  }

  #apply(effect: SessionEffect): void {
    if (effect.type === 'datagram') {
      const { destination, payload } = effect
      this.#network.send({ source: this.name, destination, payload })
      return
    }
    if (effect.type === 'wake') {
      const order = ++this.#wakeOrder
      this.#network.queue.schedule(effect.atUs, () => {
        if (order === this.#wakeOrder) this.step({ type: 'tick' })
      })
      return
    }
    if (effect.type === 'opened') this.opened.push(effect)
    if (effect.type === 'message') this.messages.push(effect)
    if (effect.type === 'closed') this.closed.push(effect)
    this.onEffect(effect)
  }
}

export class SessionNetwork {
  readonly queue: EventQueue = new EventQueue(START_US)
  weather: Weather = CALM
  /** True: nothing arrives. */
  isParted = false
  /** Sees every datagram that is sent; false drops it. */
  onSend: (datagram: Datagram) => boolean = () => true
  sentCount = 0
  readonly #prng: Prng
  /** Nodes by the names that lead to them. */
  readonly #routes = new Map<string, SessionNode>()

  constructor(prng: Prng) {
    this.#prng = prng
  }

  add(options: Partial<SessionsOptions> = {}): SessionNode {
    const node = new SessionNode(this, this.#prng.child(), options)
    this.route(node.name, node)
    return node
  }

  route(name: CapsuleName, node: SessionNode): void {
    this.#routes.set(formatHex(name), node)
  }

  send(datagram: Datagram): void {
    this.sentCount++
    if (!this.onSend(datagram)) return
    const { latencyUs, jitterUs, loss, duplication } = this.weather
    const copies = this.#prng.chance(duplication) ? 2 : 1
    for (let i = 0; i < copies; i++) {
      const delayUs = latencyUs + this.#prng.below(jitterUs + 1)
      if (this.#prng.chance(loss)) continue
      this.queue.schedule(this.queue.nowUs + delayUs, () => this.inject(datagram))
    }
  }

  /** Delivers a datagram now, as whoever made it wants. The receiver gets bytes of its own. */
  inject({ source, destination, payload }: Datagram): void {
    if (this.isParted) return
    const node = this.#routes.get(formatHex(destination))
    node?.step({ type: 'deliver', source, destination, payload: new Uint8Array(payload) })
  }

  /** Lets `us` pass. */
  run(us: number): void {
    this.queue.runUntil(this.queue.nowUs + us)
  }
}
