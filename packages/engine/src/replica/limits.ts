/**
 * Every limit of the replica room, with its reason: what one peer can make a mirror or a reader do.
 *
 * @module
 */
import { BODY_BYTES_MAX, PACKAGE_BYTES_MAX } from '@longshore/capsule'

/** A certificate chain (128 KiB) and a manifest; nothing else comes near it. */
export const CONTROL_BYTES_MAX = 163_840

/** Certificates and manifests of a chain, encoded. */
export const CHAIN_BYTES_MAX = 131_072

/** Bodies in one bulk message beyond the first one: a few milliseconds of a link. */
export const MESSAGE_BODIES_BYTES_MAX = 1_048_576

/** The largest package, a first body of any size, the bodies behind it, and the fixed fields. */
export const BULK_BYTES_MAX: number =
  PACKAGE_BYTES_MAX + BODY_BYTES_MAX + MESSAGE_BODIES_BYTES_MAX + 4096

/** Of one publication: a frame of the overlay carries it whole, with room for its head. */
export const PUBLICATION_BYTES_MAX = 524_288

/** Publications of one group commit; whoever has missed more than these asks. */
export const PUBLICATIONS_PER_COMMIT_MAX = 8

/** What a follow holds of the tree until a session has brought what is missing before it. */
export const PUBLICATIONS_HELD_BYTES_MAX = 1_048_576

/** Payloads asked for in one message. */
export const BODY_INDICES_MAX = 256

/** Branches of one capsule that a mirror takes on; each costs a note and an open right edge. */
export const BRANCHES_MAX = 64

/** UTF-8 bytes of a message of an error: a sentence. */
export const ERROR_TEXT_BYTES_MAX = 512

/** Memberships shown at once: more domains than any node is in. */
export const PRESENTED_CHAINS_MAX = 8

export interface ReplicaLimits {
  /** Chains that a peer has presented in all its sessions: six times as much as one can. */
  readonly presentedPerPeerBytesMax: number
  /** Chains that all peers have presented. A membership is some 2 KiB. */
  readonly presentedBytesMax: number
  /** Pushes and followers of one session; a home pushes one branch per capsule. */
  readonly requestsPerSessionMax: number
  /** Ranges and bodies that wait for their answer in one session; then OVERLOADED. */
  readonly readsPerSessionMax: number
  /** What to tell a peer that asks for too much. */
  readonly retryAfterMs: number
  /**
   * Entries accepted and not committed, over all branches: bounded again by the credit of each
   * session, but sessions may be many.
   */
  readonly pendingBytesMax: number
  /** Branches kept open beside those in use. Each holds a right edge, up to some 60 KiB. */
  readonly idleBranchesMax: number
  /** Bulk messages made in one call of `work`: some milliseconds, then others have their turn. */
  readonly messagesPerWorkMax: number
  /** Ranges of missing payloads remembered per branch; more are joined, and looked through. */
  readonly holeRangesMax: number
  /** Capsules that a mirror takes on unless its operator says otherwise. */
  readonly capsulesMax: number
  /** Entries asked for in one range request of the synchronisation between mirrors. */
  readonly syncEntriesMax: number
  /** How often the heads of other mirrors are asked for when nothing else happens. */
  readonly syncIntervalUs: number
  /** A cosignature or heartbeat may be this far ahead of the clock (F11). */
  readonly futureSkewS: number
}

export const REPLICA_LIMITS: ReplicaLimits = Object.freeze({
  presentedPerPeerBytesMax: 1_048_576,
  presentedBytesMax: 67_108_864,
  requestsPerSessionMax: 256,
  readsPerSessionMax: 64,
  retryAfterMs: 1000,
  pendingBytesMax: 67_108_864,
  idleBranchesMax: 512,
  messagesPerWorkMax: 16,
  holeRangesMax: 100,
  capsulesMax: 100_000,
  syncEntriesMax: 16_384,
  syncIntervalUs: 60_000_000,
  futureSkewS: 120,
})
