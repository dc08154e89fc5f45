/**
 * How often each thing happened in a mirror since it started, for its operator. Counts only grow.
 *
 * @module
 */
import { type ErrorCode, isLongshoreError } from '@longshore/capsule'

export class MirrorCounters {
  /** Capsules taken on, or offered again with newer certificates. */
  offers = 0
  /** Group commits with something of this mirror in them. */
  commits = 0
  /** Entries of other writers that are in force here. */
  entries = 0
  receipts = 0
  /** Damaged copies that were replaced by whole ones. */
  mended = 0
  readonly refusals: Map<ErrorCode, number> = new Map()

  refused(error: unknown): void {
    if (!isLongshoreError(error)) return
    this.refusals.set(error.code, (this.refusals.get(error.code) ?? 0) + 1)
  }
}

/** What a mirror is at now. */
export interface MirrorStatus {
  readonly sessions: number
  /** Branches that are being pushed. */
  readonly pushes: number
  readonly followers: number
  /** Bytes that wait for the next commit. */
  readonly pendingBytes: number
  /** Capsules of which a part was lost on this disk. */
  readonly damaged: number
  /** Capsules that are being filled again. */
  readonly mending: number
}
