/**
 * This process as a node of the network: the engine between a transport and promises.
 *
 * The node is an ephemeral one: its keys are made when it is opened and forgotten with it, so any
 * number of processes of one home speak at the same time. It routes nothing and answers nobody.
 * Whatever wants to talk adds a service. Rules NW5 and NW6 of docs/spec/network.md.
 *
 * @module
 */
import {
  bytesEqual,
  type CapsuleName,
  type ErrorCode,
  formatName,
  type Ticket,
  UnavailableError,
} from '@longshore/capsule'
import {
  type Join,
  type NodeEffect,
  NodeEngine,
  type NodeEvent,
  type NodeIdentity,
  type RouteEntry,
  type Runtime,
  type Service,
  type ServiceEffect,
  type ServiceNews,
  type SessionLimits,
  type SpareMemory,
  type TraceHop,
  type TransportEffect,
  type TransportEvent,
} from '@longshore/engine'
import { aborted } from '../commit-signal.ts'

/** What a network needs of the system. */
export interface NetworkPlatform {
  apply(effect: TransportEffect): void
  /** Calls back once, unless what is returned is called before. */
  after(delayMs: number, action: () => void): () => void
  close(): Promise<void>
}

export interface NetworkOptions {
  readonly identity: NodeIdentity
  readonly runtime: Runtime
  readonly platform: NetworkPlatform
  /** Neighbors to dial. */
  readonly tickets: readonly Ticket[]
  readonly sessionLimits?: Partial<SessionLimits> | undefined
}

/** Who serves a name, as far as the neighbors know. */
export interface Resolution {
  readonly entries: readonly RouteEntry[]
  /** Why there is nobody. */
  readonly code: ErrorCode | undefined
}

export interface Trace {
  readonly hops: readonly TraceHop[]
  readonly code: ErrorCode | undefined
}

/** A neighbor that is there. */
export interface Neighbor {
  readonly name: CapsuleName
  readonly isRouter: boolean
}

const SECOND_US = 1_000_000
/**
 * A mirror that is gone is given up soon: the sooner the next session, perhaps with another one,
 * goes on where this one stopped. Giving up too soon costs a handshake.
 */
const SESSION_LIMITS = {
  keepaliveUs: 2 * SECOND_US,
  pingUs: SECOND_US,
  peerLostUs: 8 * SECOND_US,
}

/** A node that is just being started again refuses for two seconds or so. */
const FAILURES_ENOUGH = 5
/** Of dials that failed, in a message. */
const REASONS_SHOWN = 3

type Answer = Extract<NodeEffect, { readonly type: 'resolved' | 'traced' }>

export class Network {
  readonly engine: NodeEngine
  readonly runtime: Runtime
  readonly #name: CapsuleName
  readonly #platform: NetworkPlatform
  readonly #services: Record<string, Service> = {}
  readonly #listeners = new Map<string, (news: ServiceNews) => void>()
  readonly #questions = new Map<number, (answer: Answer | undefined) => void>()
  readonly #neighbors = new Map<string, Neighbor>()
  readonly #linkWatchers = new Set<() => void>()
  readonly #stepWatchers = new Set<() => void>()
  readonly #subscriptions = new Map<string, (payload: Uint8Array | undefined) => void>()
  #lastQuestion = 0
  #cancelWake: (() => void) | undefined
  /** An event that came while another one is being carried out. */
  #isStepping = false
  readonly #waiting: NodeEvent[] = []
  #isClosed = false

  constructor(options: NetworkOptions) {
    const { identity, runtime, platform, tickets, sessionLimits = SESSION_LIMITS } = options
    this.runtime = runtime
    this.#name = identity.name
    this.#platform = platform
    const services = this.#services
    this.engine = new NodeEngine({ identity, runtime, isRouter: false, services, sessionLimits })
    for (const ticket of tickets) this.join(ticket)
    this.#step({ type: 'tick' })
  }

