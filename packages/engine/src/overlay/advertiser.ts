/**
 * Tells the routers that this node has joined which names it leads to: its own, what it serves,
 * and, if it is a router itself, everything that was advertised to it.
 *
 * Names are told again before their lease ends, when the best route changes, and on each new link;
 * one that is gone is withdrawn. Few advertisements are under way to one router at a time, so a
 * node with very many names neither floods it nor its own queue. Rules OV21 to OV25 of
 * docs/spec/overlay.md; the frames are made in `advertise-batch.ts`.
 *
 * @module
 */
import { bytesEqual, type CapsuleName } from '@longshore/capsule'
import { nameKey, nameOfKey } from '../store/branch-key.ts'
import { AdvertiseBatch } from './advertise-batch.ts'
import { encodeControl, type Fields, namesValue, readAdvertised, UNASKED } from './control-frame.ts'
import type { Carriage } from './evidence.ts'
import { WITHDRAW } from './frame.ts'
import type { Link } from './link.ts'
import type { Machine } from './machine.ts'
import { carryRefusal } from './policy.ts'
import { readEvidence, readRoutePolicy } from './route-evidence.ts'
import { type Route, type RouteTable, routeCostUs, routeName } from './route-table.ts'
import type { RtCerts } from './rt-certs.ts'
import type { Timer } from './timers.ts'

/** Names of one withdrawal. */
const WITHDRAW_NAMES_MAX = 1024
/** Advertisements to one router without an answer: one is judged while another is on its way. */
const OPEN_MAX = 2
/** Others hear of a cost that moved by a quarter and by a millisecond. */
const COST_CHANGE = 0.25
const COST_CHANGE_US_MIN = 1000

interface ToldRoute {
  readonly link: Link | undefined
  readonly carriage: Carriage
  readonly costUs: number
}

/** What one router was told, and what it is still to be told. */
interface Told {
  readonly link: Link
  /** By name key: the way that was told, and at what cost. */
  readonly routes: Map<string, ToldRoute>
  /** Name keys; true: to be told again even if nothing has changed. */
  readonly pending: Map<string, boolean>
  /** Requests without an answer. */
  readonly open: Set<number>
  /** Names of this round that are still to be told again, in turns. */
  renewals: string[]
  timer: Timer | undefined
}

export class Advertiser {
  readonly #machine: Machine
  readonly #table: RouteTable
  readonly #rtCerts: RtCerts
  readonly #told = new Map<Link, Told>()
  /** Names whose routes changed since the last flush. */
  readonly #changed = new Set<string>()
  #lastRequest = 0

  constructor(machine: Machine, table: RouteTable, rtCerts: RtCerts) {
    this.#machine = machine
    this.#table = table
    this.#rtCerts = rtCerts
  }

