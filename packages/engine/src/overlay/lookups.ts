/**
 * Names that the own table does not know: asks the next tier, verifies what it answers, and
 * remembers for a moment what is nowhere.
 *
 * Everybody who waits for the same name waits for the same question. Rules OV26 to OV31 of
 * docs/spec/overlay.md.
 *
 * @module
 */
import {
  bytesEqual,
  type CapsuleName,
  type ErrorCode,
  isLongshoreError,
  openManifest,
  ProtocolError,
} from '@longshore/capsule'
import { nameKey } from '../store/branch-key.ts'
import {
  encodeControl,
  type Fields,
  foundValue,
  type RouteGroup,
  readFound,
  readLookup,
} from './control-frame.ts'
import { carriageBytes, verifyCarriage, verifyName } from './evidence.ts'
import { FOUND } from './frame.ts'
import type { Link } from './link.ts'
import type { LookupTier } from './lookup-tier.ts'
import type { Machine } from './machine.ts'
import { carryRefusal } from './policy.ts'
import { readEvidence, readRoutePolicy } from './route-evidence.ts'
import { type Route, type RouteTable, routeCostUs } from './route-table.ts'
import type { RtCerts } from './rt-certs.ts'
import type { Timer } from './timers.ts'

/** Why a name was not found; undefined if the table has a route now. */
export type OnLookup = (code: ErrorCode | undefined) => void

interface Waiter {
  readonly done: OnLookup
  /** Wants every answer and not only the first. */
  readonly wantsAll: boolean
}

interface Pending {
  readonly name: CapsuleName
  readonly key: string
  /** Tells apart who is not asked. */
  readonly question: string
  waiters: Waiter[]
  /** Answers still to come. */
  openCount: number
  isFound: boolean
  code: ErrorCode
  timer: Timer | undefined
}

interface Absence {
  readonly untilUs: number
  readonly code: ErrorCode
}

const UINT32_MAX = 0xffff_ffff
/** Certificates and manifests of one answer, so that it fits into a frame. */
const ANSWER_BYTES_MAX = 786_432

export class Lookups {
  readonly #machine: Machine
  readonly #table: RouteTable
  readonly #rtCerts: RtCerts
  readonly #tier: LookupTier
  readonly #pending = new Map<string, Pending>()
  readonly #requests = new Map<number, { readonly pending: Pending; readonly link: Link }>()
  readonly #absent = new Map<string, Absence>()
  #lastRequest = 0

  constructor(machine: Machine, table: RouteTable, rtCerts: RtCerts, tier: LookupTier) {
    this.#machine = machine
    this.#table = table
    this.#rtCerts = rtCerts
    this.#tier = tier
  }

