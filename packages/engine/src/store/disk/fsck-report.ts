/**
 * What fsck found.
 *
 * Rule JR21 of docs/spec/journal.md lists the codes.
 *
 * @module
 */
import {
  AssertionFailure,
  type CapsuleName,
  formatName,
  isLongshoreError,
} from '@longshore/capsule'

export type FsckCode =
  | 'FILE_UNKNOWN'
  | 'SEGMENT_MISSING'
  | 'SEGMENT_HEADER'
  | 'RECORD_DAMAGED'
  | 'RECORD_SHAPE'
  | 'MANIFEST_INVALID'
  | 'ENTRY_INVALID'
  | 'ENTRY_MISSING'
  | 'ROOT_MISMATCH'
  | 'BAD_SIGNATURE'
  | 'INDEX_MISMATCH'

export interface FsckProblem {
  readonly code: FsckCode
  /** Number of the segment, 0 if the problem lies in none. */
  readonly segment: number
  /** Bytes from the beginning of the segment file. */
  readonly offset: number
  /** Name of the capsule as text, where it is known. */
  readonly capsule: string | undefined
  readonly detail: string
}

export interface FsckReport {
  /** No problem was found. */
  readonly ok: boolean
  /** The first thousand. */
  readonly problems: readonly FsckProblem[]
  readonly problemCount: number
  readonly entries: number
  readonly capsules: number
  /** Bytes of journal that were read. */
  readonly bytes: number
}

/** More of them tell a person nothing new. */
const PROBLEMS_MAX = 1000

/** Where in the journal something was found. */
export interface FsckPlace {
  readonly segment: number
  readonly offset: number
}

export const NO_PLACE: FsckPlace = { segment: 0, offset: 0 }

export class FsckProblems {
  readonly problems: FsckProblem[] = []
  count = 0

  add(code: FsckCode, place: FsckPlace, detail: string, capsule?: CapsuleName): void {
    this.count++
    if (this.problems.length >= PROBLEMS_MAX) return
    const { segment, offset } = place
    const name = capsule === undefined ? undefined : formatName(capsule)
    this.problems.push({ code, segment, offset, capsule: name, detail })
  }

  /** Runs a check; if it throws one of our errors, that is the problem. False then. */
  check(code: FsckCode, place: FsckPlace, capsule: CapsuleName, action: () => void): boolean {
    try {
      action()
      return true
    } catch (error) {
      if (!isLongshoreError(error) && !(error instanceof AssertionFailure)) throw error
      this.add(code, place, error.message, capsule)
      return false
    }
  }
}
