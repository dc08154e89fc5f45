/**
 * The evidence of a route in full. The table holds it packed, or does not hold it at all: of what
 * this node serves itself, whoever runs it has the manifest and the certificates.
 *
 * @module
 */
import { isLongshoreError, openManifest } from '@longshore/capsule'
import { unpackBytes } from '../store/branch-key.ts'
import type { Evidence } from './evidence.ts'
import type { Machine } from './machine.ts'
import { type RoutePolicy, routePolicy } from './policy.ts'
import { type Route, routeName } from './route-table.ts'

/** For a name that is served here and whose manifest is not there any more. */
const CLOSED: RoutePolicy = Object.freeze({ carry: [], exclude: [], isPublic: false })

/** Undefined if it cannot be had now: the capsule is gone, or the disk does not give it. */
export function readEvidence(machine: Machine, route: Route): Evidence | undefined {
  const { carriage, manifest } = route
  if (manifest !== undefined) return { carriage, signedManifest: unpackBytes(manifest) }
  try {
    const held = machine.heldEvidence?.(routeName(route))
    if (held === undefined) return undefined
    return { carriage: { ...carriage, chain: held.chain }, signedManifest: held.manifest }
  } catch (error) {
    if (!isLongshoreError(error)) throw error
    return undefined
  }
}

export function readRoutePolicy(machine: Machine, route: Route): RoutePolicy {
  if (route.policy !== undefined) return route.policy
  const evidence = readEvidence(machine, route)
  if (evidence === undefined) return CLOSED
  return routePolicy(openManifest(evidence.signedManifest).manifest.policy)
}
