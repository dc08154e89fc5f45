/**
 * Everything that a mirror has accepted, as one transaction with its entry of the head log.
 *
 * A group is formed when the store is ready for it, over all branches that changed. Its statements
 * stand in the head log in the same sync (F19); only when that has ended do cosignatures leave
 * (F18). Rules MI6-MI11 of docs/spec/mirror.md.
 *
 * @module
 */
import type { BranchId, CapsuleName, SignedManifest } from '@longshore/capsule'
import type { Runtime } from '../runtime/runtime.ts'
import type { StoreOp, StoreReader } from '../store/store.ts'
import type { BranchCut, BranchIntake } from './branch-intake.ts'
import { createChainNotes } from './chain-notes.ts'
import { type HeadLog, statedHead } from './head-log.ts'
import type { Intakes } from './intakes.ts'
import type { MirrorEffect, MirrorTransaction, SessionId } from './mirror-contract.ts'
import { createMirrorNote, readMirrorNote } from './mirror-note.ts'

/** A capsule that is to be taken on. */
export interface Offer {
  readonly session: SessionId
  readonly id: number
  readonly signed: SignedManifest
  readonly chain: Uint8Array
  /** Branches of which this node has stated nothing, whoever has before. */
  readonly restated: readonly BranchId[]
}

/** Who hears what became of a group. */
export interface GroupAudience {
  committed(intake: BranchIntake, cut: BranchCut): MirrorEffect[]
  accepted(offer: Offer): MirrorEffect[]
  /** The copy of the capsule is an empty one now. */
  replaced(name: CapsuleName): MirrorEffect[]
  /** The manifest of the capsule is in the store again. */
  restored(signed: SignedManifest): MirrorEffect[]
  /** `offers` will not be taken on. */
  failed(error: Error, offers: readonly Offer[]): MirrorEffect[]
}

interface Replacement {
  readonly name: CapsuleName
  readonly ops: readonly StoreOp[]
}

interface Group {
  readonly parts: readonly { readonly intake: BranchIntake; readonly cut: BranchCut }[]
  readonly offers: readonly Offer[]
  readonly replacements: readonly Replacement[]
  readonly manifests: readonly SignedManifest[]
  readonly credits: ReadonlyMap<SessionId, number>
}

export interface GroupParts {
  readonly store: StoreReader
  readonly intakes: Intakes
  readonly headLog: HeadLog
  readonly runtime: Runtime
}

export class GroupCommit {
  readonly #store: StoreReader
  readonly #intakes: Intakes
  readonly #headLog: HeadLog
  readonly #runtime: Runtime
  readonly #audience: GroupAudience
  #offers: Offer[] = []
  #replacements: Replacement[] = []
  /** To be stored again. */
  #manifests: SignedManifest[] = []
  #credits = new Map<SessionId, number>()
  #owedBytes = 0
  #inFlight = 0
  #isSettling = false

  constructor({ store, intakes, headLog, runtime }: GroupParts, audience: GroupAudience) {
    this.#store = store
    this.#intakes = intakes
    this.#headLog = headLog
    this.#runtime = runtime
    this.#audience = audience
  }

  /** Offers that the next group takes on. */
  get offerCount(): number {
    return this.#offers.length
  }

  /**
   * A refusal came, and groups from before it are still on their way: what is open now may be
   * behind the store when they arrive. Nothing is accepted until then.
   */
  get isSettling(): boolean {
    return this.#isSettling
  }

  /** What is stored just so is not written again. */
  offer(offer: Offer): MirrorEffect[] {
    const { signed, chain, restated } = offer
    const isStored = restated.length === 0 && this.#intakes.isTakenOn(signed, chain)
    if (isStored) return this.#audience.accepted(offer)
    this.#offers.push(offer)
    this.#owedBytes += signed.signed.length + chain.length
    this.#intakes.arrive(signed)
    return [{ type: 'request-cut' }]
  }

  /** The next group replaces a copy by an empty one. What was accepted and not cut is dropped. */
  replace(name: CapsuleName, ops: readonly StoreOp[]): void {
    this.#replacements.push({ name, ops })
    this.#intakes.replace(name)
  }

  /** The next group stores a manifest again that was lost in damage. */
  restore(signed: SignedManifest): void {
    this.#manifests.push(signed)
  }

  /** Bytes of messages and offers that wait for the next group. */
  get pendingBytes(): number {
    return this.#owedBytes
  }

