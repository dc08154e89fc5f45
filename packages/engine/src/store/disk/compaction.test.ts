import assert from 'node:assert/strict'
import { test } from 'node:test'
import { UnavailableError } from '@longshore/capsule'
import { DiskHome } from '../../testing/disk-home.ts'
import type { SignedBranch } from '../../testing/signed-branch.ts'
import { SimCrash } from '../../testing/sim-disk.ts'
import { readAll } from '../../testing/store-contract/life.ts'

const SMALL = { segmentBytesMax: 6000, aheadBytesMin: 1024, aheadBytesMax: 2048 }

function holds(bytes: Uint8Array, wanted: Uint8Array): boolean {
  return Buffer.from(bytes).includes(Buffer.from(wanted))
}

/** True if some file of the store holds these bytes. */
function isOnDisk(home: DiskHome, wanted: Uint8Array): boolean {
  return home.disk.files().some((path) => holds(home.disk.contents(path), wanted))
}

function isInIndex(home: DiskHome, wanted: Uint8Array): boolean {
  const index = home.index.open()
  for (const [key, value] of index.range(Uint8Array.of(0), Uint8Array.of(0xff))) {
    if (holds(key, wanted) || holds(value, wanted)) return true
  }
  return false
}

function createWork(seed: number): { home: DiskHome; branches: SignedBranch[] } {
  const home = new DiskHome(seed, SMALL)
  const branches = [home.createBranch(), home.createBranch()]
  for (let i = 0; i < 15; i++) {
    for (const branch of branches) home.commit(branch.append(2, { holes: [1] }))
    home.commit({ type: 'note', key: 'k', value: home.prng.bytes(30) })
  }
  for (const branch of branches) home.commit(branch.fill(1), branch.fill(3), branch.fill(5))
  return { home, branches }
}

test('JR19: after erase and compaction no file holds the erased bytes', () => {
  const { home, branches } = createWork(1)
  const erased: Uint8Array[] = []
  const kept: Uint8Array[] = []
  for (const branch of branches) {
    home.commit(branch.erase([0, 2], [6, 7], [12, 20]))
    for (const index of [0, 1, 6, 12, 14, 18]) erased.push(branch.body(index))
    for (const index of [2, 3, 4, 5, 8, 28]) kept.push(branch.body(index))
  }
  for (const body of erased) assert.ok(isOnDisk(home, body), 'still there before')
  const before = readAll(home.store, ['k'])
  const { bytesBefore, bytesAfter, segmentsRewritten } = home.store.compact()
  assert.ok(segmentsRewritten > 1)
  assert.ok(bytesAfter < bytesBefore)
  for (const body of erased) {
    assert.ok(!isOnDisk(home, body))
    assert.ok(!isInIndex(home, body))
  }
  for (const body of kept) assert.ok(isOnDisk(home, body))
  assert.deepEqual(readAll(home.store, ['k']), before)
  assert.deepEqual(home.store.fsck().problems, [])
  home.crash('power', 'vanish')
  home.open()
  assert.deepEqual(readAll(home.store, ['k']), before, 'also from the journal alone')
  assert.deepEqual(home.store.fsck().problems, [])
})

test('JR19: a dropped tail may hold a copy of what was erased later: it goes too', () => {
  for (let seed = 100; seed < 130; seed++) {
    const home = new DiskHome(seed, { aheadBytesMin: 4096 })
    const branch = home.createBranch()
    home.commit(branch.append(3))
    const op = branch.append(10, { payloadBytes: 100 })
    home.driver.submit(op)
    home.driver.flush()
    home.crash('power')
    home.open()
    const size = home.store.state(branch.capsule.name, branch.branch)?.size
    if (size === 3) home.commit(op)
    home.commit(branch.erase([3, 13]))
    home.store.compact()
    for (let index = 3; index < 13; index++) assert.ok(!isOnDisk(home, branch.body(index)))
  }
})

test('JR17: what compaction would give back is counted exactly, by writer and reader', () => {
  for (let seed = 300; seed < 320; seed++) {
    const { home, branches } = createWork(seed)
    const [branch] = branches
    if (seed % 2 === 0) home.commit(branch!.erase([0, 2], [12, 20]))
    if (seed % 3 === 0) home.reopen()
    const expected = home.store.reclaimableBytes()
    const reader = home.openReader()
    assert.equal(reader.reclaimableBytes(), expected)
    reader.close()
    const { bytesBefore, bytesAfter } = home.store.compact()
    assert.equal(expected, Math.max(0, bytesBefore - bytesAfter), `seed ${seed}`)
    if (seed % 2 === 0) assert.ok(expected > 0)
    assert.equal(home.store.reclaimableBytes(), 0)
  }
})

