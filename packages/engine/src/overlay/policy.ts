/**
 * Whether traffic of a capsule may pass a domain, as its manifest says.
 *
 * Each router asks for itself before it installs a route, and for its neighbor before it hands a
 * route or a frame on. Rules OV15 and OV16 of docs/spec/overlay.md.
 *
 * @module
 */
import { bytesEqual, type CapsuleName, formatName, type Policy } from '@longshore/capsule'

/** What the overlay asks of the policy of a capsule. */
export type RoutePolicy = Pick<Policy, 'carry' | 'exclude'> & { readonly isPublic: boolean }

const PUBLIC: RoutePolicy = Object.freeze({ carry: 'any', exclude: [], isPublic: true })
const PRIVATE: RoutePolicy = Object.freeze({ carry: 'any', exclude: [], isPublic: false })

/** One object for all capsules that may go everywhere, which are nearly all. */
export function routePolicy({ carry, exclude, read }: Policy): RoutePolicy {
  const isPublic = read === 'any'
  if (carry !== 'any' || exclude.length > 0) return { carry, exclude, isPublic }
  return isPublic ? PUBLIC : PRIVATE
}

/** It may go everywhere. */
export function isOpen(policy: RoutePolicy): boolean {
  return policy === PUBLIC || policy === PRIVATE
}

/** Why not; undefined if it may. `domain` is undefined for a router without a domain. */
export function carryRefusal(
  policy: Pick<Policy, 'carry' | 'exclude'>,
  domain: CapsuleName | undefined,
): string | undefined {
  if (domain === undefined) {
    return policy.carry === 'any' ? undefined : 'only routers of named domains may carry it'
  }
  if (policy.exclude.some((name) => bytesEqual(name, domain))) {
    return `its policy excludes the domain ${formatName(domain)}`
  }
  if (policy.carry === 'any' || policy.carry.some((name) => bytesEqual(name, domain))) {
    return undefined
  }
  return `its policy does not let the domain ${formatName(domain)} carry it`
}
