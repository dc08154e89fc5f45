/**
 * Anti-entropy: a mirror compares its heads with those of other mirrors and pulls what it lacks.
 *
 * Per session one branch at a time, and of it one question at a time:
 *
 *     present → presented → open → opened → range* → bodies* → the next branch
 *
 * Everything is verified and committed like what is pushed; credit bounds what is on its way. It
 * only pulls: the other side does the same. A round that is cut off has lost nothing, the next one
 * goes on where the store is. A new mirror is filled in this way. Rules MI21-MI25 of
 * docs/spec/mirror.md.
 *
 * @module
 */
import {
  bytesEqual,
  type CapsuleName,
  type Head,
  isLongshoreError,
  MAIN_BRANCH,
  manifestKey,
  openManifest,
  type SignedManifest,
  VerificationError,
  verifyHeartbeat,
} from '@longshore/capsule'
import { branchKey, nameKey } from '../store/branch-key.ts'
import type { StoreOp, StoreReader } from '../store/store.ts'
import { decodeBodies } from './bodies-message.ts'
import type { BranchIntake } from './branch-intake.ts'
import { readChain } from './chain-notes.ts'
import type { BranchPlace } from './entries-source.ts'
import { type HeadVerdict, isContinued, judgeByPath, judgeByTree } from './equivocation.ts'
import type { Intakes } from './intakes.ts'
import { BODY_INDICES_MAX, PRESENTED_CHAINS_MAX, type ReplicaLimits } from './limits.ts'
import type { Mender } from './mender.ts'
import type { MessageOf, ReplicaMessage } from './messages.ts'
import type { MirrorEffect, SessionId } from './mirror-contract.ts'
import type { MirrorSession, MirrorSessions, Unnumbered } from './mirror-sessions.ts'
import { type EntriesVerifier, HeadVerifier } from './verify-entries.ts'

/** Indices looked at for one question about payloads. */
const HOLES_SCAN_MAX = 4096

export interface SyncParts {
  readonly store: StoreReader
  readonly intakes: Intakes
  readonly sessions: MirrorSessions
  readonly verifier: EntriesVerifier
  readonly limits: ReplicaLimits
  nowUs(): number
  /** A statement that says a later second is from a clock that is wrong. */
  latestS(): number
  readonly mender: Mender
  /** Stores a manifest again that was lost. */
  restore(signed: SignedManifest): MirrorEffect[]
  /** The copy of a capsule can be replaced now; `ops` do it. */
  replace(name: CapsuleName, ops: readonly StoreOp[]): MirrorEffect[]
  /** Throws while nothing may be accepted. */
  checkAccepting(messageBytes: number): void
  /** Bytes that are held until the next commit. */
  owe(session: SessionId, bytes: number): void
  /** Shows in which domains this node holds copies, encoded. */
  memberships(): readonly Uint8Array[]
}

/** The comparison of all branches that are shared with one other mirror. */
interface Round {
  readonly session: MirrorSession
  readonly other: string
  /** Not looked at yet. */
  readonly queue: BranchPlace[]
  /** So that a branch that was named twice is looked at once. */
  readonly seen: Set<string>
}

/** One branch of a round. */
interface Visit {
  readonly round: Round
  readonly place: BranchPlace
  /** Of the other side, verified. */
  readonly head: Head
  /** Holes below were asked for in this visit. */
  holesAt: number
}

/** The question has ended, or it stays open; undefined instead of it gives the branch up. */
type Taken = MirrorEffect[] | { readonly goesOn: MirrorEffect[] }

export class MirrorSync {
  readonly #parts: SyncParts
  /** Capsules that are shared, by the name of the other mirror. */
  readonly #shared = new Map<
    string,
    { readonly other: CapsuleName; readonly names: Map<string, CapsuleName> }
  >()
  readonly #rounds = new Map<SessionId, Round>()
  readonly #wanted = new Set<string>()
  #nextUs = 0

  constructor(parts: SyncParts) {
    this.#parts = parts
  }

