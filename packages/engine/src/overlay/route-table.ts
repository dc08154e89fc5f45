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
import { nameKey } from '../store/branch-key.ts'
import type { ProvenName } from './evidence.ts'
import type { OverlayLimits } from './limits.ts'
import type { Link } from './link.ts'

/** `own`: served here. `advertised`: installed by a neighbor. `learned`: an answer to a lookup. */
export type RouteOrigin = 'own' | 'advertised' | 'learned'

export interface Route extends ProvenName {
  readonly key: string
  readonly name: CapsuleName
  readonly origin: RouteOrigin
  /** Undefined if it is served here. */
  readonly link: Link | undefined
}

/** From here to the serving node, as far as it was measured. */
export function routeCostUs({ link, costUs }: Route): number {
  return costUs + (link?.costUs ?? 0)
}

/** Routes expire in steps of this. */
const EXPIRY_S = 10

export class RouteTable {
  generation = 0
  readonly #limits: OverlayLimits
  readonly #onChange: (key: string) => void
  readonly #routes = new Map<string, Route[]>()
  /** Keys of names with a route over this link that a neighbor advertised. */
  readonly #byLink = new Map<Link, Map<string, number>>()
  /** Routes by the second after which they are looked at. */
  readonly #expiry = new Map<number, Set<Route>>()
  readonly #dueS = new Map<Route, number>()
  /** No route that is installed begins to hold later. */
  #latestS = 0
  /** Learned routes, the oldest first. */
  readonly #learned = new Set<Route>()

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
    return this.#byLink.get(link)?.size ?? 0
  }

  /** Undefined for a name without any route. */
  routes(key: string): readonly Route[] | undefined {
    return this.#routes.get(key)
  }

  /** Names that were advertised over a link. */
  keysOver(link: Link): readonly string[] {
    return [...(this.#byLink.get(link)?.keys() ?? [])]
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
    return all.filter(({ evidence }) => evidence.notBeforeS > nowS)
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
  install(proven: ProvenName, origin: RouteOrigin, link: Link | undefined): Route {
    const { name } = proven.evidence.capsule
    const route: Route = { ...proven, key: nameKey(name), name, origin, link }
    const routes = this.#routes.get(route.key) ?? []
    const others = routes.filter((other) => !isSamePlace(other, route))
    for (const other of routes) if (!others.includes(other)) this.#unlist(other)
    others.push(route)
    if (others.length > this.#limits.candidatesMax) {
      const worst = others.reduce((a, b) => (isBetter(a, b) ? b : a))
      others.splice(others.indexOf(worst), 1)
      if (worst !== route) this.#unlist(worst)
    }
    if (others.includes(route)) this.#list(route)
    this.#latestS = Math.max(this.#latestS, proven.evidence.notBeforeS)
    this.#routes.set(route.key, others)
    this.#changed(route.key)
    while (this.#learned.size > this.#limits.learnedMax) {
      this.remove(this.#learned.values().next().value as Route)
    }
    return route
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
    for (const key of [...(this.#byLink.get(link)?.keys() ?? [])]) this.removeOver(key, link)
    for (const route of [...this.#learned]) if (route.link === link) this.remove(route)
    this.touch()
  }

  /** To be looked at soon after it expires; not each at its own second. */
  #schedule(route: Route): void {
    const dueS = (Math.floor(route.expiresS / EXPIRY_S) + 1) * EXPIRY_S
    const routes = this.#expiry.get(dueS) ?? new Set<Route>()
    this.#expiry.set(dueS, routes.add(route))
    this.#dueS.set(route, dueS)
  }

  #list(route: Route): void {
    this.#schedule(route)
    if (route.origin === 'learned') this.#learned.add(route)
    if (route.origin !== 'advertised') return
    const { link } = route
    assert(link !== undefined, 'what is advertised comes over a link')
    const counts = this.#byLink.get(link) ?? new Map<string, number>()
    this.#byLink.set(link, counts)
    counts.set(route.key, (counts.get(route.key) ?? 0) + 1)
  }

  #unlist(route: Route): void {
    const dueS = this.#dueS.get(route) ?? 0
    const due = this.#expiry.get(dueS)
    due?.delete(route)
    if (due?.size === 0) this.#expiry.delete(dueS)
    this.#dueS.delete(route)
    this.#learned.delete(route)
    if (route.origin !== 'advertised' || route.link === undefined) return
    const counts = this.#byLink.get(route.link)
    const count = (counts?.get(route.key) ?? 1) - 1
    if (count > 0) counts?.set(route.key, count)
    else counts?.delete(route.key)
    if (counts?.size === 0) this.#byLink.delete(route.link)
  }

  #changed(key: string): void {
    this.generation++
    this.#onChange(key)
  }
}

function isSamePlace(a: Route, b: Route): boolean {
  return a.link === b.link && compareBytes(a.evidence.server, b.evidence.server) === 0
}

/** Cheaper; among equals the smaller name of the server, so that everybody chooses alike. */
function isBetter(a: Route, b: Route): boolean {
  const difference = routeCostUs(a) - routeCostUs(b)
  if (difference !== 0) return difference < 0
  return compareBytes(a.evidence.server, b.evidence.server) < 0
}
