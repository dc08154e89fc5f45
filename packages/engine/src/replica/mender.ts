/**
 * Capsules of which a part was lost on the disk of this mirror, and how they become whole again.
 *
 * A damaged copy is given up only when somebody has shown that he holds what this one may hold:
 * every branch, with a head that its writer signed, as large as the one here, over a tree that
 * begins with what was stated here. Another mirror shows it by a statement of its own, whoever
 * pushes the capsule by sending all of it. Then it leaves the store and is filled like a new one.
 * What nobody else holds stays as it is. Rules MI28 to MI32 of docs/spec/mirror.md.
 *
 * @module
 */
import { type BranchId, type CapsuleName, isLongshoreError } from '@longshore/capsule'
import { branchKey, nameKey } from '../store/branch-key.ts'
import { nameTurns } from '../store/name-turns.ts'
import type { StoreOp, StoreReader } from '../store/store.ts'
import { committedHead } from './committed-head.ts'
import type { SessionId } from './mirror-contract.ts'
import { readMirrorNote } from './mirror-note.ts'
import type { WantedCopy } from './pushed-copy.ts'
import { planRemoval, type Removal, readStated, type StatedTree } from './removal.ts'

interface Damaged {
  readonly name: CapsuleName
  /** Else somebody may let this mirror hold it later (MI26). */
  isHeld: boolean
  /** Undefined: its copy is not given up. */
  removal: Removal | undefined
  /** Branches that another mirror has shown, by its name. */
  readonly shown: Map<string, Set<string>>
}

export class Mender {
  readonly #store: StoreReader
  readonly #headLog: CapsuleName
  readonly #damaged = new Map<string, Damaged>()
  /** Being filled again. */
  readonly #mending = new Set<string>()
  /** Of which the manifest was lost. */
  readonly #nameless = new Set<string>()
  /** Sessions whose peers have tried to show a capsule and could not. */
  readonly #vain = new Map<string, Set<SessionId>>()

  constructor(store: StoreReader, headLog: CapsuleName) {
    this.#store = store
    this.#headLog = headLog
  }

