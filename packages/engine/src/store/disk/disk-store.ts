/**
 * The disk engine: the store contract over a journal and an index that may be lost.
 *
 * This file is the state machine: which transactions form the next group, what is in flight, who
 * is answered what. How groups are written is in `journal-writer.ts`, what opening does in
 * `recovery.ts` and `store-follower.ts`, how entries are read in `entry-reader.ts`.
 *
 * Invariants:
 * 1. A group is written only while no sync is in flight, so at most one group is not durable.
 * 2. The committed state changes only in `#commit`, after the sync of the group (ST2).
 * 3. `#pending` holds what is submitted and not written, `#inFlight` what is written and not synced.
 * 4. After a failed sync or write nothing is written any more (JR10).
 *
 * Rules ST1 to ST18 of docs/spec/store.md, JR6 to JR10 of docs/spec/journal.md.
 *
 * @module
 */
import {
  assert,
  type BranchId,
  type CapsuleName,
  UnavailableError,
  UsageError,
} from '@longshore/capsule'
import { DiskError, type DiskFile } from '../../runtime/disk.ts'
import { StagedShape } from '../staged-shape.ts'
import type { Store, StoreEffect, StoreEvent, StoreOp } from '../store.ts'
import type { Branch } from './branch.ts'
import { compactStore, type CompactReport } from './compaction.ts'
import { DiskReader } from './disk-reader.ts'
import type { EntryReader } from './entry-reader.ts'
import { checkStore, type FsckReport } from './fsck.ts'
import { type PreparedRecord, preparedBytes, prepareRecords } from './prepared-record.ts'
import { recover, type StoreParts } from './recovery.ts'
import { storeError } from './store-error.ts'
import { WatermarkFile } from './watermark.ts'
