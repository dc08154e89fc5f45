/**
 * What an application sees of the network: neighbors, mirrors, and capsules that are elsewhere.
 *
 * Types only; the class behind them is `connected-home.ts`. Rules NW1-NW25 of docs/spec/network.md.
 *
 * @module
 */
import type {
  AdRight,
  CapsuleName,
  CertChain,
  ErrorCode,
  LongshoreError,
  Ticket,
  VerificationError,
} from '@longshore/capsule'
import type { MirrorReceipt, TraceHop } from '@longshore/engine'
import type { Capsule } from '../capsule.ts'

/** How to read a capsule that is not in this home. */
export interface RemoteOptions {
  /**
   * Only what the writer or a mirror has stated within so many seconds. Default: any age, as a
   * mirror that is cut off cannot know.
   */
  readonly freshS?: number
  /** Only what so many distinct mirrors have cosigned. Default 0. */
  readonly mirrors?: number
  /** How long to wait for mirrors. Default 10 seconds. */
  readonly timeoutMs?: number
  /**
   * For who is to follow: called once if all mirrors that have the capsule show less than was read
   * before. Then opening waits, however long, until one of them has caught up. Default: `ROLLBACK`.
   */
  readonly onBehind?: (behind: Behind) => void
  readonly signal?: AbortSignal
}

/** How many entries were read before, and how many of them the mirrors show now. */
export interface Behind {
  readonly seen: number
  readonly shown: number
}

export interface GrantOptions {
  /** Default: both. */
  readonly rights?: readonly AdRight[]
  /** Last second in which it holds, since 1970. Default: 90 days from now. */
  readonly notAfterS?: number
}

export interface Grant {
  readonly capsule: CapsuleName
  readonly node: CapsuleName
  readonly rights: readonly AdRight[]
  readonly notAfterS: number
  readonly chain: CertChain
}

/** A mirror of a capsule, as this home knows it. */
export interface MirrorInfo {
  readonly name: CapsuleName
  /** Of which it has shown to be a member. */
  readonly domains: readonly CapsuleName[]
  /** Why its copy does not count towards `replicated`; undefined if it does. */
  readonly problem: LongshoreError | undefined
  /** Last second of the grant, since 1970; undefined if it cannot be read. */
  readonly notAfterS: number | undefined
  /** Entries that it held by the last receipt that was kept, and when. */
  readonly size: number
  readonly timeS: number | undefined
}

export interface MirrorStatus extends MirrorInfo {
  /**
   * `unreachable`: it has not answered in time; then size and time are those of the past.
   * `refused`: it has no such capsule, or may not show it. `freed`: and has stated that it did.
   */
  readonly state: 'answered' | 'freed' | 'refused' | 'unreachable'
  /** Entries that it held by the last receipt that was kept, as `timeS` if it holds nothing now. */
  readonly statedSize: number
  /** Entries that it does not hold. */
  readonly lag: number
}

export interface StatusReport {
  readonly name: CapsuleName
  /** Of the newest head that is known, here or on a mirror. */
  readonly size: number
  readonly isLocal: boolean
  readonly mirrors: readonly MirrorStatus[]
  /** Why nobody at all has answered; undefined if somebody has. */
  readonly problem: LongshoreError | undefined
  /** What convicts the writer, if that was ever found: see `Home.conviction`. */
  readonly conviction: VerificationError | undefined
}

export interface TraceReport {
  readonly name: CapsuleName
  readonly hops: readonly TraceHop[]
  /** Why it ends before a node that serves the name. */
  readonly code: ErrorCode | undefined
}

export interface PullReport {
  readonly name: CapsuleName
  readonly size: number
  readonly entriesAdded: number
  /** Of entries that were here before, without them. */
  readonly payloadsAdded: number
  /** Entries that had rotted here and are whole again. */
  readonly entriesMended: number
}

export interface PushOptions {
  /** How many mirrors must hold everything. Default: all that count. */
  readonly copies?: number
  /** Default 30 seconds. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

export interface PushReport {
  readonly name: CapsuleName
  readonly size: number
  readonly receipts: readonly MirrorReceipt[]
}

export interface HomeNetwork {
  /**
   * Remembers a neighbor, and dials it whenever the network is used. If another ticket of the same
   * node is known, this one replaces it once the node was linked by it.
   *
   * @throws {UsageError} `TICKET_INVALID`
   * @throws {UnavailableError} `NO_MIRROR` if nothing answers by the new one of two: the old one
   * stays, with its addresses in `details.kept`
   */
  connect(
    ticket: Ticket | string,
    options?: Pick<RemoteOptions, 'timeoutMs' | 'signal'>,
  ): Promise<Ticket>
  tickets(): readonly Ticket[]
  /** Resolves when a neighbor answers, or this one. @throws {UnavailableError} `NO_MIRROR` */
  linked(
    options?: Pick<RemoteOptions, 'timeoutMs' | 'signal'> & { readonly node?: CapsuleName },
  ): Promise<void>
  /**
   * Opens a capsule through the network although this home may have it.
   *
   * @throws {VerificationError} `ROLLBACK`, `EQUIVOCATION` (with `details.evidence`)
   * @throws {UnavailableError} `NO_MIRROR`, `POLICY_REFUSED`, `NOT_FOUND`
   */
  open(name: CapsuleName | string, options?: RemoteOptions): Promise<Capsule>
  /**
   * Lets a node hold and serve a capsule of this home: signed with the owner's key, and kept.
   *
   * @throws {UsageError} `KEY_MISSING` if the owner's key is not in this home
   */
  grant(name: CapsuleName, node: CapsuleName, options?: GrantOptions): Promise<Grant>
  /** Grants if that is missing or over, and has the node hold the capsule from now on. */
  addMirror(name: CapsuleName, node: CapsuleName, options?: PushOptions): Promise<MirrorInfo>
  /** Nothing more is pushed there. What it holds, and its grant until it ends, it keeps. */
  removeMirror(name: CapsuleName, node: CapsuleName): Promise<boolean>
  mirrors(name: CapsuleName): MirrorInfo[]
  status(name: CapsuleName, options?: RemoteOptions): Promise<StatusReport>
  trace(name: CapsuleName, options?: RemoteOptions): Promise<TraceReport>
  /** Delivers what mirrors lack. @throws {UnavailableError} `NO_MIRROR`, `LEVEL_IMPOSSIBLE` */
  push(name: CapsuleName, options?: PushOptions): Promise<PushReport>
  /**
   * Brings what the mirrors have of a capsule into this home, verified: in place of what has rotted
   * here, then entries, then payloads.
   *
   * @throws {UnavailableError} `STORE_CORRUPT` if something is damaged here that no mirror holds
   */
  pull(name: CapsuleName | string, options?: RemoteOptions): Promise<PullReport>
  /** Keeps a certificate chain (encoded) by which a domain lets this home's person read. */
  keepMembership(chain: Uint8Array): Promise<void>
}
