import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MAIN_BRANCH } from '@longshore/capsule'
import { DiskError, type DiskStore, openDiskStore } from '@longshore/engine'
import {
  createCapsuleFixture,
  Prng,
  SignedBranch,
  SimCrash,
  SimDisk,
  SimIndex,
  SimRuntime,
  StoreDriver,
} from '@longshore/engine/testing'
import { DiskReserve } from './disk-reserve.ts'

const RESERVE_BYTES = 8192
const LIMITS = { segmentBytesMax: 4000, aheadBytesMin: 512, aheadBytesMax: 1024 }

/** A home on a disk that fails, with a reserve beside the store. */
class World {
  readonly disk: SimDisk
  readonly runtime: SimRuntime
  readonly #index: SimIndex
  readonly #branch: SignedBranch
  readonly #prng: Prng
  readonly capsule: ReturnType<typeof createCapsuleFixture>

  constructor(seed: number) {
    this.#prng = new Prng(seed)
    this.disk = new SimDisk(this.#prng.child())
    this.#index = new SimIndex(this.#prng.child())
    this.runtime = new SimRuntime(this.#prng.child())
    this.capsule = createCapsuleFixture(this.#prng)
    this.#branch = new SignedBranch(this.#prng.child(), this.capsule, MAIN_BRANCH)
  }

  openStore(): DiskStore {
    const { disk, runtime } = this
    const index = this.#index.open()
    return openDiskStore({ disk, index, runtime, mode: 'write', limits: LIMITS })
  }

  /** Entries that were acknowledged before the crash, if there was one. */
  work(): number {
    let acknowledged = 0
    try {
      const driver = new StoreDriver(this.openStore())
      new DiskReserve(this.disk, this.runtime, RESERVE_BYTES).fill()
      driver.commit(this.capsule.manifest)
      for (let i = 1; i <= 12; i++) {
        driver.commit(this.#branch.append(1, { payloadBytes: 300 }))
        acknowledged = i
      }
    } catch (error) {
      if (!(error instanceof SimCrash)) throw error
    }
    return acknowledged
  }
}

test('HM67: whatever power loss leaves on a disk that is full to the brim, the store opens', async () => {
  const whole = new World(1)
  whole.work()
  const { operations } = whole.disk.counts
  let reservesUsed = 0
  for (let at = 0; at < operations; at++) {
    const world = new World(1)
    const { disk, runtime, capsule } = world
    disk.crashAt(at, at % 2 === 0 ? 'before' : 'after')
    const acknowledged = world.work()
    disk.crash('power')
    // Before the reserve was whole there was room on this disk.
    if (disk.files().includes('reserve') && disk.contents('reserve').length === RESERVE_BYTES) {
      disk.bytesMax = disk.usedBytes()
    }
    const reserve = new DiskReserve(disk, runtime, RESERVE_BYTES)
    reserve.fill()
    const store = await reserve.within(() => world.openStore())
    assert.ok((store.state(capsule.name, MAIN_BRANCH)?.size ?? 0) >= acknowledged, `at ${at}`)
    reservesUsed += runtime.logged.filter(({ event }) => event === 'store.reserve-used').length
    disk.bytesMax = Number.POSITIVE_INFINITY
    const driver = new StoreDriver(store)
    driver.commit({ type: 'note', key: 'k', value: new Uint8Array(100) })
    reserve.fill()
    assert.equal(disk.contents('reserve').length, RESERVE_BYTES)
    store.close()
    assert.equal(world.openStore().note('k')?.length, 100)
  }
  assert.ok(reservesUsed > 10, `${reservesUsed} of ${operations} needed the reserve`)
})

test('HM67: what is left of a reserve is kept, and another failure is not taken for a full disk', async () => {
  const disk = new SimDisk(new Prng(2))
  const runtime = new SimRuntime(new Prng(3))
  const reserve = new DiskReserve(disk, runtime, RESERVE_BYTES)
  reserve.fill()
  disk.bytesMax = disk.usedBytes()
  const write = (): void => {
    const file = disk.open('other', disk.exists('other') ? 'write' : 'create')
    try {
      file.write(0, [new Uint8Array(1000)])
    } finally {
      file.close()
    }
  }
  await reserve.within(write)
  const left = disk.contents('reserve').length
  assert.ok(left > 0 && left <= RESERVE_BYTES - 1000, `${left} bytes`)
  let attempts = 0
  const broken = (): void => {
    attempts++
    throw new DiskError('IO', 'other', 'it is broken')
  }
  await assert.rejects(reserve.within(broken), { code: 'IO' })
  assert.equal(attempts, 1)
  assert.equal(disk.contents('reserve').length, left)
})

test('HM67: with nothing reserved a full disk stays one', async () => {
  const disk = new SimDisk(new Prng(4))
  disk.bytesMax = 0
  const reserve = new DiskReserve(disk, new SimRuntime(new Prng(5)))
  reserve.fill()
  let attempts = 0
  const write = (): void => {
    attempts++
    throw new DiskError('FULL', 'other', 'no room')
  }
  await assert.rejects(reserve.within(write), { code: 'FULL' })
  assert.equal(attempts, 1)
})

test('HM67: nothing is reserved anew while what was let go is being used', async () => {
  const disk = new SimDisk(new Prng(6))
  const reserve = new DiskReserve(disk, new SimRuntime(new Prng(7)), RESERVE_BYTES)
  reserve.fill()
  disk.bytesMax = disk.usedBytes()
  let isFull = true
  await reserve.within(async () => {
    if (isFull) {
      isFull = false
      throw new DiskError('FULL', 'other', 'no room')
    }
    await Promise.resolve()
    // Somebody else has committed something meanwhile.
    reserve.fill()
    assert.equal(disk.contents('reserve').length, 0)
  })
  assert.ok(disk.contents('reserve').length > 0)
})