  /** A link to a router that this node has joined. */
  up(link: Link): void {
    const told: Told = {
      ...{ link, routes: new Map(), pending: new Map(), open: new Set() },
      ...{ renewals: [], timer: undefined },
    }
    this.#told.set(link, told)
    for (const key of this.#table.keys()) told.pending.set(key, true)
    this.#pump(told)
    const { timers, nowUs } = this.#machine
    told.timer = timers.schedule(nowUs + this.#halfLeaseUs, () => this.#renewAll(told))
  }

  down(link: Link): void {
    this.#machine.timers.cancel(this.#told.get(link)?.timer)
    this.#told.delete(link)
  }

  changed(key: string): void {
    if (this.#told.size > 0) this.#changed.add(key)
  }

  /** Tells everybody what has changed in this step. */
  flush(): void {
    if (this.#changed.size === 0) return
    for (const told of this.#told.values()) {
      for (const key of this.#changed) told.pending.set(key, told.pending.get(key) ?? false)
      this.#pump(told)
    }
    this.#changed.clear()
  }

  answered(link: Link, fields: Fields): void {
    const { request, names } = readAdvertised(fields)
    const told = this.#told.get(link)
    if (told === undefined) return
    // Without a question: what the router had taken has expired there.
    const isAnswer = told.open.delete(request)
    if (!isAnswer && request !== UNASKED) return
    const router = link.up.name
    const refused: string[] = []
    for (const { name, code, expiresS } of names) {
      if (code === null) {
        this.#machine.emit({ type: 'advertised', name, router, expiresS })
      } else {
        const key = nameKey(name)
        if (told.routes.has(key)) refused.push(key)
        this.#machine.emit({ type: 'refused', name, router, code })
      }
    }
    if (refused.length > 0) this.#tryAgain(told, refused)
    this.#pump(told)
  }

  /** The reason may pass: a clock that is set, room that is made. */
  #tryAgain(told: Told, keys: readonly string[]): void {
    const { timers, nowUs, limits } = this.#machine
    timers.schedule(nowUs + limits.advertiseAgainUs, () => {
      if (this.#told.get(told.link) !== told) return
      for (const key of keys) told.pending.set(key, true)
      this.#pump(told)
    })
  }

  get #halfLeaseUs(): number {
    return (this.#machine.limits.leaseS / 2) * 1_000_000
  }

  /** Half a lease after the last time everything is told again, spread over a quarter of one. */
  #renewAll(told: Told): void {
    const roundUs = this.#machine.nowUs
    told.renewals = [...this.#table.keys()]
    this.#renewSome(told, roundUs, this.#halfLeaseUs / 2 / told.renewals.length)
  }

  #renewSome(told: Told, roundUs: number, perNameUs: number): void {
    const { timers, nowUs, limits } = this.#machine
    const { renewalsAtOnce } = limits
    for (const key of told.renewals.splice(0, renewalsAtOnce)) told.pending.set(key, true)
    this.#pump(told)
    told.timer =
      told.renewals.length > 0
        ? timers.schedule(nowUs + Math.floor(renewalsAtOnce * perNameUs), () => {
            this.#renewSome(told, roundUs, perNameUs)
          })
        : timers.schedule(roundUs + this.#halfLeaseUs, () => this.#renewAll(told))
  }

  /** As many advertisements as may be under way. */
  #pump(told: Told): void {
    while (told.pending.size > 0 && told.open.size < OPEN_MAX) {
      const withdrawn: CapsuleName[] = []
      const batch = new AdvertiseBatch(this.#machine, this.#rtCerts, told.link)
      for (const [key, isRenewal] of told.pending) {
        if (batch.isFull || withdrawn.length === WITHDRAW_NAMES_MAX) break
        told.pending.delete(key)
        this.#tell(told, key, isRenewal, batch, withdrawn)
      }
      if (withdrawn.length > 0) told.link.send(encodeControl(WITHDRAW, namesValue(withdrawn)))
      if (batch.isEmpty) continue
      told.open.add(++this.#lastRequest)
      told.link.send(batch.encode(this.#lastRequest))
    }
  }

  #tell(
    told: Told,
    key: string,
    isRenewal: boolean,
    batch: AdvertiseBatch,
    withdrawn: CapsuleName[],
  ): void {
    const before = told.routes.get(key)
    const route = this.#offer(key, told.link)
    if (route === undefined) {
      this.#reportRefusal(key, told.link)
      if (before !== undefined) withdrawn.push(nameOfKey(key))
      told.routes.delete(key)
      return
    }
    const costUs = routeCostUs(route)
    const isKnown = before !== undefined && isAlike(before, route)
    if (isKnown && !isRenewal && !hasMoved(before.costUs, costUs)) return
    const evidence = readEvidence(this.#machine, route)
    if (evidence === undefined) return
    const { link, carriage } = route
    told.routes.set(key, { link, carriage, costUs })
    batch.add(route, evidence)
  }

  /** The route that this router may be told of; none if its policy keeps it away from there. */
  #offer(key: string, link: Link): Route | undefined {
    const { nowS } = this.#machine
    let best: Route | undefined
    for (const route of this.#table.routes(key) ?? []) {
      if (route.origin === 'learned' || route.link === link || route.expiresS <= nowS) continue
      if (!this.#rtCerts.isExtensible(route.carriage, link.up.name)) continue
      const policy = readRoutePolicy(this.#machine, route)
      if (carryRefusal(policy, link.domain) !== undefined) continue
      if (best === undefined || routeCostUs(route) < routeCostUs(best)) best = route
    }
    return best
  }

  /** What this node serves itself and this router may not carry: it is not even told. */
  #reportRefusal(key: string, { up: { name: router }, domain }: Link): void {
    const own = this.#table.routes(key)?.find(({ origin }) => origin === 'own')
    if (own === undefined) return
    if (carryRefusal(readRoutePolicy(this.#machine, own), domain) === undefined) return
    this.#machine.emit({ type: 'refused', name: routeName(own), router, code: 'POLICY_REFUSED' })
  }
}

/** The same way by the same certificates. */
function isAlike(a: Pick<Route, 'link' | 'carriage'>, b: Route): boolean {
  if (a.link !== b.link || !bytesEqual(a.carriage.server, b.carriage.server)) return false
  const [certA, certB] = [a.carriage.rtCerts[0], b.carriage.rtCerts[0]]
  return certA === undefined || certB === undefined ? certA === certB : bytesEqual(certA, certB)
}

function hasMoved(beforeUs: number, costUs: number): boolean {
  const change = Math.abs(beforeUs - costUs)
  return change >= COST_CHANGE_US_MIN && change >= beforeUs * COST_CHANGE
}
