import assert from 'node:assert/strict'
import { test } from 'node:test'
import { asBranchId } from '@longshore/capsule'
import { DiskHome } from '../../testing/disk-home.ts'
import { Prng } from '../../testing/prng.ts'
import type { SignedBranch } from '../../testing/signed-branch.ts'
import { SimIndex } from '../../testing/sim-index.ts'
import { openDiskStore } from './disk-store.ts'

const SMALL = { indexFlushBytes: 2000, segmentBytesMax: 6000, aheadBytesMin: 1024 }

function fill(home: DiskHome, branch: SignedBranch, appends: number): void {
  for (let i = 0; i < appends; i++) home.commit(branch.append(home.prng.between(1, 12)))
}

function checkWhole(home: DiskHome, branch: SignedBranch, when: string): void {
  const { name } = branch.capsule
  assert.equal(home.store.state(name, branch.branch)?.size, branch.size, when)
  assert.deepEqual(home.store.fsck().problems, [], when)
}

test('IX7 IX9: the index vanishes or rolls back to any earlier batch: opening catches up', () => {
  const home = new DiskHome(1, SMALL)
  const branch = home.createBranch()
  fill(home, branch, 30)
  const batches = home.index.batchCount
  assert.ok(batches > 5)
  for (let batch = batches; batch >= 0; batch--) {
    home.crash('kill')
    home.index.rollBack(batch)
    home.open()
    checkWhole(home, branch, `batch ${batch}`)
    home.crash('kill')
    home.index.rollBack(batch)
    home.open()
  }
  home.crash('power', 'vanish')
  home.open()
  checkWhole(home, branch, 'vanished')
})

test('IX7: the index of another home, or of a copy that went another way, is not believed', () => {
  const home = new DiskHome(2, SMALL)
  const branch = home.createBranch()
  fill(home, branch, 10)
  home.close()
  const { disk, runtime } = home
  const otherHome = new DiskHome(3, SMALL)
  fill(otherHome, otherHome.createBranch(), 20)
  otherHome.close()
  const foreign = () =>
    openDiskStore({ disk, runtime, index: otherHome.index.open(), mode: 'write', limits: SMALL })
  const store = foreign()
  assert.equal(store.state(branch.capsule.name, branch.branch)?.size, branch.size)
  assert.deepEqual(store.fsck().problems, [])
  store.close()

  // A raw copy: the same segments up to here, then another history.
  const copy = disk.copy(new Prng(4))
  home.open()
  fill(home, branch, 3)
  home.close()
  const index = new SimIndex(new Prng(5))
  const open = (on: typeof disk) =>
    openDiskStore({ disk: on, runtime, index: index.open(), mode: 'write', limits: SMALL })
  open(disk).close()
  const old = open(copy)
  assert.ok((old.state(branch.capsule.name, branch.branch)?.size ?? 0) < branch.size)
  assert.deepEqual(old.fsck().problems, [])
})

test('IX8: an index from before a compaction is not used', () => {
  const home = new DiskHome(15, SMALL)
  const branch = home.createBranch()
  fill(home, branch, 30)
  home.commit(branch.erase([0, 20]))
  home.close()
  const before = home.index.batchCount
  home.open()
  home.store.compact()
  const files = home.segments()
  assert.ok(files.every((path) => !path.includes('00000001.0')))
  home.crash('kill')
  home.index.rollBack(before)
  home.open()
  checkWhole(home, branch, 'compacted')
  assert.deepEqual(home.segments(), files)
  assert.ok(home.runtime.logged.at(-1)?.details.index === 'rebuilt')
})

test('IX7: damage in the journal does not make a good index doubtful', () => {
  const home = new DiskHome(6)
  const branch = home.createBranch()
  fill(home, branch, 5)
  const end = home.store.snapshotFiles()[0]?.byteLength as number
  home.close()
  const before = home.index.counts.writes
  home.disk.flipBit(home.segments()[0] as string, end - 10, 1)
  home.open()
  assert.equal(home.index.counts.writes, before, 'not cleared')
  assert.equal(home.store.state(branch.capsule.name, branch.branch)?.size, branch.size)
})

test('IX5: the index is written in one batch, every so much journal and at close, never for one commit', () => {
  const home = new DiskHome(7, { indexFlushBytes: 20_000 })
  const branch = home.createBranch()
  const { counts } = home.index
  const before = counts.writes
  let commits = 0
  while (counts.writes === before) {
    home.commit(branch.append(1, { payloadBytes: 300 }))
    commits++
  }
  assert.ok(commits > 15 && commits < 80, `${commits} commits`)
  home.commit(branch.append(1))
  assert.equal(counts.writes, before + 1)
  home.close()
  assert.equal(counts.writes, before + 2)
  home.open()
  home.close()
  assert.equal(counts.writes, before + 2, 'nothing to write')
})

test('IX6: of many idle branches few are in memory, and all of them can be used', () => {
  const home = new DiskHome(8, { branchesMax: 4, indexFlushBytes: 3000 })
  const branches = Array.from({ length: 40 }, () => home.createBranch())
  for (let round = 0; round < 3; round++) {
    for (const branch of branches) home.commit(branch.append(2))
  }
  for (const { capsule, branch } of branches) {
    assert.equal(home.store.state(capsule.name, branch)?.size, 6)
    assert.equal(home.store.entry(capsule.name, branch, 3).state, 'present')
  }
  home.reopen()
  assert.deepEqual(home.store.fsck().problems, [])
})

