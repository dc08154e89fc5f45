/**
 * One home of the disk store in a simulated world, with capsules that are really signed.
 *
 * @module
 */
import { type BranchId, type CapsuleName, MAIN_BRANCH } from '@longshore/capsule'
import { type DiskStore, openDiskStore } from '../store/disk/disk-store.ts'
import type { DiskStoreLimits } from '../store/disk/limits.ts'
import type { StoreOp } from '../store/store.ts'
import { createCapsuleFixture } from './capsule-fixture.ts'
import { Prng } from './prng.ts'
import { SignedBranch } from './signed-branch.ts'
import { SimDisk } from './sim-disk.ts'
import { type IndexCrash, SimIndex } from './sim-index.ts'
import { SimRuntime } from './sim-runtime.ts'
import { StoreDriver } from './store-driver.ts'

export class DiskHome {
  readonly prng: Prng
  readonly disk: SimDisk
  readonly index: SimIndex
  readonly runtime: SimRuntime
  readonly #limits: Partial<DiskStoreLimits>
  #store: DiskStore
  #driver: StoreDriver

  constructor(seed: number, limits: Partial<DiskStoreLimits> = {}) {
    this.prng = new Prng(seed)
    this.disk = new SimDisk(this.prng.child())
    this.index = new SimIndex(this.prng.child())
    this.runtime = new SimRuntime(this.prng.child())
    this.#limits = limits
    this.#store = this.#open('write')
    this.#driver = new StoreDriver(this.#store)
  }

  /** The writer. */
  get store(): DiskStore {
    return this.#store
  }

  /** Drives the writer; a new one after each opening. */
  get driver(): StoreDriver {
    return this.#driver
  }

  /** A process that reads beside the writer. */
  openReader(): DiskStore {
    return this.#open('read')
  }

  close(): void {
    this.#store.close()
  }

  open(): DiskStore {
    this.#store = this.#open('write')
    this.#driver = new StoreDriver(this.#store)
    return this.#store
  }

  reopen(): DiskStore {
    this.close()
    return this.open()
  }

  /** The process dies (`kill`), or the machine loses power. Nothing is open afterwards. */
  crash(how: 'power' | 'kill', index: IndexCrash = 'keep'): void {
    this.disk.crash(how)
    this.index.crash(index)
    if (how === 'power') this.runtime.restart()
  }

  commit(...ops: StoreOp[]): void {
    this.#driver.commit(...ops)
  }

  /** A capsule whose manifest is committed. */
  createBranch(branch: BranchId = MAIN_BRANCH): SignedBranch {
    const capsule = createCapsuleFixture(this.prng)
    this.commit(capsule.manifest)
    return new SignedBranch(this.prng, capsule, branch)
  }

  /** Paths of the segment files, sorted. */
  segments(): string[] {
    return this.disk.files().filter((path) => path.startsWith('segments/'))
  }

  /** Events that were logged at this level. */
  logged(level: string): string[] {
    return this.runtime.logged.filter((line) => line.level === level).map(({ event }) => event)
  }

  #open(mode: 'write' | 'read'): DiskStore {
    const { disk, runtime } = this
    return openDiskStore({ disk, index: this.index.open(), runtime, mode, limits: this.#limits })
  }
}

/** Indices of the entries that a store can give. */
export function readableEntries(store: DiskStore, name: CapsuleName, branch: BranchId): number[] {
  const size = store.state(name, branch)?.size ?? 0
  const readable: number[] = []
  for (let index = 0; index < size; index++) {
    try {
      store.entry(name, branch, index)
      readable.push(index)
    } catch (error) {
      if ((error as { code?: string }).code !== 'STORE_CORRUPT') throw error
    }
  }
  return readable
}
