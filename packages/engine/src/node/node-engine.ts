/**
 * A node without a body: overlay, sessions, and the services that talk through them.
 *
 *     transport → overlay → sessions → services        what comes in
 *     transport ← overlay ← sessions ← services        what goes out
 *
 * One machine, `step(event) -> effects`. Everything that a step causes happens in that step, in
 * the order in which it was caused; nothing calls back. What a step writes to one connection
 * leaves together.
 *
 * 1. A session belongs to one service: those that peers open to the first that answers for peers,
 *    the others to whoever asked for them.
 * 2. A service that wants a session gets it as soon as there is a way, and is told once if there
 *    is none now; it is tried again, later and later, until it is there or no longer wanted, and
 *    at once after a link came up.
 * 3. Services make messages only while a session has room, a bounded number per step, so that no
 *    request and no follower holds up the others.
 *
 * Rule ND4 of docs/spec/node.md.
 *
 * @module
 */
import { bytesEqual, type CapsuleName, isLongshoreError } from '@longshore/capsule'
import type { HeldEvidence } from '../overlay/machine.ts'
import { Overlay } from '../overlay/overlay.ts'
import type { Membership, OverlayEffect, OverlayEvent } from '../overlay/overlay-events.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { SpareMemory } from '../runtime/spare-memory.ts'
import { SteadyClock } from '../runtime/steady-clock.ts'
import type { Acceptance, SessionEffect, SessionEvent, SessionId } from '../session/events.ts'
import type { SessionLimits } from '../session/limits.ts'
import { Sessions } from '../session/sessions.ts'
import { nameKey, nameOfKey } from '../store/branch-key.ts'
import type { TransportEffect } from '../transport/transport.ts'
import { Backoff } from './backoff.ts'
import { Partners } from './partners.ts'
import type { NodeIdentity } from './principal.ts'
import type { Service, ServiceEffect, ServiceNews } from './service.ts'
import { RUNNER, Subscriptions } from './subscriptions.ts'

/** Rounds of work in one step: some milliseconds, then whatever else happened has its turn. */
const WORK_ROUNDS_MAX = 16
/** The overlay has something due every ten seconds. */
const CLOCK_STEP_US_MAX = 60_000_000

export interface NodeEngineOptions {
  readonly identity: NodeIdentity
  readonly runtime: Runtime
  /** Forwards for others. */
  readonly isRouter: boolean
  readonly membership?: Membership
  /** Addresses under which others reach this node. */
  readonly listen?: readonly string[]
  /**
   * By name. Sessions that peers open go to the first one that has `accept`. Looked at anew with
   * every step: whoever runs the node may add some and, once their sessions are closed, take them
   * away.
   */
  readonly services: Readonly<Record<string, Service>>
  /** Keeps what a service advertises, so that the overlay need not. */
  readonly heldEvidence?: (name: CapsuleName) => HeldEvidence | undefined
  readonly sessionLimits?: Partial<SessionLimits>
  readonly spares?: SpareMemory
}

/** Commands to the overlay, what its transport reports, and the clock. */
export type NodeEvent =
  | Exclude<OverlayEvent, { readonly type: 'send' }>
  /** Close every session, once what was sent has arrived, and open none: this node stops. */
  | { readonly type: 'finish' }
  /** Carries out what a service said outside of a step, and has it look for something to do. */
  | { readonly type: 'run'; readonly service: string; readonly effects: readonly ServiceEffect[] }

export type NodeEffect =
  | Exclude<OverlayEffect, { readonly type: 'deliver' | 'path-changed' | 'unreachable' }>
  /** What a service says to whoever runs the node. */
  | { readonly type: 'news'; readonly service: string; readonly news: ServiceNews }

type Subscription = Extract<OverlayEvent, { readonly type: 'subscribe' | 'unsubscribe' }>
type Publication = Extract<OverlayEffect, { readonly type: 'published' | 'gap' }>
type Write = Extract<TransportEffect, { readonly type: 'write' }>

interface Owner {
  readonly id: string
  readonly service: Service
  /** What it asked for; undefined if the peer opened the session. */
  readonly target: CapsuleName | undefined
}

type Work =
  | { readonly to: 'overlay'; readonly event: OverlayEvent }
  | { readonly to: 'sessions'; readonly event: SessionEvent }

