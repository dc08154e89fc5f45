/**
 * What is wrong with a node, in words and codes that an operator can act on.
 *
 * A pure function of its status. A node is *well* while it can serve what it holds: a neighbor
 * that is away is worth a line and no restart. Rule ND11 of docs/spec/node.md.
 *
 * @module
 */
import { ERROR_CODES, type ErrorCode } from '@longshore/capsule'
import type { NeighborStatus } from './node-status.ts'

export interface NodeProblem {
  readonly code: ErrorCode
  readonly message: string
  /** What to do. */
  readonly next: string
}

export interface HealthFacts {
  /** What ended the store, if something did. */
  readonly storeError: { readonly code: ErrorCode; readonly message: string } | undefined
  readonly isDraining: boolean
  readonly freeBytes: number
  readonly isMirror: boolean
  /** Capsules of which a part was lost on this disk, and those that are filled again. */
  readonly damaged: number
  readonly mending: number
  readonly neighbors: readonly NeighborStatus[]
  /** Of the membership; undefined if there is none. */
  readonly memberUntilS: number | undefined
  /** Why there is no membership although one is in the data directory. */
  readonly membershipError: { readonly code: ErrorCode; readonly message: string } | undefined
  readonly nowS: number
}

/** A membership is renewed by people: say so before it ends. */
const MEMBERSHIP_WARNING_S = 7 * 86_400

export interface NodeHealth {
  /** It can serve what it holds. */
  readonly ok: boolean
  readonly problems: readonly NodeProblem[]
}

export function judgeHealth(facts: HealthFacts): NodeHealth {
  const problems: NodeProblem[] = []
  const add = (code: ErrorCode, message: string): void => {
    problems.push({ code, message, next: ERROR_CODES[code].next })
  }
  const { storeError, membershipError, memberUntilS, nowS } = facts
  if (storeError !== undefined) add(storeError.code, storeError.message)
  if (facts.isDraining) add('CLOSED', 'the node was told to stop')
  if (facts.isMirror && facts.freeBytes === 0) {
    add('STORE_FULL', 'nothing more is accepted: the disk or the quota is full')
  }
  if (facts.damaged > 0) {
    const count = facts.damaged === 1 ? 'a capsule is' : `${facts.damaged} capsules are`
    const message = `${count} damaged on this disk, and no other mirror has shown a whole copy yet`
    add('STORE_CORRUPT', message)
  }
  if (facts.mending > 0) {
    const count = facts.mending === 1 ? 'a capsule is' : `${facts.mending} capsules are`
    add('PAYLOAD_ABSENT', `${count} being filled again by other mirrors`)
  }
  for (const { principal, up, failures, reason } of facts.neighbors) {
    if (!up && failures > 0) add('PEER_LOST', `no link to ${principal}: ${reason}`)
  }
  if (membershipError !== undefined) add(membershipError.code, membershipError.message)
  if (memberUntilS !== undefined && memberUntilS - nowS < MEMBERSHIP_WARNING_S) {
    const days = Math.max(0, Math.floor((memberUntilS - nowS) / 86_400))
    add('CERT_EXPIRED', `the membership in the domain ends in ${days} days`)
  }
  return { ok: storeError === undefined && !facts.isDraining, problems }
}
