/**
 * A node that runs: the engine between sockets, disk and clock.
 *
 * 1. Everything that happens goes through `step` of the engine, one event after the other.
 * 2. What the mirror wants stored goes with the next commit of the home's one driver, so one sync
 *    covers every capsule and the head log (F19).
 * 3. A node that is told to stop finishes what it has begun: its last receipts leave.
 *
 * Rules ND9 to ND14 of docs/spec/node.md.
 *
 * @module
 */
import fs from 'node:fs'
import { join } from 'node:path'
import {
  type CapsuleName,
  formatName,
  MAIN_BRANCH,
  manifestKey,
  type Ticket,
} from '@longshore/capsule'
import { createNodeRuntime, type Transaction, type TransactionSource } from '@longshore/client/node'
import {
  committedHead,
  createMirrorPolicy,
  heldCapsules,
  type Membership,
  Mirror,
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
import { collectRarely } from './collector.ts'
import { HttpGateway, parseHttpAddress } from './http-gateway.ts'
import { type NodeHome, openNodeHome } from './node-home.ts'

export type NodeRole = 'router' | 'mirror' | 'gateway'

export interface NodeOptions {
  /** Directory with the node's keys and everything that it holds. Made if missing. */
  readonly data: string
  /** `tls://HOST:PORT`, port 0 for any free one. */
  readonly listen: readonly string[]
  /** `HOST:PORT` of the HTTP gateway. */
  readonly http?: string
  readonly join: readonly Ticket[]
  readonly roles: readonly NodeRole[]
  /** The domain that the node is in, and the certificates that say so. */
  readonly domain?: Membership
  /** Public, in the node's manifest when it is made. */
  readonly labels?: Readonly<Record<string, string>>
  readonly log?: Runtime['log']
}

/** Bytes that stay free on the disk: what is on its way must not fill it to the brim. */
const RESERVE_BYTES = 67_108_864
/** How often the free space is looked at. */
const SPACE_LOOK_MS = 1000
/** A timer of the system cannot be longer. */
const TIMER_MS_MAX = 2_147_483_647

export class LongshoreNode {
  readonly #options: NodeOptions
  readonly #runtime: Runtime
  readonly #home: NodeHome
  readonly #transport: TlsTransport
  readonly #engine: NodeEngine
  readonly #mirror: Mirror | undefined
  readonly #gateway: HttpGateway | undefined
  #listen: readonly string[] = []
  #http: string | undefined
  #timer: NodeJS.Timeout | undefined
  #freeBytes = 0
  #freeLookedAtMs = Number.NEGATIVE_INFINITY
  #isClosed = false

  private constructor(options: NodeOptions, runtime: Runtime, home: NodeHome, bound: Bound) {
    this.#options = options
    this.#runtime = runtime
    this.#home = home
    this.#listen = bound.listen
    this.#transport = bound.transport
    bound.receive((event) => this.#step(event))
    this.#mirror = options.roles.includes('mirror') ? this.#createMirror() : undefined
    this.#engine = this.#createEngine()
    this.#gateway = options.http === undefined ? undefined : this.#createGateway()
  }

  /**
   * Opens the data directory, listens, and joins its neighbors. The process is meant to be this
   * node and nothing else: its garbage is collected as suits a node.
   *
   * @throws {UnavailableError} `LOCKED`, `HOME_UNREADABLE`, `STORE_CORRUPT`, `NODE_MISMATCH`,
   * `PORT_TAKEN`
   */
  static async open(options: NodeOptions): Promise<LongshoreNode> {
    collectRarely()
    const runtime = createNodeRuntime(options.log === undefined ? {} : { log: options.log })
    let receive: ((event: TransportEvent) => void) | undefined
    let node: LongshoreNode | undefined
    const onCommit = (): void => node?.committed()
    const home = await openNodeHome({ path: options.data, runtime, onCommit }, options.labels ?? {})
    const transport = new TlsTransport({
      seed: home.tlsSeed,
      onEvent: (event) => receive?.(event),
    })
    try {
      const listen: string[] = []
      for (const address of options.listen) listen.push(await transport.listen(address))
      const bound: Bound = {
        transport,
        listen,
        receive: (listener) => {
          receive = listener
        },
      }
      node = new LongshoreNode(options, runtime, home, bound)
      await node.#start()
      return node
    } catch (error) {
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
    if (this.#listen.length === 0) return undefined
    const tlsKey = manifestKey(this.#home.identity.manifest, 'tls').ed25519
    return { name: this.name, tlsKey, addresses: this.#listen }
  }

  /** Something was committed in the home, by the node itself or by a command of its user. */
  committed(): void {
    if (!this.#isClosed) this.#step({ type: 'tick' })
  }

  /** Finishes what is under way, then lets go of everything. */
  async close(): Promise<void> {
    if (this.#isClosed) return
    await this.#home.held.driver.drained()
    this.#isClosed = true
    clearTimeout(this.#timer)
    await this.#gateway?.close()
    await this.#transport.close()
    await this.#home.held.close()
  }

  async #start(): Promise<void> {
    if (this.#gateway !== undefined && this.#options.http !== undefined) {
      const { host, port } = parseHttpAddress(this.#options.http)
      this.#http = await this.#gateway.listen(host, port)
    }
    for (const ticket of this.#options.join) this.#step({ type: 'join', ticket })
    if (this.#mirror !== undefined) this.#tell('mirror', heldCapsules(this.#home.held.store))
    this.#step({ type: 'tick' })
  }

  #step(event: NodeEvent): void {
    if (this.#isClosed) return
    for (const effect of this.#engine.step(event)) this.#apply(effect)
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
      case 'link-up':
      case 'link-down': {
        const { type, principal, remote, reason } = effect
        this.#runtime.log('info', `node.${type}`, { peer: formatName(principal), remote, reason })
        return
      }
      case 'refused': {
        const { name, router, code } = effect
        const details = { name: formatName(name), router: formatName(router), code }
        this.#runtime.log('warn', 'node.advertisement-refused', details)
        return
      }
      case 'advertised':
        this.#runtime.log('debug', 'node.advertised', { name: formatName(effect.name) })
    }
  }

  #news(news: ServiceNews): void {
    switch (news.type) {
      case 'request-cut':
        this.#home.held.driver.request(this.#source)
        return
      case 'evidence':
        if ('name' in news) this.#keepEvidence(news.name, news.bytes)
    }
  }

  /** What the mirror has pending goes with the next commit of the home. */
  readonly #source: TransactionSource = {
    hasBacklog: false,
    cut: (): Transaction | undefined => {
      const cut = this.#mirror?.cut()
      if (cut === undefined) return undefined
      return {
        ops: cut.ops,
        durable: () => cut.durable(),
        committed: () => this.#tell('mirror', cut.committed()),
        failed: (error) => this.#tell('mirror', cut.failed(error)),
      }
    },
  }

  #wake(atUs: number): void {
    clearTimeout(this.#timer)
    const ms = Math.ceil((atUs - this.#runtime.nowUs()) / 1000)
    const tick = (): void => this.#step({ type: 'tick' })
    this.#timer = setTimeout(tick, Math.min(Math.max(ms, 0), TIMER_MS_MAX))
  }

  /** A file that convicts: whoever operates the node decides whom to show it to. */
  #keepEvidence(name: CapsuleName, bytes: Uint8Array): void {
    const directory = join(this.#home.held.path, 'evidence')
    fs.mkdirSync(directory, { recursive: true, mode: 0o700 })
    const path = join(directory, `${formatName(name)}.evidence`)
    fs.writeFileSync(path, bytes, { mode: 0o600 })
    this.#runtime.log('error', 'mirror.equivocation', { capsule: formatName(name), path })
  }

  #createEngine(): NodeEngine {
    const { roles, domain } = this.#options
    const services: Record<string, Service> = {}
    if (this.#mirror !== undefined) {
      const { identity, held } = this.#home
      const parts = { mirror: this.#mirror, self: identity.name, store: held.store }
      services['mirror'] = mirrorService(parts)
    }
    return new NodeEngine({
      identity: this.#home.identity,
      runtime: this.#runtime,
      isRouter: roles.includes('router'),
      services,
      listen: this.#listen,
      ...(domain === undefined ? {} : { membership: domain }),
    })
  }

  #createMirror(): Mirror {
    const { identity, held } = this.#home
    const { domain } = this.#options
    return new Mirror({
      store: held.store,
      runtime: this.#runtime,
      mirror: identity.mirror,
      openHeadLog: () => this.#home.openHeadLog(),
      canSend: (session) => this.#engine.sessions.canSend(session, true),
      policy: createMirrorPolicy({
        self: identity.name,
        domains: domain === undefined ? [] : [domain.name],
        runtime: this.#runtime,
        bytesFree: () => this.#bytesFree(),
      }),
    })
  }

  #createGateway(): HttpGateway {
    const { store } = this.#home.held
    return new HttpGateway({
      store,
      headOf: (name) => committedHead(store, name, MAIN_BRANCH),
      metrics: () => '',
      health: () => ({ ok: !this.#isClosed, name: formatName(this.name) }),
    })
  }

  #bytesFree(): number {
    const now = performance.now()
    if (now - this.#freeLookedAtMs > SPACE_LOOK_MS) {
      this.#freeLookedAtMs = now
      const { bavail, bsize } = fs.statfsSync(this.#home.held.path)
      this.#freeBytes = Math.max(0, bavail * bsize - RESERVE_BYTES)
    }
    return this.#freeBytes
  }
}

interface Bound {
  readonly transport: TlsTransport
  readonly listen: readonly string[]
  receive(listener: (event: TransportEvent) => void): void
}
