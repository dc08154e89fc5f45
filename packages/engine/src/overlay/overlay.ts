/**
 * One node of the overlay: links to neighbors, routes to names, and the frames in between.
 *
 *     step(event) → effects
 *
 * Moves datagrams between names, each at most once and usually in order; may lose them when a path
 * breaks or a queue is full. It promises nothing about their content: sessions encrypt and repeat.
 * Frames and their bytes: docs/spec/frame.md; behaviour: docs/spec/overlay.md.
 *
 * @module
 */
import {
  type CapsuleName,
  openManifest,
  ProtocolError,
  type SignedManifest,
  UnavailableError,
} from '@longshore/capsule'
import type { NodeIdentity } from '../node/principal.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { SpareMemory } from '../runtime/spare-memory.ts'
import { nameKey } from '../store/branch-key.ts'
import { readUint32 } from '../store/disk/big-endian.ts'
import type { ConnectionId } from '../transport/transport.ts'
import { Admission } from './admission.ts'
import { Advertiser } from './advertiser.ts'
import { Fields } from './control-frame.ts'
import { type Carriage, type Evidence, ownCarriage, verifyName } from './evidence.ts'
import { Forwarder } from './forwarder.ts'
import * as frames from './frame.ts'
import type { Join } from './joins.ts'
import { OVERLAY_LIMITS, type OverlayLimits } from './limits.ts'
import type { Link } from './link.ts'
import { Links } from './links.ts'
import { ParentTier } from './lookup-tier.ts'
import { Lookups } from './lookups.ts'
import { type HeldEvidence, Machine, membershipClaim, type OverlayCounters } from './machine.ts'
import { Multicast } from './multicast.ts'
import type { Membership, OverlayEffect, OverlayEvent, RouteEntry } from './overlay-events.ts'
import { readEvidence } from './route-evidence.ts'
import { type Route, RouteTable, routeCostUs, routeName } from './route-table.ts'
import { RtCerts } from './rt-certs.ts'
import { Tracer } from './tracer.ts'

export interface OverlayOptions {
  readonly identity: NodeIdentity
  /** A router forwards for others, takes advertisements and answers lookups. */
  readonly roles: { readonly router: boolean }
  /** Of which this node is a member; routers without one carry only what any router may. */
  readonly domain?: Membership
  readonly runtime: Runtime
  /** Where others can dial this node. */
  readonly listen: readonly string[]
  /**
   * The manifest and the certificates of a capsule that this node advertises, as they were when it
   * was told to: then they are asked for when they are needed, and not kept in memory.
   */
  readonly heldEvidence?: (name: CapsuleName) => HeldEvidence | undefined
  readonly limits?: Partial<OverlayLimits>
  /** Of the whole node. */
  readonly spares?: SpareMemory
}

const SWEEP_US = 10_000_000
/** Costs that moved are told to other routers no more often than this. */
const COSTS_TOLD_US = 300_000_000

export class Overlay {
  readonly #machine: Machine
  readonly #links: Links
  readonly #table: RouteTable
  readonly #lookups: Lookups
  readonly #forwarder: Forwarder
  readonly #admission: Admission
  readonly #advertiser: Advertiser
  readonly #multicast: Multicast
  readonly #tracer: Tracer
  /** Of what is served here, as it was verified last. */
  #carriage: Carriage | undefined
  /** What was announced last, in steady time; a driver waits for it. */
  #wakeUs: number | undefined