test('IX9: what opening reads does not depend on the number of entries', () => {
  const reads = [200, 20_000].map((size) => {
    const home = new DiskHome(9)
    const branch = home.createBranch()
    while (branch.size < size) home.commit(branch.append(Math.min(5000, size - branch.size)))
    home.close()
    const { counts } = home.disk
    const before = { disk: counts.reads, bytes: counts.readBytes, index: home.index.counts.reads }
    const store = home.open()
    store.state(branch.capsule.name, branch.branch)
    store.entry(branch.capsule.name, branch.branch, size / 2)
    assert.ok(counts.readBytes - before.bytes < 200_000)
    return { disk: counts.reads - before.disk, index: home.index.counts.reads - before.index }
  })
  assert.deepEqual(reads[0], reads[1])
})

test('IX9: an append to a branch that was just opened reads one block and one tile per level', () => {
  const home = new DiskHome(10)
  const branch = home.createBranch()
  home.commit(branch.append(300))
  home.reopen()
  const before = home.index.counts.reads
  home.commit(branch.append(1))
  home.close()
  // State, block, two tiles, and twice the place of the manifest.
  assert.ok(home.index.counts.reads - before <= 8, `${home.index.counts.reads - before}`)
})

test('IX10: one entry is one lookup and one read of the journal', () => {
  const home = new DiskHome(11)
  const branch = home.createBranch()
  home.commit(branch.append(5000, { payloadBytes: 100 }))
  home.reopen()
  const { name } = branch.capsule
  home.store.state(name, branch.branch)
  for (const index of [0, 4999, 2500, 300]) {
    const before = { reads: home.disk.counts.reads, index: home.index.counts.reads }
    const { body } = home.store.entry(name, branch.branch, index)
    assert.deepEqual(body, branch.body(index))
    assert.equal(home.disk.counts.reads - before.reads, 1, `entry ${index}`)
    assert.equal(home.index.counts.reads - before.index, 1, `entry ${index}`)
  }
  const before = home.disk.counts.reads
  assert.equal([...home.store.scan(name, branch.branch, { start: 0, end: 5000 })].length, 5000)
  assert.ok(home.disk.counts.reads - before <= 4, 'a scan reads ahead')
})

test('IX10: entries are read from a disk that stops early now and then', () => {
  const home = new DiskHome(12)
  const branch = home.createBranch()
  home.commit(branch.append(50))
  home.commit(branch.append(2, { payloadBytes: 50_000 }))
  home.disk.shortReads = 0.5
  home.reopen()
  const { name } = branch.capsule
  for (let index = 0; index < branch.size; index++) {
    assert.deepEqual(home.store.entry(name, branch.branch, index).body, branch.body(index))
  }
  home.crash('kill', 'vanish')
  home.open()
  assert.deepEqual(home.store.fsck().problems, [])
})

test('IX11: a time is found with few reads, in memory and in the index', () => {
  const home = new DiskHome(13)
  const branch = home.createBranch(asBranchId(new Prng(1).bytes(16)))
  for (let i = 0; i < 20; i++) home.commit(branch.append(1000))
  const { name } = branch.capsule
  for (let round = 0; round < 2; round++) {
    for (const timeUs of [0, 1, 255, 256, 9999, 19_999]) {
      const before = home.disk.counts.reads
      assert.equal(home.store.indexAtTime(name, branch.branch, timeUs), timeUs)
      assert.ok(home.disk.counts.reads - before <= 3)
    }
    assert.equal(home.store.indexAtTime(name, branch.branch, 20_000), 20_000)
    home.reopen()
  }
})

test('IX5: an index that cannot be written is tried again, and stops the store before memory ends', () => {
  const home = new DiskHome(14, { indexFlushBytes: 1000 })
  const branch = home.createBranch()
  home.close()
  let isBroken = true
  const inner = home.index.open()
  const index = {
    ...inner,
    write: (batch: Parameters<typeof inner.write>[0]) => {
      if (isBroken) throw new Error('MDB_MAP_FULL')
      inner.write(batch)
    },
  }
  const { disk, runtime } = home
  const limits = { indexFlushBytes: 1000 }
  const store = openDiskStore({ disk, index, runtime, mode: 'write', limits })
  let refusals = 0
  for (let ticket = 0; refusals === 0; ticket++) {
    assert.ok(ticket < 200)
    store.step({ type: 'submit', ticket, ops: [branch.append(1, { payloadBytes: 200 })] })
    for (const effect of store.step({ type: 'flush' })) {
      if (effect.type === 'sync') store.step({ type: 'synced', token: effect.token })
      else if (effect.type === 'refused') refusals++
    }
  }
  const size = store.state(branch.capsule.name, branch.branch)?.size as number
  assert.ok(size > 20 && size < 100, `${size}`)
  isBroken = false
  branch.rewind(size)
  store.step({ type: 'submit', ticket: 1000, ops: [branch.append(1)] })
  const [effect] = store.step({ type: 'flush' })
  assert.equal(effect?.type, 'sync')
})
