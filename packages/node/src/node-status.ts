/**
 * What a node is at, for its operator: `longshore node status`, `/metrics` and `/healthz` show it.
 * docs/spec/cli/node-status.schema.json describes it.
 *
 * @module
 */
import { type ErrorCode, formatName, MAIN_BRANCH } from '@longshore/capsule'
import {
  committedHead,
  type DiskStore,
  type Mirror,
  type NodeEngine,
  pendingImport,
} from '@longshore/engine'
import type { NodeProblem } from './node-health.ts'

/** More are counted and not listed. */
const CAPSULES_LISTED_MAX = 1000

export interface NodeStatus {
  readonly principal: string
  readonly version: string
  readonly state: 'running' | 'draining'
  readonly uptimeS: number
  readonly roles: readonly string[]
  readonly listen: readonly string[]
  readonly http: string | null
  readonly ticket: string | null
  readonly domain: { readonly name: string; readonly notAfterS: number } | null
  readonly problems: readonly NodeProblem[]
  readonly neighbors: readonly NeighborStatus[]
  readonly links: readonly LinkStatus[]
  /** Connections that have not said who they are. */
  readonly strangers: number
  /** Names to which the node knows a way. */
  readonly routes: number
  readonly sessions: number
  readonly mirror: MirrorReport | null
  readonly store: { readonly journalBytes: number; readonly freeBytes: number }
  readonly counters: CounterReport
  readonly refusedNames: Readonly<Record<string, number>>
}

/** Somebody that the node was told to join. */
export interface NeighborStatus {
  readonly principal: string
  readonly addresses: readonly string[]
  readonly up: boolean
  /** Attempts since it was up last. */
  readonly failures: number
  readonly reason: string
}

export interface LinkStatus {
  readonly principal: string
  readonly remote: string
  readonly dialled: boolean
  readonly router: boolean
  readonly domain: string | null
  /** Measured round trip; null before the first measurement. */
  readonly costUs: number | null
  readonly queueBytes: number
  readonly droppedBytes: number
  readonly receivedBytes: number
  readonly sentBytes: number
}

export interface CapsuleStatus {
  readonly name: string
  readonly size: number
  /** Entries of the main branch that are known to exist and are not in force here yet. */
  readonly lag: number
}

export interface MirrorReport {
  readonly capsuleCount: number
  readonly capsules: readonly CapsuleStatus[]
  readonly pushes: number
  readonly followers: number
  readonly pendingBytes: number
  readonly commits: number
  readonly entries: number
  readonly receipts: number
  readonly offers: number
  /** Capsules of which a part was lost on this disk. */
  readonly damaged: number
  /** Capsules that are being filled again by other mirrors. */
  readonly mending: number
  /** Capsules that were mended since the start. */
  readonly mended: number
  readonly refusals: Readonly<Record<string, number>>
}

export interface CounterReport {
  readonly forwardedFrames: number
  readonly forwardedBytes: number
  readonly deliveredFrames: number
  readonly droppedFrames: number
  readonly unreachableFrames: number
  readonly lookups: number
  readonly protocolErrors: number
  readonly refusedPackets: number
}

export function neighborStatus({ overlay }: NodeEngine): NeighborStatus[] {
  const up = new Set([...overlay.links].map((link) => link.join))
  return [...overlay.joins].map((join) => ({
    principal: formatName(join.ticket.name),
    addresses: join.ticket.addresses,
    up: up.has(join),
    failures: join.failures,
    reason: join.reason,
  }))
}

export function linkStatus({ overlay }: NodeEngine): LinkStatus[] {
  return [...overlay.links].map((link) => ({
    principal: formatName(link.up.name),
    remote: link.remote,
    dialled: link.join !== undefined,
    router: link.up.isRouter,
    domain: link.domain === undefined ? null : formatName(link.domain),
    costUs: link.rttUs ?? null,
    queueBytes: link.out.waitingBytes,
    droppedBytes: link.out.droppedBytes,
    receivedBytes: link.receivedBytes,
    sentBytes: link.sentBytes,
  }))
}

export function mirrorReport(
  mirror: Mirror | undefined,
  engine: NodeEngine,
  store: DiskStore,
): MirrorReport | null {
  if (mirror === undefined) return null
  const { pushes, followers, pendingBytes, damaged, mending } = mirror.status
  const { commits, entries, receipts, offers, mended, refusals } = mirror.counters
  return {
    capsuleCount: engine.advertisedCount,
    capsules: capsuleStatus(engine, store),
    ...{ pushes, followers, pendingBytes, commits, entries, receipts, offers },
    ...{ damaged, mending, mended },
    refusals: countsByCode(refusals),
  }
}

export function counterReport({ overlay, sessions }: NodeEngine): CounterReport {
  const { counters } = overlay
  return {
    forwardedFrames: counters.forwardedFrames,
    forwardedBytes: counters.forwardedBytes,
    deliveredFrames: counters.deliveredFrames,
    droppedFrames: counters.droppedFrames,
    unreachableFrames: counters.unreachableFrames,
    lookups: counters.lookups,
    protocolErrors: counters.protocolErrors,
    refusedPackets: sessions.refusedCount,
  }
}

export function countsByCode(counts: ReadonlyMap<ErrorCode, number>): Record<string, number> {
  return Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1)))
}

function capsuleStatus(engine: NodeEngine, store: DiskStore): CapsuleStatus[] {
  const listed: CapsuleStatus[] = []
  for (const name of engine.advertised()) {
    if (listed.length === CAPSULES_LISTED_MAX) break
    const size = committedHead(store, name, MAIN_BRANCH)?.size ?? 0
    const target = pendingImport(store, name, MAIN_BRANCH)?.target.size ?? size
    listed.push({ name: formatName(name), size, lag: Math.max(0, target - size) })
  }
  return listed
}
