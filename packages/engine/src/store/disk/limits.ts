/**
 * Every limit of the disk store, with its reason. Tests make them small to reach the edges.
 *
 * @module
 */
const KIB = 1024
const MIB = 1024 * KIB

export interface DiskStoreLimits {
  /** A segment is sealed before it grows beyond this: compaction rewrites one at a time. */
  readonly segmentBytesMax: number
  /** What one sync covers: more makes nothing faster and delays the first answer. */
  readonly groupBytesMax: number
  /** Recovery holds the largest record in memory. */
  readonly transactionBytesMax: number
  /** First step of writing zeros ahead. A home that is used for a moment stays small. */
  readonly aheadBytesMin: number
  /** Last step: large enough that a file rarely changes length while it is written. */
  readonly aheadBytesMax: number
  /**
   * Larger groups are written without zeros ahead of them: to write every byte twice would cost
   * them more than a change of the file's length. Measured: about equal at 40 KiB.
   */
  readonly aheadGroupBytesMax: number
  /** Journal between two index flushes: what opening after a crash reads again. */
  readonly indexFlushBytes: number
  /** Branches kept in memory that did not change since the last index flush. */
  readonly branchesMax: number
  /** Open segment files. */
  readonly filesMax: number
  /** Journal that compaction and fsck read or write before others have their turn. */
  readonly sliceBytes: number
}

export const DISK_STORE_LIMITS: DiskStoreLimits = {
  segmentBytesMax: 256 * MIB,
  groupBytesMax: 32 * MIB,
  transactionBytesMax: 128 * MIB,
  aheadBytesMin: 256 * KIB,
  aheadBytesMax: 8 * MIB,
  aheadGroupBytesMax: 32 * KIB,
  indexFlushBytes: 4 * MIB,
  branchesMax: 1024,
  filesMax: 64,
  sliceBytes: 2 * MIB,
}

/** Reading forward through a segment, in windows of this size. */
export const WINDOW_BYTES: number = MIB
/** Enough for the header and a small body of one entry: one read for most of them. */
export const ENTRY_GUESS_BYTES: number = KIB
/** Small entries that are read one by one lie together in so many bytes: each may keep all. */
export const SHARED_BYTES: number = 4 * KIB
/** One read of a scan. */
export const SCAN_BYTES: number = 256 * KIB
/** Content up to this is copied beside its record header: cheaper than one more piece to write. */
export const COPIED_BYTES_MAX: number = 4 * KIB