  constructor(options: OverlayOptions) {
    const { identity, roles, runtime, listen, domain } = options
    const limits = { ...OVERLAY_LIMITS, ...options.limits }
    const isRouter = roles.router
    const machine = new Machine({
      ...{ identity, isRouter, runtime, limits, listen, membership: domain },
      heldEvidence: options.heldEvidence,
      spares: options.spares ?? new SpareMemory(),
    })
    this.#machine = machine
    this.#table = new RouteTable(limits, (key) => this.#routesChanged(key))
    this.#links = new Links(machine, {
      up: (link) => this.#up(link),
      down: (link) => this.#down(link),
      frame: (link, type, bytes, start, end) => this.#frame(link, type, bytes, start, end),
      costChanged: (link) => this.#costChanged(link),
      dropped: (link, frame) => this.#multicast.dropped(link, frame),
    })
    const rtCerts = new RtCerts(machine)
    const tier = new ParentTier(() => this.#links.parents())
    this.#lookups = new Lookups(machine, this.#table, rtCerts, tier)
    this.#forwarder = new Forwarder(machine, this.#table, this.#links, this.#lookups)
    this.#admission = new Admission(machine, this.#table)
    this.#advertiser = new Advertiser(machine, this.#table, rtCerts)
    this.#multicast = new Multicast(machine, this.#table, this.#lookups)
    this.#tracer = new Tracer(machine, this.#table, this.#lookups, this.#forwarder)
    this.#installOwn(openManifest(identity.signedManifest), null)
    this.#sweep()
  }

  /** How often each thing happened since the start. */
  get counters(): Readonly<OverlayCounters> {
    return this.#machine.counters
  }

  /** All links that are up, for an operator. */
  get links(): Iterable<Link> {
    return this.#links
  }

  /** The neighbors that this node wants links to. */
  get joins(): Iterable<Join> {
    return this.#links.joins
  }

  /** Names to which this node knows a way. */
  get routeCount(): number {
    return this.#table.nameCount
  }

  /** Whether anybody, here or elsewhere, gets what this node publishes under a name. */
  hasSubscribers(name: CapsuleName): boolean {
    return this.#multicast.hasSubscribers(name)
  }

  /** Connections that have not said who they are. */
  get strangerCount(): number {
    return this.#links.strangerCount
  }

  /** Everything that would be routed now, for an operator. */
  get routes(): Iterable<RouteEntry> {
    return this.#allRoutes()
  }

  /**
   * The transport has sent what it was given. False if nothing waited for that, which is nearly
   * always so; else `step` has to hear of it too.
   */
  drained(connection: ConnectionId): boolean {
    return this.#links.drained(connection)
  }

  step(event: OverlayEvent): OverlayEffect[] {
    this.#apply(event)
    this.#multicast.flush()
    this.#advertiser.flush()
    const effects = this.#machine.takeEffects()
    const { nextUs } = this.#machine.timers
    if (nextUs !== undefined && nextUs !== this.#wakeUs)
      effects.push({ type: 'wake', atUs: this.#machine.shownAtUs(nextUs) })
    this.#wakeUs = nextUs
    return effects
  }

  #apply(event: OverlayEvent): void {
    switch (event.type) {
      case 'send':
        this.#forwarder.send(event, event.isBulk)
        return
      case 'join':
        this.#links.join(event.ticket)
        return
      case 'leave':
        this.#links.leave(event.principal)
        return
      case 'advertise':
        this.#installOwn(openManifest(event.capsule, event.name), event.chain)
        return
      case 'withdraw':
        for (const name of event.names) this.#table.removeOver(nameKey(name), undefined)
        return
      case 'resolve':
        this.#resolve(event.request, event.name)
        return
      case 'trace':
        this.#tracer.trace(event.request, event.name)
        return
      case 'subscribe':
        this.#multicast.subscribe(event.name)
        return
      case 'unsubscribe':
        this.#multicast.unsubscribe(event.name)
        return
      case 'publish':
        this.#multicast.publish(event.name, event.payload)
        return
      case 'membership':
        this.#machine.membership = membershipClaim(event.domain)
        return
      case 'shutdown':
        this.#links.closeAll(new UnavailableError('CLOSED', 'this node stops'))
        return
      case 'tick':
        this.#wakeUs = undefined
        this.#machine.timers.run(this.#machine.nowUs)
        return
      default:
        this.#links.step(event)
    }
  }

  #frame(link: Link, type: number, bytes: Uint8Array, start: number, end: number): void {
    switch (type) {
      case frames.LABELLED:
        this.#forwarder.labelled(link, bytes, start, end)
        return
      case frames.DATA:
        this.#forwarder.data(link, bytes, start, end)
        return
      case frames.LABEL:
        this.#forwarder.label(link, bytes, start)
        return
      case frames.RETIRE:
        link.inLabels.retire(readUint32(bytes, start + frames.FRAME_HEAD_BYTES))
        return
      case frames.UNREACHABLE:
        this.#forwarder.unreachable(link, bytes, start, end)
        return
      case frames.PUBLISHED:
        this.#multicast.published(link, bytes, start, end)
        return
      default:
        this.#control(link, type, bytes, start, end)
    }
  }

  #control(link: Link, type: number, bytes: Uint8Array, start: number, end: number): void {
    const fields = (count: number): Fields => Fields.ofFrame(bytes, start, end, count)
    switch (type) {
      case frames.ADVERTISE:
        this.#admission.advertise(link, fields(3))
        return
      case frames.ADVERTISED:
        this.#advertiser.answered(link, fields(2))
        return
      case frames.WITHDRAW:
        this.#admission.withdraw(link, fields(1))
        return
      case frames.LOOKUP:
        this.#lookups.lookup(link, fields(3))
        return
      case frames.FOUND:
        this.#lookups.found(link, fields(3))
        return
      case frames.SUBSCRIBE:
        this.#multicast.subscribed(link, fields(1))
        return
      case frames.UNSUBSCRIBE:
        this.#multicast.unsubscribed(link, fields(1))
        return
      case frames.GAP:
        this.#multicast.gap(link, fields(1))
        return
      case frames.TRACE:
        this.#tracer.asked(link, fields(3))
        return
      case frames.TRACED:
        this.#tracer.answered(link, fields(3))
        return
      default:
        throw new ProtocolError('PROTOCOL_ERROR', 'a frame that is not expected here', { type })
    }
  }

  /** @throws {VerificationError} for a capsule that this node may not advertise. */
  #installOwn(capsule: SignedManifest, chain: Uint8Array | null): void {
    const { nowS, heldEvidence } = this.#machine
    const shared = this.#ownCarriage()
    const proven = verifyName({ ...shared, chain }, capsule, 0, nowS)
    const isKept = chain !== null && heldEvidence !== undefined
    const kept = isKept ? { ...proven, carriage: shared } : proven
    this.#table.install(kept, 'own', undefined, { isKept })
  }

  /** All but the chain, which is verified with each name; the same as long as it holds. */
  #ownCarriage(): Carriage {
    const { name, membership, nowS } = this.#machine
    const known = this.#carriage
    if (known?.membership === membership && nowS <= known.domainNotAfterS) return known
    this.#carriage = ownCarriage(name, null, membership, nowS)
    return this.#carriage
  }

  #routesChanged(key: string): void {
    this.#lookups.forgetAbsence(key)
    this.#advertiser.changed(key)
    this.#multicast.changed(key)
  }

  #up(link: Link): void {
    this.#table.touch()
    this.#lookups.forgetAbsence()
    if (link.join !== undefined && link.up.isRouter) this.#advertiser.up(link)
    this.#multicast.up()
    this.#pathChanged(link)
  }

  #down(link: Link): void {
    this.#table.removeLink(link)
    this.#advertiser.down(link)
    this.#lookups.down(link)
    this.#tracer.down(link)
    this.#multicast.down(link)
    this.#pathChanged(link)
  }

  /** A neighbor below that is no router leads to itself only; any other may lead anywhere. */
  #pathChanged({ join, up: { name, isRouter } }: Link): void {
    const isLeaf = join === undefined && !isRouter
    this.#machine.emit({ type: 'path-changed', destination: isLeaf ? name : undefined })
  }

  #costChanged(link: Link): void {
    this.#table.touch()
    const { nowUs } = this.#machine
    if (link.costsToldUs !== undefined && nowUs - link.costsToldUs < COSTS_TOLD_US) return
    link.costsToldUs = nowUs
    for (const key of this.#table.keysOver(link)) this.#advertiser.changed(key)
  }

  #resolve(request: number, name: CapsuleName): void {
    const { limits } = this.#machine
    const options = { except: undefined, hopsLeft: limits.lookupHopsMax, wantsAll: true }
    // What is known may be only a part: the routers above may know nearer places.
    this.#lookups.ask(name, options, (code) => {
      const entries = this.#entries(name)
      const why = entries.length > 0 ? undefined : (code ?? 'NO_ROUTE')
      this.#machine.emit({ type: 'resolved', request, name, entries, code: why })
    })
  }

  #entries(name: CapsuleName): RouteEntry[] {
    return this.#entriesOf(nameKey(name)).sort((a, b) => a.costUs - b.costUs)
  }

  #entriesOf(key: string): RouteEntry[] {
    const { nowS } = this.#machine
    const routes = (this.#table.routes(key) ?? []).filter((r) => r.expiresS >= nowS)
    return routes.map((route) => this.#entry(route))
  }

  /** Most entries are looked at for their server only. */
  #entry(route: Route): RouteEntry {
    const evidence = (): Evidence => {
      const found = readEvidence(this.#machine, route)
      if (found !== undefined) return found
      throw new UnavailableError('NOT_FOUND', 'the evidence for this name is gone')
    }
    return {
      name: routeName(route),
      server: route.carriage.server,
      costUs: routeCostUs(route),
      expiresS: route.expiresS,
      get capsule() {
        return openManifest(evidence().signedManifest)
      },
      get chain() {
        return evidence().carriage.chain
      },
    }
  }

  *#allRoutes(): Iterable<RouteEntry> {
    for (const key of this.#table.keys()) yield* this.#entriesOf(key)
  }

  #sweep(): void {
    const { timers, nowUs, nowS } = this.#machine
    this.#admission.expired(this.#table.expire(nowS))
    // Choices that are remembered with labels are made again: a route that is used is renewed.
    this.#table.touch()
    timers.schedule(nowUs + SWEEP_US, () => this.#sweep())
  }
}
