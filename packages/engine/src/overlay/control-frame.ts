/**
 * Bodies of the frames that neighbors exchange about the overlay itself: CBOR arrays of a fixed
 * shape, one spelling each.
 *
 *     00 00 00 … | 23 | 83 07 58 20 … 08          lookup: request 7, name, hops left 8
 *
 * Reading one checks its shape and its limits and nothing else: signatures, chains and names are
 * judged by whoever acts on it. Rules FR12 to FR20 of docs/spec/frame.md.
 *
 * @module
 */
import {
  type CapsuleName,
  type CborValue,
  CERT_BYTES_MAX,
  CHAIN_BYTES_MAX,
  CHAIN_CERTS_MAX,
  compareBytes,
  decodeCbor,
  ERROR_CODES,
  type ErrorCode,
  encodeCbor,
  HASH_BYTES,
  MANIFEST_SIGNED_BYTES_MAX,
  ProtocolError,
  TICKET_ADDRESS_CHARS_MAX,
  TICKET_ADDRESSES_MAX,
} from '@longshore/capsule'
import { FRAME_HEAD_BYTES, startFrame } from './frame.ts'

export const VERSION = 1
const MESSAGE_CHARS_MAX = 256
const GROUPS_MAX = 128
const NAMES_MAX = 1024
const HOPS_MAX = 64
/** Costs and request numbers fit 32 bits. */
const UINT32_MAX = 0xffff_ffff
const NONCE_BYTES = 32
const DEPTH_MAX = 6
/** The largest advertisement has half as many. */
const ITEMS_MAX = 8192

/** A frame of this type around `value`. */
export function encodeControl(type: number, value: CborValue): Uint8Array {
  const body = encodeCbor(value, DEPTH_MAX)
  const frame = startFrame(type, body.length)
  frame.set(body, FRAME_HEAD_BYTES)
  return frame
}

/** Reads the fields of a frame one after the other. */
export class Fields {
  readonly #items: readonly CborValue[]
  #next = 0

  constructor(value: CborValue | undefined, count?: number) {
    if (!Array.isArray(value)) throw invalid('an array is missing')
    if (count !== undefined && value.length !== count) throw invalid('a field is missing or extra')
    this.#items = value
  }

  static ofFrame(bytes: Uint8Array, start: number, end: number, count: number): Fields {
    let value: CborValue
    try {
      value = decodeCbor(bytes.subarray(start + FRAME_HEAD_BYTES, end), DEPTH_MAX, ITEMS_MAX)
    } catch (cause) {
      throw new ProtocolError('FRAME_INVALID', 'a frame that is not canonical CBOR', undefined, {
        cause,
      })
    }
    return new Fields(value, count)
  }

  uint(max: number = UINT32_MAX): number {
    const value = this.#take()
    if (typeof value !== 'number' || value > max) throw invalid('a number is missing or too large')
    return value
  }

  bytes(byteLengthMax: number): Uint8Array {
    const value = this.#take()
    if (!(value instanceof Uint8Array) || value.length > byteLengthMax) {
      throw invalid('bytes are missing or too many')
    }
    return value
  }

  bytesOrNull(byteLengthMax: number): Uint8Array | null {
    return this.#isNull() ? null : this.bytes(byteLengthMax)
  }

  name(): CapsuleName {
    const value = this.bytes(HASH_BYTES)
    if (value.length !== HASH_BYTES) throw invalid('a name has 32 bytes')
    return value as CapsuleName
  }

  nameOrNull(): CapsuleName | null {
    return this.#isNull() ? null : this.name()
  }

  /** Printable ASCII: it may be shown on a terminal. */
  text(charactersMax: number): string {
    const value = this.#take()
    if (typeof value !== 'string' || value.length > charactersMax || !/^[ -~]*$/.test(value)) {
      throw invalid('text is missing, too long or not printable')
    }
    return value
  }

