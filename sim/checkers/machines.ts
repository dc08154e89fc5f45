/**
 * Checks of what lies in the machines: stores against truth and receipts (I3, I8), routes against
 * certificates and policies (I5), tables and queues against their limits (I6).
 *
 * @module
 */
import {
  bytesEqual,
  type CapsuleName,
  decodeCertChain,
  MAIN_BRANCH,
  type SignedManifest,
  verifyAdChain,
} from '@longshore/capsule'
import { OVERLAY_LIMITS, type RouteEntry } from '@longshore/engine'
import type { SimNode } from '@longshore/engine/testing'
import type { Truth } from '../truth.ts'
import { hold, Violation } from '../violation.ts'

/** A router that has just swept may keep what expired since. */
const ROUTE_LAG_S = 20

/** What a mirror said is durable is there, whatever has happened to it. */
export function checkStated(node: SimNode, stated: ReadonlyMap<Truth, number> | undefined): void {
  for (const [truth, size] of stated ?? []) {
    const held = node.store.state(truth.name, MAIN_BRANCH)?.size ?? 0
    hold('I3', held >= size, () => {
      return `${node.name} stated ${size} entries of ${truth.label} and holds ${held}`
    })
  }
}

/** What is there is what was committed, as far as it goes. */
export function checkSound(node: SimNode, truth: Truth): void {
  const held = node.store.state(truth.name, MAIN_BRANCH)
  if (held === undefined) return
  const size = Math.min(truth.size, held.size)
  for (const entry of node.store.scan(truth.name, MAIN_BRANCH, { start: 0, end: size })) {
    if (entry.body === undefined || !truth.isCorrect) continue
    const payload = truth.payload(entry.index) ?? new Uint8Array(0)
    hold('I1', bytesEqual(entry.body, payload), () => {
      return `${node.name}, ${truth.label}: fsck overlooks another payload at ${entry.index}`
    })
  }
}

/** Everything that was committed is there, and nothing that was erased. */
export function checkCopy(node: SimNode, truth: Truth): void {
  const where = `${node.name}, ${truth.label}`
  const size = node.store.state(truth.name, MAIN_BRANCH)?.size ?? 0
  hold('I8', size === truth.size, () => `${where}: ${size} of ${truth.size} entries`)
  // A capsule that nobody wrote to may not have come here yet.
  if (size === 0) return
  let index = 0
  for (const entry of node.store.scan(truth.name, MAIN_BRANCH, { start: 0, end: size })) {
    const expected = truth.erased.has(index) ? 'erased' : 'present'
    hold('I8', entry.state === expected, () => {
      return `${where}: the payload of ${index} is ${entry.state}, not ${expected}`
    })
    if (entry.body !== undefined) {
      const payload = truth.payload(index) ?? new Uint8Array(0)
      hold('I1', bytesEqual(entry.body, payload), () => `${where}: another payload at ${index}`)
    }
    index++
  }
}

/** Whether a node that serves a name may do so; answers are kept, a world asks very often. */
export class RouteChecker {
  readonly #domainsOf: (node: CapsuleName) => readonly CapsuleName[]
  /** Chains that were found good, with the name and the server for which they are. */
  readonly #known = new Set<string>()
  /** By name. */
  readonly #capsules = new Map<string, SignedManifest>()

  constructor(domainsOf: (node: CapsuleName) => readonly CapsuleName[]) {
    this.#domainsOf = domainsOf
  }

  check(node: SimNode, nowS: number): void {
    const domains = node.isRouter ? this.#domainsOf(node.identity.name) : []
    for (const route of node.engine.overlay.routes) {
      const capsule = this.#capsuleOf(route)
      this.#checkChain(node, route, capsule)
      const { exclude } = capsule.manifest.policy
      const excluded = exclude.some((name) => domains.some((own) => bytesEqual(own, name)))
      hold('I5', !excluded, () => `${node.name} carries what its domain must not carry`)
      hold('I5', route.expiresS >= nowS - ROUTE_LAG_S, () => `${node.name} keeps a dead route`)
    }
  }

  #capsuleOf(route: RouteEntry): SignedManifest {
    const key = textOf(route.name)
    const capsule = this.#capsules.get(key) ?? route.capsule
    this.#capsules.set(key, capsule)
    return capsule
  }

  #checkChain(
    node: SimNode,
    { chain, server, expiresS }: RouteEntry,
    capsule: SignedManifest,
  ): void {
    if (chain === null) {
      const isOwn = bytesEqual(capsule.name, server)
      hold('I5', isOwn, () => `${node.name} routes a capsule to a node without a chain`)
      return
    }
    const key = textOf(capsule.name) + textOf(server) + textOf(chain)
    if (this.#known.has(key)) return
    try {
      const atS = expiresS
      const domains = this.#domainsOf(server)
      const right = 'advertise'
      verifyAdChain(decodeCertChain(chain), { capsule, subject: server, right, atS, domains })
    } catch (error) {
      throw new Violation('I5', `${node.name} routes without a valid chain: ${String(error)}`)
    }
    this.#known.add(key)
  }
}

function textOf(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes)
}

/** Tables and queues of a node, against the limits that bound its memory. */
export function checkLimits(node: SimNode): void {
  const { overlay } = node.engine
  const { linksMax, queueBytesMax, controlBytesMax } = OVERLAY_LIMITS
  const { namesPerLinkMax, learnedMax, candidatesMax } = OVERLAY_LIMITS
  let links = 0
  for (const link of overlay.links) {
    links++
    const waiting = link.out.waitingBytes
    const most = queueBytesMax + controlBytesMax
    hold('I6', waiting <= most, () => `${node.name}: ${waiting} bytes wait for one link`)
  }
  hold('I6', links <= linksMax, () => `${node.name} has ${links} links`)
  let routes = 0
  for (const _route of overlay.routes) routes++
  const most = (links * namesPerLinkMax + learnedMax) * candidatesMax
  hold('I6', routes <= most, () => `${node.name} knows ${routes} routes`)
}