export class NodeEngine {
  readonly overlay: Overlay
  readonly sessions: Sessions
  /** Memory that its services may take messages from, and that theirs goes back to. */
  readonly spares: SpareMemory
  readonly #options: NodeEngineOptions
  readonly #runtime: Runtime
  readonly #clock: SteadyClock
  readonly #owners = new Map<SessionId, Owner>()
  readonly #wanted: Backoff
  readonly #subscriptions = new Subscriptions()
  /** By name key: the service that advertises the capsule. */
  readonly #advertised = new Map<string, string>()
  /** By name key: the service that wants to know who serves the capsule, without doing so. */
  readonly #sought = new Map<string, string>()
  readonly #partners = new Partners()
  /** Questions of this node's own, by their number, which is negative. */
  readonly #questions = new Map<number, string>()
  #lastQuestion = 0
  #lastSession: SessionId = 0
  #isFinishing = false
  #work: Work[] = []
  #effects: NodeEffect[] = []
  /** Writes of this step that are in `#effects` already, by connection. */
  #writes = new Map<number, { -readonly [K in keyof Write]: Write[K] }>()
  #overlayWakeUs = Number.POSITIVE_INFINITY
  #sessionsWakeUs = Number.POSITIVE_INFINITY
  #wakeUs = Number.POSITIVE_INFINITY

  constructor(options: NodeEngineOptions) {
    const { identity, runtime, isRouter, membership, listen = [] } = options
    this.#options = options
    this.#runtime = runtime
    this.#clock = new SteadyClock(() => runtime.nowUs(), CLOCK_STEP_US_MAX)
    this.#wanted = new Backoff(runtime, this.#clock)
    const { spares = new SpareMemory() } = options
    this.spares = spares
    this.overlay = new Overlay({
      identity,
      spares,
      roles: { router: isRouter },
      runtime,
      listen,
      ...(membership === undefined ? {} : { domain: membership }),
      ...(options.heldEvidence === undefined ? {} : { heldEvidence: options.heldEvidence }),
    })
    this.sessions = new Sessions({
      identity,
      spares,
      runtime,
      accept: (target) => this.#accept(target),
      ...(options.sessionLimits === undefined ? {} : { limits: options.sessionLimits }),
    })
  }

  /** Capsules that a service of this node advertises. */
  get advertisedCount(): number {
    return this.#advertised.size
  }

  *advertised(): Iterable<CapsuleName> {
    for (const key of this.#advertised.keys()) yield nameOfKey(key)
  }

  step(event: NodeEvent): NodeEffect[] {
    const effects: NodeEffect[] = []
    if (event.type === 'drained' && !this.overlay.drained(event.connection)) return effects
    this.#effects = effects
    if (event.type === 'run') this.#take(event.service, event.effects)
    else if (event.type === 'finish') this.#finish()
    else if (event.type === 'tick') this.#tick()
    else if (event.type === 'subscribe') this.#subscribe(RUNNER, event)
    else if (event.type === 'unsubscribe') this.#unsubscribe(RUNNER, event)
    else if (event.type === 'withdraw') this.#withdraw(event.names)
    else this.#work.push({ to: 'overlay', event })
    this.#drain()
    let rounds = 0
    while (rounds < WORK_ROUNDS_MAX && this.#letServicesWork()) {
      this.#drain()
      rounds++
    }
    this.#noteWake(rounds === WORK_ROUNDS_MAX)
    this.#writes.clear()
    return effects
  }

  #finish(): void {
    this.#isFinishing = true
    for (const session of this.#owners.keys()) {
      this.#work.push({ to: 'sessions', event: { type: 'close', session } })
    }
  }

