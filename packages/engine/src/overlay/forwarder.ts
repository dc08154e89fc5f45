/**
 * The way of frames through this node: to itself, to a neighbor, or back with a refusal.
 *
 * For a labelled frame the choice is remembered with its label until any route changes, so the
 * common case is one look at a label and two fields rewritten in the received bytes. Frames for a
 * name that has to be looked up wait for the answer, a bounded number of bytes of them. Rules OV32
 * to OV39 of docs/spec/overlay.md.
 *
 * @module
 */
import { bytesEqual, type CapsuleName, ProtocolError } from '@longshore/capsule'
import { nameKey } from '../store/branch-key.ts'
import { readUint32, writeUint32 } from '../store/disk/big-endian.ts'
import {
  AT_FLAGS,
  AT_HOPS,
  AT_SOURCE,
  AT_TARGET,
  DATA_HEAD_BYTES,
  dataHead,
  decodeUnreachable,
  FLAG_BULK,
  FRAME_HEAD_BYTES,
  LABELLED_HEAD_BYTES,
  nameAt,
  type Unreachable,
  type UnreachableCode,
  unreachableFrame,
  writeLabelledHead,
} from './frame.ts'
import type { InLabel } from './labels.ts'
import type { Link } from './link.ts'
import type { Links } from './links.ts'
import type { Lookups } from './lookups.ts'
import type { Machine } from './machine.ts'
import { ASK, LOCAL, type Next } from './next.ts'
import { carryRefusal } from './policy.ts'
import { readRoutePolicy } from './route-evidence.ts'
import { type Route, type RouteTable, routeName } from './route-table.ts'

/** A frame taken apart. */
interface Data {
  readonly destination: CapsuleName
  readonly source: CapsuleName
  readonly flags: number
  /** As received. */
  readonly hops: number
  readonly payload: Uint8Array
}

/** Decisions that depend on more than the routes are made anew for each frame. */
const NEVER = -1
const SECOND_US = 1_000_000

export class Forwarder {
  readonly #machine: Machine
  readonly #table: RouteTable
  readonly #links: Links
  readonly #lookups: Lookups
  /** Names that have a lookup under way, with the bytes of frames that wait for it. */
  readonly #parkedBytes = new Map<string, number>()
  readonly #keys = new WeakMap<CapsuleName, string>()
  /** Names in use that are being asked for again. */
  readonly #renewing = new Set<string>()
  /** When sessions were last told to try another way to a name; the oldest first. */
  readonly #triedUs = new Map<string, number>()

  constructor(machine: Machine, table: RouteTable, links: Links, lookups: Lookups) {
    this.#machine = machine
    this.#table = table
    this.#links = links
    this.#lookups = lookups
  }

  /** From this node itself. */
  send(data: Pick<Data, 'destination' | 'source' | 'payload'>, isBulk: boolean): void {
    const hops = this.#machine.limits.hopsMax
    const flags = isBulk ? FLAG_BULK : 0
    const next = this.choose(this.#keyOf(data.destination), undefined)
    this.#route({ ...data, flags, hops: hops + 1 }, undefined, next)
  }

  /** Sessions name the same two ends, by the same arrays, with every frame. */
  #keyOf(name: CapsuleName): string {
    const known = this.#keys.get(name)
    if (known !== undefined) return known
    const key = nameKey(name)
    this.#keys.set(name, key)
    return key
  }

