/**
 * The reading half of the disk store, the same for the writer and for processes beside it.
 *
 * Rules ST8 to ST15 of docs/spec/store.md, JR14 and JR20 of docs/spec/journal.md.
 *
 * @module
 */
import { type BranchId, type CapsuleName, UnavailableError, UsageError } from '@longshore/capsule'
import type { SpareMemory } from '../../runtime/spare-memory.ts'
import { runSlices, type Slices } from '../slices.ts'
import type { BranchState, IndexRange, StoredEntry, StoreReader } from '../store.ts'
import type { Branch } from './branch.ts'
import { TILE_WIDTH } from './branch-tiles.ts'
import { countReclaimable } from './compaction.ts'
import type { Attempt } from './entry-reader.ts'
import { checkStore } from './fsck.ts'
import type { FsckReport } from './fsck-report.ts'
import { isGone } from './journal-reader.ts'
import { countedSegments, type OpenedJournal } from './opened-journal.ts'
import { type ScrubReport, scrubStore } from './scrub.ts'
import { segmentPath } from './segment-header.ts'
import { storeError } from './store-error.ts'

/** A file to copy for a backup. */
export interface SnapshotFile {
  /** Below the root of the disk. */
  readonly path: string
  /** Bytes to copy from its beginning; what follows is not committed. */
  readonly byteLength: number
}

export interface StoreUsage {
  readonly segments: number
  /** Bytes of all segment files, space written ahead included. */
  readonly journalBytes: number
  readonly capsules: number
}

export abstract class DiskReads implements StoreReader {
  /** Throws CLOSED or STORE_FAILED once the store has ended. */
  protected abstract get journal(): OpenedJournal

  /** A segment file was gone. True if places may have changed, so that trying again makes sense. */
  protected abstract lookAgain(): boolean

  get sequence(): number {
    return this.journal.position.sequence
  }

  names(): CapsuleName[] {
    return this.journal.state.names()
  }

  get nameCount(): number {
    return this.journal.state.nameCount
  }

  namesAfter(after: CapsuleName | undefined, countMax: number): CapsuleName[] {
    return this.journal.state.namesAfter(after, countMax)
  }

  manifest(name: CapsuleName): Uint8Array | undefined {
    return this.attempt(() => {
      const { state, entries } = this.journal
      const place = state.manifestPlace(name)
      return place === undefined ? undefined : entries.manifest(place)
    })
  }

  branches(name: CapsuleName): BranchId[] {
    return this.journal.state.branches(name)
  }

  state(name: CapsuleName, branch: BranchId): BranchState | undefined {
    return this.journal.state.find(name, branch)?.state()
  }

  entry(name: CapsuleName, branch: BranchId, index: number): StoredEntry {
    return this.attempt(() => {
      const found = this.#find(name, branch)
      checkRange({ start: index, end: index + 1 }, found.size)
      return this.journal.entries.entry(found, index)
    })
  }

  *scan(
    name: CapsuleName,
    branch: BranchId,
    range: IndexRange,
    spares?: SpareMemory,
  ): Iterable<StoredEntry> {
    const find = (): Branch => {
      const found = this.#find(name, branch)
      // It may have been removed meanwhile, and stored anew.
      checkRange(range, found.size)
      return found
    }
    find()
    const attempt: Attempt = (action) => this.attempt(action)
    yield* this.journal.entries.scan(find, range, attempt, spares)
  }

  tile(name: CapsuleName, branch: BranchId, level: number, n: number, width: number): Uint8Array {
    const found = this.#find(name, branch)
    let count = found.size
    for (let l = 0; l < level && count > 0; l++) count = Math.floor(count / TILE_WIDTH)
    const fits = level >= 0 && n >= 0 && width >= 1 && width <= TILE_WIDTH
    if (!fits || n * TILE_WIDTH + width > count) {
      const details = { level, n, width, size: found.size }
      throw new UsageError('INDEX_OUT_OF_RANGE', 'this tile is not within the branch', details)
    }
    return found.tile(level, n, width)
  }

  indexAtTime(name: CapsuleName, branch: BranchId, timeUs: number): number {
    return this.attempt(() => {
      return this.journal.entries.indexAtTime(this.#find(name, branch), timeUs)
    })
  }

  note(key: string): Uint8Array | undefined {
    return this.journal.state.note(key)
  }

  /** What has to be copied to have everything that is committed now. */
  snapshotFiles(): SnapshotFile[] {
    return this.attempt(() => {
      const { files, position } = this.journal
      return countedSegments(this.journal).map((name) => {
        const isActive = name.number === position.segment
        const byteLength = isActive ? position.offset : files.file(name).byteLength()
        return { path: segmentPath(name), byteLength }
      })
    })
  }

  usage(): StoreUsage {
    return this.attempt(() => {
      const { files, state } = this.journal
      const segments = countedSegments(this.journal)
      let journalBytes = 0
      for (const name of segments) journalBytes += files.file(name).byteLength()
      return { segments: segments.length, journalBytes, capsules: state.nameCount }
    })
  }

  /** See {@link countReclaimable}. */
  reclaimableBytes(): number {
    return this.attempt(() => countReclaimable(this.journal))
  }

  *scrubInSlices(only?: CapsuleName): Slices<ScrubReport> {
    try {
      return yield* scrubStore(this.journal, this.sliceBytes, only)
    } catch (error) {
      throw storeError(error)
    }
  }

  protected abstract get sliceBytes(): number

  protected check(): FsckReport {
    return this.attempt(() => runSlices(checkStore(this.journal, Number.POSITIVE_INFINITY)))
  }

  /** For the writer, whose journal stays the same while others have their turn. */
  protected *checkInSlices(sliceBytes: number): Slices<FsckReport> {
    try {
      return yield* checkStore(this.journal, sliceBytes)
    } catch (error) {
      throw storeError(error)
    }
  }

  /** Runs a read; once more if a segment was compacted away meanwhile. */
  protected attempt<TResult>(action: () => TResult): TResult {
    try {
      return action()
    } catch (error) {
      if (!isGone(error) || !this.lookAgain()) throw storeError(error)
    }
    try {
      return action()
    } catch (error) {
      throw storeError(error)
    }
  }

  #find(name: CapsuleName, branch: BranchId): Branch {
    const found = this.journal.state.find(name, branch)
    if (found !== undefined) return found
    throw new UnavailableError('NOT_FOUND', 'this branch of this capsule is not in the store')
  }
}

function checkRange({ start, end }: IndexRange, size: number): void {
  if (Number.isSafeInteger(start) && 0 <= start && start <= end && end <= size) return
  const details = { start, end, size }
  throw new UsageError('INDEX_OUT_OF_RANGE', 'not within the branch', details)
}