  /** Why a name is known to be nowhere; undefined if it is not, or no longer. */
  absence(key: string): ErrorCode | undefined {
    const absence = this.#absent.get(key)
    if (absence === undefined) return undefined
    if (absence.untilUs > this.#machine.nowUs) return absence.code
    this.#absent.delete(key)
    return undefined
  }

  /** A name may be somewhere now: it was advertised, or there is somebody new to ask. */
  forgetAbsence(key?: string): void {
    if (key === undefined) this.#absent.clear()
    else this.#absent.delete(key)
  }

  /** `except` asks us itself, so it is not asked. `done` may be called at once. */
  ask(
    name: CapsuleName,
    options: { except: Link | undefined; hopsLeft: number; wantsAll: boolean },
    done: OnLookup,
  ): void {
    const key = nameKey(name)
    const except = options.except?.join === undefined ? undefined : options.except
    const question = `${key}${except?.connection ?? ''}`
    const known = this.#pending.get(question)
    const { limits } = this.#machine
    const absence = this.absence(key)
    const isFull =
      known === undefined
        ? this.#pending.size >= limits.lookupsMax
        : known.waiters.length >= limits.waitersMax
    const waiter: Waiter = { done, wantsAll: options.wantsAll }
    if (absence !== undefined) done(absence)
    else if (isFull) done('OVERLOADED')
    else if (known !== undefined) known.waiters.push(waiter)
    else this.#start({ name, key, question, waiter }, except, options.hopsLeft)
  }

  #start(
    asked: Pick<Pending, 'name' | 'key' | 'question'> & { readonly waiter: Waiter },
    except: Link | undefined,
    hopsLeft: number,
  ): void {
    const { limits, timers, nowUs, counters } = this.#machine
    const { name, key, question, waiter } = asked
    const pending: Pending = {
      ...{ name, key, question, waiters: [waiter], openCount: 0, isFound: false },
      ...{ code: 'NO_ROUTE', timer: undefined },
    }
    this.#pending.set(question, pending)
    counters.lookups++
    this.#tier.ask({ name, hopsLeft, except }, (link) => {
      this.#lastRequest = (this.#lastRequest + 1) >>> 0
      this.#requests.set(this.#lastRequest, { pending, link })
      pending.openCount++
      return this.#lastRequest
    })
    if (pending.openCount === 0) this.#finish(pending, false)
    else pending.timer = timers.schedule(nowUs + limits.lookupUs, () => this.#finish(pending))
  }

  /** The link is gone, and with it the answers that were to come over it. */
  down(link: Link): void {
    for (const [request, open] of [...this.#requests]) {
      if (open.link === link) this.#answered(request, open.pending)
    }
  }

  found(link: Link, fields: Fields): void {
    const { request, code, entries } = readFound(fields)
    const open = this.#requests.get(request)
    // Late: its time was over. An answer to a question of another link is none.
    if (open === undefined || open.link !== link) return
    const { pending } = open
    for (const entry of entries) this.#learn(link, pending, entry)
    if (code === 'POLICY_REFUSED') pending.code = code
    if (pending.isFound) this.#tell(pending, false, undefined)
    this.#answered(request, pending)
  }

  /** A neighbor asks. */
  lookup(link: Link, fields: Fields): void {
    const { request, name, hopsLeft } = readLookup(fields)
    const reply = (code: ErrorCode | undefined): void => {
      if (!link.isClosed) link.send(encodeControl(FOUND, this.#answer(link, request, name, code)))
    }
    const key = nameKey(name)
    const isKnown = this.#candidates(link, key).length > 0
    const { isRouter, limits } = this.#machine
    if (isKnown || hopsLeft === 0 || !isRouter) {
      reply(undefined)
    } else if (link.openLookups >= limits.lookupsPerLinkMax) {
      reply('OVERLOADED')
    } else {
      link.openLookups++
      this.ask(name, { except: link, hopsLeft: hopsLeft - 1, wantsAll: false }, (code) => {
        link.openLookups--
        reply(code)
      })
    }
  }

  #answer(link: Link, request: number, name: CapsuleName, code: ErrorCode | undefined) {
    const candidates = this.#candidates(link, nameKey(name))
    const allowed = candidates.filter((route) => {
      const policy = readRoutePolicy(this.#machine, route)
      return !link.up.isRouter || carryRefusal(policy, link.domain) === undefined
    })
    if (allowed.length === 0) {
      const why = candidates.length > 0 ? 'POLICY_REFUSED' : (code ?? 'NO_ROUTE')
      return foundValue({ request, code: why, entries: [] })
    }
    const { limits } = this.#machine
    const entries: RouteGroup[] = []
    let byteLength = 0
    for (const route of allowed.slice(0, limits.entriesMax)) {
      const evidence = readEvidence(this.#machine, route)
      if (evidence === undefined) continue
      const { signedManifest } = evidence
      const costUs = Math.min(routeCostUs(route), UINT32_MAX)
      const shared = this.#rtCerts.extend(evidence.carriage, link.up.name)
      byteLength += carriageBytes(shared) + signedManifest.length
      // The cheapest fits by itself; the others are there to choose from.
      if (entries.length > 0 && byteLength > ANSWER_BYTES_MAX) break
      entries.push({ ...shared, names: [{ signedManifest, costUs }] })
    }
    const why = entries.length > 0 ? null : 'NO_ROUTE'
    return foundValue({ request, code: why, entries })
  }

  /** Routes that can be given to this neighbor, the cheapest first. */
  #candidates(link: Link, key: string): Route[] {
    const { nowS, isRouter } = this.#machine
    const routes = (this.#table.routes(key) ?? []).filter((route) => {
      if (route.expiresS < nowS || route.link === link) return false
      // Who is no router leads to itself only.
      if (!isRouter && route.origin !== 'own') return false
      return this.#rtCerts.isExtensible(route.carriage, link.up.name)
    })
    return routes.sort((a, b) => routeCostUs(a) - routeCostUs(b))
  }

  /** Verifies an entry like an advertisement, and installs it for a while. */
  #learn(link: Link, pending: Pending, group: RouteGroup): void {
    const { name: self, nowS, limits, isRouter } = this.#machine
    const [offered] = group.names
    if (offered === undefined || group.names.length > 1) {
      throw new ProtocolError('PROTOCOL_ERROR', 'an entry of an answer has one name')
    }
    try {
      const capsule = openManifest(offered.signedManifest)
      if (!bytesEqual(capsule.name, pending.name)) return
      const carriage = verifyCarriage(group, link.up.name, self, nowS)
      const proven = verifyName(carriage, capsule, offered.costUs, nowS)
      const { server } = carriage
      const { policy } = capsule.manifest
      const isOverRouter = !bytesEqual(server, link.up.name)
      if (
        (isRouter && carryRefusal(policy, this.#machine.membership?.domain) !== undefined) ||
        (isOverRouter && carryRefusal(policy, link.domain) !== undefined)
      ) {
        pending.code = 'POLICY_REFUSED'
        return
      }
      const untilS = nowS + Math.ceil(limits.learnedUs / 1_000_000)
      const expiresS = Math.min(proven.expiresS, untilS)
      this.#table.install({ ...proven, expiresS }, 'learned', link)
      pending.isFound = true
    } catch (error) {
      if (!isLongshoreError(error)) throw error
      this.#machine.recordRefusal(pending.name, link.up.name, error.code)
    }
  }

  #answered(request: number, pending: Pending): void {
    this.#requests.delete(request)
    if (--pending.openCount === 0) this.#finish(pending)
  }

  #finish(pending: Pending, wasAsked = true): void {
    if (this.#pending.get(pending.question) !== pending) return
    this.#pending.delete(pending.question)
    this.#machine.timers.cancel(pending.timer)
    for (const [request, open] of this.#requests) {
      if (open.pending === pending) this.#requests.delete(request)
    }
    // Only what everybody was asked, and somebody was, says that a name is nowhere.
    const isAbsent = wasAsked && !pending.isFound && pending.question === pending.key
    if (isAbsent) this.#noteAbsence(pending)
    this.#tell(pending, true, pending.isFound ? undefined : pending.code)
  }

  #noteAbsence({ key, code }: Pending): void {
    const { nowUs, limits } = this.#machine
    this.#absent.delete(key)
    this.#absent.set(key, { untilUs: nowUs + limits.absentUs, code })
    if (this.#absent.size > limits.absentMax) {
      this.#absent.delete(this.#absent.keys().next().value as string)
    }
  }

  #tell(pending: Pending, isLast: boolean, code: ErrorCode | undefined): void {
    const { waiters } = pending
    pending.waiters = isLast ? [] : waiters.filter(({ wantsAll }) => wantsAll)
    for (const { done, wantsAll } of waiters) if (isLast || !wantsAll) done(code)
  }
}