  labelled(link: Link, bytes: Uint8Array, start: number, end: number): void {
    const entry = link.inLabels.get(readUint32(bytes, start + AT_TARGET))
    if (entry.generation !== this.#table.generation) this.#decide(link, entry)
    const next = entry.next as Next
    const hops = bytes[start + AT_HOPS] as number
    if (next.type !== 'link' || hops <= 1) {
      this.#route(labelledData(entry, bytes, start, end), link, next)
      return
    }
    let out = entry.out
    if (out === undefined || !out.isLive) {
      out = next.link.labelFor(entry.pair, entry.destination, entry.source)
      entry.out = out
      if (out === undefined) {
        this.#route(labelledData(entry, bytes, start, end), link, next)
        return
      }
    }
    out.wasUsed = true
    bytes[start + AT_HOPS] = hops - 1
    writeUint32(bytes, start + AT_TARGET, out.label)
    this.#count(end - start)
    next.link.sendWithin(bytes, start, end)
  }

  data(link: Link, bytes: Uint8Array, start: number, end: number): void {
    const data: Data = {
      destination: nameAt(bytes, start + AT_TARGET),
      source: nameAt(bytes, start + AT_SOURCE),
      flags: bytes[start + AT_FLAGS] as number,
      hops: bytes[start + AT_HOPS] as number,
      payload: bytes.subarray(start + DATA_HEAD_BYTES, end),
    }
    const key = nameKey(data.destination)
    const sourceKey = nameKey(data.source)
    checkSource(link, sourceKey)
    const next = this.choose(key, link)
    if (next.type !== 'link' || data.hops <= 1) {
      this.#route(data, link, next)
      return
    }
    this.#count(end - start)
    const { destination, source, flags, hops, payload } = data
    const out = next.link.labelFor(key + sourceKey, destination, source)
    if (out === undefined) {
      bytes[start + AT_HOPS] = hops - 1
      next.link.sendWithin(bytes, start, end)
      return
    }
    // The shorter head goes in front of the payload, over the end of the longer one.
    const at = start + DATA_HEAD_BYTES - LABELLED_HEAD_BYTES
    writeLabelledHead(bytes, at, out.label, flags, hops - 1, payload.length)
    next.link.sendWithin(bytes, at, end)
  }

  label(link: Link, bytes: Uint8Array, start: number): void {
    const at = start + FRAME_HEAD_BYTES
    const destination = nameAt(bytes, at + 4)
    const source = nameAt(bytes, at + 36)
    const destinationKey = nameKey(destination)
    const sourceKey = nameKey(source)
    checkSource(link, sourceKey)
    const pair = destinationKey + sourceKey
    link.inLabels.define(readUint32(bytes, at), { destination, source, destinationKey, pair })
  }

  /** A refusal of something that this node sent or forwarded. */
  unreachable(link: Link, bytes: Uint8Array, start: number, end: number): void {
    const refusal = decodeUnreachable(bytes, start, end)
    // Whoever says that a way leads nowhere is believed about its own way, and no other.
    const key = nameKey(refusal.destination)
    const learned = this.#table.routes(key)?.filter((route) => {
      return route.link === link && route.origin === 'learned'
    })
    for (const route of learned ?? []) this.#table.remove(route)
    if (bytesEqual(refusal.source, this.#machine.name)) {
      this.#report(refusal, (learned?.length ?? 0) > 0)
      return
    }
    const hops = bytes[start + AT_HOPS] as number
    const next = this.choose(nameKey(refusal.source), link)
    if (next.type !== 'link' || hops <= 1) return
    bytes[start + AT_HOPS] = hops - 1
    next.link.sendWithin(bytes, start, end)
  }

  /** The next node on the way to a name; `from` is where the frame came from. */
  choose(key: string, from: Link | undefined): Next {
    const { nameKey: own, isRouter, nowS } = this.#machine
    const routes = this.#table.routes(key)
    if (key === own || routes?.some(({ origin }) => origin === 'own') === true) return LOCAL
    if (from !== undefined && !isRouter) return refuse('NO_ROUTE', 'this node is no router')
    const direct = this.#links.toPeer(key)
    if (direct !== undefined && direct !== from) return { type: 'link', link: direct }
    const route = this.#table.best(key, nowS, from)
    if (route?.link !== undefined) {
      if (route.origin === 'learned') this.#renew(route, from)
      const why = this.#refusal(from, route)
      return why === undefined ? { type: 'link', link: route.link } : refuse('POLICY_REFUSED', why)
    }
    const absence = this.#lookups.absence(key)
    if (absence === 'POLICY_REFUSED') return refuse(absence, 'its policy keeps it off this way')
    if (absence !== undefined) return refuse('NO_ROUTE', 'nobody is known to serve this name')
    return ASK
  }

  /** Asks again for a route that is in use, before it is too old to be used. */
  #renew(route: Route, from: Link | undefined): void {
    const { nowS, limits } = this.#machine
    const { key, expiresS } = route
    if (expiresS - nowS > limits.learnedUs / 2_000_000 || this.#renewing.has(key)) return
    this.#renewing.add(key)
    const options = { except: from, hopsLeft: limits.lookupHopsMax, wantsAll: false }
    this.#lookups.ask(routeName(route), options, () => this.#renewing.delete(key))
  }

  /** Why a frame from that router must not go on: it has passed a domain that it may not pass. */
  #refusal(from: Link | undefined, route: Route): string | undefined {
    if (from?.up.isRouter !== true) return undefined
    return carryRefusal(readRoutePolicy(this.#machine, route), from.domain)
  }

  #decide(link: Link, entry: InLabel): void {
    const next = this.choose(entry.destinationKey, link)
    const isLasting = next.type === 'link' || next.type === 'local'
    entry.generation = isLasting ? this.#table.generation : NEVER
    if (next.type !== 'link' || entry.next?.type !== 'link' || entry.next.link !== next.link) {
      entry.out = undefined
    }
    entry.next = next
  }

