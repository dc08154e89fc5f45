import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeUtf8 } from '@longshore/capsule'
import { DiskError } from '../../runtime/disk.ts'
import { DiskHome } from '../../testing/disk-home.ts'
import type { StoreOp } from '../store.ts'

const NOTE: StoreOp = { type: 'note', key: 'k', value: encodeUtf8('value') }

test('JR6 JR7: a group is one write and one sync, whatever is in it, and one of the watermark', () => {
  const home = new DiskHome(1)
  const branches = [home.createBranch(), home.createBranch(), home.createBranch()]
  const { counts } = home.disk
  for (const size of [1, 3, 300]) {
    const before = { ...counts }
    for (const branch of branches) home.driver.submit(branch.append(size), NOTE)
    home.driver.settle()
    assert.equal(counts.syncs - before.syncs, 1)
    assert.equal(counts.directorySyncs - before.directorySyncs, 0)
    assert.equal(counts.reads - before.reads, 0)
    // The group, the watermark, and now and then zeros ahead of the group.
    assert.ok(counts.writes - before.writes <= 3)
  }
  const before = counts.writes
  home.commit(NOTE)
  assert.equal(counts.writes - before, 2)
})

test('JR7: the watermark never names what is not durable', () => {
  const home = new DiskHome(2)
  const branch = home.createBranch()
  const watermark = () => home.disk.contents('watermark')
  const before = watermark()
  home.driver.submit(branch.append(2))
  assert.deepEqual(watermark(), before, 'after submit')
  home.driver.flush()
  assert.deepEqual(watermark(), before, 'while the sync is in flight')
  home.driver.finishSync()
  assert.notDeepEqual(watermark(), before, 'when committed is answered')
})

test('JR8: zeros are written ahead in growing steps, so that commits do not change the length', () => {
  const home = new DiskHome(3, { aheadBytesMin: 4096, aheadBytesMax: 16_384 })
  const lengths = new Set<number>()
  let commits = 0
  while (home.disk.contents('segments/00000001.0.seg').length < 100_000) {
    home.commit({ type: 'note', key: 'k', value: home.prng.bytes(200) })
    lengths.add(home.disk.contents('segments/00000001.0.seg').length)
    commits++
  }
  assert.ok(commits > 250)
  assert.ok(lengths.size < 12, `${lengths.size} lengths`)
  home.close()
  const trimmed = home.disk.contents('segments/00000001.0.seg')
  assert.ok(!lengths.has(trimmed.length))
  assert.notEqual(trimmed.at(-5), undefined)
  home.open()
  assert.deepEqual(home.logged('error'), [])
})

test('JR8: a segment is sealed before it grows too large; a group is never split', () => {
  const home = new DiskHome(4, { segmentBytesMax: 10_000, aheadBytesMin: 4096 })
  const branch = home.createBranch()
  for (let i = 0; i < 60; i++) home.commit(branch.append(5))
  const lengths = home.segments().map((path) => home.disk.contents(path).length)
  assert.ok(lengths.length > 3)
  for (const length of lengths) assert.ok(length <= 10_000)
  home.commit(branch.append(2, { payloadBytes: 9000 }))
  const last = home.disk.contents(home.segments().at(-1) as string)
  assert.ok(last.length > 10_000, 'larger by itself')
  home.commit(branch.append(1))
  home.reopen()
  assert.equal(home.store.state(branch.capsule.name, branch.branch)?.size, branch.size)
  assert.deepEqual(home.store.fsck().problems, [])
})

test('JR6: what does not fit into one group follows as the next one, without another flush', () => {
  const home = new DiskHome(5, { groupBytesMax: 3000 })
  const branch = home.createBranch()
  const { counts } = home.disk
  const before = counts.syncs
  for (let i = 0; i < 10; i++) home.driver.submit(branch.append(1, { payloadBytes: 1000 }))
  home.driver.settle()
  assert.equal(home.store.state(branch.capsule.name, branch.branch)?.size, 10)
  assert.equal(counts.syncs - before, 5)
})

test('JR6: a transaction that is too large is refused, and leaves nothing behind', () => {
  const home = new DiskHome(6, { transactionBytesMax: 10_000 })
  const branch = home.createBranch()
  home.driver.expectRefused('USAGE', branch.append(3, { payloadBytes: 5000 }))
  branch.rewind(0)
  home.commit(branch.append(3))
})