  /** Of what is held. */
  get count(): number {
    let count = this.#nameless.size
    for (const { isHeld } of this.#damaged.values()) if (isHeld) count++
    return count
  }

  isDamaged(name: CapsuleName): boolean {
    return this.#damaged.size > 0 && this.#damaged.has(nameKey(name))
  }

  get mendingCount(): number {
    return this.#mending.size
  }

  isMending(name: CapsuleName): boolean {
    return this.#mending.size > 0 && this.#mending.has(nameKey(name))
  }

  /**
   * What the store knows to be damaged, in turns; notes what is not whole again since the last
   * start.
   */
  *inspect(holds: (name: CapsuleName) => boolean): Iterable<readonly CapsuleName[]> {
    for (const names of nameTurns(this.#store)) {
      yield names.filter((name) => {
        const branches = this.#store.branches(name)
        const isDamaged = branches.some((id) => this.#store.state(name, id)?.isDamaged === true)
        if (!isDamaged && this.#isRestating(name) && isHeld(name, holds)) {
          this.#mending.add(nameKey(name))
        }
        return isDamaged
      })
    }
  }

  /**
   * A part of the capsule cannot be read. What is not held is noted all the same: it must not be
   * stated as if it were whole once it is. False if it is not held, or if that was known.
   */
  add(name: CapsuleName, holds: (name: CapsuleName) => boolean): boolean {
    const known = this.#damaged.get(nameKey(name))
    if (known?.isHeld === true) return false
    const isNowHeld = isHeld(name, holds)
    const damaged = known ?? { name, isHeld: isNowHeld, removal: undefined, shown: new Map() }
    damaged.isHeld = isNowHeld
    this.#damaged.set(nameKey(name), damaged)
    return isNowHeld
  }

  /** The manifest of a capsule that is held cannot be read. False if that was known. */
  addNameless(name: CapsuleName): boolean {
    if (this.#nameless.has(nameKey(name))) return false
    this.#nameless.add(nameKey(name))
    return true
  }

  isNameless(name: CapsuleName): boolean {
    return this.#nameless.size > 0 && this.#nameless.has(nameKey(name))
  }

  /** False if it was not missing. */
  foundManifest(name: CapsuleName): boolean {
    return this.#nameless.delete(nameKey(name))
  }

  /**
   * What a push has to bring to show that its peer holds the branch. Undefined if the copy here is
   * not given up, or if the peer has tried in vain.
   */
  wanted(session: SessionId, name: CapsuleName, branch: BranchId): WantedCopy | undefined {
    if (this.#vain.get(nameKey(name))?.has(session) === true || !this.prepare(name))
      return undefined
    const { holes } = readMirrorNote(this.#store, name, branch)
    const stated = this.stated(name, branch)
    return { size: this.sizeWanted(name, branch), stated, holes }
  }

  /** What the session has pushed did not show it. */
  notShown(session: SessionId, name: CapsuleName): void {
    const sessions = this.#vain.get(nameKey(name)) ?? new Set<SessionId>()
    this.#vain.set(nameKey(name), sessions)
    sessions.add(session)
  }

  /**
   * Finds out what was stated here. Nothing more is since it is known to be damaged, and no
   * statement may be on its way to the store. False if its copy is not given up.
   */
  prepare(name: CapsuleName): boolean {
    const damaged = this.#damaged.get(nameKey(name))
    if (damaged === undefined) return false
    damaged.removal ??= this.#plan(name)
    return damaged.removal !== undefined
  }

  /** It was dropped: not held, and what lies in the store is as damaged as before. */
  dropped(name: CapsuleName): void {
    const isDamaged = this.isDamaged(name)
    this.forget(name)
    if (isDamaged) this.add(name, () => false)
  }

  /** It has left the store. */
  forget(name: CapsuleName): void {
    this.#damaged.delete(nameKey(name))
    this.#vain.delete(nameKey(name))
    this.#nameless.delete(nameKey(name))
    this.#mending.delete(nameKey(name))
  }

  /** The copy here is an empty one now. */
  replaced(name: CapsuleName): void {
    this.#damaged.delete(nameKey(name))
    this.#vain.delete(nameKey(name))
    this.#mending.add(nameKey(name))
  }

  /** True once it was filled again: everything that was stated here is there. */
  becameWhole(name: CapsuleName): boolean {
    if (!this.isMending(name) || this.#isRestating(name)) return false
    return this.#mending.delete(nameKey(name))
  }

  /** What was stated here of a branch of a damaged capsule. */
  stated(name: CapsuleName, branch: BranchId): StatedTree | undefined {
    return this.#damaged.get(nameKey(name))?.removal?.stated.get(branchKey(name, branch))
  }

  /** Entries of a branch that another mirror must hold. */
  sizeWanted(name: CapsuleName, branch: BranchId): number {
    const size = committedHead(this.#store, name, branch)?.size ?? 0
    return Math.max(size, this.stated(name, branch)?.size ?? 0)
  }

  /**
   * Somebody else holds a branch. Returns the changes that replace the copy here by an empty one,
   * once it holds every branch.
   */
  shown(other: string, name: CapsuleName, branch: BranchId): StoreOp[] | undefined {
    const damaged = this.#damaged.get(nameKey(name))
    const signed = this.#store.manifest(name)
    if (damaged?.removal === undefined || signed === undefined) return undefined
    const held = damaged.shown.get(other) ?? new Set<string>()
    damaged.shown.set(other, held)
    held.add(branchKey(name, branch))
    const isHeld = (id: BranchId): boolean => held.has(branchKey(name, id))
    if (!this.#store.branches(name).every(isHeld)) return undefined
    return [...damaged.removal.ops, { type: 'manifest', name, signed }]
  }

  #isRestating(name: CapsuleName): boolean {
    const branches = this.#store.branches(name)
    return branches.some((id) => readStated(this.#store, name, id) !== undefined)
  }

  #plan(name: CapsuleName): Removal | undefined {
    try {
      return planRemoval(this.#store, this.#headLog, name)
    } catch (error) {
      // This home writes it, or nothing says any more what was stated.
      if (isLongshoreError(error)) return undefined
      throw error
    }
  }
}

function isHeld(name: CapsuleName, holds: (name: CapsuleName) => boolean): boolean {
  try {
    return holds(name)
  } catch (error) {
    // Its manifest lies in damage.
    if (isLongshoreError(error)) return false
    throw error
  }
}