  /** Bytes of a session that are held until the next group is durable. */
  owe(session: SessionId, bytes: number): void {
    this.#owedBytes += bytes
    this.#credits.set(session, (this.#credits.get(session) ?? 0) + bytes)
  }

  /** Undefined if nothing is pending, or if a refusal is not settled yet. */
  cut(): MirrorTransaction | undefined {
    if (this.#isSettling || this.#headLog.isBlocked) return undefined
    const nowS = Math.floor(this.#runtime.nowUs() / 1_000_000)
    const parts: { intake: BranchIntake; cut: BranchCut }[] = []
    for (const intake of this.#intakes.dirty()) {
      const cut = intake.cut(nowS)
      if (cut !== undefined) parts.push({ intake, cut })
    }
    const group: Group = {
      ...{ parts, offers: this.#offers },
      ...{ replacements: this.#replacements, manifests: this.#manifests, credits: this.#credits },
    }
    const count = parts.length + group.offers.length + group.replacements.length
    if (count + group.manifests.length === 0) return undefined
    this.#offers = []
    this.#replacements = []
    this.#manifests = []
    this.#credits = new Map()
    this.#owedBytes = 0

    const stated = parts.flatMap(({ intake, cut: { statement } }) =>
      statement === undefined ? [] : [statedHead(intake.name, statement.head, statement.timeS)],
    )
    const recorded = this.#headLog.record(stated)
    this.#inFlight++
    return {
      ops: [...opsOf(group, this.#store), ...(recorded?.cut.ops ?? [])],
      durable: () => recorded?.writer.durable(recorded.cut.size),
      committed: () => {
        recorded?.writer.committed(recorded.cut.size)
        return this.#committed(group)
      },
      failed: (error) => {
        recorded?.writer.refused(recorded.cut.size)
        return this.#failed(group, error)
      },
    }
  }

  #committed({ parts, offers, replacements, manifests, credits }: Group): MirrorEffect[] {
    const effects: MirrorEffect[] = []
    this.#answered()
    for (const { name } of replacements) {
      this.#intakes.replaced(name)
      effects.push(...this.#audience.replaced(name))
    }
    for (const signed of manifests) {
      this.#intakes.arrived(signed)
      effects.push(...this.#audience.restored(signed))
    }
    for (const offer of offers) {
      this.#intakes.arrived(offer.signed)
      effects.push(...this.#audience.accepted(offer))
    }
    for (const { intake, cut } of parts) {
      intake.committed(cut)
      effects.push(...this.#audience.committed(intake, cut))
    }
    return [...effects, ...creditEffects(credits)]
  }

  /** What was accepted later rests on what was refused: all of it is dropped. */
  #failed({ credits, offers, replacements }: Group, error: Error): MirrorEffect[] {
    for (const { name } of [...replacements, ...this.#replacements]) this.#intakes.replaced(name)
    this.#replacements = []
    this.#manifests = []
    this.#isSettling = true
    this.#answered()
    const later = this.#credits
    const lost = [...offers, ...this.#offers]
    this.#offers = []
    this.#credits = new Map()
    this.#owedBytes = 0
    const effects = this.#audience.failed(error, lost)
    return [...effects, ...creditEffects(credits), ...creditEffects(later)]
  }

  #answered(): void {
    this.#inFlight--
    if (!this.#isSettling) return
    this.#intakes.reset()
    this.#isSettling = this.#inFlight > 0
  }
}

function opsOf({ parts, offers, replacements, manifests }: Group, store: StoreReader): StoreOp[] {
  const ops: StoreOp[] = replacements.flatMap((replacement) => replacement.ops)
  for (const { name, signed } of manifests) ops.push({ type: 'manifest', name, signed })
  for (const { signed, chain, restated } of offers) {
    const { name } = signed
    ops.push({ type: 'manifest', name, signed: signed.signed })
    ops.push(...createChainNotes(name, chain))
    for (const branch of restated) {
      const { heartbeat, holes } = readMirrorNote(store, name, branch)
      ops.push(createMirrorNote(name, branch, { timeS: 0, size: 0, heartbeat, holes }))
    }
  }
  for (const { cut } of parts) ops.push(...cut.ops)
  return ops
}

function creditEffects(credits: ReadonlyMap<SessionId, number>): MirrorEffect[] {
  return [...credits].map(([session, bytes]) => ({ type: 'consumed', session, bytes }))
}