test('JR9: a full disk refuses the group before any of its bytes is written', () => {
  const home = new DiskHome(7, { aheadBytesMin: 8192 })
  const branch = home.createBranch()
  home.commit(branch.append(1))
  home.disk.bytesMax = home.disk.usedBytes()
  const path = home.segments()[0] as string
  let size = branch.size
  for (;;) {
    const before = home.disk.contents(path)
    const ticket = home.driver.submit(branch.append(1, { payloadBytes: 500 }))
    home.driver.settle()
    if (home.driver.refused.get(ticket) === undefined) {
      size++
      continue
    }
    assert.equal(home.driver.refused.get(ticket), 'STORE_FULL')
    assert.deepEqual(home.disk.contents(path).subarray(0, before.length), before)
    break
  }
  assert.ok(size > 5, 'what was written ahead is used')
  branch.rewind(size)
  home.disk.bytesMax = Number.POSITIVE_INFINITY
  home.commit(branch.append(3))
  home.reopen()
  assert.equal(home.store.state(branch.capsule.name, branch.branch)?.size, size + 3)
})

test('JR8 JR9: a large group is written once, without zeros; where it does not fit, it is cut off', () => {
  const home = new DiskHome(13)
  const branch = home.createBranch()
  home.commit(branch.append(1))
  const { counts } = home.disk
  const before = counts.writtenBytes
  const large = branch.append(20, { payloadBytes: 100_000 })
  home.commit(large)
  assert.ok(counts.writtenBytes - before < 2_010_000)
  const path = home.segments()[0] as string
  const { byteLength } = home.disk.open(path, 'read')
  assert.equal(byteLength(), home.store.snapshotFiles()[0]?.byteLength)
  home.disk.bytesMax = home.disk.usedBytes() + 500_000
  const ticket = home.driver.submit(branch.append(20, { payloadBytes: 100_000 }))
  home.driver.settle()
  assert.equal(home.driver.refused.get(ticket), 'STORE_FULL')
  assert.equal(byteLength(), home.store.snapshotFiles()[0]?.byteLength)
  branch.rewind(21)
  home.commit(branch.append(1))
  home.crash('power', 'vanish')
  home.open()
  assert.equal(home.store.state(branch.capsule.name, branch.branch)?.size, 22)
})

test('JR9: with little room left, small groups still fit', () => {
  const home = new DiskHome(8, { aheadBytesMin: 65_536 })
  const branch = home.createBranch()
  home.disk.bytesMax = home.disk.usedBytes() + 20_000
  home.commit(branch.append(1, { payloadBytes: 66_000 }))
  assert.equal(branch.size, 1)
})

test('JR9: a full disk at the beginning of a segment refuses the group, and nothing is lost', () => {
  const home = new DiskHome(9, { segmentBytesMax: 8000, aheadBytesMin: 1024, aheadBytesMax: 1024 })
  const branch = home.createBranch()
  home.commit(branch.append(40))
  assert.equal(home.segments().length, 1)
  home.disk.bytesMax = home.disk.usedBytes()
  const ticket = home.driver.submit(branch.append(40))
  home.driver.settle()
  assert.equal(home.driver.refused.get(ticket), 'STORE_FULL')
  branch.rewind(40)
  home.reopen()
  assert.equal(home.store.state(branch.capsule.name, branch.branch)?.size, 40)
  home.disk.bytesMax = Number.POSITIVE_INFINITY
  home.commit(branch.append(20))
  home.reopen()
  assert.deepEqual(home.store.fsck().problems, [])
})

test('JR10: a write that fails ends the store; nothing is answered, everything throws', () => {
  const home = new DiskHome(10)
  const branch = home.createBranch()
  home.commit(branch.append(2))
  home.driver.submit(branch.append(1))
  home.disk.faultAt(home.disk.counts.operations, 'IO')
  home.driver.flush()
  assert.equal(home.driver.failed, 'STORE_FAILED')
  assert.throws(() => home.store.names(), { code: 'STORE_FAILED' })
  home.close()
  home.open()
  assert.equal(home.store.state(branch.capsule.name, branch.branch)?.size, 2)
})

test('JR10: a watermark that cannot be written delays other processes and nothing else', () => {
  const home = new DiskHome(11)
  const branch = home.createBranch()
  home.driver.submit(branch.append(2))
  home.driver.flush()
  home.disk.faultAt(home.disk.counts.operations + 1, 'IO')
  home.driver.finishSync()
  assert.equal(home.store.state(branch.capsule.name, branch.branch)?.size, 2)
  assert.deepEqual(home.logged('warn'), ['store.watermark-unwritable'])
})

test('JR1: a disk that refuses to open the store says what is wrong', () => {
  const home = new DiskHome(12)
  home.close()
  home.disk.faultAt(home.disk.counts.operations, 'DENIED')
  assert.throws(() => home.open(), { code: 'STORE_IO' })
  home.disk.faultAt(home.disk.counts.operations, 'FULL')
  assert.throws(() => home.open(), { code: 'STORE_FULL' })
  home.open()
  assert.ok(new DiskError('IO', 'path', 'text').message.startsWith('IO'))
})
