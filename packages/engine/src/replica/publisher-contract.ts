/**
 * What a publisher says and is told.
 *
 * @module
 */
import type { BranchId, CapsuleName, Head, HeadPointer, LongshoreError } from '@longshore/capsule'
import type { SpareMemory } from '../runtime/spare-memory.ts'
import type { StoreReader } from '../store/store.ts'
import type { SendEffect, SessionId } from './mirror-contract.ts'

/** A node that is to hold a capsule. */
export interface MirrorTarget {
  /** Of the node. */
  readonly mirror: CapsuleName
  /** What lets it serve the capsule, encoded; shown when it has not taken the capsule on. */
  readonly chain: Uint8Array
  /** Its copy counts towards `replicated` (F17): the chain holds, its domain is in the policy. */
  readonly counts: boolean
}

export type PublisherEffect =
  | { readonly type: 'open-session'; readonly target: CapsuleName }
  | SendEffect
  | { readonly type: 'consumed'; readonly session: SessionId; readonly bytes: number }
  | { readonly type: 'close-session'; readonly session: SessionId; readonly error: LongshoreError }
  /** The mirror holds all entries below `size` durably, and said so. Verified. */
  | ({ readonly type: 'receipt' } & MirrorReceipt)
  /** So many mirrors that count hold all entries below `size`. */
  | {
      readonly type: 'replicated'
      readonly name: CapsuleName
      readonly branch: BranchId
      readonly size: number
      readonly count: number
    }
  /** This mirror does not take the branch, for this reason; `retry` tries again. */
  | {
      readonly type: 'failed'
      readonly name: CapsuleName
      readonly branch: BranchId
      readonly mirror: CapsuleName
      readonly error: Error
      readonly retryAfterMs: number | undefined
    }
  /** A mirror showed a head of ours that contradicts what we hold. */
  | { readonly type: 'evidence'; readonly name: CapsuleName; readonly bytes: Uint8Array }

export interface MirrorReceipt {
  readonly name: CapsuleName
  readonly branch: BranchId
  readonly mirror: CapsuleName
  /** Under which it holds everything. */
  readonly head: HeadPointer
  /** The same as the writer signed it; undefined if it was never seen here. */
  readonly signedHead: Head | undefined
  /** Whole seconds since 1970. */
  readonly timeS: number
  readonly signature: Uint8Array
}

export interface PublisherOptions {
  readonly store: StoreReader
  /** False while the window of a session is full. */
  readonly canSend: (session: SessionId) => boolean
  /** Of the node whose sessions it uses: its messages lie in it. */
  readonly spares?: SpareMemory
}