test('JR17: compaction brings the entries of a branch together and drops heads that were replaced', () => {
  const home = new DiskHome(2)
  const branches = [home.createBranch(), home.createBranch(), home.createBranch()]
  for (let i = 0; i < 100; i++) {
    for (const branch of branches) home.commit(branch.append(1, { payloadBytes: 100 }))
  }
  const before = readAll(home.store, [])
  const { bytesBefore, bytesAfter } = home.store.compact()
  assert.ok(bytesAfter < bytesBefore / 2, `${bytesBefore} to ${bytesAfter}`)
  // 300 entries of about 150 bytes each.
  assert.ok(bytesAfter < 300 * 165)
  assert.deepEqual(readAll(home.store, []), before)
  const { name } = (branches[0] as SignedBranch).capsule
  const reads = home.disk.counts.reads
  assert.equal([...home.store.scan(name, branches[0]!.branch, { start: 0, end: 100 })].length, 100)
  assert.equal(home.disk.counts.reads - reads, 1, 'they lie together')
  assert.deepEqual(home.store.fsck().problems, [])
})

test('JR17: what is not worth it is left alone; compacting again changes nothing', () => {
  const { home, branches } = createWork(3)
  home.commit((branches[0] as SignedBranch).erase([0, 1]))
  home.store.compact()
  const files = home.disk.files()
  assert.equal(home.store.compact().segmentsRewritten, 0)
  assert.deepEqual(home.disk.files(), files)
  home.commit((branches[1] as SignedBranch).append(1))
  home.reopen()
  home.store.compact()
  assert.deepEqual(home.store.fsck().problems, [])
})

test('JR17: a segment with damage in it is left as it is', () => {
  const { home, branches } = createWork(4)
  const path = home.segments()[0] as string
  home.commit((branches[0] as SignedBranch).erase([0, 1], [25, 26]))
  home.disk.flipBit(path, 400, 0)
  const before = home.disk.contents(path)
  const report = home.store.compact()
  assert.equal(report.segmentsDamaged, 1)
  assert.ok(report.segmentsRewritten > 0)
  assert.deepEqual(home.disk.contents(path), before)
})

test('JR18: a crash at any point of compaction loses nothing and leaves nothing', () => {
  let operations = 0
  for (let operation = 0; operation === 0 || operation < operations; operation++) {
    for (const when of ['before', 'after'] as const) {
      for (const how of ['kill', 'power'] as const) {
        const { home, branches } = createWork(5)
        for (const branch of branches) home.commit(branch.erase([0, 9]))
        const expected = readAll(home.store, ['k'])
        const start = home.disk.counts.operations
        if (operation > 0 || when === 'after') home.disk.crashAt(start + operation, when)
        try {
          home.store.compact()
          operations = Math.max(operations, home.disk.counts.operations - start)
        } catch (error) {
          if (!(error instanceof SimCrash)) throw error
        }
        home.crash(how, home.prng.pick(['keep', 'vanish', 'roll-back']))
        home.open()
        const where = `${how} ${when} ${operation}`
        assert.deepEqual(readAll(home.store, ['k']), expected, where)
        assert.deepEqual(home.store.fsck().problems, [], where)
        const numbers = home.segments().map((path) => path.split('.')[0])
        assert.equal(new Set(numbers).size, numbers.length, 'one generation of each segment')
        home.store.compact()
        for (const branch of branches) {
          for (const index of [0, 2, 4]) assert.ok(!isOnDisk(home, branch.body(index)), where)
        }
      }
    }
  }
  assert.ok(operations > 10)
})

test('JR18: a full disk stops compaction and nothing else', () => {
  for (let room = 200; room < 9000; room += 700) {
    const { home, branches } = createWork(6)
    const [branch] = branches as [SignedBranch]
    home.commit(branch.erase([0, 9]))
    const expected = readAll(home.store, ['k'])
    home.disk.bytesMax = home.disk.usedBytes() + room
    try {
      home.store.compact()
    } catch (error) {
      assert.equal((error as { code?: string }).code, 'STORE_FULL')
    }
    assert.deepEqual(readAll(home.store, ['k']), expected)
    home.disk.bytesMax = Number.POSITIVE_INFINITY
    home.commit(branch.append(1))
    home.store.compact()
    assert.ok(!isOnDisk(home, branch.body(0)))
    home.reopen()
    assert.deepEqual(home.store.fsck().problems, [])
  }
})

test('JR18: compaction says that it was the index for which there was no room', () => {
  const { home } = createWork(6)
  const open = home.index.open.bind(home.index)
  let isFull = false
  home.index.open = () => {
    const index = open()
    const write: typeof index.write = (batch) => {
      if (isFull) throw new UnavailableError('STORE_FULL', 'the index has no room')
      index.write(batch)
    }
    return { ...index, write }
  }
  home.reopen()
  isFull = true
  assert.throws(() => home.store.compact(), { code: 'STORE_FULL' })
  isFull = false
  home.store.compact()
  assert.deepEqual(home.store.fsck().problems, [])
})

test('JR17: compaction waits for the sync in flight, and keeps what waits for a group', () => {
  const { home, branches } = createWork(7)
  const [first, second] = branches as [SignedBranch, SignedBranch]
  home.driver.submit(first.append(1))
  home.driver.flush()
  assert.throws(() => home.store.compact())
  home.driver.finishSync()
  home.driver.submit(second.append(1))
  home.store.compact()
  home.driver.settle()
  assert.equal(home.store.state(second.capsule.name, second.branch)?.size, second.size)
})
