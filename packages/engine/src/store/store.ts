/**
 * The store contract: what keeps verified entries for a client or a mirror.
 *
 * A store is a synchronous state machine. Writers hand it whole transactions (`submit`), `flush`
 * lets it form one group of everything submitted, and `committed` names the tickets whose bytes
 * are durable. Reads see committed groups only, never bytes that wait for a sync. The store does
 * not verify signatures or proofs: whoever submits has done so (writer or replication); it does
 * check that what it is given fits what it holds.
 *
 * Rules ST1..STn of docs/spec/store.md; every engine passes `testing/store-contract.ts`.
 *
 * @module
 */

import type { BranchId, CapsuleName, FullTile, Head } from '@longshore/capsule'
import type { DiskFile } from '../runtime/disk.ts'
import type { SpareMemory } from '../runtime/spare-memory.ts'
import type { EntryBatch } from './entry-batch.ts'

/** Half-open: `start <= index < end`. */
export interface IndexRange {
  readonly start: number
  readonly end: number
}

/** One change. All changes of a transaction become visible and durable together, or not at all. */
export type StoreOp =
  /** The signed manifest (COSE_Sign1) of a capsule. Submitting it again is no change. */
  | { readonly type: 'manifest'; readonly name: CapsuleName; readonly signed: Uint8Array }
  /**
   * Entries [start, start + entries.count) of one branch and the head that covers them. `start`
   * must be the size that the branch has after the transactions submitted before this one.
   * `tiles` are the full tiles that these entries complete, lower levels first.
   */
  | {
      readonly type: 'append'
      readonly name: CapsuleName
      readonly branch: BranchId
      readonly start: number
      readonly entries: EntryBatch
      readonly tiles: readonly FullTile[]
      readonly head: Head
    }
  /** Fills a hole. No change where the payload is present or erased (F10: states only go up). */
  | {
      readonly type: 'payload'
      readonly name: CapsuleName
      readonly branch: BranchId
      readonly index: number
      readonly body: Uint8Array
    }
  /** Marks payloads as erased, for ever; their bytes go with the next compaction. */
  | {
      readonly type: 'erase'
      readonly name: CapsuleName
      readonly branch: BranchId
      readonly ranges: readonly IndexRange[]
    }
  /**
   * From here on the store knows nothing of this capsule: manifest, branches, erasures. It may be
   * stored anew. Notes stay; what it took on disk goes with the next compaction.
   */
  | { readonly type: 'remove'; readonly name: CapsuleName }
  /** A small named value of this home (keys up to 128 characters, values up to 4 KiB). */
  | { readonly type: 'note'; readonly key: string; readonly value: Uint8Array }

export type StoreEvent =
  | { readonly type: 'submit'; readonly ticket: number; readonly ops: readonly StoreOp[] }
  /** Write what was submitted as one group, now or as soon as the sync in flight ends. */
  | { readonly type: 'flush' }
  | { readonly type: 'synced'; readonly token: number }
  | { readonly type: 'sync-failed'; readonly token: number; readonly error: unknown }
  /** Reader of another process's store: look at the durable watermark again. */
  | { readonly type: 'refresh' }

export type StoreEffect =
  /** Sync `file`, then answer with `synced` or `sync-failed`. At most one is open at a time. */
  | { readonly type: 'sync'; readonly token: number; readonly file: DiskFile }
  | { readonly type: 'committed'; readonly tickets: readonly number[] }
  /** Nothing of this transaction happened. The store goes on. */
  | { readonly type: 'refused'; readonly ticket: number; readonly error: Error }
  /** A sync failed: what is on disk is unknown. Every later call throws STORE_FAILED. */
  | { readonly type: 'failed'; readonly error: Error }

export type PayloadState = 'absent' | 'present' | 'erased'

export interface StoredEntry {
  readonly index: number
  /** The exact header bytes, the Merkle leaf. */
  readonly header: Uint8Array
  readonly state: PayloadState
  /** What the payload hash covers (kind 1: 16 bytes of salt, then the payload); only if present. */
  readonly body: Uint8Array | undefined
}

/** Committed state of one branch. */
export interface BranchState {
  /** Equal to `head.size`; 0 with head undefined for a capsule without entries. */
  readonly size: number
  readonly head: Head | undefined
  /** Largest time of any header, microseconds; 0 if empty. */
  readonly timeUsMax: number
  /** A part of it was lost on the disk: nothing can be appended. */
  readonly isDamaged: boolean
}

export interface StoreReader {
  /** Grows with every committed group. */
  readonly sequence: number
  names(): CapsuleName[]
  /** How many there are; at once, once it was asked for. */
  readonly nameCount: number
  /** The next names in byte order, at most so many: behind `after`, or from the first one on. */
  namesAfter(after: CapsuleName | undefined, countMax: number): CapsuleName[]
  /** The signed manifest, or undefined. */
  manifest(name: CapsuleName): Uint8Array | undefined
  branches(name: CapsuleName): BranchId[]
  state(name: CapsuleName, branch: BranchId): BranchState | undefined
  /** Throws STORE_CORRUPT where the disk no longer holds what was committed. */
  entry(name: CapsuleName, branch: BranchId, index: number): StoredEntry
  /**
   * In order; reads ahead. The caller may stop early. What the entries lie in may be taken from
   * `spares`: then the caller may give it back, by the header of each.
   */
  scan(
    name: CapsuleName,
    branch: BranchId,
    range: IndexRange,
    spares?: SpareMemory,
  ): Iterable<StoredEntry>
  /** The first `width` (1..256) hashes of a tile within the committed size: 32 * width bytes. */
  tile(name: CapsuleName, branch: BranchId, level: number, n: number, width: number): Uint8Array
  /** Smallest index whose running maximum of times is at least `timeUs`; the size if none. */
  indexAtTime(name: CapsuleName, branch: BranchId, timeUs: number): number
  note(key: string): Uint8Array | undefined
}

export interface Store extends StoreReader {
  step(event: StoreEvent): StoreEffect[]
  /** Throws if a sync is in flight. */
  close(): void
}
