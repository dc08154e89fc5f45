/**
 * Tells the routers that this node has joined which names it leads to: its own, what it serves,
 * and, if it is a router itself, everything that was advertised to it.
 *
 * Each name goes with an RtCert that lets that router carry it, behind the certificates by which
 * this node carries it. Names are told again before their lease ends, when the best route changes,
 * and on each new link; one that is gone is withdrawn. Rules OV21 to OV25 of docs/spec/overlay.md.
 *
 * @module
 */
import {
  advertisedNamesDigest,
  bytesEqual,
  type CapsuleName,
  formatHex,
  sha256,
  signAdvertisement,
} from '@longshore/capsule'
import { nameKey } from '../store/branch-key.ts'
import {
  advertiseValue,
  encodeControl,
  type Fields,
  namesValue,
  type RouteGroup,
  readAdvertised,
} from './control-frame.ts'
import type { Evidence } from './evidence.ts'
import { ADVERTISE, WITHDRAW } from './frame.ts'
import type { Link } from './link.ts'
import type { Machine } from './machine.ts'
import { carryRefusal } from './policy.ts'
import { type Route, type RouteTable, routeCostUs } from './route-table.ts'
import type { RtCerts } from './rt-certs.ts'
import type { Timer } from './timers.ts'

/** A frame stays well below its limit even with the largest manifests. */
const ADVERTISE_BYTES_MAX = 524_288
const UINT32_MAX = 0xffff_ffff
/** A refusal that stands costs the router one verification in so many of the first intervals. */
const AGAIN_FACTOR_MAX = 8

const NO_BYTES: Uint8Array = new Uint8Array(0)

/** What one router was told. */
interface Told {
  readonly link: Link
  /** By name key: the route that was told, and at what cost. */
  readonly routes: Map<string, { readonly route: Route; readonly costUs: number }>
  /** Renews everything. */
  timer: Timer | undefined
  /** Names that the router refused, or routes no more. */
  readonly refused: Set<string>
  /** Tells these again. */
  againTimer: Timer | undefined
  /** Until then; doubles with every round of which something is refused. */
  againUs: number
}

export class Advertiser {
  readonly #machine: Machine
  readonly #table: RouteTable
  readonly #rtCerts: RtCerts
  readonly #told = new Map<Link, Told>()
  /** Names whose routes changed since the last flush. */
  readonly #changed = new Set<string>()
  /** Those of them that are told again even if only their cost has changed. */
  readonly #costChanged = new Set<string>()
  #lastRequest = 0

  constructor(machine: Machine, table: RouteTable, rtCerts: RtCerts) {
    this.#machine = machine
    this.#table = table
    this.#rtCerts = rtCerts
  }

  /** A link to a router that this node has joined. */
  up(link: Link): void {
    const againUs = this.#machine.limits.advertiseAgainUs
    const none = { timer: undefined, refused: new Set<string>(), againTimer: undefined }
    const told: Told = { link, routes: new Map(), ...none, againUs }
    this.#told.set(link, told)
    this.#tellAll(told)
  }

  down(link: Link): void {
    const told = this.#told.get(link)
    this.#machine.timers.cancel(told?.timer)
    this.#machine.timers.cancel(told?.againTimer)
    this.#told.delete(link)
  }

