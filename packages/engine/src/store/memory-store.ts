/**
 * The memory engine: the store contract in its simplest form, for tests and simulations.
 *
 * What is committed lives in a `MemoryMedium`, which outlives the store as a disk would: dropping
 * a store without `close` is a crash, and opening another one on the same medium is the restart.
 *
 * Rules ST1 to ST18 of docs/spec/store.md.
 *
 * @module
 */
import {
  assert,
  type BranchId,
  type CapsuleName,
  compareBytes,
  MAIN_BRANCH,
  UnavailableError,
  UsageError,
} from '@longshore/capsule'
import { DiskError, type DiskFile } from '../runtime/disk.ts'
import { nameKey } from './branch-key.ts'
import { MemoryBranch } from './memory-branch.ts'
import { StagedShape } from './staged-shape.ts'
import type {
  BranchState,
  IndexRange,
  Store,
  StoredEntry,
  StoreEffect,
  StoreEvent,
  StoreOp,
} from './store.ts'

interface MemoryCapsule {
  readonly name: CapsuleName
  readonly signed: Uint8Array
  /** The main branch is always there; another one from its first append on. */
  readonly branches: Map<string, { readonly branch: BranchId; readonly content: MemoryBranch }>
}

/** Everything that is committed. */
export class MemoryMedium {
  readonly capsules: Map<string, MemoryCapsule> = new Map()
  readonly notes: Map<string, Uint8Array> = new Map()
  sequence = 0
  /** Payload, header and note bytes that were ever committed; erasing gives nothing back. */
  usedBytes = 0
  /** A group that would exceed this is refused with STORE_FULL. */
  bytesMax: number = Number.POSITIVE_INFINITY

  /** A medium of its own with the same content: what `cp -a` would make of a home. */
  copy(): MemoryMedium {
    const copy = new MemoryMedium()
    for (const [key, capsule] of this.capsules) {
      const branches: MemoryCapsule['branches'] = new Map()
      for (const [branchKey, { branch, content }] of capsule.branches) {
        branches.set(branchKey, { branch, content: content.copy() })
      }
      copy.capsules.set(key, { ...capsule, branches })
    }
    for (const [key, value] of this.notes) copy.notes.set(key, value)
    copy.sequence = this.sequence
    copy.usedBytes = this.usedBytes
    return copy
  }
}

interface Transaction {
  readonly ticket: number
  readonly ops: readonly StoreOp[]
}

interface Group {
  readonly token: number
  readonly transactions: readonly Transaction[]
}

export class MemoryStore implements Store {
  readonly #medium: MemoryMedium
  readonly #staged: StagedShape
  #pending: Transaction[] = []
  #syncing: Group | undefined
  #flushWanted = false
  #lastToken = 0
  /** Why every call throws, once the store is closed or has failed. */
  #ended: 'CLOSED' | 'STORE_FAILED' | undefined

  constructor(medium: MemoryMedium = new MemoryMedium()) {
    this.#medium = medium
    this.#staged = new StagedShape(this)
  }

  step(event: StoreEvent): StoreEffect[] {
    this.#checkOpen()
    switch (event.type) {
      case 'submit':
        return this.#submit(event)
      case 'flush':
        if (this.#syncing === undefined) return this.#beginGroup()
        this.#flushWanted = true
        return []
      case 'synced':
        return this.#endGroup(event.token)
      case 'sync-failed':
        return this.#fail(event.token, event.error)
      case 'refresh':
        return []
    }
  }

  close(): void {
    assert(this.#syncing === undefined, 'no sync is in flight at close')
    this.#ended = 'CLOSED'
  }

  get sequence(): number {
    this.#checkOpen()
    return this.#medium.sequence
  }

  names(): CapsuleName[] {
    this.#checkOpen()
    return [...this.#medium.capsules.values()].map(({ name }) => name).sort(compareBytes)
  }

  get nameCount(): number {
    this.#checkOpen()
    return this.#medium.capsules.size
  }

  namesAfter(after: CapsuleName | undefined, countMax: number): CapsuleName[] {
    const behind = this.names().filter((name) => {
      return after === undefined || compareBytes(name, after) > 0
    })
    return behind.slice(0, countMax)
  }

  manifest(name: CapsuleName): Uint8Array | undefined {
    this.#checkOpen()
    return this.#medium.capsules.get(nameKey(name))?.signed
  }

  branches(name: CapsuleName): BranchId[] {
    this.#checkOpen()
    const capsule = this.#medium.capsules.get(nameKey(name))
    return [...(capsule?.branches.values() ?? [])].map(({ branch }) => branch).sort(compareBytes)
  }

  state(name: CapsuleName, branch: BranchId): BranchState | undefined {
    this.#checkOpen()
    return this.#find(name, branch)?.state()
  }

  entry(name: CapsuleName, branch: BranchId, index: number): StoredEntry {
    return this.#branch(name, branch).entry(index)
  }

  *scan(name: CapsuleName, branch: BranchId, range: IndexRange): Iterable<StoredEntry> {
    const found = this.#branch(name, branch)
    const { start, end } = range
    if (!(0 <= start && start <= end && end <= found.size)) {
      const details = { start, end, size: found.size }
      throw new UsageError('INDEX_OUT_OF_RANGE', 'the range is not within the branch', details)
    }
    for (let index = start; index < end; index++) yield found.entry(index)
  }

  tile(name: CapsuleName, branch: BranchId, level: number, n: number, width: number): Uint8Array {
    return this.#branch(name, branch).tile(level, n, width)
  }

  indexAtTime(name: CapsuleName, branch: BranchId, timeUs: number): number {
    return this.#branch(name, branch).indexAtTime(timeUs)
  }

  note(key: string): Uint8Array | undefined {
    this.#checkOpen()
    return this.#medium.notes.get(key)
  }

  #submit({ ticket, ops }: Transaction): StoreEffect[] {
    try {
      this.#staged.stage(ops)
    } catch (error) {
      if (!(error instanceof UsageError || error instanceof UnavailableError)) throw error
      return [{ type: 'refused', ticket, error }]
    }
    this.#pending.push({ ticket, ops })
    return []
  }

  #beginGroup(): StoreEffect[] {
    const transactions = this.#pending
    if (transactions.length === 0) return []
    this.#pending = []
    if (this.#medium.usedBytes + groupBytes(transactions) > this.#medium.bytesMax) {
      this.#staged.reset([])
      return transactions.map(({ ticket }) => {
        const error = new UnavailableError('STORE_FULL', 'the memory of this store is full')
        return { type: 'refused', ticket, error }
      })
    }
    const token = ++this.#lastToken
    this.#syncing = { token, transactions }
    return [{ type: 'sync', token, file: MEMORY_FILE }]
  }

  #endGroup(token: number): StoreEffect[] {
    const { transactions } = this.#takeGroup(token)
    for (const { ops } of transactions) for (const op of ops) this.#apply(op)
    this.#medium.usedBytes += groupBytes(transactions)
    this.#medium.sequence++
    this.#staged.reset(this.#pending.map(({ ops }) => ops))
    const tickets = transactions.map(({ ticket }) => ticket)
    const wanted = this.#flushWanted
    this.#flushWanted = false
    return [{ type: 'committed', tickets }, ...(wanted ? this.#beginGroup() : [])]
  }

  #fail(token: number, cause: unknown): StoreEffect[] {
    this.#takeGroup(token)
    this.#ended = 'STORE_FAILED'
    const error = new UnavailableError('STORE_FAILED', 'a sync failed', undefined, { cause })
    return [{ type: 'failed', error }]
  }

  #takeGroup(token: number): Group {
    const group = this.#syncing
    assert(group?.token === token, 'a driver answers the sync that is in flight')
    this.#syncing = undefined
    return group
  }