  /** Of this process's node. */
  get name(): CapsuleName {
    return this.#name
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  get neighbors(): readonly Neighbor[] {
    return [...this.#neighbors.values()]
  }

  /** Each node that is to be a neighbor is one, or all of its addresses have failed. */
  get hasTriedAll(): boolean {
    return [...this.engine.overlay.joins].every(
      ({ ticket, failures }) => failures > 0 || this.#neighbors.has(formatName(ticket.name)),
    )
  }

  receive(event: TransportEvent): void {
    this.#step(event)
  }

  /** Keeps a link to this node. */
  join(ticket: Ticket): void {
    this.#step({ type: 'join', ticket })
  }

  /** `listener` hears what the node does not carry out itself. */
  add(id: string, service: Service, listener: (news: ServiceNews) => void): void {
    this.#services[id] = service
    this.#listeners.set(id, listener)
  }

  /** Its sessions must have been closed before (`close-session`). */
  remove(id: string): void {
    delete this.#services[id]
    this.#listeners.delete(id)
  }

  run(service: string, effects: readonly ServiceEffect[]): void {
    this.#step({ type: 'run', service, effects })
  }

  /** For messages that one session gets. */
  get spares(): SpareMemory {
    return this.engine.spares
  }

  canSend(session: number, isBulk = true): boolean {
    return this.engine.sessions.canSend(session, isBulk)
  }

  /**
   * Joins the tree along which a public capsule is published. `listener` hears each publication,
   * which nobody has verified, and undefined where one may have been lost.
   */
  subscribe(name: CapsuleName, listener: (payload: Uint8Array | undefined) => void): void {
    this.#subscriptions.set(formatName(name), listener)
    this.#step({ type: 'subscribe', name })
  }

  after(delayMs: number, action: () => void): () => void {
    return this.#platform.after(delayMs, action)
  }

  /** Whenever a neighbor comes or goes, until the returned function is called. */
  watchLinks(action: () => void): () => void {
    this.#linkWatchers.add(action)
    return () => this.#linkWatchers.delete(action)
  }

  async resolve(name: CapsuleName): Promise<Resolution> {
    const answer = await this.#ask((request) => ({ type: 'resolve', request, name }))
    if (answer?.type !== 'resolved') return { entries: [], code: 'CLOSED' }
    return { entries: answer.entries, code: answer.code }
  }

  async trace(name: CapsuleName): Promise<Trace> {
    const answer = await this.#ask((request) => ({ type: 'trace', request, name }))
    if (answer?.type !== 'traced') return { hops: [], code: 'CLOSED' }
    return { hops: answer.hops, code: answer.code }
  }

  /**
   * Resolves when a neighbor is linked, or this one.
   *
   * @throws {UnavailableError} `NO_MIRROR` after that time, or once all addresses have failed
   * several times; `ABORTED`
   */
  linked(timeoutMs: number, signal?: AbortSignal, node?: CapsuleName): Promise<void> {
    const isThere = (): boolean => {
      const isLinked =
        node === undefined ? this.#neighbors.size > 0 : this.#neighbors.has(formatName(node))
      const isRefused = this.#dialled(node).every(({ failures }) => failures >= FAILURES_ENOUGH)
      if (!isLinked && isRefused) throw this.noLink(node)
      return isLinked
    }
    const patience = { timeoutMs, signal, orElse: () => this.noLink(node) }
    return this.until(isThere, patience, (look) => this.#watchSteps(look))
  }

  #dialled(node: CapsuleName | undefined): Join[] {
    return [...this.engine.overlay.joins].filter(
      ({ ticket }) => node === undefined || bytesEqual(ticket.name, node),
    )
  }

  /** Nobody answers, or not this node; with why, as far as dialling has shown it. */
  noLink(node?: CapsuleName): UnavailableError {
    const dialled = this.#dialled(node)
    const reasons = dialled
      .filter(({ reason }) => reason !== '')
      .map(({ ticket, reason }) =>
        node === undefined ? `${ticket.addresses[0]}: ${reason}` : reason,
      )
    const shown = reasons.slice(0, REASONS_SHOWN)
    const why = shown.length === 0 ? '' : ` (${shown.join('; ')})`
    const who =
      node === undefined
        ? 'none of the nodes that this home connects to answers'
        : 'the node does not answer'
    const details = { nodes: dialled.length, reason: shown.join('; ') }
    return new UnavailableError('NO_MIRROR', `${who}${why}`, details)
  }

  /** Waits until `isThere`, asked whenever `watch` says that something has changed. */
  until(
    isThere: () => boolean,
    { timeoutMs, signal, orElse }: Patience,
    watch: (look: () => void) => () => void,
  ): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (settle: () => void): void => {
        unwatch()
        cancel()
        signal?.removeEventListener('abort', abort)
        settle()
      }
      const look = (): void => {
        try {
          if (isThere()) end(resolve)
          else if (this.#isClosed) end(() => reject(closed()))
        } catch (error) {
          end(() => reject(error))
        }
      }
      const abort = (): void => end(() => reject(aborted(signal)))
      const cancel =
        timeoutMs === Number.POSITIVE_INFINITY
          ? () => {}
          : this.after(timeoutMs, () => end(() => reject(orElse())))
      const unwatch = watch(look)
      signal?.addEventListener('abort', abort, { once: true })
      if (signal?.aborted) abort()
      else look()
    })
  }

