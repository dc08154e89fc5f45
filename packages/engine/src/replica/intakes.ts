/**
 * The branches that a mirror has open, for taking in and for serving.
 *
 * Branches at work stay; of the others the most recently used ones are kept. What lies in the store
 * without a chain that lets this node serve it is not there for anybody. Rules MI20 and MI26 of
 * docs/spec/mirror.md.
 *
 * @module
 */
import {
  type BranchId,
  bytesEqual,
  type CapsuleName,
  MAIN_BRANCH,
  openManifest,
  type SignedManifest,
  UnavailableError,
} from '@longshore/capsule'
import { SpareMemory } from '../runtime/spare-memory.ts'
import { branchKey, nameKey } from '../store/branch-key.ts'
import type { StoreReader } from '../store/store.ts'
import { readInstance } from '../writer/writer-notes.ts'
import { BranchIntake } from './branch-intake.ts'
import { readChain } from './chain-notes.ts'
import { isDropped } from './dropped.ts'
import { BRANCHES_MAX, type ReplicaLimits } from './limits.ts'
import { storedManifest } from './stored-manifest.ts'

export interface IntakeJudge {
  /** Is this chain, by which a capsule was taken on, one of this node's own? */
  isOwnChain(chain: Uint8Array): boolean
  /** A part of the capsule cannot be read here. */
  isDamaged(name: CapsuleName): boolean
}

export class Intakes {
  readonly #store: StoreReader
  readonly #limits: ReplicaLimits
  /** By branch key; the order is that of use. */
  #open = new Map<string, BranchIntake>()
  /** Capsules whose manifest is on its way to the store. */
  readonly #arriving = new Map<string, SignedManifest>()

  /** Capsules whose copy is about to be replaced by an empty one. */
  readonly #replacing = new Set<string>()
  readonly #judge: IntakeJudge
  readonly #spares: SpareMemory

  constructor(
    store: StoreReader,
    limits: ReplicaLimits,
    judge: IntakeJudge,
    spares: SpareMemory = new SpareMemory(),
  ) {
    this.#spares = spares
    this.#store = store
    this.#limits = limits
    this.#judge = judge
  }

