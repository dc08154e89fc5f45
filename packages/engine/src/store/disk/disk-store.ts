/**
 * Opens the disk engine: the store contract over a journal and an index that may be lost.
 *
 * The parts: `disk-writer.ts` is the state machine of the one writer, `disk-follower.ts` what
 * other processes see, `disk-reads.ts` what both read. Below them the journal (`journal-*.ts`,
 * `segment-*.ts`, `record.ts`), the committed state over the index (`committed-state.ts`,
 * `branch*.ts`, `position-block.ts`), and `recovery.ts`, `compaction*.ts` and `fsck*.ts`.
 *
 * docs/spec/store.md, docs/spec/journal.md, docs/spec/index.md.
 *
 * @module
 */
import { assert, type CapsuleName } from '@longshore/capsule'
import type { Disk } from '../../runtime/disk.ts'
import type { IndexStore } from '../../runtime/index-store.ts'
import type { Runtime } from '../../runtime/runtime.ts'
import type { Slices } from '../slices.ts'
import type { Store } from '../store.ts'
import type { CompactReport } from './compaction.ts'
import { DiskFollower } from './disk-follower.ts'
import type { SnapshotFile, StoreUsage } from './disk-reads.ts'
import { DiskWriter } from './disk-writer.ts'
import type { FsckReport } from './fsck-report.ts'
import { DISK_STORE_LIMITS, type DiskStoreLimits } from './limits.ts'
import type { ScrubReport } from './scrub.ts'
import { storeError } from './store-error.ts'

export interface DiskStoreOptions {
  /** A directory tree of its own. */
  readonly disk: Disk
  /** Stays open when the store is closed: it belongs to the caller. */
  readonly index: IndexStore
  readonly runtime: Runtime
  /** One process may write, which the caller makes sure of with a lock; any number may read. */
  readonly mode: 'write' | 'read'
  /** For reading: makes visible what the writer has put into the index since the last call. */
  readonly refreshIndex?: () => void
  /** For tests. */
  readonly limits?: Partial<DiskStoreLimits>
}

export interface DiskStore extends Store {
  /**
   * Gives back the space of what was erased or replaced. Only for the writer, and not while a sync
   * is in flight. Takes as long as reading and writing the journal once.
   *
   * @throws {UnavailableError} `STORE_FULL` if there is no room for the new files: nothing is
   * lost then, and what was finished stays so.
   */
  compact(): CompactReport
  /**
   * The same in slices of a few MiB. The first one and every other one is taken while no sync is
   * in flight; between two the store takes steps and answers as ever. Once begun it is to be
   * finished, or given up with `return()`; while a sync is in flight that may end the store.
   */
  compactInSlices(): Slices<CompactReport>
  /**
   * Reads and verifies everything. With `repair` (only for the writer, and not while a sync is in
   * flight) the index is built anew first.
   */
  fsck(options?: { readonly repair?: boolean }): FsckReport
  /**
   * The same in slices of a few MiB, for the writer: between two the store takes steps, and what
   * is committed meanwhile is checked as well. The index is built anew in the first slice.
   */
  fsckInSlices(options?: { readonly repair?: boolean }): Slices<FsckReport>
  /**
   * Looks for damage, with checksums only: cheaper than fsck, and to be done now and then. Any step
   * may come between two slices. Throws if the store is closed meanwhile. `only`: just the segments
   * in which this capsule lies, and nothing about others.
   */
  scrubInSlices(only?: CapsuleName): Slices<ScrubReport>
  /** What has to be copied to have everything that is committed now. */
  snapshotFiles(): SnapshotFile[]
  usage(): StoreUsage
  /** Bytes of the journal that `compact` would give back. Reads the journal once. */
  reclaimableBytes(): number
}

/**
 * @throws {UnavailableError} `STORE_FULL` or `STORE_IO` if the disk refuses what opening takes.
 * Damage does not keep a store from opening.
 */
export function openDiskStore(options: DiskStoreOptions): DiskStore {
  const { disk, index, runtime, mode } = options
  const limits = { ...DISK_STORE_LIMITS, ...options.limits }
  assert(limits.segmentBytesMax < 2 ** 32, 'places have 32 bits for the offset')
  const parts = { disk, index, runtime, limits }
  try {
    if (mode === 'write') return new DiskWriter(parts)
    const refreshIndex = options.refreshIndex ?? (() => undefined)
    return new DiskFollower({ ...parts, refreshIndex })
  } catch (error) {
    throw storeError(error)
  }
}