  code(): ErrorCode | null {
    if (this.#isNull()) return null
    const text = this.text(64)
    if (!Object.hasOwn(ERROR_CODES, text)) throw invalid('an unknown error code')
    return text as ErrorCode
  }

  array<TItem>(countMax: number, read: (fields: Fields) => TItem): TItem[] {
    const value = this.#take()
    if (!Array.isArray(value) || value.length > countMax) throw invalid('an array is too long')
    const items = new Fields(value)
    return value.map(() => read(items))
  }

  tuple(count: number): Fields {
    return new Fields(this.#take(), count)
  }

  tupleOrNull(count: number): Fields | null {
    return this.#isNull() ? null : this.tuple(count)
  }

  #isNull(): boolean {
    if (this.#items[this.#next] !== null) return false
    this.#next++
    return true
  }

  #take(): CborValue | undefined {
    return this.#items[this.#next++]
  }
}

function invalid(what: string): ProtocolError {
  return new ProtocolError('FRAME_INVALID', `in a frame, ${what}`)
}

/** Membership of a domain, as somebody claims it. */
export interface MembershipClaim {
  readonly domain: CapsuleName
  /** A certificate chain. */
  readonly chain: Uint8Array
}

function membershipValue(claim: MembershipClaim | null): CborValue {
  return claim === null ? null : [claim.domain, claim.chain]
}

function readMembership(fields: Fields): MembershipClaim | null {
  const pair = fields.tupleOrNull(2)
  return pair === null ? null : { domain: pair.name(), chain: pair.bytes(CHAIN_BYTES_MAX) }
}

export interface Hello {
  readonly versionMin: number
  readonly versionMax: number
  /** Fresh for this connection; advertisements over it must repeat it. */
  readonly nonce: Uint8Array
  readonly signedManifest: Uint8Array
  readonly isRouter: boolean
  readonly membership: MembershipClaim | null
  readonly addresses: readonly string[]
}

export function helloValue(hello: Hello): CborValue {
  const { versionMin, versionMax, nonce, signedManifest, membership } = hello
  const roles = hello.isRouter ? ['router'] : []
  const claim = membershipValue(membership)
  return [versionMin, versionMax, nonce, signedManifest, roles, claim, hello.addresses]
}

export function readHello(fields: Fields): Hello {
  const versionMin = fields.uint()
  const versionMax = fields.uint()
  const nonce = fields.bytes(NONCE_BYTES)
  if (nonce.length !== NONCE_BYTES) throw invalid('a nonce has 32 bytes')
  const signedManifest = fields.bytes(MANIFEST_SIGNED_BYTES_MAX)
  const roles = fields.array(1, (items) => items.text(16))
  if (roles.some((role) => role !== 'router')) throw invalid('an unknown role')
  const membership = readMembership(fields)
  const addresses = fields.array(TICKET_ADDRESSES_MAX, (items) => {
    return items.text(TICKET_ADDRESS_CHARS_MAX)
  })
  const isRouter = roles.length === 1
  return { versionMin, versionMax, nonce, signedManifest, isRouter, membership, addresses }
}

export interface Goodbye {
  readonly code: ErrorCode | null
  readonly message: string
}

export function goodbyeValue({ code, message }: Goodbye): CborValue {
  return [code, message.replace(/[^ -~]/g, '?').slice(0, MESSAGE_CHARS_MAX)]
}

export function readGoodbye(fields: Fields): Goodbye {
  return { code: fields.code(), message: fields.text(MESSAGE_CHARS_MAX) }
}

/** One name of a route group. */
export interface OfferedName {
  readonly signedManifest: Uint8Array
  /** From the carrier to the serving node; microseconds. A claim. */
  readonly costUs: number
}

/** Names that one node serves with the same certificates, as somebody claims it. */
export interface RouteGroup {
  /** AdCert chain; null for the name of the serving node itself. */
  readonly chain: Uint8Array | null
  /** Of the serving node. */
  readonly membership: MembershipClaim | null
  /** RtCerts, the leaf first; the last one's issuer is the serving node. */
  readonly rtCerts: readonly Uint8Array[]
  /** Of all issuers of RtCerts, ascending by name. */
  readonly rtManifests: readonly Uint8Array[]
  readonly names: readonly OfferedName[]
}

function groupValue(group: RouteGroup): CborValue {
  const names = group.names.map(({ signedManifest, costUs }) => [signedManifest, costUs])
  const { chain, membership, rtCerts, rtManifests } = group
  return [chain, membershipValue(membership), rtCerts, rtManifests, names]
}

function readGroup(fields: Fields): RouteGroup {
  const group = fields.tuple(5)
  return {
    chain: group.bytesOrNull(CHAIN_BYTES_MAX),
    membership: readMembership(group),
    rtCerts: group.array(CHAIN_CERTS_MAX, (items) => items.bytes(CERT_BYTES_MAX)),
    rtManifests: group.array(CHAIN_CERTS_MAX, (items) => items.bytes(MANIFEST_SIGNED_BYTES_MAX)),
    names: group.array(GROUPS_MAX, (items) => {
      const pair = items.tuple(2)
      return { signedManifest: pair.bytes(MANIFEST_SIGNED_BYTES_MAX), costUs: pair.uint() }
    }),
  }
}

export interface Advertise {
  readonly request: number
  /** COSE statement of the advertising node: it has this key, and means these names, here, now. */
  readonly statement: Uint8Array
  readonly groups: readonly RouteGroup[]
}

export function advertiseValue({ request, statement, groups }: Advertise): CborValue {
  return [request, statement, groups.map(groupValue)]
}

export function readAdvertise(fields: Fields): Advertise {
  return {
    request: fields.uint(),
    statement: fields.bytes(CERT_BYTES_MAX),
    groups: fields.array(GROUPS_MAX, readGroup),
  }
}

/** Request number of an `advertised` that answers nothing: what was taken has expired. */
export const UNASKED = 0

export interface AdvertisedName {
  readonly name: CapsuleName
  /** Why it was refused; null if it is installed. */
  readonly code: ErrorCode | null
  /** Until when it is installed; 0 if refused. */
  readonly expiresS: number
}

export function advertisedValue(request: number, names: readonly AdvertisedName[]): CborValue {
  return [request, names.map(({ name, code, expiresS }) => [name, code, expiresS])]
}

export function readAdvertised(fields: Fields): {
  readonly request: number
  readonly names: readonly AdvertisedName[]
} {
  const request = fields.uint()
  const names = fields.array(NAMES_MAX, (items) => {
    const item = items.tuple(3)
    const name = item.name()
    return { name, code: item.code(), expiresS: item.uint(Number.MAX_SAFE_INTEGER) }
  })
  return { request, names }
}

/** Names of one list, ascending and each once. */
export function namesValue(names: readonly CapsuleName[]): CborValue {
  return [[...names].sort(compareBytes)]
}

export function readNames(fields: Fields): CapsuleName[] {
  const names = fields.array(NAMES_MAX, (items) => items.name())
  for (let i = 1; i < names.length; i++) {
    if (compareBytes(names[i - 1] as CapsuleName, names[i] as CapsuleName) >= 0) {
      throw invalid('names are not ascending')
    }
  }
  return names
}

export interface LookupQuestion {
  readonly request: number
  readonly name: CapsuleName
  readonly hopsLeft: number
}

export function lookupValue({ request, name, hopsLeft }: LookupQuestion): CborValue {
  return [request, name, hopsLeft]
}

export function readLookup(fields: Fields): LookupQuestion {
  return { request: fields.uint(), name: fields.name(), hopsLeft: fields.uint(HOPS_MAX) }
}

export interface LookupAnswer {
  readonly request: number
  /** Why there is no entry; null if there is one. */
  readonly code: ErrorCode | null
  readonly entries: readonly RouteGroup[]
}

export function foundValue({ request, code, entries }: LookupAnswer): CborValue {
  return [request, code, entries.map(groupValue)]
}

export function readFound(fields: Fields): LookupAnswer {
  const answer = {
    request: fields.uint(),
    code: fields.code(),
    entries: fields.array(CHAIN_CERTS_MAX, readGroup),
  }
  if ((answer.code === null) !== answer.entries.length > 0) {
    throw invalid('an answer has either entries or a reason')
  }
  return answer
}

/** One router, or at the end the serving node, on the way to a name. */
export interface TraceHop {
  readonly principal: CapsuleName
  readonly domain: CapsuleName | null
  /** From this hop to the next, as it measured it; 0 at the end. */
  readonly costUs: number
  /** Hash of the certificate by which this hop routes the name; null for its own name. */
  readonly evidence: Uint8Array | null
}

export interface TraceAnswer {
  readonly request: number
  /** Why the trace ends before a serving node. */
  readonly code: ErrorCode | null
  readonly hops: readonly TraceHop[]
}

export function traceAnswerValue({ request, code, hops }: TraceAnswer): CborValue {
  const values = hops.map((hop) => [hop.principal, hop.domain, hop.costUs, hop.evidence])
  return [request, code, values]
}

export function readTraceAnswer(fields: Fields): TraceAnswer {
  return {
    request: fields.uint(),
    code: fields.code(),
    hops: fields.array(HOPS_MAX, (items) => {
      const hop = items.tuple(4)
      return {
        principal: hop.name(),
        domain: hop.nameOrNull(),
        costUs: hop.uint(),
        evidence: hop.bytesOrNull(HASH_BYTES),
      }
    }),
  }
}
