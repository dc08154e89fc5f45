/**
 * One advertisement under construction: names in groups with the certificates that they share.
 *
 * @module
 */
import {
  advertisedNamesDigest,
  type CapsuleName,
  formatHex,
  sha256,
  signAdvertisement,
} from '@longshore/capsule'
import {
  advertiseValue,
  encodeControl,
  type OfferedName,
  type RouteGroup,
} from './control-frame.ts'
import type { Evidence } from './evidence.ts'
import { ADVERTISE } from './frame.ts'
import type { Link } from './link.ts'
import type { Machine } from './machine.ts'
import { type Route, routeCostUs } from './route-table.ts'
import type { RtCerts } from './rt-certs.ts'

/** Then it is full: the last name may bring as much again, and both fit into one frame. */
const FULL_BYTES = 393_216
const UINT32_MAX = 0xffff_ffff
const NO_BYTES: Uint8Array = new Uint8Array(0)

interface OpenGroup extends Omit<RouteGroup, 'names'> {
  readonly names: OfferedName[]
}

export class AdvertiseBatch {
  readonly #machine: Machine
  readonly #rtCerts: RtCerts
  readonly #link: Link
  readonly #groups = new Map<string, OpenGroup>()
  readonly #names: CapsuleName[] = []
  #byteLength = 0

  constructor(machine: Machine, rtCerts: RtCerts, link: Link) {
    this.#machine = machine
    this.#rtCerts = rtCerts
    this.#link = link
  }

  get isEmpty(): boolean {
    return this.#names.length === 0
  }

  get isFull(): boolean {
    const { namesPerAdvertisementMax } = this.#machine.limits
    return this.#names.length >= namesPerAdvertisementMax || this.#byteLength >= FULL_BYTES
  }

  add(route: Route): void {
    const { signed: signedManifest } = route.evidence.capsule
    const costUs = Math.min(routeCostUs(route), UINT32_MAX)
    this.#groupOf(route.evidence).names.push({ signedManifest, costUs })
    this.#names.push(route.name)
    this.#byteLength += signedManifest.length
  }

  /** The frame, with the statement that this node means these names, here and now. */
  encode(request: number): Uint8Array {
    const { name: advertiser, identity, nowS, limits } = this.#machine
    const { exporter, up } = this.#link
    const names = advertisedNamesDigest(this.#names)
    const expiresS = nowS + limits.leaseS
    const { name: router, nonce } = up
    const said = { advertiser, router, exporter, nonce, names, expiresS }
    const statement = signAdvertisement(said, identity.identity)
    const groups = [...this.#groups.values()]
    return encodeControl(ADVERTISE, advertiseValue({ request, statement, groups }))
  }

  #groupOf(evidence: Evidence): OpenGroup {
    const key = groupKey(evidence)
    const known = this.#groups.get(key)
    if (known !== undefined) return known
    const group = { ...this.#rtCerts.extend(evidence, this.#link.up.name), names: [] }
    this.#groups.set(key, group)
    this.#byteLength += byteLengthOf(group)
    return group
  }
}

/** Names with the same certificates go in one group. */
function groupKey({ rtCerts, chain, membership }: Evidence): string {
  const parts = [rtCerts[0] ?? NO_BYTES, chain ?? NO_BYTES, membership?.chain ?? NO_BYTES]
  return parts.map((part) => formatHex(sha256(part))).join(' ')
}

export function byteLengthOf(group: Omit<RouteGroup, 'names'>): number {
  const { chain, membership, rtCerts, rtManifests } = group
  const parts = [...rtCerts, ...rtManifests, chain ?? NO_BYTES, membership?.chain ?? NO_BYTES]
  return parts.reduce((sum, part) => sum + part.length, 0)
}
