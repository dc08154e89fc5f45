/**
 * Which erasures may have been lost in damage, while the journal is read without an index.
 *
 * An erasure is said twice, by its entry and by the erase record behind it. If one of them is
 * read, it holds. If one stretch of damage took both, the payload is still in an earlier record
 * and nothing tells that it must not be shown. So it is counted what was lost: sequences tell how
 * many records are missing, and what is left of their headers tells what some of them were. While
 * a lost record may have been an erasure, lost entries may have been erase entries (rule JR14 of
 * docs/spec/journal.md).
 *
 * @module
 */
import type { CapsuleName } from '@longshore/capsule'
import { branchKey, nameKey } from '../branch-key.ts'
import type { Branch } from './branch.ts'
import type { CommittedState } from './committed-state.ts'

/** Entry, head and erase record: less cannot take away all traces of an erasure. */
const ERASURE_RECORDS = 3

interface Stretch {
  /** Records of which it is certain what they were. */
  known: number
  readonly named: Set<string>
}

export class LostErasures {
  /** An erase record may be lost, and with it the entry that says the same. */
  mayBeLost = false
  readonly #state: CommittedState
  #sequence = 0
  #lostCount = 0
  #unknownCount = 0
  /** Damage since the last valid record: what is known of the records in it. */
  #stretch: Stretch | undefined
  /** Branches whose last entries may be lost, one of them an erase entry. */
  readonly #doubted = new Set<string>()
  #isEachDoubted = false
  /** Branches that went on without a gap since then. */
  readonly #confirmed = new Set<string>()

  constructor(state: CommittedState) {
    this.#state = state
  }

  /** `sequence` is that of the last record before those that are read. */
  begin(sequence: number): void {
    this.#sequence = sequence
  }

  /** A damaged record; `isKnown` if it is certain what it was, `branches` that it was about. */
  note(isKnown: boolean, branches: readonly Branch[]): void {
    this.#stretch ??= { known: 0, named: new Set() }
    if (isKnown) this.#stretch.known++
    for (const { name, branch } of branches) this.#stretch.named.add(branchKey(name, branch))
  }

  /** A valid record comes next. */
  pass(sequence: number): void {
    this.#close(sequence - this.#sequence - 1)
    this.#sequence = sequence
  }

  /** The journal was read up to `sequence`. Returns branches of which nothing can be shown. */
  finish(sequence: number): Branch[] {
    this.#close(sequence - this.#sequence)
    this.#sequence = sequence
    const doubted: Branch[] = []
    for (const name of this.#isDoubting ? this.#state.names() : []) {
      for (const id of this.#state.branches(name)) {
        const key = branchKey(name, id)
        const isDoubted = this.#isEachDoubted || this.#doubted.has(key)
        if (isDoubted && !this.#confirmed.has(key)) doubted.push(this.#state.change(name, id))
      }
    }
    this.#doubted.clear()
    this.#isEachDoubted = false
    this.#confirmed.clear()
    return doubted
  }

  /** What was read of this branch goes on where the known entries end, or tells which are lost. */
  confirm({ name, branch }: Branch): void {
    if (this.#isDoubting) this.#confirmed.add(branchKey(name, branch))
  }

  /** The capsule was removed: what is read of it from here on is new. */
  forget(name: CapsuleName): void {
    const key = nameKey(name)
    const sets = [this.#doubted, this.#confirmed, this.#stretch?.named ?? new Set<string>()]
    for (const set of sets) {
      for (const id of set) if (id.startsWith(key)) set.delete(id)
    }
  }

  get #isDoubting(): boolean {
    return this.#isEachDoubted || this.#doubted.size > 0
  }

  #close(lostCount: number): void {
    if (this.#stretch === undefined) return
    const { known, named } = this.#stretch
    this.#stretch = undefined
    const unknownCount = Math.max(0, lostCount - known)
    this.#lostCount += lostCount
    this.#unknownCount += unknownCount
    // One lost record is the entry or the erase record, never both.
    if (this.#unknownCount === 0 || this.#lostCount < 2) return
    this.mayBeLost = true
    if (unknownCount === 0) return
    this.#confirmed.clear()
    for (const key of named) this.#doubted.add(key)
    if (unknownCount >= ERASURE_RECORDS) this.#isEachDoubted = true
  }
}