  #accept(target: CapsuleName): Acceptance | undefined {
    if (this.#isFinishing) return undefined
    for (const service of Object.values(this.#options.services)) {
      if (service.accept !== undefined) return service.accept(target)
    }
    return undefined
  }

  #tick(): void {
    const nowUs = this.#runtime.nowUs()
    if (this.#overlayWakeUs <= nowUs) this.#overlayWakeUs = Number.POSITIVE_INFINITY
    if (this.#sessionsWakeUs <= nowUs) this.#sessionsWakeUs = Number.POSITIVE_INFINITY
    this.#wakeUs = Number.POSITIVE_INFINITY
    this.#work.push({ to: 'overlay', event: { type: 'tick' } })
    this.#work.push({ to: 'sessions', event: { type: 'tick' } })
    for (const { service, target } of this.#wanted.takeDue()) this.#open(service, target)
    for (const [id, service] of Object.entries(this.#options.services)) {
      this.#take(id, service.tick?.() ?? [])
    }
    const steadyUs = this.#clock.read()
    this.#askForPartners(steadyUs)
    this.spares.tick(steadyUs)
  }

  /** Without a router nobody could say who else serves what this node serves. */
  #askAgain(): void {
    const nowUs = this.#clock.read()
    this.#partners.hasten(nowUs)
    this.#askForPartners(nowUs)
  }

  /** Whoever else serves what this node serves is asked for now and then. */
  #askForPartners(nowUs: number): void {
    for (const key of this.#partners.takeDue(nowUs)) {
      const request = --this.#lastQuestion
      this.#questions.set(request, key)
      const event = { type: 'resolve' as const, request, name: nameOfKey(key) }
      this.#work.push({ to: 'overlay', event })
    }
  }

  #resolved(effect: Extract<OverlayEffect, { type: 'resolved' }>): void {
    const key = this.#questions.get(effect.request)
    if (key === undefined) {
      this.#effects.push(effect)
      return
    }
    this.#questions.delete(effect.request)
    const id = this.#advertised.get(key) ?? this.#sought.get(key)
    if (id === undefined) return
    const { name: self } = this.#options.identity
    const servers = effect.entries.map(({ server }) => server)
    const others = servers.filter((server) => !bytesEqual(server, self))
    if (others.length > 0) this.#partners.found(key, this.#clock.read())
    this.#take(id, this.#options.services[id]?.learn?.(effect.name, others) ?? [])
  }

  #drain(): void {
    // The array grows while it is worked off.
    for (let i = 0; i < this.#work.length; i++) {
      const work = this.#work[i] as Work
      if (work.to === 'overlay') {
        for (const effect of this.overlay.step(work.event)) this.#fromOverlay(effect)
      } else {
        for (const effect of this.sessions.step(work.event)) this.#fromSessions(effect)
      }
    }
    this.#work.length = 0
  }

