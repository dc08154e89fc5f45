/**
 * A node that runs: the engine between sockets, disk and clock.
 *
 * 1. Everything that happens goes through `step` of the engine, one event after the other.
 * 2. What the mirror wants stored goes with the next commit of the home's one driver, so one sync
 *    covers every capsule and the head log (F19).
 * 3. A node that is told to stop finishes what it has begun: its last receipts leave.
 * 4. A store that failed ends the node: nothing that it says later could be relied on (F31).
 *
 * Rules ND9 to ND20 of docs/spec/node.md.
 *
 * @module
 */
import { join } from 'node:path'
import {
  type CapsuleName,
  formatName,
  formatTicket,
  isLongshoreError,
  MAIN_BRANCH,
  manifestKey,
  parseName,
  type Ticket,
} from '@longshore/capsule'
import { createNodeRuntime, type TransactionSource } from '@longshore/client/node'
import {
  committedHead,
  heldEvidence,
  type Mirror,
  type MirrorEffect,
  mirrorService,
  type NodeEffect,
  NodeEngine,
  type NodeEvent,
  type Runtime,
  type Service,
  type ServiceNews,
  type TransportEvent,
} from '@longshore/engine'
import { TlsTransport } from '@longshore/engine/node'
import packageJson from '../package.json' with { type: 'json' }
import { announcedAddresses } from './announced-addresses.ts'
import { CapsuleDrops, type DropOptions } from './capsule-drops.ts'
import { collectRarely } from './collector.ts'
import { optimizeSoon } from './compiler.ts'
import { type ControlHandlers, ControlServer } from './control-server.ts'
import { DiskRoom } from './disk-room.ts'
import { HttpGateway, parseHttpAddress } from './http-gateway.ts'
import { formatMetrics } from './metrics.ts'
import { mirrorTransactions } from './mirror-transactions.ts'
import { NodeDomain } from './node-domain.ts'
import { writeNodeFile } from './node-file.ts'
import { judgeHealth, type NodeHealth } from './node-health.ts'
import { countWritten, type NodeHome, openNodeHome } from './node-home.ts'
import { NodeLogbook } from './node-logbook.ts'
import { NodeMeters } from './node-meters.ts'
import { createNodeMirror } from './node-mirror.ts'
import type { NodeOptions } from './node-options.ts'
import {
  counterReport,
  countsByCode,
  linkStatus,
  mirrorReport,
  type NodeStatus,
  neighborStatus,
} from './node-status.ts'
import { Scrubber } from './scrubber.ts'
import { storeFailure } from './store-failure.ts'
import { takeUp } from './take-up.ts'
import { until } from './until.ts'

/** A timer of the system cannot be longer. */
const TIMER_MS_MAX = 2_147_483_647
/** What others have to do with the stop of a node may take so long; sessions give up then, too. */
const FINISH_MS_MAX = 5000
/** In which a neighbor hears the goodbye all the same. */
const GOODBYE_MS = 500

export class LongshoreNode {
  readonly #options: NodeOptions
  readonly #runtime: Runtime
  readonly #home: NodeHome
  readonly #transport: TlsTransport
  readonly #engine: NodeEngine
  readonly #mirror: Mirror | undefined
  readonly #gateway: HttpGateway | undefined
  readonly #domain: NodeDomain
  readonly #room: DiskRoom
  readonly #meters: NodeMeters
  readonly #logbook: NodeLogbook
  readonly #scrubber: Scrubber
  readonly #drops: CapsuleDrops
  readonly #startedMs = performance.now()
  readonly #failure = Promise.withResolvers<never>()
  #control: ControlServer | undefined
  #listen: readonly string[] = []
  #announced: readonly string[] = []
  #http: string | undefined
  #timer: NodeJS.Timeout | undefined
  #closing: Promise<void> | undefined
  #afterStep: (() => void) | undefined
  #hasFailed = false
  #isClosed = false