  /** Resolves when peers have everything that was sent, at the latest after that time. */
  async delivered(timeoutMs: number): Promise<void> {
    const { sessions } = this.engine
    const patience = { timeoutMs, signal: undefined, orElse: closed }
    const watch = (look: () => void): (() => void) => this.#watchSteps(look)
    await this.until(() => sessions.undeliveredCount === 0, patience, watch).catch(() => {})
  }

  #watchSteps(action: () => void): () => void {
    this.#stepWatchers.add(action)
    return () => this.#stepWatchers.delete(action)
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#cancelWake?.()
    for (const watcher of [...this.#linkWatchers]) watcher()
    for (const answer of this.#questions.values()) answer(undefined)
    await this.#platform.close()
  }

  #ask(question: (request: number) => NodeEvent): Promise<Answer | undefined> {
    const request = ++this.#lastQuestion
    return new Promise((resolve) => {
      this.#questions.set(request, resolve)
      this.#step(question(request))
    })
  }

  /** One event after the other, also those that listeners cause. */
  #step(event: NodeEvent): void {
    if (this.#isClosed) return
    this.#waiting.push(event)
    if (this.#isStepping) return
    this.#isStepping = true
    try {
      for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
        for (const effect of this.engine.step(next)) this.#apply(effect)
      }
    } finally {
      this.#isStepping = false
    }
    for (const watcher of [...this.#stepWatchers]) watcher()
  }

  #apply(effect: NodeEffect): void {
    switch (effect.type) {
      case 'dial':
      case 'write':
      case 'close':
      case 'pause':
      case 'resume':
        this.#platform.apply(effect)
        return
      case 'wake':
        this.#wake(effect.atUs)
        return
      case 'news':
        this.#listeners.get(effect.service)?.(effect.news)
        return
      case 'published':
        this.#subscriptions.get(formatName(effect.name))?.(effect.payload)
        return
      case 'gap':
        this.#subscriptions.get(formatName(effect.name))?.(undefined)
        return
      case 'resolved':
      case 'traced': {
        const resolve = this.#questions.get(effect.request)
        this.#questions.delete(effect.request)
        resolve?.(effect)
        return
      }
      case 'link-up':
      case 'link-down': {
        const key = formatName(effect.principal)
        const neighbor = { name: effect.principal, isRouter: effect.isRouter }
        if (effect.type === 'link-up') this.#neighbors.set(key, neighbor)
        else this.#neighbors.delete(key)
        for (const watcher of [...this.#linkWatchers]) watcher()
      }
    }
  }

  #wake(atUs: number): void {
    this.#cancelWake?.()
    const delayMs = Math.max(0, Math.ceil((atUs - this.runtime.nowUs()) / 1000))
    this.#cancelWake = this.after(delayMs, () => this.#step({ type: 'tick' }))
  }
}

/** How long to wait, and what to say then. */
export interface Patience {
  readonly timeoutMs: number
  readonly signal: AbortSignal | undefined
  readonly orElse: () => Error
}

function closed(): UnavailableError {
  return new UnavailableError('CLOSED', 'the home was closed')
}
