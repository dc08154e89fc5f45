/**
 * The disk store against a disk that fails at every single operation in turn.
 *
 * One seed gives one piece of work: appends to several branches, holes and their payloads,
 * erasures, notes, compaction, closing and opening. It is run once to count the disk's operations,
 * and then again for each of them: there the process dies or the power goes (before the operation,
 * after it, with any of the sectors since the last sync lost), the disk is full, or it fails. The
 * index survives, rolls back or vanishes. Then the home is opened again, and must
 *
 * - hold every transaction that was acknowledged, and of the others a first part, each one whole;
 * - hold the same after another loss of power;
 * - pass fsck, and give for every branch the root of its head;
 * - go on: take appends to every branch, and hold them.
 *
 * Rules JR6 to JR19 of docs/spec/journal.md, IX5 to IX9 of docs/spec/index.md.
 *
 * @module
 */
import { asBranchId, bytesEqual, MAIN_BRANCH, RightEdge } from '@longshore/capsule'
import { DiskError } from '../runtime/disk.ts'
import { type DiskStore, openDiskStore } from '../store/disk/disk-store.ts'
import type { DiskStoreLimits } from '../store/disk/limits.ts'
import { MemoryStore } from '../store/memory-store.ts'
import type { StoreEffect, StoreOp, StoreReader } from '../store/store.ts'
import { createCapsuleFixture } from './capsule-fixture.ts'
import { expectEqual, expectTrue, isSame } from './expect.ts'
import { Prng } from './prng.ts'
import { SignedBranch } from './signed-branch.ts'
import { type Fault, SimCrash, SimDisk } from './sim-disk.ts'
import { SimIndex } from './sim-index.ts'
import { SimRuntime } from './sim-runtime.ts'
import { readAll } from './store-contract/life.ts'

/** Small enough that a short piece of work seals segments and writes the index many times. */
const LIMITS: Partial<DiskStoreLimits> = {
  segmentBytesMax: 12_000,
  groupBytesMax: 4000,
  aheadBytesMin: 1024,
  aheadBytesMax: 4096,
  aheadGroupBytesMax: 1500,
  indexFlushBytes: 5000,
  branchesMax: 2,
  filesMax: 2,
}

const NOTE_KEYS = ['a', 'b'] as const

export interface CrashSweepOptions {
  readonly seed: number
  /** Length of the piece of work. */
  readonly steps: number
  /** Default: all of them. */
  readonly faults?: readonly Fault[]
  /** Take every n-th operation only. Default 1. */
  readonly every?: number
  /** Called between two runs; true ends the sweep early. */
  readonly isOver?: () => boolean
}

export interface CrashSweepReport {
  /** Disk operations of the whole piece of work. */
  readonly operations: number
  /** Runs that ended in a fault, and were checked. */
  readonly runs: number
  readonly transactions: number
  /** Capsules that were removed in that work. */
  readonly removals: number
}

const ALL_FAULTS: readonly Fault[] = ['crash-before', 'crash-after', 'FULL', 'IO']

/**
 * @throws {Error} naming seed, steps, operation and fault of the first run that broke
 * a promise.
 */
export function runCrashSweep(options: CrashSweepOptions): CrashSweepReport {
  const { seed, steps, faults = ALL_FAULTS, every = 1 } = options
  const whole = new SweepWorld(seed)
  whole.work(steps)
  whole.check('the work without any fault')
  const { operations } = whole.disk.counts
  const { removals, answered: transactions } = whole
  const report = (runs: number): CrashSweepReport => ({ operations, runs, transactions, removals })
  let runs = 0
  for (let operation = 0; operation < operations; operation += every) {
    for (const fault of faults) {
      if (options.isOver?.() === true) return report(runs)
      runFault(options, operation, fault)
      runs++
    }
  }
  return report(runs)
}

function runFault({ seed, steps }: CrashSweepOptions, operation: number, fault: Fault): void {
  const world = new SweepWorld(seed)
  world.disk.faultAt(operation, fault)
  try {
    world.workUntilFault(steps)
    world.restart(fault)
    world.check('after the restart')
    world.goOn()
  } catch (error) {
    const run = `seed ${seed}, ${steps} steps, ${fault} at ${world.disk.lastFault}`
    const reason = error instanceof Error ? (error.stack ?? error.message) : String(error)
    throw new Error(`${run}: ${reason}`, { cause: error })
  }
}

interface Transaction {
  readonly ops: readonly StoreOp[]
  state: 'waiting' | 'committed' | 'refused'
}

type SyncEffect = Extract<StoreEffect, { type: 'sync' }>

/** One home and the work that is done to it. */
class SweepWorld {
  readonly disk: SimDisk
  readonly index: SimIndex
  readonly runtime: SimRuntime
  /** Decides the work; the disk and the index draw from others. */
  readonly #prng: Prng
  readonly #fate: Prng
  readonly #branches: SignedBranch[] = []
  readonly #transactions: Transaction[] = []
  #store: DiskStore | undefined
  #sync: SyncEffect | undefined
  removals = 0

