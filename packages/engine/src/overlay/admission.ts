/**
 * What a router makes of an advertisement: installs the names for which everything holds, refuses
 * the others with a code, and records the refusals.
 *
 * Checked in this order, the cheap before the dear:
 * 1. the statement: the node at the other end has its identity key, and means these names, this
 *    router and this connection;
 * 2. the RtCerts lead from the serving node over the neighbor to this router, and not through it;
 * 3. the AdCerts of each name lead from its owner to the serving node;
 * 4. the policy of each name lets the domain of this router carry it;
 * 5. there is room.
 *
 * Rules OV10 to OV16 of docs/spec/overlay.md.
 *
 * @module
 */
import {
  type AdvertisementExpectation,
  advertisedNamesDigest,
  bytesEqual,
  type CapsuleName,
  CHAIN_CERTS_MAX,
  type ErrorCode,
  isLongshoreError,
  openManifest,
  ProtocolError,
  type SignedManifest,
  UnavailableError,
  VerificationError,
  verifyAdvertisement,
} from '@longshore/capsule'
import { nameKey } from '../store/branch-key.ts'
import {
  type AdvertisedName,
  advertisedValue,
  encodeControl,
  type Fields,
  type RouteGroup,
  readAdvertise,
  readNames,
  UNASKED,
} from './control-frame.ts'
import { type Carriage, verifyCarriage, verifyName } from './evidence.ts'
import { ADVERTISED } from './frame.ts'
import type { Link } from './link.ts'
import type { Machine } from './machine.ts'
import { carryRefusal } from './policy.ts'
import { type Route, type RouteTable, routeName } from './route-table.ts'

interface Claimed {
  readonly capsule: SignedManifest
  readonly group: RouteGroup
  readonly costUs: number
}

export class Admission {
  readonly #machine: Machine
  readonly #table: RouteTable

  constructor(machine: Machine, table: RouteTable) {
    this.#machine = machine
    this.#table = table
  }

