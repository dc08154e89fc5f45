/**
 * Which way a name is reached, hop by hop: who forwards, in which domain, at which measured cost,
 * and by which certificate.
 *
 * Each node asks the next one and puts itself in front of the answer. What a hop says about itself
 * is its claim; the certificate that it names can be looked up. Rules OV48 to OV50 of
 * docs/spec/overlay.md.
 *
 * @module
 */
import type { CapsuleName, ErrorCode } from '@longshore/capsule'
import { nameKey } from '../store/branch-key.ts'
import {
  encodeControl,
  type Fields,
  lookupValue,
  readLookup,
  readTraceAnswer,
  type TraceHop,
  traceAnswerValue,
} from './control-frame.ts'
import { evidenceHash } from './evidence.ts'
import type { Forwarder } from './forwarder.ts'
import { TRACE, TRACED } from './frame.ts'
import type { Link } from './link.ts'
import type { Lookups } from './lookups.ts'
import type { Machine } from './machine.ts'
import type { Next } from './next.ts'
import { readEvidence } from './route-evidence.ts'
import type { RouteTable } from './route-table.ts'
import type { Timer } from './timers.ts'

type OnTraced = (hops: readonly TraceHop[], code: ErrorCode | null) => void

interface Open {
  readonly link: Link
  readonly done: OnTraced
  readonly timer: Timer
}

export class Tracer {
  readonly #machine: Machine
  readonly #table: RouteTable
  readonly #lookups: Lookups
  readonly #forwarder: Forwarder
  readonly #open = new Map<number, Open>()
  #lastRequest = 0

  constructor(machine: Machine, table: RouteTable, lookups: Lookups, forwarder: Forwarder) {
    this.#machine = machine
    this.#table = table
    this.#lookups = lookups
    this.#forwarder = forwarder
  }

  trace(request: number, name: CapsuleName): void {
    this.#run(name, undefined, this.#machine.limits.hopsMax, (hops, code) => {
      this.#machine.emit({ type: 'traced', request, name, hops, code: code ?? undefined })
    })
  }

  asked(link: Link, fields: Fields): void {
    const { request, name, hopsLeft } = readLookup(fields)
    this.#run(name, link, hopsLeft, (hops, code) => {
      link.send(encodeControl(TRACED, traceAnswerValue({ request, code, hops })))
    })
  }

  answered(link: Link, fields: Fields): void {
    const { request, hops, code } = readTraceAnswer(fields)
    const open = this.#open.get(request)
    if (open === undefined || open.link !== link) return
    this.#close(request, open)
    open.done(hops.slice(0, this.#machine.limits.hopsMax - 1), code)
  }

  down(link: Link): void {
    for (const [request, open] of [...this.#open]) {
      if (open.link !== link) continue
      this.#close(request, open)
      open.done([], 'PEER_LOST')
    }
  }

  #close(request: number, open: Open): void {
    this.#open.delete(request)
    this.#machine.timers.cancel(open.timer)
  }

  #run(name: CapsuleName, from: Link | undefined, hopsLeft: number, done: OnTraced): void {
    const next = this.#forwarder.choose(nameKey(name), from)
    if (next.type !== 'ask') {
      this.#follow(name, from, hopsLeft, done)
      return
    }
    const options = {
      ...{ except: from, hopsLeft: this.#machine.limits.lookupHopsMax, wantsAll: false },
    }
    this.#lookups.ask(name, options, () => this.#follow(name, from, hopsLeft, done))
  }

  #follow(name: CapsuleName, from: Link | undefined, hopsLeft: number, done: OnTraced): void {
    const { name: principal, membership, limits, timers, nowUs } = this.#machine
    const next = this.#forwarder.choose(nameKey(name), from)
    const domain = membership?.domain ?? null
    const here = { principal, domain, evidence: this.#evidence(name, from) }
    if (next.type !== 'link' || hopsLeft <= 1 || this.#open.size >= limits.tracesMax) {
      done([{ ...here, costUs: 0 }], endCode(next, hopsLeft))
      return
    }
    const { link } = next
    const request = (this.#lastRequest = (this.#lastRequest + 1) >>> 0)
    const answer: OnTraced = (hops, code) => done([{ ...here, costUs: link.costUs }, ...hops], code)
    const timer = timers.schedule(nowUs + limits.traceUs, () => {
      this.#open.delete(request)
      answer([], 'PEER_LOST')
    })
    this.#open.set(request, { link, done: answer, timer })
    link.send(encodeControl(TRACE, lookupValue({ request, name, hopsLeft: hopsLeft - 1 })))
  }

  #evidence(name: CapsuleName, from: Link | undefined): Uint8Array | null {
    const route = this.#table.best(nameKey(name), this.#machine.nowS, from)
    const evidence = route === undefined ? undefined : readEvidence(this.#machine, route)
    return evidence === undefined ? null : evidenceHash(evidence.carriage)
  }
}

/** Why a trace ends at a node; null if the node serves the name. */
function endCode(next: Next, hopsLeft: number): ErrorCode | null {
  switch (next.type) {
    case 'local':
      return null
    case 'refuse':
      return next.code
    case 'ask':
      return 'NO_ROUTE'
    case 'link':
      return hopsLeft <= 1 ? 'HOPS_EXCEEDED' : 'OVERLOADED'
  }
}
