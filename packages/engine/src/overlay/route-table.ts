/**
 * All that is known of who serves which name, with its evidence; and of these the best.
 *
 * A route is installed only with evidence that holds (`evidence.ts`), and is gone with its link or
 * when its evidence expires, whichever comes first. There is at most one route for each name, link
 * and serving node. `generation` moves with every change, so that whoever remembers a choice knows
 * when to choose again. Rules OV17 to OV20 of docs/spec/overlay.md.
 *
 * @module
 */
import { assert, type CapsuleName, compareBytes } from '@longshore/capsule'
import { nameKey, nameOfKey, packBytes } from '../store/branch-key.ts'
import { type Carriage, carriageBytes, type ProvenName } from './evidence.ts'
import type { OverlayLimits } from './limits.ts'
import type { Link } from './link.ts'
import { isOpen, type RoutePolicy, routePolicy } from './policy.ts'

/** `own`: served here. `advertised`: installed by a neighbor. `learned`: an answer to a lookup. */
export type RouteOrigin = 'own' | 'advertised' | 'learned'

/** One of very many: what routes have in common they share, the rest is packed. */
export interface Route {
  /** Of the name. */
  readonly key: string
  readonly origin: RouteOrigin
  /** Undefined if it is served here. */
  readonly link: Link | undefined
  /** Shared by all names of a group. */
  readonly carriage: Carriage
  /** Packed; undefined if whoever runs this node keeps it, and the certificates of the name. */
  readonly manifest: string | undefined
  /** Undefined if it is to be read in the manifest, which few have to. */
  readonly policy: RoutePolicy | undefined
  /** Of its manifest. */
  readonly byteLength: number
  /** Last second in which all of its evidence holds. */
  readonly expiresS: number
  readonly costUs: number
  /** When the table looks whether it has expired. */
  dueS: number
}

export function routeName({ key }: Route): CapsuleName {
  return nameOfKey(key)
}

/** From here to the serving node, as far as it was measured. */
export function routeCostUs({ link, costUs }: Route): number {
  return costUs + (link?.costUs ?? 0)
}

/** Routes expire in steps of this. */
const EXPIRY_S = 10

interface InstallOptions {
  /** Whoever runs this node has its manifest and its certificates at hand. */
  readonly isKept?: boolean
}

interface Advertised {
  /** Routes by the key of their name. */
  readonly counts: Map<string, number>
  /** Routes by what they share, which stays as long as one of them. */
  readonly carriages: Map<Carriage, number>
  byteLength: number
}

export class RouteTable {
  generation = 0
  readonly #limits: OverlayLimits
  readonly #onChange: (key: string) => void
  readonly #routes = new Map<string, Route[]>()
  /** What a neighbor advertised over this link. */
  readonly #byLink = new Map<Link, Advertised>()
  /** Routes by the second after which they are looked at. */
  readonly #expiry = new Map<number, Set<Route>>()
  /** No route that is installed begins to hold later. */
  #latestS = 0
  /** Learned routes, the oldest first. */
  readonly #learned = new Set<Route>()
  #learnedBytes = 0

  constructor(limits: OverlayLimits, onChange: (key: string) => void) {
    this.#limits = limits
    this.#onChange = onChange
  }

  /** Something else has changed on which choices depend: links, or their costs. */
  touch(): void {
    this.generation++
  }

  /** Names with a route. */
  get nameCount(): number {
    return this.#routes.size
  }

  /** Names that this neighbor advertised over this link. */
  countOver(link: Link): number {
    return this.#byLink.get(link)?.counts.size ?? 0
  }

  /** What these names take with their manifests and certificates. */
  bytesOver(link: Link): number {
    return this.#byLink.get(link)?.byteLength ?? 0
  }

  /** Undefined for a name without any route. */
  routes(key: string): readonly Route[] | undefined {
    return this.#routes.get(key)
  }

