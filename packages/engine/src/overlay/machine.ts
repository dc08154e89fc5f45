/**
 * What all parts of one overlay share: who this node is, the time, what is due, and the effects of
 * the step that is under way.
 *
 * @module
 */
import { type CapsuleName, type ErrorCode, encodeCertChain, formatName } from '@longshore/capsule'
import type { NodeIdentity } from '../node/principal.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { SpareMemory } from '../runtime/spare-memory.ts'
import { SteadyClock } from '../runtime/steady-clock.ts'
import { nameKey } from '../store/branch-key.ts'
import type { MembershipClaim } from './control-frame.ts'
import type { OverlayLimits } from './limits.ts'
import type { Link } from './link.ts'
import type { Membership, OverlayEffect } from './overlay-events.ts'
import { Timers } from './timers.ts'

const SECOND_US = 1_000_000
/** The table is swept every ten seconds: no two looks at the clock are further apart than this. */
const CLOCK_STEP_US_MAX = 60 * SECOND_US

/** How often each thing happened, for an operator. Counts only ever grow. */
export class OverlayCounters {
  forwardedFrames = 0
  forwardedBytes = 0
  deliveredFrames = 0
  droppedFrames = 0
  unreachableFrames = 0
  refusedNames = 0
  refusedPublications = 0
  protocolErrors = 0
  lookups = 0
  /** Names that neighbors advertised and that were refused, by code. */
  readonly refusals: Map<ErrorCode, number> = new Map()
}

/** Manifest and certificate chain of a capsule that this node serves. */
export interface HeldEvidence {
  readonly manifest: Uint8Array
  readonly chain: Uint8Array
}

export class Machine {
  readonly identity: NodeIdentity
  readonly nameKey: string
  readonly isRouter: boolean
  readonly runtime: Runtime
  readonly spares: SpareMemory
  readonly limits: OverlayLimits
  readonly listen: readonly string[]
  readonly heldEvidence: ((name: CapsuleName) => HeldEvidence | undefined) | undefined
  /** In steady time, as everything that is measured or waited for. */
  readonly timers: Timers = new Timers()
  readonly counters: OverlayCounters = new OverlayCounters()
  /** What this node shows of its own membership. */
  membership: MembershipClaim | null
  readonly #clock: SteadyClock
  #effects: OverlayEffect[] = []
  #dirty: Link[] = []

  constructor(options: {
    readonly identity: NodeIdentity
    readonly isRouter: boolean
    readonly runtime: Runtime
    readonly spares: SpareMemory
    readonly limits: OverlayLimits
    readonly listen: readonly string[]
    readonly membership: Membership | undefined
    readonly heldEvidence: ((name: CapsuleName) => HeldEvidence | undefined) | undefined
  }) {
    this.identity = options.identity
    this.nameKey = nameKey(options.identity.name)
    this.isRouter = options.isRouter
    this.runtime = options.runtime
    this.spares = options.spares
    this.#clock = new SteadyClock(() => options.runtime.nowUs(), CLOCK_STEP_US_MAX)
    this.limits = options.limits
    this.listen = options.listen
    this.heldEvidence = options.heldEvidence
    this.membership = membershipClaim(options.membership)
  }

  get name(): CapsuleName {
    return this.identity.name
  }

  /** Steady: goes on as it should when somebody sets the clock. */
  get nowUs(): number {
    return this.#clock.read()
  }

  /** What the clock should show at a steady time. */
  shownAtUs(steadyUs: number): number {
    return this.#clock.shownAt(steadyUs)
  }

  /** As the clock shows it: what certificates are judged by. */
  get nowS(): number {
    return Math.floor(this.runtime.nowUs() / SECOND_US)
  }

  emit(effect: OverlayEffect): void {
    this.#effects.push(effect)
  }

  /** Somebody advertised what may not be routed: the operator sees who, what and why. */
  recordRefusal(name: CapsuleName, by: CapsuleName, code: ErrorCode): void {
    const { refusals } = this.counters
    this.counters.refusedNames++
    refusals.set(code, (refusals.get(code) ?? 0) + 1)
    const details = { name: formatName(name), by: formatName(by), code }
    this.runtime.log('warn', 'route.refused', details)
  }

  /** The link has frames to write when the step ends. */
  markDirty(link: Link): void {
    if (link.isDirty) return
    link.isDirty = true
    this.#dirty.push(link)
  }

  /** All effects of this step, writes last and one for each link. */
  takeEffects(): OverlayEffect[] {
    for (const link of this.#dirty) link.flush()
    this.#dirty = []
    const effects = this.#effects
    this.#effects = []
    return effects
  }
}

export function membershipClaim(membership: Membership | undefined): MembershipClaim | null {
  if (membership === undefined) return null
  return { domain: membership.name, chain: encodeCertChain(membership.chain) }
}
