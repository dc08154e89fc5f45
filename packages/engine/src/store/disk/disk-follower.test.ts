import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DiskHome } from '../../testing/disk-home.ts'
import type { SignedBranch } from '../../testing/signed-branch.ts'
import { readAll } from '../../testing/store-contract/life.ts'
import type { DiskStore } from './disk-store.ts'

const SMALL = { indexFlushBytes: 3000, segmentBytesMax: 8000, aheadBytesMin: 1024 }

function refresh(reader: DiskStore): void {
  assert.deepEqual(reader.step({ type: 'refresh' }), [])
}

function sizeOf(store: DiskStore, { capsule, branch }: SignedBranch): number | undefined {
  return store.state(capsule.name, branch)?.size
}

test('JR16: a reader sees what is committed, and nothing that waits for its sync', () => {
  const home = new DiskHome(1)
  const branch = home.createBranch()
  home.commit(branch.append(3))
  const reader = home.openReader()
  assert.equal(sizeOf(reader, branch), 3)
  home.driver.submit(branch.append(4))
  home.driver.flush()
  refresh(reader)
  assert.equal(sizeOf(reader, branch), 3, 'written, not synced')
  assert.equal(sizeOf(home.openReader(), branch), 3, 'also when it opens now')
  home.driver.finishSync()
  assert.equal(sizeOf(reader, branch), 3, 'until it looks again')
  refresh(reader)
  assert.equal(sizeOf(reader, branch), 7)
  assert.equal(reader.sequence, home.store.sequence)
})

test('JR16: a reader follows the writer through segments, index flushes and compactions', () => {
  const home = new DiskHome(2, SMALL)
  const branches = [home.createBranch(), home.createBranch()]
  const reader = home.openReader()
  const late: DiskStore[] = []
  for (let round = 0; round < 60; round++) {
    const branch = home.prng.pick(branches)
    home.commit(branch.append(home.prng.between(1, 20), { holes: [0] }))
    if (round % 5 === 0) home.commit(branch.fill(branch.size - 1), branch.erase([0, 1]))
    if (round % 20 === 19) home.store.compact()
    if (round % 15 === 0) late.push(home.openReader())
    if (home.prng.chance(0.3)) continue
    refresh(reader)
    assert.equal(reader.sequence, home.store.sequence)
    assert.deepEqual(readAll(reader, []), readAll(home.store, []), `round ${round}`)
  }
  for (const other of late) {
    refresh(other)
    assert.deepEqual(readAll(other, []), readAll(home.store, []))
    assert.deepEqual(other.fsck().problems, [])
  }
})

test('JR20: a reader that has not looked for long still finds its entries after a compaction', () => {
  const home = new DiskHome(3, SMALL)
  const branch = home.createBranch()
  for (let i = 0; i < 20; i++) home.commit(branch.append(10))
  const reader = home.openReader()
  home.commit(branch.erase([5, 6]))
  home.store.compact()
  assert.ok(home.segments().some((path) => path.includes('.1.seg')))
  const { name } = branch.capsule
  for (const index of [0, 17, 199]) {
    assert.deepEqual(reader.entry(name, branch.branch, index).body, branch.body(index))
  }
  const old = home.openReader()
  home.commit(branch.erase([100, 110]))
  const scan = old.scan(name, branch.branch, { start: 0, end: 200 })
  let seen = 0
  for (const { index } of scan) {
    assert.equal(index, seen++)
    if (index === 0) home.store.compact()
  }
  assert.equal(seen, 200)
})

test('JR16: without a writer since the start of the system, reading goes up to the last whole group', () => {
  let beyond = 0
  for (let seed = 10; seed < 40; seed++) {
    const home = new DiskHome(seed, { aheadBytesMin: 4096 })
    const branch = home.createBranch()
    home.commit(branch.append(5))
    home.driver.submit(branch.append(20))
    home.driver.flush()
    home.crash('power')
    const before = home.disk.files().map((path) => home.disk.contents(path))
    const reader = home.openReader()
    const size = sizeOf(reader, branch)
    assert.ok(size === 5 || size === 25)
    if (size === 25) beyond++
    refresh(reader)
    assert.equal(sizeOf(reader, branch), size)
    const after = home.disk.files().map((path) => home.disk.contents(path))
    assert.deepEqual(after, before, 'nothing is changed')
    home.open()
    assert.equal(sizeOf(home.store, branch), size, 'the writer sees the same')
    branch.rewind(size)
    home.commit(branch.append(1))
    refresh(reader)
    assert.equal(sizeOf(reader, branch), size + 1)
  }
  assert.ok(beyond > 0)
})

test('JR16: a reader whose index is missing, or from before, reads the journal in memory', () => {
  const home = new DiskHome(4, { ...SMALL, indexFlushBytes: 1_000_000 })
  const branch = home.createBranch()
  for (let i = 0; i < 30; i++) home.commit(branch.append(10))
  home.index.rollBack(0)
  const reader = home.openReader()
  assert.equal(sizeOf(reader, branch), 300)
  assert.deepEqual(readAll(reader, []), readAll(home.store, []))
  assert.equal(home.index.batchCount, 0, 'it wrote nothing')
  home.commit(branch.append(1))
  refresh(reader)
  assert.equal(sizeOf(reader, branch), 301)
})

test('JR16: a reader opens an empty directory, and follows from the first commit on', () => {
  const home = new DiskHome(5)
  home.close()
  for (const path of home.disk.files()) home.disk.remove(path)
  home.index.rollBack(0)
  const reader = home.openReader()
  assert.deepEqual(reader.names(), [])
  assert.equal(reader.sequence, 0)
  assert.deepEqual(reader.fsck().problems, [])
  home.open()
  const branch = home.createBranch()
  home.commit(branch.append(2))
  refresh(reader)
  assert.equal(sizeOf(reader, branch), 2)
})

test('JR16: refreshing reads only what is new', () => {
  const home = new DiskHome(6)
  const branch = home.createBranch()
  home.commit(branch.append(1000))
  const reader = home.openReader()
  refresh(reader)
  const { counts } = home.disk
  const before = counts.reads
  refresh(reader)
  assert.equal(counts.reads - before, 1, 'the watermark')
  home.commit(branch.append(1))
  const opened = { ...counts }
  refresh(reader)
  assert.ok(counts.reads - opened.reads <= 4)
})

test('JR16: a reader changes nothing, and says so', () => {
  const home = new DiskHome(7)
  const branch = home.createBranch()
  home.commit(branch.append(2))
  const reader = home.openReader()
  assert.throws(() => reader.step({ type: 'flush' }))
  assert.throws(() => reader.step({ type: 'submit', ticket: 1, ops: [] }))
  assert.throws(() => reader.compact(), { code: 'USAGE' })
  assert.throws(() => reader.fsck({ repair: true }), { code: 'USAGE' })
  reader.close()
  reader.close()
  assert.throws(() => reader.names(), { code: 'CLOSED' })
  assert.throws(() => reader.step({ type: 'refresh' }), { code: 'CLOSED' })
})