  constructor(seed: number) {
    this.#prng = new Prng(seed)
    this.#fate = new Prng(seed + 1_000_000)
    this.disk = new SimDisk(this.#fate.child())
    this.index = new SimIndex(this.#fate.child())
    this.runtime = new SimRuntime(this.#fate.child())
  }

  get answered(): number {
    return this.#transactions.filter(({ state }) => state !== 'waiting').length
  }

  work(steps: number): void {
    this.#open()
    this.#createBranches()
    for (let step = 0; step < steps; step++) this.#step()
    this.#settle()
  }

  /** The same work; returns where the fault ended it, or at its end if it could go on. */
  workUntilFault(steps: number): void {
    try {
      this.work(steps)
    } catch (error) {
      if (!(error instanceof SimCrash || isFaultOf(error))) throw error
    }
  }

  /** What is left after the fault, and a process that opens it. */
  restart(fault: Fault): void {
    this.#store = undefined
    this.#sync = undefined
    const isPower = fault.startsWith('crash') && this.#fate.chance(0.75)
    this.#crash(isPower ? 'power' : 'kill')
    if (this.#fate.chance(0.3)) this.#crashWhileOpening()
    this.#open()
    this.#acceptWhatIsThere()
  }

  /** Everything that must hold now, and after a loss of power. */
  check(when: string): void {
    this.#checkNow(when)
    if (this.#sync !== undefined) return
    this.#crash('power')
    this.#open()
    this.#checkNow(`${when}, and after a loss of power`)
  }

  /** A writer that continues where the store is. */
  goOn(): void {
    for (const branch of this.#branches) this.#submit([branch.append(this.#prng.between(1, 5))])
    this.#settle()
    this.#checkNow('after going on')
    this.#store?.compact()
    this.#checkNow('after compaction')
    this.#store?.close()
    this.#open()
    this.#checkNow('after closing and opening')
  }

  #open(): void {
    const { disk, runtime } = this
    const index = this.index.open()
    this.#store = openDiskStore({ disk, index, runtime, mode: 'write', limits: LIMITS })
  }

  #crash(how: 'power' | 'kill'): void {
    this.disk.crash(how)
    if (how === 'power') this.runtime.restart()
    this.index.crash(how === 'kill' && this.#fate.chance(0.5) ? 'keep' : undefined)
  }

  /** The restart is interrupted too, somewhere. */
  #crashWhileOpening(): void {
    const operation = this.disk.counts.operations + this.#fate.below(12)
    this.disk.crashAt(operation, this.#fate.chance(0.5) ? 'before' : 'after')
    try {
      this.#open()
    } catch (error) {
      if (!(error instanceof SimCrash)) throw error
    }
    this.#crash(this.#fate.chance(0.75) ? 'power' : 'kill')
  }

  #createBranches(): void {
    for (let i = 0; i < 3; i++) {
      const capsule = createCapsuleFixture(this.#prng)
      this.#branches.push(new SignedBranch(this.#prng, capsule, MAIN_BRANCH))
      this.#submit([capsule.manifest])
      if (i > 0) continue
      const id = asBranchId(this.#prng.bytes(16))
      this.#branches.push(new SignedBranch(this.#prng, capsule, id))
    }
  }

  #step(): void {
    const prng = this.#prng
    const branch = prng.pick(this.#branches)
    const choice = prng.below(100)
    if (choice < 45) this.#append(branch)
    else if (choice < 52) this.#submit([this.#note(), branch.append(1)])
    else if (choice < 60 && branch.size > 0) this.#submit([branch.fill(prng.below(branch.size))])
    else if (choice < 68 && branch.size > 1) this.#submit([this.#erasure(branch)])
    else if (choice < 90) this.#flush()
    else if (choice < 93) this.#reopen()
    else if (choice < 95) this.#compact()
    else if (choice < 97) this.#remove(branch)
    else this.#finishSync()
  }

  #append(branch: SignedBranch): void {
    const count = this.#prng.chance(0.1) ? 60 : this.#prng.between(1, 6)
    const holes = this.#prng.chance(0.3) ? [this.#prng.below(count)] : []
    this.#submit([branch.append(count, { holes })])
  }

  #note(): StoreOp {
    const key = this.#prng.pick(NOTE_KEYS)
    return { type: 'note', key, value: this.#prng.bytes(this.#prng.below(40)) }
  }

  #erasure(branch: SignedBranch): StoreOp {
    const start = this.#prng.below(branch.size)
    return branch.erase([start, this.#prng.between(start + 1, branch.size)])
  }

  /** Sometimes stored anew in the same transaction. */
  #remove({ capsule }: SignedBranch): void {
    this.removals++
    const ops: StoreOp[] = [{ type: 'remove', name: capsule.name }, capsule.manifest]
    // First: a full disk refuses it at once, and then they go back.
    for (const other of this.#branches) if (other.capsule === capsule) other.restart()
    if (this.#prng.chance(0.5)) this.#submit(ops)
    else for (const op of ops) this.#submit([op])
  }

  #reopen(): void {
    this.#settle()
    this.#store?.close()
    this.#open()
  }

  #compact(): void {
    this.#settle()
    this.#store?.compact()
  }

  #submit(ops: readonly StoreOp[]): void {
    this.#transactions.push({ ops, state: 'waiting' })
    const ticket = this.#transactions.length - 1
    this.#take(this.#store?.step({ type: 'submit', ticket, ops }) ?? [])
  }

  #flush(): void {
    this.#take(this.#store?.step({ type: 'flush' }) ?? [])
  }

  #finishSync(): void {
    const sync = this.#sync
    if (sync === undefined) return
    this.#sync = undefined
    const { token } = sync
    try {
      sync.file.sync()
    } catch (error) {
      if (!(error instanceof DiskError)) throw error
      this.#take(this.#store?.step({ type: 'sync-failed', token, error }) ?? [])
      throw error
    }
    this.#take(this.#store?.step({ type: 'synced', token }) ?? [])
  }

  /** Until nothing waits; what a full disk refused may have been submitted again meanwhile. */
  #settle(): void {
    do {
      this.#flush()
      while (this.#sync !== undefined) this.#finishSync()
    } while (this.#transactions.some(({ state }) => state === 'waiting'))
  }

  #take(effects: readonly StoreEffect[]): void {
    let isRefused = false
    for (const effect of effects) {
      if (effect.type === 'sync') this.#sync = effect
      else if (effect.type === 'failed') throw effect.error
      else if (effect.type === 'committed') {
        for (const ticket of effect.tickets) this.#transaction(ticket).state = 'committed'
      } else {
        if (!isFaultOf(effect.error)) throw effect.error
        this.#transaction(effect.ticket).state = 'refused'
        isRefused = true
      }
    }
    // The disk was full: all that waited is refused, and the work goes on from what is committed.
    if (isRefused) this.#rewind()
  }

  /** Every branch goes on where the store is. */
  #rewind(): void {
    const store = this.#store as DiskStore
    for (const branch of this.#branches) {
      const { capsule } = branch
      const size = store.state(capsule.name, branch.branch)?.size ?? 0
      const first = size === 0 ? undefined : store.entry(capsule.name, branch.branch, 0)
      branch.rewind(size, first?.header)
      const isKnown = store.manifest(capsule.name) !== undefined
      if (!isKnown && branch.branch === MAIN_BRANCH) this.#submit([capsule.manifest])
    }
  }

  #transaction(ticket: number): Transaction {
    return this.#transactions[ticket] as Transaction
  }