  /** These other mirrors hold the capsule: compare with them from now on. */
  learn(name: CapsuleName, others: readonly CapsuleName[]): MirrorEffect[] {
    const effects: MirrorEffect[] = []
    for (const other of others) {
      const key = nameKey(other)
      const shared = this.#shared.get(key) ?? { other, names: new Map() }
      this.#shared.set(key, shared)
      shared.names.set(nameKey(name), name)
      const round = this.#roundWith(key)
      if (round === undefined) effects.push(...this.#want(key, other))
      else effects.push(...this.#add(round, { name, branch: MAIN_BRANCH }))
    }
    return effects
  }

  /** The capsule was dropped: it is compared with nobody any more. */
  forget(name: CapsuleName): void {
    for (const { names } of this.#shared.values()) names.delete(nameKey(name))
  }

  /** Compares the capsule with everybody at once, also where that was just done. */
  compare(name: CapsuleName): MirrorEffect[] {
    const effects: MirrorEffect[] = []
    for (const [key, { other, names }] of this.#shared) {
      if (!names.has(nameKey(name))) continue
      const round = this.#roundWith(key)
      if (round === undefined) effects.push(...this.#want(key, other))
      else {
        for (const seen of round.seen) if (seen.startsWith(nameKey(name))) round.seen.delete(seen)
        effects.push(...this.#add(round, { name, branch: MAIN_BRANCH }))
      }
    }
    return effects
  }

  /** A session that this mirror has opened to another one. */
  opened(session: MirrorSession): MirrorEffect[] {
    const { name } = session.peer
    const shared = name === undefined ? undefined : this.#shared.get(nameKey(name))
    if (name === undefined || shared === undefined) return []
    const other = nameKey(name)
    this.#wanted.delete(other)
    const round: Round = { session, other, queue: [], seen: new Set() }
    this.#rounds.set(session.id, round)
    return this.#restart(round)
  }

  closed(session: SessionId): void {
    this.#rounds.delete(session)
  }

  /** The other mirror cannot be reached: it is tried again with the next interval. */
  unreachable(other: CapsuleName): void {
    this.#wanted.delete(nameKey(other))
  }

  /** Compares again with everybody when it is time. */
  tick(): MirrorEffect[] {
    const nowUs = this.#parts.nowUs()
    if (nowUs < this.#nextUs) return []
    this.#nextUs = nowUs + this.#parts.limits.syncIntervalUs
    const effects: MirrorEffect[] = []
    for (const [key, { other }] of this.#shared) {
      const round = this.#roundWith(key)
      if (round === undefined) effects.push(...this.#want(key, other))
      else if (round.queue.length === 0) effects.push(...this.#restart(round))
    }
    return effects
  }

  #roundWith(other: string): Round | undefined {
    for (const round of this.#rounds.values()) if (round.other === other) return round
    return undefined
  }

  #want(key: string, target: CapsuleName): MirrorEffect[] {
    if (this.#wanted.has(key)) return []
    this.#wanted.add(key)
    return [{ type: 'open-session', target }]
  }

  #restart(round: Round): MirrorEffect[] {
    const isBusy = round.seen.size > 0 && round.queue.length > 0
    if (isBusy) return []
    round.seen.clear()
    const names = this.#shared.get(round.other)?.names.values() ?? []
    const effects: MirrorEffect[] = []
    for (const name of names) effects.push(...this.#add(round, { name, branch: MAIN_BRANCH }))
    return effects
  }

  #add(round: Round, place: BranchPlace): MirrorEffect[] {
    const key = branchKey(place.name, place.branch)
    if (round.seen.has(key)) return []
    round.seen.add(key)
    round.queue.push(place)
    return round.queue.length === 1 ? this.#visit(round, place) : []
  }

  /** The visit of the first branch in the queue is over. */
  #next(round: Round): MirrorEffect[] {
    round.queue.shift()
    const [place] = round.queue
    return place === undefined ? [] : this.#visit(round, place)
  }

  /** What not everybody may read is shown to another mirror of it, too. */
  #visit(round: Round, place: BranchPlace): MirrorEffect[] {
    const { store, intakes, memberships } = this.#parts
    const isPublic = intakes.manifest(place.name)?.manifest.policy.read === 'any'
    const chain = isPublic ? undefined : readChain(store, place.name)
    if (chain === undefined) return this.#describe(round, place)
    const chains = [chain, ...memberships()].slice(0, PRESENTED_CHAINS_MAX)
    return this.#ask(round, { kind: 'present', chains }, () => this.#describe(round, place))
  }

  #describe(round: Round, place: BranchPlace): MirrorEffect[] {
    return this.#ask(round, { kind: 'open', ...place }, (answer) => {
      if (answer instanceof Uint8Array || answer.kind !== 'opened') return undefined
      return this.#compare(round, place, answer)
    })
  }

  #compare(round: Round, place: BranchPlace, opened: MessageOf<'opened'>): MirrorEffect[] {
    const effects: MirrorEffect[] = []
    // Named once, so that a round ends whatever the other side says.
    for (const branch of place.branch.length === 0 ? opened.branches : []) {
      effects.push(...this.#add(round, { name: place.name, branch }))
    }
    const { head } = opened
    const { mender, restore } = this.#parts
    if (mender.isNameless(place.name)) {
      const signed = openManifest(opened.manifest, place.name)
      return [...effects, ...restore(signed), ...this.#next(round)]
    }
    if (head === null) return [...effects, ...this.#next(round)]
    if (mender.isDamaged(place.name)) {
      return [...effects, ...this.#mend(round, place, opened, head)]
    }
    const intake = this.#parts.intakes.open(place.name, place.branch)
    this.#parts.intakes.checkBranch(intake.signed, place.name, place.branch)
    intake.heads.check(head)
    const known = intake.committedHead
    if (known !== undefined && head.size <= known.size) {
      const verdict = judgeByTree(intake.signed.signed, known, head, intake.tiles, intake.nodes)
      if (verdict !== 'consistent') {
        return [...effects, evidence(intake, verdict), ...this.#next(round)]
      }
    }
    effects.push(...this.#takeHeartbeat(intake, opened))
    return [...effects, ...this.#pull({ round, place, head, holesAt: 0 })]
  }

  /** What is damaged here may be replaced by what the other side holds, if it does. */
  #mend(round: Round, place: BranchPlace, opened: MessageOf<'opened'>, head: Head): MirrorEffect[] {
    const { mender, intakes } = this.#parts
    const { name, branch } = place
    const signed = intakes.manifest(name)
    const { cosignature } = opened
    const { mirrorKey } = round.session.peer
    const isStated = cosignature !== null && mirrorKey !== undefined
    if (signed === undefined || !isStated || intakes.isStating(name) || !mender.prepare(name)) {
      return this.#next(round)
    }
    verifyHeartbeat(name, head, cosignature, mirrorKey)
    new HeadVerifier(name, branch, manifestKey(signed.manifest, 'writer')).check(head)
    if (head.size < mender.sizeWanted(name, branch)) return this.#next(round)
    const stated = mender.stated(name, branch)
    if (stated === undefined) return this.#shown(round, place)
    if (stated.size === head.size) {
      return bytesEqual(stated.root, head.root) ? this.#shown(round, place) : this.#next(round)
    }
    const sizes = { oldSize: stated.size, newSize: head.size }
    return this.#ask(round, { kind: 'consistency', name, branch, ...sizes }, (answer) => {
      if (answer instanceof Uint8Array || answer.kind !== 'path') return undefined
      const larger = { size: head.size, root: head.root }
      return isContinued(stated, larger, answer.hashes) ? this.#shown(round, place) : undefined
    })
  }

  #shown(round: Round, { name, branch }: BranchPlace): MirrorEffect[] {
    const ops = this.#parts.mender.shown(round.other, name, branch)
    const replaced = ops === undefined ? [] : this.#parts.replace(name, ops)
    return [...replaced, ...this.#next(round)]
  }

  /** What the writer told the other side is good here, too. */
  #takeHeartbeat(intake: BranchIntake, { head, heartbeat }: MessageOf<'opened'>): MirrorEffect[] {
    if (head === null || heartbeat === null) return []
    const sized = { size: head.size, ...heartbeat }
    const isTaken = intake.takeHeartbeat(sized, this.#parts.latestS())
    return isTaken ? [{ type: 'request-cut' }] : []
  }

  /** The next entries that the other side has and this one lacks; then payloads. */
  #pull(visit: Visit): MirrorEffect[] {
    const { head, round } = visit
    const { name, branch, size: start } = this.#intake(visit)
    if (start >= head.size) return this.#fill(visit)
    const end = Math.min(head.size, start + this.#parts.limits.syncEntriesMax)
    const range = { start, end, size: head.size, wantsBodies: true }
    return this.#ask(round, { kind: 'range', name, branch, ...range }, (answer) => {
      if (answer instanceof Uint8Array) return this.#accept(visit, answer)
      // Without progress it would be asked for ever.
      if (answer.kind !== 'end' || this.#intake(visit).size === start) return undefined
      return this.#pull(visit)
    })
  }

  /** A message of the range: the question stays open. */
  #accept(visit: Visit, message: Uint8Array): Taken {
    const { head, round } = visit
    const { verifier } = this.#parts
    const intake = this.#intake(visit)
    this.#parts.checkAccepting(message.length)
    let added: number
    try {
      added = intake.accept(verifier, head)
    } catch (error) {
      const isOther = error instanceof VerificationError && error.code === 'ROOT_MISMATCH'
      const known = intake.committedHead
      if (!isOther || known === undefined) throw error
      return [consumed(round, message), ...this.#askForProof(visit, known)]
    }
    return this.#held(round, message, added > 0)
  }

  /** Credit for what is held goes back with its commit; for the rest there may be none. */
  #held(round: Round, message: Uint8Array, isHeld: boolean): Taken {
    if (!isHeld) return { goesOn: [consumed(round, message)] }
    this.#parts.owe(round.session.id, message.length)
    return { goesOn: [{ type: 'request-cut' }] }
  }

  #askForProof(visit: Visit, known: Head): MirrorEffect[] {
    const { round, head } = visit
    const intake = this.#intake(visit)
    const { name, branch } = intake
    const sizes = { oldSize: known.size, newSize: head.size }
    return this.#ask(round, { kind: 'consistency', name, branch, ...sizes }, (answer) => {
      if (answer instanceof Uint8Array || answer.kind !== 'path') return undefined
      const verdict = judgeByPath(intake.signed.signed, known, head, answer.hashes)
      const found = verdict === 'consistent' ? [] : [evidence(intake, verdict)]
      return [...found, ...this.#next(round)]
    })
  }

  /** Payloads that are missing here and that the other side may have. */
  #fill(visit: Visit): MirrorEffect[] {
    const { round } = visit
    const { name, branch } = visit.place
    const indices = this.#missing(visit)
    if (indices.length === 0) return this.#next(round)
    return this.#ask(round, { kind: 'bodies', name, branch, indices }, (answer) => {
      if (!(answer instanceof Uint8Array)) {
        return answer.kind === 'end' ? this.#fill(visit) : undefined
      }
      this.#parts.checkAccepting(answer.length)
      const intake = this.#intake(visit)
      let isHeld = false
      for (const { index, body } of decodeBodies(answer).bodies) {
        if (body === undefined || !indices.includes(index)) continue
        isHeld = intake.fill(index, body) || isHeld
      }
      return this.#held(round, answer, isHeld)
    })
  }

  /** Opened anew each time: after a refused write there is another one. */
  #intake({ place }: Visit): BranchIntake {
    return this.#parts.intakes.open(place.name, place.branch)
  }

  /** At most 256 committed entries without payload, each once per visit. */
  #missing(visit: Visit): number[] {
    const { store } = this.#parts
    const { head } = visit
    const intake = this.#intake(visit)
    const { name, branch } = intake
    const end = Math.min(head.size, intake.committedHead?.size ?? 0)
    const missing: number[] = []
    let looked = 0
    for (const hole of [...intake.holes]) {
      const start = Math.max(hole.start, visit.holesAt)
      const range = { start, end: Math.min(hole.end, end) }
      if (range.start >= range.end) continue
      for (const { index, state } of store.scan(name, branch, range)) {
        visit.holesAt = index + 1
        if (state === 'absent') missing.push(index)
        else intake.forgetHole(index)
        if (missing.length >= BODY_INDICES_MAX || ++looked >= HOLES_SCAN_MAX) return missing
      }
    }
    return missing
  }

  /** Asks the question of a round that is open now. `take` hears the answers. */
  #ask(
    round: Round,
    question: Unnumbered,
    take: (answer: ReplicaMessage | Uint8Array) => Taken | undefined,
  ): MirrorEffect[] {
    const { sessions } = this.#parts
    const asked = sessions.ask(round.session, question, (answer) => {
      const taken = this.#take(round, answer, take)
      if ('goesOn' in taken) return { effects: taken.goesOn, isOver: false }
      return { effects: taken, isOver: true }
    })
    return [asked]
  }

  #take(
    round: Round,
    answer: ReplicaMessage | Uint8Array,
    take: (answer: ReplicaMessage | Uint8Array) => Taken | undefined,
  ): Taken {
    try {
      return take(answer) ?? this.#next(round)
    } catch (error) {
      // What this mirror sent does not verify, or nothing may be accepted now: the next branch.
      if (!isLongshoreError(error)) throw error
      const credit = answer instanceof Uint8Array ? [consumed(round, answer)] : []
      return [...credit, ...this.#next(round)]
    }
  }
}

function consumed({ session }: Round, message: Uint8Array): MirrorEffect {
  return { type: 'consumed', session: session.id, bytes: message.length }
}

function evidence(
  { name }: BranchIntake,
  { evidence: bytes }: Exclude<HeadVerdict, 'consistent'>,
): MirrorEffect {
  return { type: 'evidence', name, bytes }
}