  advertise(link: Link, fields: Fields): void {
    const { request, statement, groups } = readAdvertise(fields)
    if (!this.#machine.isRouter) {
      throw new ProtocolError('PROTOCOL_ERROR', 'this node is no router')
    }
    const claims = this.#claims(shareManifests(groups))
    link.chargeAdmissions(claims.length)
    const names = claims.map(({ capsule }) => capsule.name)
    const { name: router, nowS, limits } = this.#machine
    const expiresS = this.#verifyStatement(statement, {
      ...{ advertiser: link.up.manifest, router, atS: nowS },
      ...{ exporter: link.exporter, nonce: link.ownNonce, names: advertisedNamesDigest(names) },
    })
    const untilS = Math.min(expiresS, nowS + limits.leaseS)
    const carriages = new Map<RouteGroup, Carriage | ErrorCode>()
    const answers = claims.map((claim) => this.#admit(link, claim, carriages, untilS))
    link.send(encodeControl(ADVERTISED, advertisedValue(request, answers)))
  }

  /** Whoever advertised these hears that they are routed no more, and may advertise them again. */
  expired(routes: readonly Route[]): void {
    const byLink = new Map<Link, AdvertisedName[]>()
    for (const route of routes) {
      const { link, origin } = route
      if (link === undefined || origin !== 'advertised') continue
      const names = byLink.get(link) ?? []
      byLink.set(link, names)
      names.push({ name: routeName(route), code: 'CERT_EXPIRED', expiresS: 0 })
    }
    const { namesPerAdvertisementMax } = this.#machine.limits
    for (const [link, names] of byLink) {
      for (let at = 0; at < names.length; at += namesPerAdvertisementMax) {
        const some = names.slice(at, at + namesPerAdvertisementMax)
        link.send(encodeControl(ADVERTISED, advertisedValue(UNASKED, some)))
      }
    }
  }

  /** The statement was made for this very connection: only its clock can have made it end. */
  #verifyStatement(statement: Uint8Array, expected: AdvertisementExpectation): number {
    try {
      return verifyAdvertisement(statement, expected).expiresS
    } catch (cause) {
      if (!isLongshoreError(cause) || cause.code !== 'CERT_EXPIRED') throw cause
      const message = 'the clocks of the two nodes differ too much'
      throw new UnavailableError('CLOCK_SKEW', message, undefined, { cause })
    }
  }

  withdraw(link: Link, fields: Fields): void {
    for (const name of readNames(fields)) this.#table.removeOver(nameKey(name), link)
  }

  /** @throws {VerificationError} A manifest that does not hold: then nothing of it has a name. */
  #claims(groups: readonly RouteGroup[]): Claimed[] {
    const count = groups.reduce((sum, { names }) => sum + names.length, 0)
    if (count > this.#machine.limits.namesPerAdvertisementMax) {
      throw new ProtocolError('PROTOCOL_ERROR', 'too many names in one advertisement', { count })
    }
    return groups.flatMap((group) =>
      group.names.map(({ signedManifest, costUs }) => {
        return { capsule: openManifest(signedManifest), group, costUs }
      }),
    )
  }

  #admit(
    link: Link,
    { capsule, group, costUs }: Claimed,
    carriages: Map<RouteGroup, Carriage | ErrorCode>,
    untilS: number,
  ): AdvertisedName {
    const { name } = capsule
    try {
      const carriage = carriages.get(group) ?? this.#carriage(link, group)
      carriages.set(group, carriage)
      if (typeof carriage === 'string') return this.#refused(link, name, carriage)
      const proven = verifyName(carriage, capsule, costUs, this.#machine.nowS)
      const why = carryRefusal(capsule.manifest.policy, this.#machine.membership?.domain)
      if (why !== undefined) return this.#refused(link, name, 'POLICY_REFUSED')
      // A neighbor tells of one way to a name: what it told before is not its best any more.
      this.#table.removeOver(nameKey(name), link, 'advertised')
      if (!this.#hasRoom(link)) return this.#refused(link, name, 'QUOTA_EXCEEDED')
      const expiresS = Math.min(proven.expiresS, untilS)
      this.#table.install({ ...proven, expiresS }, 'advertised', link)
      return { name, code: null, expiresS }
    } catch (error) {
      if (!isLongshoreError(error)) throw error
      return this.#refused(link, name, error.code)
    }
  }

  #hasRoom(link: Link): boolean {
    const { namesPerLinkMax, evidenceBytesPerLinkMax } = this.#machine.limits
    const isFull = this.#table.countOver(link) >= namesPerLinkMax
    return !isFull && this.#table.bytesOver(link) < evidenceBytesPerLinkMax
  }

  /** The shared part of a group, or why all of its names are refused. */
  #carriage(link: Link, group: RouteGroup): Carriage | ErrorCode {
    const { name, nowS } = this.#machine
    try {
      return verifyCarriage(group, link.up.name, name, nowS)
    } catch (error) {
      if (!(error instanceof VerificationError)) throw error
      return error.code
    }
  }

  #refused(link: Link, name: CapsuleName, code: ErrorCode): AdvertisedName {
    this.#machine.recordRefusal(name, link.up.name, code)
    // What this neighbor advertised before under this name is not what it says now.
    this.#table.removeOver(nameKey(name), link)
    return { name, code, expiresS: 0 }
  }
}

/** The groups of one advertisement name the same nodes: each manifest is kept once for all. */
function shareManifests(groups: readonly RouteGroup[]): RouteGroup[] {
  const known: Uint8Array[] = []
  return groups.map((group) => {
    const rtManifests = group.rtManifests.map((manifest) => {
      const same = known.find((other) => bytesEqual(other, manifest))
      if (same === undefined && known.length < CHAIN_CERTS_MAX) known.push(manifest)
      return same ?? manifest
    })
    return { ...group, rtManifests }
  })
}