  /** Of what was not acknowledged, a first part may have been kept: from now on it counts. */
  #acceptWhatIsThere(): void {
    const store = this.#store as DiskStore
    const committed = this.#transactions.filter(({ state }) => state === 'committed')
    const open = this.#transactions.filter(({ state }) => state === 'waiting')
    const found = snapshot(store)
    const isFound = (kept: number): boolean => {
      return isSame(found, snapshot(modelOf([...committed, ...open.slice(0, kept)])))
    }
    let kept = 0
    while (kept <= open.length && !isFound(kept)) kept++
    expectTrue(
      kept <= open.length,
      'everything acknowledged is there, the rest whole or not at all',
    )
    this.#transactions.length = 0
    this.#transactions.push(...committed)
    for (const { ops } of open.slice(0, kept)) this.#transactions.push({ ops, state: 'committed' })
    this.#rewind()
    this.#settle()
  }

  #checkNow(when: string): void {
    const store = this.#store as DiskStore
    const committed = this.#transactions.filter(({ state }) => state === 'committed')
    expectEqual(snapshot(store), snapshot(modelOf(committed)), when)
    for (const name of store.names()) {
      for (const branch of store.branches(name)) {
        const head = store.state(name, branch)?.head
        if (head === undefined) continue
        const tile = (level: number, n: number, width: number) =>
          store.tile(name, branch, level, n, width)
        const root = RightEdge.open({ tile }, head.size).root()
        expectTrue(bytesEqual(root, head.root), `${when}: the tiles give the root of the head`)
      }
    }
    expectEqual(store.fsck().problems, [], `${when}: fsck`)
  }
}

/** Everything that a reader sees. */
function snapshot(store: StoreReader): unknown {
  return readAll(store, NOTE_KEYS)
}

/** What a store must hold to which these were committed. */
function modelOf(transactions: readonly Transaction[]): MemoryStore {
  const model = new MemoryStore()
  for (const [ticket, { ops }] of transactions.entries()) {
    const refused = model.step({ type: 'submit', ticket, ops })
    expectEqual(refused.length, 0, 'the model takes what the store took')
  }
  for (const effect of model.step({ type: 'flush' })) {
    if (effect.type === 'sync') model.step({ type: 'synced', token: effect.token })
  }
  return model
}

/** An error that a planned fault of the disk brings about, and nothing else does. */
function isFaultOf(error: unknown): boolean {
  if (error instanceof DiskError) return true
  const code = (error as { code?: string }).code
  return code === 'STORE_FULL' || code === 'STORE_IO' || code === 'STORE_FAILED'
}