  /** The manifest of a capsule that is held, or will be with the next commit. */
  manifest(name: CapsuleName): SignedManifest | undefined {
    const arriving = this.#arriving.get(nameKey(name))
    if (arriving !== undefined) return arriving
    const signed = storedManifest(this.#store, name)
    if (signed === undefined || isDropped(this.#store, name)) return undefined
    return this.#isServed(name) ? openManifest(signed, name) : undefined
  }

  /** It was taken on, and its manifest lies in damage. */
  isNameless(name: CapsuleName): boolean {
    if (this.#arriving.has(nameKey(name)) || isDropped(this.#store, name)) return false
    const isLost = storedManifest(this.#store, name) === undefined
    return isLost && this.#store.state(name, MAIN_BRANCH) !== undefined && this.#isServed(name)
  }

  /** Its owner lets this node serve it, or the node writes it itself: its head log. */
  #isServed(name: CapsuleName): boolean {
    const chain = readChain(this.#store, name)
    if (chain !== undefined && this.#judge.isOwnChain(chain)) return true
    return readInstance(this.#store, name, MAIN_BRANCH) !== undefined
  }

  /** The capsule is held by this very chain, and nothing that is on its way changes that. */
  isTakenOn({ name }: SignedManifest, chain: Uint8Array): boolean {
    const key = nameKey(name)
    if (this.#arriving.has(key) || this.#replacing.has(key)) return false
    const stored = readChain(this.#store, name)
    return stored !== undefined && bytesEqual(stored, chain) && this.manifest(name) !== undefined
  }

  arrive(signed: SignedManifest): void {
    this.#arriving.set(nameKey(signed.name), signed)
  }

  /** What was opened meanwhile may go by a statement of whoever held the capsule before. */
  arrived({ name }: SignedManifest): void {
    this.#arriving.delete(nameKey(name))
    for (const [key, intake] of this.#open) {
      if (intake.isIdle && bytesEqual(intake.name, name)) this.#open.delete(key)
    }
  }

  /**
   * The branch, open. It may have no entry yet.
   *
   * @throws {UnavailableError} `NOT_FOUND` if the capsule is not held
   */
  open(name: CapsuleName, branch: BranchId): BranchIntake {
    const key = branchKey(name, branch)
    const known = this.#open.get(key)
    if (known !== undefined) {
      this.#open.delete(key)
      this.#open.set(key, known)
      return known
    }
    if (this.#replacing.has(nameKey(name))) {
      throw new UnavailableError('OVERLOADED', 'this mirror replaces its copy of the capsule')
    }
    const signed = this.manifest(name)
    if (signed === undefined || signed.manifest.type !== 'capsule') {
      throw new UnavailableError('NOT_FOUND', 'this mirror does not hold the capsule')
    }
    const { holeRangesMax } = this.#limits
    const isDamaged = (): boolean => this.#judge.isDamaged(name)
    const intake = new BranchIntake(this.#store, signed, branch, {
      holeRangesMax,
      isDamaged,
      spares: this.#spares,
    })
    this.#open.set(key, intake)
    this.#forgetIdle()
    return intake
  }

  /**
   * Returns if entries of this branch may be taken in; throws otherwise.
   *
   * @throws {UnavailableError} `POLICY_REFUSED`, `QUOTA_EXCEEDED`, `STORE_CORRUPT`
   */
  checkBranch({ manifest }: SignedManifest, name: CapsuleName, branch: BranchId): void {
    if (readInstance(this.#store, name, branch) !== undefined) {
      throw new UnavailableError('POLICY_REFUSED', 'this home writes the branch itself')
    }
    if (this.#store.state(name, branch)?.isDamaged === true) {
      throw new UnavailableError('STORE_CORRUPT', 'a part of this branch was lost here')
    }
    if (branch.length === 0) return
    if (manifest.mode === 'strict') {
      throw new UnavailableError('POLICY_REFUSED', 'a strict capsule has one branch')
    }
    const branches = this.#store.branches(name)
    if (branches.length < BRANCHES_MAX || branches.some((id) => bytesEqual(id, branch))) return
    throw new UnavailableError('QUOTA_EXCEEDED', 'the capsule has too many branches')
  }

  /** The capsule was dropped: what is pending of it is too. */
  forget(name: CapsuleName): void {
    this.#arriving.delete(nameKey(name))
    for (const [key, intake] of this.#open) {
      if (bytesEqual(intake.name, name)) this.#open.delete(key)
    }
  }

  /** What this node has stated of the capsule is about to change. */
  isStating(name: CapsuleName): boolean {
    if (this.#arriving.has(nameKey(name))) return true
    return [...this.#open.values()].some((open) => open.isStating && bytesEqual(open.name, name))
  }

  /** Nothing of the capsule is opened until `replaced`. */
  replace(name: CapsuleName): void {
    this.forget(name)
    this.#replacing.add(nameKey(name))
  }

  replaced(name: CapsuleName): void {
    this.#replacing.delete(nameKey(name))
  }

  dirty(): BranchIntake[] {
    return [...this.#open.values()].filter(
      ({ isDirty, isStatementDue }) => isDirty || isStatementDue,
    )
  }

  /** A transaction was refused: what was accepted on top of it is ahead of the store. */
  reset(): void {
    this.#open = new Map()
    this.#arriving.clear()
  }

  #forgetIdle(): void {
    let surplus = this.#open.size - this.#limits.idleBranchesMax
    if (surplus <= 0) return
    for (const [key, intake] of this.#open) {
      if (surplus-- <= 0) return
      if (intake.isIdle) this.#open.delete(key)
    }
  }
}
