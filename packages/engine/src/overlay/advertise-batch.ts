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
import { type Carriage, carriageBytes, type Evidence } from './evidence.ts'
import { ADVERTISE } from './frame.ts'
import type { Link } from './link.ts'
import type { Machine } from './machine.ts'
import { type Route, routeCostUs, routeName } from './route-table.ts'
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
  /** Most names have the very carriage of another one. */
  readonly #byCarriage = new Map<Carriage, OpenGroup>()
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

  add(route: Route, { carriage, signedManifest }: Evidence): void {
    const costUs = Math.min(routeCostUs(route), UINT32_MAX)
    this.#groupOf(carriage).names.push({ signedManifest, costUs })
    this.#names.push(routeName(route))
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

  #groupOf(carriage: Carriage): OpenGroup {
    const known = this.#byCarriage.get(carriage)
    if (known !== undefined) return known
    const key = groupKey(carriage)
    const alike = this.#groups.get(key)
    const group = alike ?? { ...this.#rtCerts.extend(carriage, this.#link.up.name), names: [] }
    this.#byCarriage.set(carriage, group)
    if (alike !== undefined) return alike
    this.#groups.set(key, group)
    this.#byteLength += carriageBytes(group)
    return group
  }
}

/** Names with the same certificates go in one group. */
function groupKey({ rtCerts, chain, membership }: Carriage): string {
  const parts = [rtCerts[0] ?? NO_BYTES, chain ?? NO_BYTES, membership?.chain ?? NO_BYTES]
  return parts.map((part) => formatHex(sha256(part))).join(' ')
}