  /** Names that were advertised over a link. */
  keysOver(link: Link): readonly string[] {
    return [...(this.#byLink.get(link)?.counts.keys() ?? [])]
  }

  /** Removes what holds no longer, or, if the clock was set back, not yet; and returns it. */
  expire(nowS: number): Route[] {
    const expired = this.#latestS > nowS ? this.#early(nowS) : []
    this.#latestS = Math.min(this.#latestS, nowS)
    for (const route of expired) this.remove(route)
    for (const [dueS, routes] of this.#expiry) {
      if (dueS > nowS) continue
      this.#expiry.delete(dueS)
      for (const route of routes) {
        if (route.expiresS >= nowS) {
          this.#schedule(route)
          continue
        }
        this.remove(route)
        expired.push(route)
      }
    }
    return expired
  }

  #early(nowS: number): Route[] {
    const all = [...this.#routes.values()].flat()
    return all.filter(({ carriage }) => carriage.notBeforeS > nowS)
  }

  keys(): IterableIterator<string> {
    return this.#routes.keys()
  }

  /** The cheapest route that holds and is not over `except`. */
  best(key: string, nowS: number, except?: Link): Route | undefined {
    let best: Route | undefined
    for (const route of this.#routes.get(key) ?? []) {
      if (route.expiresS < nowS || (except !== undefined && route.link === except)) continue
      if (best === undefined || isBetter(route, best)) best = route
    }
    return best
  }

  /** Installs a route, in place of one for the same name, link and server. */
  install(
    proven: ProvenName,
    origin: RouteOrigin,
    link: Link | undefined,
    { isKept = false }: InstallOptions = {},
  ): Route {
    const { capsule, carriage, expiresS, costUs } = proven
    const policy = routePolicy(capsule.manifest.policy)
    const route: Route = {
      key: nameKey(capsule.name),
      origin,
      link,
      carriage,
      manifest: isKept ? undefined : packBytes(capsule.signed),
      policy: isOpen(policy) ? policy : undefined,
      byteLength: capsule.signed.length,
      expiresS,
      costUs,
      dueS: 0,
    }
    this.#latestS = Math.max(this.#latestS, carriage.notBeforeS)
    const routes = this.#routes.get(route.key)
    if (routes === undefined) {
      this.#list(route)
      this.#routes.set(route.key, [route])
    } else {
      this.#replace(routes, route)
    }
    this.#changed(route.key)
    const { learnedMax, learnedBytesMax } = this.#limits
    while (this.#learned.size > learnedMax || this.#learnedBytes > learnedBytesMax) {
      this.remove(this.#learned.values().next().value as Route)
    }
    return route
  }

  #replace(routes: readonly Route[], route: Route): void {
    const others = routes.filter((other) => !isSamePlace(other, route)).concat(route)
    for (const other of routes) if (!others.includes(other)) this.#unlist(other)
    if (others.length > this.#limits.candidatesMax) {
      const worst = others.reduce((a, b) => (isBetter(a, b) ? b : a))
      others.splice(others.indexOf(worst), 1)
      if (worst !== route) this.#unlist(worst)
    }
    if (others.includes(route)) this.#list(route)
    this.#routes.set(route.key, others)
  }

  remove(route: Route): void {
    const routes = this.#routes.get(route.key)
    if (routes?.includes(route) !== true) return
    const others = routes.filter((other) => other !== route)
    if (others.length === 0) this.#routes.delete(route.key)
    else this.#routes.set(route.key, others)
    this.#unlist(route)
    this.#changed(route.key)
  }

  /** All routes for a name over a link, or those of one origin; over none: those served here. */
  removeOver(key: string, link: Link | undefined, origin?: RouteOrigin): void {
    for (const route of this.#routes.get(key) ?? []) {
      if (route.link !== link || (origin !== undefined && route.origin !== origin)) continue
      this.remove(route)
    }
  }

  /** The link is gone, and all that was known over it. */
  removeLink(link: Link): void {
    for (const key of this.keysOver(link)) this.removeOver(key, link)
    for (const route of [...this.#learned]) if (route.link === link) this.remove(route)
    this.touch()
  }

  /** To be looked at soon after it expires; not each at its own second. */
  #schedule(route: Route): void {
    const dueS = (Math.floor(route.expiresS / EXPIRY_S) + 1) * EXPIRY_S
    const routes = this.#expiry.get(dueS) ?? new Set<Route>()
    this.#expiry.set(dueS, routes.add(route))
    route.dueS = dueS
  }

  #list(route: Route): void {
    this.#schedule(route)
    if (route.origin === 'learned') {
      this.#learned.add(route)
      this.#learnedBytes += learnedBytes(route)
    }
    if (route.origin !== 'advertised') return
    const { link } = route
    assert(link !== undefined, 'what is advertised comes over a link')
    const known = this.#byLink.get(link)
    const advertised = known ?? { counts: new Map(), carriages: new Map(), byteLength: 0 }
    this.#byLink.set(link, advertised)
    advertised.byteLength += route.byteLength
    count(advertised.counts, route.key, 1)
    const { carriage } = route
    if (count(advertised.carriages, carriage, 1) === 1) {
      advertised.byteLength += carriageBytes(carriage)
    }
  }

  #unlist(route: Route): void {
    const due = this.#expiry.get(route.dueS)
    due?.delete(route)
    if (due?.size === 0) this.#expiry.delete(route.dueS)
    if (this.#learned.delete(route)) this.#learnedBytes -= learnedBytes(route)
    if (route.origin !== 'advertised' || route.link === undefined) return
    const advertised = this.#byLink.get(route.link)
    if (advertised === undefined) return
    const { counts, carriages } = advertised
    const { key, carriage } = route
    advertised.byteLength -= route.byteLength
    if (count(carriages, carriage, -1) === 0) advertised.byteLength -= carriageBytes(carriage)
    count(counts, key, -1)
    if (counts.size === 0) this.#byLink.delete(route.link)
  }

  #changed(key: string): void {
    this.generation++
    this.#onChange(key)
  }
}

/** An answer has one name, which shares nothing. */
function learnedBytes({ byteLength, carriage }: Route): number {
  return byteLength + carriageBytes(carriage)
}

/** Counts one more or less, and returns how many there are then. */
function count<TKey>(counts: Map<TKey, number>, key: TKey, change: 1 | -1): number {
  const changed = (counts.get(key) ?? 0) + change
  if (changed > 0) counts.set(key, changed)
  else counts.delete(key)
  return changed
}

function isSamePlace(a: Route, b: Route): boolean {
  return a.link === b.link && compareBytes(a.carriage.server, b.carriage.server) === 0
}

/** Cheaper; among equals the smaller name of the server, so that everybody chooses alike. */
function isBetter(a: Route, b: Route): boolean {
  const difference = routeCostUs(a) - routeCostUs(b)
  if (difference !== 0) return difference < 0
  return compareBytes(a.carriage.server, b.carriage.server) < 0
}