  #route(data: Data, from: Link | undefined, next: Next): void {
    const { destination, source, payload } = data
    switch (next.type) {
      case 'local':
        this.#machine.counters.deliveredFrames++
        this.#machine.emit({ type: 'deliver', source, destination, payload })
        return
      case 'refuse':
        this.#refuse(data, from, next.code, next.message)
        return
      case 'ask':
        this.#park(data, from)
        return
      case 'link':
        if (data.hops <= 1) this.#refuse(data, from, 'HOPS_EXCEEDED', 'too many routers')
        else this.#sendOn(data, next.link)
    }
  }

  #sendOn({ destination, source, flags, hops, payload }: Data, link: Link): void {
    this.#count(payload.length)
    const pair = this.#keyOf(destination) + this.#keyOf(source)
    const out = link.labelFor(pair, destination, source)
    if (out !== undefined) link.sendLabelled(out, flags, hops - 1, payload)
    else link.sendParts(dataHead(destination, source, flags, hops - 1, payload.length), payload)
  }

  #count(byteLength: number): void {
    this.#machine.counters.forwardedFrames++
    this.#machine.counters.forwardedBytes += byteLength
  }

  /** Keeps a frame until it is known where its destination is. */
  #park(data: Data, from: Link | undefined): void {
    const { limits, counters } = this.#machine
    const key = nameKey(data.destination)
    const parked = this.#parkedBytes.get(key) ?? 0
    const bytes = data.payload.length + DATA_HEAD_BYTES
    if (parked + bytes > limits.parkedBytesMax) {
      counters.droppedFrames++
      return
    }
    this.#parkedBytes.set(key, parked + bytes)
    // What was received lies in a piece that others use, and would be kept whole.
    const kept = from === undefined ? data : { ...data, payload: new Uint8Array(data.payload) }
    const options = { except: from, hopsLeft: limits.lookupHopsMax, wantsAll: false }
    this.#lookups.ask(data.destination, options, () => {
      const left = (this.#parkedBytes.get(key) ?? 0) - bytes
      if (left > 0) this.#parkedBytes.set(key, left)
      else this.#parkedBytes.delete(key)
      const next = this.choose(key, from)
      this.#route(kept, from, next.type === 'ask' ? NOWHERE : next)
    })
  }

  #refuse(data: Data, from: Link | undefined, code: UnreachableCode, message: string): void {
    const { source, destination } = data
    const refusal: Unreachable = { source, destination, by: this.#machine.name, code, message }
    this.#machine.counters.unreachableFrames++
    if (from === undefined) {
      this.#report(refusal, false)
      return
    }
    // Back where it came from: whoever sent it here has to hear that this way leads nowhere.
    if (this.#hasBudget(from)) from.send(unreachableFrame(refusal, this.#machine.limits.hopsMax))
  }

  #hasBudget(link: Link): boolean {
    const { nowUs, limits } = this.#machine
    if (Math.abs(nowUs - link.refusalsSinceUs) >= SECOND_US) {
      link.refusalsSinceUs = nowUs
      link.refusals = 0
    }
    return link.refusals++ < limits.unreachablePerSecondMax
  }

  /** To the sessions of this node. A way that is gone may have another one beside it. */
  #report({ destination, by, code, message }: Unreachable, isOtherWayPossible: boolean): void {
    if (!isOtherWayPossible) {
      this.#machine.emit({ type: 'unreachable', destination, code, by, message })
    } else if (this.#mayTryAgain(nameKey(destination))) {
      this.#machine.emit({ type: 'path-changed', destination })
    }
  }

  /** Routers that contradict each other must not have everything sent again with each answer. */
  #mayTryAgain(key: string): boolean {
    const { nowUs, limits } = this.#machine
    const triedUs = this.#triedUs.get(key)
    if (triedUs !== undefined && nowUs - triedUs < SECOND_US) return false
    this.#triedUs.delete(key)
    this.#triedUs.set(key, nowUs)
    if (this.#triedUs.size > limits.lookupsMax) {
      this.#triedUs.delete(this.#triedUs.keys().next().value as string)
    }
    return true
  }
}

/** Who is no router speaks for itself only. @throws {ProtocolError} `PROTOCOL_ERROR` */
function checkSource(link: Link, sourceKey: string): void {
  if (link.up.isRouter || sourceKey === link.up.key) return
  throw new ProtocolError('PROTOCOL_ERROR', 'a node that is no router forwards for others')
}

const NOWHERE: Next = refuse('NO_ROUTE', 'nobody is known to serve this name')

function refuse(code: UnreachableCode, message: string): Next {
  return { type: 'refuse', code, message }
}

function labelledData(entry: InLabel, bytes: Uint8Array, start: number, end: number): Data {
  return {
    destination: entry.destination,
    source: entry.source,
    flags: bytes[start + AT_FLAGS] as number,
    hops: bytes[start + AT_HOPS] as number,
    payload: bytes.subarray(start + LABELLED_HEAD_BYTES, end),
  }
}