  /** The transaction fits: that was decided when it was submitted. */
  #apply(op: StoreOp): void {
    const { capsules, notes } = this.#medium
    switch (op.type) {
      case 'manifest':
        if (!capsules.has(nameKey(op.name))) {
          const branches: MemoryCapsule['branches'] = new Map()
          branches.set('', { branch: MAIN_BRANCH, content: new MemoryBranch() })
          capsules.set(nameKey(op.name), { name: op.name, signed: op.signed.slice(), branches })
        }
        break
      case 'append':
        this.#openBranch(op.name, op.branch).append(op)
        break
      case 'payload':
        this.#openBranch(op.name, op.branch).fill(op.index, op.body.slice())
        break
      case 'erase':
        this.#openBranch(op.name, op.branch).erase(op.ranges)
        break
      case 'remove':
        capsules.delete(nameKey(op.name))
        break
      case 'note':
        notes.set(op.key, op.value.slice())
    }
  }

  #openBranch(name: CapsuleName, branch: BranchId): MemoryBranch {
    const known = this.#find(name, branch)
    if (known !== undefined) return known
    const capsule = this.#medium.capsules.get(nameKey(name))
    assert(capsule !== undefined, 'the transaction was checked')
    const content = new MemoryBranch()
    capsule.branches.set(String.fromCharCode(...branch), { branch, content })
    return content
  }

  #find(name: CapsuleName, branch: BranchId): MemoryBranch | undefined {
    const capsule = this.#medium.capsules.get(nameKey(name))
    return capsule?.branches.get(String.fromCharCode(...branch))?.content
  }

  #branch(name: CapsuleName, branch: BranchId): MemoryBranch {
    this.#checkOpen()
    const found = this.#find(name, branch)
    if (found === undefined) {
      throw new UnavailableError('NOT_FOUND', 'this branch of this capsule is not in the store')
    }
    return found
  }

  #checkOpen(): void {
    if (this.#ended === 'CLOSED') throw new UnavailableError('CLOSED', 'the store is closed')
    if (this.#ended === 'STORE_FAILED') {
      throw new UnavailableError('STORE_FAILED', 'a sync of this store failed')
    }
  }
}

function groupBytes(transactions: readonly Transaction[]): number {
  let sum = 0
  for (const { ops } of transactions) for (const op of ops) sum += opBytes(op)
  return sum
}

function opBytes(op: StoreOp): number {
  switch (op.type) {
    case 'manifest':
      return op.signed.length
    case 'append':
      return op.entries.frames.length
    case 'payload':
      return op.body.length
    case 'erase':
    case 'remove':
      return 0
    case 'note':
      return op.value.length
  }
}

/** There is nothing to sync: the effect only tells the driver when a group may become visible. */
const MEMORY_FILE: DiskFile = Object.freeze({
  path: 'memory',
  byteLength: () => 0,
  read: refuseFileCall,
  write: refuseFileCall,
  sync: () => {},
  truncate: refuseFileCall,
  close: () => {},
})

function refuseFileCall(): never {
  throw new DiskError('NOT_A_FILE', 'memory', 'the memory engine has no files')
}