  private constructor(options: NodeOptions, runtime: Runtime, home: NodeHome, bound: Bound) {
    this.#options = options
    this.#runtime = runtime
    this.#home = home
    this.#listen = bound.listen
    this.#announced = options.announce?.length ? options.announce : announcedAddresses(bound.listen)
    this.#meters = bound.meters
    this.#logbook = new NodeLogbook(home.held, runtime)
    this.#transport = bound.transport
    this.#failure.promise.catch(() => {})
    const { roles, domain: required } = options
    const self = home.identity.name
    this.#domain = new NodeDomain({ data: home.held.path, self, roles, required, runtime })
    this.#room = new DiskRoom({
      path: home.held.path,
      quotaBytes: options.quotaBytes,
      storedBytes: () => home.held.store.usage().journalBytes,
      sequence: () => home.held.store.sequence,
      nowMs: () => performance.now(),
      changed: (isFull) => this.#logbook.reportRoom(isFull),
    })
    this.#scrubber = new Scrubber({
      begin: () => home.held.store.scrubInSlices(),
      found: (report) => {
        this.#logbook.reportScrub(report)
        for (const name of report.capsules) this.#tell('mirror', this.#mirror?.suspect(name) ?? [])
      },
      failed: (error) => this.#logbook.reportScrub(error),
    })
    bound.receive((event) => this.#step(event))
    const parts = { home, domain: this.#domain, room: this.#room, runtime }
    const engine = (): NodeEngine => this.#engine
    this.#mirror = roles.includes('mirror') ? createNodeMirror({ ...parts, engine }) : undefined
    this.#engine = this.#createEngine()
    this.#drops = new CapsuleDrops({
      ...{ held: home.held, headLog: home.headLog, mirror: this.#mirror, runtime },
      tell: (effects) => this.#tell('mirror', effects),
    })
    this.#gateway = options.http === undefined ? undefined : this.#createGateway()
  }

  /**
   * Opens the data directory, listens, and joins its neighbors. The process is meant to be this
   * node and nothing else: its garbage is collected and its code compiled as suits a node.
   *
   * @throws {UnavailableError} `LOCKED`, `HOME_UNREADABLE`, `STORE_CORRUPT`, `NODE_MISMATCH`,
   * `PORT_TAKEN`
   * @throws {UsageError} `MEMBERSHIP_INVALID`, and `CERT_…` for a domain that it has to be in
   */
  static async open(options: NodeOptions): Promise<LongshoreNode> {
    collectRarely()
    optimizeSoon()
    const runtime = createNodeRuntime(options.log === undefined ? {} : { log: options.log })
    const meters = new NodeMeters()
    let receive: ((event: TransportEvent) => void) | undefined
    let node: LongshoreNode | undefined
    const onCommit = (): void => node?.committed()
    const onSync = (ms: number): void => meters.synced(ms)
    const takesIn = (name: CapsuleName): boolean => node?.takesIn(name) === true
    const at = { path: options.data, runtime, onCommit, onSync, takesIn }
    const home = await openNodeHome(at, options.labels ?? {})
    const transport = new TlsTransport({
      seed: home.tlsSeed,
      onEvent: (event) => receive?.(event),
    })
    try {
      const listen: string[] = []
      for (const address of options.listen) listen.push(await transport.listen(address))
      const bound: Bound = {
        ...{ transport, listen, meters },
        receive: (listener) => {
          receive = listener
        },
      }
      node = new LongshoreNode(options, runtime, home, bound)
      await node.#start()
      return node
    } catch (error) {
      meters.close()
      if (node !== undefined) await node.#control?.close()
      await transport.close()
      await home.held.close()
      throw error
    }
  }

  get name(): CapsuleName {
    return this.#home.identity.name
  }

  /** Addresses with the ports that the system chose. */
  get listen(): readonly string[] {
    return this.#listen
  }

  /** `http://HOST:PORT`, if there is a gateway. */
  get http(): string | undefined {
    return this.#http
  }

  /** What others need to dial this node; without addresses nobody can. */
  get ticket(): Ticket | undefined {
    if (this.#announced.length === 0) return undefined
    const tlsKey = manifestKey(this.#home.identity.manifest, 'tls').ed25519
    return { name: this.name, tlsKey, addresses: this.#announced }
  }

  /** Rejects when the node cannot go on; never resolves. */
  get failed(): Promise<never> {
    return this.#failure.promise
  }

  get health(): NodeHealth {
    const { held } = this.#home
    return judgeHealth({
      storeError: storeFailure(held),
      isDraining: this.#closing !== undefined,
      freeBytes: this.#room.freeBytes,
      isMirror: this.#mirror !== undefined,
      damaged: this.#mirror?.status.damaged ?? 0,
      mending: this.#mirror?.status.mending ?? 0,
      neighbors: neighborStatus(this.#engine),
      memberUntilS: this.#domain.held?.notAfterS,
      membershipError: this.#domain.error,
      nowS: Math.floor(this.#runtime.nowUs() / 1_000_000),
    })
  }

  get status(): NodeStatus {
    const { ticket } = this
    const { held: member } = this.#domain
    const { store } = this.#home.held
    const { overlay, sessions } = this.#engine
    return {
      principal: formatName(this.name),
      version: packageJson.version,
      state: this.#closing === undefined ? 'running' : 'draining',
      uptimeS: Math.floor((performance.now() - this.#startedMs) / 1000),
      roles: this.#options.roles,
      listen: this.#listen,
      http: this.#http ?? null,
      ticket: ticket === undefined ? null : formatTicket(ticket),
      domain: member ? { name: formatName(member.name), notAfterS: member.notAfterS } : null,
      problems: this.health.problems,
      neighbors: neighborStatus(this.#engine),
      links: linkStatus(this.#engine),
      strangers: overlay.strangerCount,
      routes: overlay.routeCount,
      sessions: sessions.count,
      mirror: mirrorReport(this.#mirror, this.#engine, store),
      store: { journalBytes: store.usage().journalBytes, freeBytes: this.#room.freeBytes },
      counters: counterReport(this.#engine),
      refusedNames: countsByCode(overlay.counters.refusals),
    }
  }

  /** The mirror of this node holds the capsule: nobody else brings entries of it in. */
  takesIn(name: CapsuleName): boolean {
    return this.#mirror?.holds(name) === true
  }

  /** Something was committed in the home, by the node itself or by a command of its user. */
  committed(): void {
    if (!this.#isClosed) this.#step({ type: 'run', service: 'mirror', effects: [] })
  }

  /**
   * Stops serving and advertising a capsule, or takes that back. What was stored stays, unless it
   * is to be freed: then it leaves the store, and a compaction behind the answer gives its space
   * back.
   *
   * @throws {UnavailableError} `NOT_FOUND` if this node does not mirror it; `POLICY_REFUSED` if it
   * is to be freed and this home writes it.
   */
  async drop(name: CapsuleName, options: DropOptions = {}): Promise<void> {
    await this.#drops.drop(name, options)
  }

  /**
   * Takes a newer membership, and shows it to every neighbor that it has joined.
   *
   * @throws {UsageError} `MEMBERSHIP_INVALID`
   * @throws {VerificationError} `CERT_…`
   */
  joinDomain(text: string): void {
    const domain = this.#domain.join(text)
    const details = { domain: formatName(domain.name), notAfterS: domain.notAfterS }
    this.#runtime.log('info', 'node.membership', details)
    this.#step({ type: 'membership', domain })
    // A link shows what was true when it came up.
    for (const { ticket } of [...this.#engine.overlay.joins]) {
      this.#step({ type: 'leave', principal: ticket.name })
      this.#step({ type: 'join', ticket })
    }
  }

  /**
   * Finishes what is under way: refuses what is new, commits what was accepted, delivers receipts,
   * withdraws what it advertises, and says goodbye. Then lets go of everything.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    const finishMs = performance.now() + FINISH_MS_MAX
    this.#runtime.log('info', 'node.draining')
    this.#mirror?.stop()
    this.#home.held.giveUpLongRuns()
    this.#step({ type: 'withdraw', names: [...this.#engine.advertised()] })
    await until(this.#home.held.driver.drained(), finishMs)
    this.#step({ type: 'finish' })
    await until(this.#delivered(), finishMs)
    this.#step({ type: 'shutdown' })
    await until(this.#transport.emptied(), Math.max(finishMs, performance.now() + GOODBYE_MS))
    this.#isClosed = true
    clearTimeout(this.#timer)
    this.#scrubber.stop()
    this.#meters.close()
    await this.#gateway?.close()
    await this.#control?.close()
    await this.#transport.close()
    await this.#home.held.close()
    this.#runtime.log('info', 'node.stopped')
  }

  /** Resolves when no session has anything on its way. */
  async #delivered(): Promise<void> {
    const { sessions } = this.#engine
    if (sessions.drainingCount === 0) return
    await new Promise<void>((resolve) => {
      this.#afterStep = () => {
        if (sessions.drainingCount === 0) resolve()
      }
    })
  }

  async #start(): Promise<void> {
    const { held } = this.#home
    if (this.#gateway !== undefined && this.#options.http !== undefined) {
      const { host, port } = parseHttpAddress(this.#options.http)
      this.#http = await this.#gateway.listen(host, port)
    }
    const handlers: ControlHandlers = {
      status: () => this.status,
      drop: async (name, how) => {
        await this.drop(parseName(name), how)
        return { name, dropped: !how.undo, freed: how.free && !how.undo }
      },
      join: async (membership) => {
        this.joinDomain(membership)
        return { domain: this.status.domain }
      },
    }
    const path = join(held.path, 'control')
    this.#control = await held.withinReserve(() => ControlServer.open(path, handlers))
    const { principal, ticket, listen, http } = this.status
    const { path: control } = this.#control
    const file = { principal, ticket, listen, http, control, pid: process.pid }
    await held.withinReserve(() => writeNodeFile(held.path, file))
    for (const neighbor of this.#options.join) this.#step({ type: 'join', ticket: neighbor })
    if (this.#mirror !== undefined) {
      this.#room.look()
      this.#takeUp(this.#mirror)
    }
    this.#step({ type: 'tick' })
    const capsules = countWritten(this.#home)
    if (capsules > 0) this.#runtime.log('info', 'node.writes', { capsules })
    this.#runtime.log('info', 'node.ready', { principal, listen: listen.join(' ') })
  }

  #takeUp(mirror: Mirror): void {
    const tell = (effects: readonly MirrorEffect[]): void => this.#tell('mirror', effects)
    const isClosing = (): boolean => this.#closing !== undefined
    const parts = { mirror, store: this.#home.held.store, self: this.name, tell, isClosing }
    takeUp(parts).catch((error) => this.#end(error))
    this.#scrubber.start()
  }

  #step(event: NodeEvent): void {
    if (this.#isClosed) return
    for (const effect of this.#engine.step(event)) this.#apply(effect)
    this.#afterStep?.()
  }

  #tell(service: string, effects: readonly MirrorEffect[]): void {
    if (effects.length > 0) this.#step({ type: 'run', service, effects })
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
      case 'wake':
        this.#wake(effect.atUs)
        return
      case 'news':
        this.#news(effect.news)
        return
      default:
        this.#logbook.report(effect)
    }
  }

  #news(news: ServiceNews): void {
    switch (news.type) {
      case 'request-cut':
        this.#home.held.driver.request(this.#source)
        return
      case 'evidence':
        if ('name' in news) this.#logbook.keepEvidence(news.name, news.bytes)
        return
      case 'damaged':
      case 'mending':
      case 'mended':
        this.#logbook.reportMending(news.type, news.name)
    }
  }

  /** What the mirror has pending goes with the next commit of the home. */
  readonly #source: TransactionSource = mirrorTransactions({
    mirror: () => this.#mirror,
    tell: (effects) => this.#tell('mirror', effects),
    failed: () => this.#endIfStoreFailed(),
  })

  #endIfStoreFailed(): void {
    const error = storeFailure(this.#home.held)
    if (error !== undefined) this.#end(error)
  }

  #end(error: unknown): void {
    if (!isLongshoreError(error)) throw error
    if (this.#hasFailed) return
    this.#hasFailed = true
    this.#runtime.log('error', 'node.failed', { code: error.code, message: error.message })
    this.#failure.reject(error)
  }

  #wake(atUs: number): void {
    clearTimeout(this.#timer)
    const ms = Math.ceil((atUs - this.#runtime.nowUs()) / 1000)
    const tick = (): void => {
      // Also where it was a command of the user whose commit failed.
      this.#endIfStoreFailed()
      if (this.#mirror !== undefined) this.#room.look()
      this.#step({ type: 'tick' })
    }
    this.#timer = setTimeout(tick, Math.min(Math.max(ms, 0), TIMER_MS_MAX))
  }

  #createEngine(): NodeEngine {
    const { identity, held } = this.#home
    const { store } = held
    const services: Record<string, Service> = {}
    const [mirror, self] = [this.#mirror, identity.name]
    if (mirror !== undefined) services['mirror'] = mirrorService({ mirror, self, store })
    const { held: membership } = this.#domain
    return new NodeEngine({
      identity,
      runtime: this.#runtime,
      isRouter: this.#options.roles.includes('router'),
      services,
      listen: this.#announced,
      heldEvidence: (name) => heldEvidence(store, self, name),
      ...(membership === undefined ? {} : { membership }),
    })
  }

  #createGateway(): HttpGateway {
    const { store } = this.#home.held
    return new HttpGateway({
      store,
      showsCapsules: this.#options.roles.includes('gateway'),
      headOf: (name) => {
        if (this.#mirror?.isMending(name) === true) return undefined
        return committedHead(store, name, MAIN_BRANCH)
      },
      metrics: () => formatMetrics(this.status, this.#meters),
      health: () => ({ ...this.health, name: formatName(this.name) }),
    })
  }
}

interface Bound {
  readonly transport: TlsTransport
  readonly listen: readonly string[]
  readonly meters: NodeMeters
  receive(listener: (event: TransportEvent) => void): void
}