  changed(key: string): void {
    if (this.#told.size > 0) this.#changed.add(key)
  }

  /** Routes to this name cost something else than what was told. */
  costChanged(key: string): void {
    if (this.#told.size === 0) return
    this.#changed.add(key)
    this.#costChanged.add(key)
  }

  /** Tells everybody what has changed in this step. */
  flush(): void {
    if (this.#changed.size === 0) return
    const keys = [...this.#changed]
    this.#changed.clear()
    for (const told of this.#told.values()) this.#tell(told, keys, false)
    this.#costChanged.clear()
  }

  answered(link: Link, fields: Fields): void {
    const { names } = readAdvertised(fields)
    const router = link.up.name
    for (const { name, code, expiresS } of names) {
      this.#machine.emit(
        code === null
          ? { type: 'advertised', name, router, expiresS }
          : { type: 'refused', name, router, code },
      )
    }
    const told = this.#told.get(link)
    if (told === undefined) return
    for (const { name, code } of names) {
      const key = nameKey(name)
      if (code === null) told.refused.delete(key)
      else if (told.routes.has(key)) told.refused.add(key)
    }
    this.#planAgain(told)
  }

  /** A clock may have been wrong, a table full: what was refused is told again, ever later. */
  #planAgain(told: Told): void {
    const { timers, limits, nowUs } = this.#machine
    if (told.refused.size === 0) {
      told.againUs = limits.advertiseAgainUs
      return
    }
    if (told.againTimer !== undefined) return
    told.againTimer = timers.schedule(nowUs + told.againUs, () => {
      told.againTimer = undefined
      this.#tell(told, [...told.refused], true)
    })
    told.againUs = Math.min(told.againUs * 2, limits.advertiseAgainUs * AGAIN_FACTOR_MAX)
  }

  /** Half a lease after the last time, everything is told again. */
  #tellAll(told: Told): void {
    this.#tell(told, [...this.#table.keys()], true)
    const { timers, limits, nowUs } = this.#machine
    const delayUs = (limits.leaseS / 2) * 1_000_000
    told.timer = timers.schedule(nowUs + delayUs, () => this.#tellAll(told))
  }

  #tell(told: Told, keys: readonly string[], isRenewal: boolean): void {
    const withdrawn: CapsuleName[] = []
    const groups = new Map<string, { evidence: Evidence; routes: Route[] }>()
    for (const key of keys) {
      const before = told.routes.get(key)
      const route = this.#offer(key, told.link)
      if (route === undefined) {
        if (before === undefined) continue
        told.routes.delete(key)
        told.refused.delete(key)
        withdrawn.push(before.route.name)
        continue
      }
      const costUs = Math.min(routeCostUs(route), UINT32_MAX)
      const isKnown = before !== undefined && isAlike(before.route, route)
      if (isKnown && !isRenewal && !(this.#costChanged.has(key) && before.costUs !== costUs))
        continue
      told.routes.set(key, { route, costUs })
      const group = groupKey(route.evidence)
      const known = groups.get(group)
      if (known === undefined) groups.set(group, { evidence: route.evidence, routes: [route] })
      else known.routes.push(route)
    }
    for (let at = 0; at < withdrawn.length; at += 1024) {
      const names = namesValue(withdrawn.slice(at, at + 1024))
      told.link.send(encodeControl(WITHDRAW, names))
    }
    this.#send(told.link, [...groups.values()])
  }

  /** The route that this router may be told of; none if its policy keeps it away from there. */
  #offer(key: string, link: Link): Route | undefined {
    const { nowS } = this.#machine
    let best: Route | undefined
    for (const route of this.#table.routes(key) ?? []) {
      if (route.origin === 'learned' || route.link === link || route.expiresS <= nowS) continue
      if (!this.#rtCerts.isExtensible(route.evidence, link.up.name)) continue
      const { policy } = route.evidence.capsule.manifest
      if (carryRefusal(policy, link.domain) !== undefined) continue
      if (best === undefined || routeCostUs(route) < routeCostUs(best)) best = route
    }
    return best
  }

  #send(link: Link, groups: readonly { evidence: Evidence; routes: Route[] }[]): void {
    const { namesPerAdvertisementMax } = this.#machine.limits
    let batch: RouteGroup[] = []
    let names: CapsuleName[] = []
    let byteLength = 0
    const flush = (): void => {
      if (names.length > 0) this.#sendBatch(link, batch, names)
      batch = []
      names = []
      byteLength = 0
    }
    for (const { evidence, routes } of groups) {
      const shared = this.#rtCerts.extend(evidence, link.up.name)
      const sharedBytes = byteLengthOf(shared)
      let offered: RouteGroup['names'][number][] = []
      const close = (): void => {
        if (offered.length > 0) batch.push({ ...shared, names: offered })
        offered = []
      }
      for (const route of routes) {
        const bytes = route.evidence.capsule.signed.length + 16
        const added = bytes + (offered.length === 0 ? sharedBytes : 0)
        if (names.length === namesPerAdvertisementMax || byteLength + added > ADVERTISE_BYTES_MAX) {
          close()
          flush()
        }
        byteLength += bytes + (offered.length === 0 ? sharedBytes : 0)
        const costUs = Math.min(routeCostUs(route), UINT32_MAX)
        offered.push({ signedManifest: route.evidence.capsule.signed, costUs })
        names.push(route.name)
      }
      close()
    }
    flush()
  }

  #sendBatch(link: Link, groups: readonly RouteGroup[], names: readonly CapsuleName[]): void {
    const { name: advertiser, identity, nowS, limits } = this.#machine
    const statement = signAdvertisement(
      {
        ...{ advertiser, router: link.up.name, exporter: link.exporter, nonce: link.up.nonce },
        ...{ names: advertisedNamesDigest(names), expiresS: nowS + limits.leaseS },
      },
      identity.identity,
    )
    const request = ++this.#lastRequest
    link.send(encodeControl(ADVERTISE, advertiseValue({ request, statement, groups })))
  }
}

/** Names with the same certificates go in one group. */
function groupKey({ rtCerts, chain, membership }: Evidence): string {
  const parts = [rtCerts[0], chain, membership?.chain]
  return parts
    .map((part) => formatHex(part === undefined || part === null ? NO_BYTES : sha256(part)))
    .join(' ')
}

function byteLengthOf({ chain, membership, rtCerts, rtManifests }: Omit<RouteGroup, 'names'>) {
  const parts = [...rtCerts, ...rtManifests]
  const claimBytes = (chain?.length ?? 0) + (membership?.chain.length ?? 0)
  return parts.reduce((sum, part) => sum + part.length + 16, claimBytes + 128)
}

/** Not worth telling again. */
function isAlike(a: Route, b: Route): boolean {
  const [certA, certB] = [a.evidence.rtCerts[0], b.evidence.rtCerts[0]]
  const isSame =
    certA === undefined || certB === undefined ? certA === certB : bytesEqual(certA, certB)
  return isSame && a.evidence.server === b.evidence.server && a.link === b.link
}