  #letServicesWork(): boolean {
    let hasWorked = false
    const { services } = this.#options
    for (const id in services) {
      const effects = services[id]?.work?.()
      if (effects === undefined || effects.length === 0) continue
      hasWorked = true
      this.#take(id, effects)
    }
    return hasWorked
  }

  #fromOverlay(effect: OverlayEffect): void {
    switch (effect.type) {
      case 'write':
        this.#write(effect)
        return
      case 'deliver':
      case 'path-changed':
        this.#work.push({ to: 'sessions', event: effect })
        return
      case 'unreachable': {
        const { type, destination, code, message } = effect
        this.#work.push({ to: 'sessions', event: { type, destination, code, message } })
        return
      }
      case 'wake':
        this.#overlayWakeUs = effect.atUs
        return
      case 'resolved':
        this.#resolved(effect)
        return
      case 'published':
      case 'gap':
        this.#published(effect)
        return
      case 'link-up':
        this.#wanted.hasten()
        this.#effects.push(effect)
        if (effect.isRouter) this.#askAgain()
        return
      default:
        this.#effects.push(effect)
    }
  }

  #write({ connection, chunks }: Write): void {
    const known = this.#writes.get(connection)
    if (known !== undefined) {
      known.chunks = [...known.chunks, ...chunks]
      return
    }
    const write = { type: 'write' as const, connection, chunks }
    this.#writes.set(connection, write)
    this.#effects.push(write)
  }

  #fromSessions(effect: SessionEffect): void {
    switch (effect.type) {
      case 'datagram': {
        const { destination, payload, isBulk } = effect
        const source = this.#options.identity.name
        const event = { type: 'send' as const, destination, source, payload, isBulk }
        this.#work.push({ to: 'overlay', event })
        return
      }
      case 'opened':
        this.#opened(effect)
        return
      case 'message': {
        const owner = this.#owners.get(effect.session)
        if (owner === undefined) return
        this.#take(owner.id, owner.service.receive(effect.session, effect.message))
        if (owner.service.isDoneWith?.(effect.message)) this.spares.giveBack(effect.message)
        return
      }
      case 'writable':
        this.#owners.get(effect.session)?.service.writable?.(effect.session)
        return
      case 'closed':
        this.#closed(effect)
        return
      case 'wake':
        this.#sessionsWakeUs = effect.atUs
    }
  }

  #opened({ session, peer, isInitiator }: Extract<SessionEffect, { type: 'opened' }>): void {
    const owner = isInitiator ? this.#owners.get(session) : this.#answering()
    if (owner === undefined) return
    if (owner.target === undefined) this.#owners.set(session, owner)
    else this.#wanted.succeeded(owner.id, owner.target)
    this.#take(owner.id, owner.service.opened(session, peer, owner.target))
  }

  /** Who gets the sessions that peers open. */
  #answering(): Owner | undefined {
    const found = Object.entries(this.#options.services).find(([, { accept }]) => accept)
    return found && { id: found[0], service: found[1], target: undefined }
  }

  #closed({ session, error }: Extract<SessionEffect, { type: 'closed' }>): void {
    const owner = this.#owners.get(session)
    if (owner === undefined) return
    this.#owners.delete(session)
    const { id, service, target } = owner
    this.#take(id, service.closed(session, target, error))
    if (target === undefined) return
    if (service.wants(target)) this.#wanted.failed(id, target)
    else this.#wanted.forget(id, target)
  }

  #take(id: string, effects: readonly ServiceEffect[]): void {
    for (const effect of effects) {
      switch (effect.type) {
        case 'send':
        case 'consumed':
          this.#work.push({ to: 'sessions', event: effect })
          break
        case 'close-session':
          this.#work.push({ to: 'sessions', event: { type: 'close', session: effect.session } })
          break
        case 'open-session':
          if (this.#wanted.begin(id, effect.target)) this.#open(id, effect.target)
          break
        case 'publish':
          this.#work.push({ to: 'overlay', event: effect })
          break
        case 'subscribe':
          this.#subscribe(id, effect)
          break
        case 'unsubscribe':
          this.#unsubscribe(id, effect)
          break
        case 'advertise':
          this.#advertise(id, effect)
          break
        case 'seek':
          this.#sought.set(nameKey(effect.name), id)
          this.#partners.add(nameKey(effect.name))
          break
        case 'withdraw':
          this.#withdraw([effect.name])
          break
        default:
          this.#effects.push({ type: 'news', service: id, news: effect })
      }
    }
  }

  #subscribe(subscriber: string, event: Subscription): void {
    if (this.#subscriptions.add(event.name, subscriber)) this.#work.push({ to: 'overlay', event })
  }

  #unsubscribe(subscriber: string, event: Subscription): void {
    const isLast = this.#subscriptions.remove(event.name, subscriber)
    if (isLast) this.#work.push({ to: 'overlay', event })
  }

  #published(effect: Publication): void {
    const payload = effect.type === 'gap' ? undefined : effect.payload
    for (const subscriber of this.#subscriptions.of(effect.name)) {
      if (subscriber === RUNNER) this.#effects.push(effect)
      else
        this.#take(
          subscriber,
          this.#options.services[subscriber]?.published?.(effect.name, payload) ?? [],
        )
    }
  }

  /** A chain that held when the capsule was taken on may have ended: then nobody is told of it. */
  #advertise(
    service: string,
    { name, manifest: capsule, chain }: Extract<ServiceEffect, { type: 'advertise' }>,
  ): void {
    try {
      const effects = this.overlay.step({ type: 'advertise', name, capsule, chain })
      for (const effect of effects) this.#fromOverlay(effect)
    } catch (error) {
      if (!isLongshoreError(error)) throw error
      const router = this.#options.identity.name
      this.#effects.push({ type: 'refused', name, router, code: error.code })
      return
    }
    const key = nameKey(name)
    if (!this.#advertised.has(key)) this.#advertised.set(key, service)
    this.#sought.delete(key)
    this.#partners.add(key)
  }

  #withdraw(names: readonly CapsuleName[]): void {
    for (const key of names.map(nameKey)) {
      this.#advertised.delete(key)
      this.#sought.delete(key)
      this.#partners.delete(key)
    }
    this.#work.push({ to: 'overlay', event: { type: 'withdraw', names } })
  }

  #open(id: string, target: CapsuleName): void {
    const service = this.#options.services[id]
    if (service === undefined || this.#isFinishing) return
    const session = ++this.#lastSession
    this.#owners.set(session, { id, service, target })
    this.#work.push({ to: 'sessions', event: { type: 'open', session, target } })
  }

  /** Tells the driver when to tick, if that is sooner than what it knows. */
  #noteWake(hasMoreWork: boolean): void {
    const ownUs = this.#clock.shownAt(Math.min(this.#wanted.dueUs, this.#partners.dueUs))
    const nextUs = Math.min(this.#overlayWakeUs, this.#sessionsWakeUs, ownUs)
    const dueUs = hasMoreWork ? this.#runtime.nowUs() : nextUs
    if (dueUs >= this.#wakeUs) return
    this.#wakeUs = dueUs
    this.#effects.push({ type: 'wake', atUs: dueUs })
  }
}
