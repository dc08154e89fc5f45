import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DiskHome } from '../../testing/disk-home.ts'
import type { SignedBranch } from '../../testing/signed-branch.ts'
import { readAll } from '../../testing/store-contract/life.ts'
import type { Slices } from '../slices.ts'

const SMALL = {
  segmentBytesMax: 9000,
  aheadBytesMin: 1024,
  aheadBytesMax: 2048,
  indexFlushBytes: 3000,
  filesMax: 2,
  sliceBytes: 1500,
}

interface Work {
  readonly home: DiskHome
  readonly branches: SignedBranch[]
}

function createWork(seed: number): Work {
  const home = new DiskHome(seed, SMALL)
  const branches = [home.createBranch(), home.createBranch()]
  for (let i = 0; i < 25; i++) {
    for (const branch of branches) home.commit(branch.append(2, { holes: [1] }))
    home.commit({ type: 'note', key: 'k', value: home.prng.bytes(30) })
  }
  for (const branch of branches) home.commit(branch.fill(1), branch.fill(3), branch.erase([4, 10]))
  return { home, branches }
}

/** Runs all slices with `between` after each; returns how many there were. */
function interleave(work: Slices<unknown>, between: (slice: number) => void): number {
  for (let slice = 1; ; slice++) {
    if (work.next().done === true) return slice
    between(slice)
  }
}

/** Something that a store does all day, and what it must then hold. */
function change({ home, branches }: Work, i: number): void {
  const branch = branches[i % 2] as SignedBranch
  if (i % 5 === 1) home.commit(branch.erase([(2 * i) % 50, ((2 * i) % 50) + 1]))
  else if (i % 5 === 2) home.commit(branch.fill((2 * i + 1) % 50))
  else home.commit(branch.append(1 + (i % 3)))
}

/** Every entry can be read, wherever it lies now. */
function checkReadable({ home, branches }: Work): void {
  for (const { capsule, branch, size } of branches) {
    const range = { start: 0, end: size }
    assert.equal([...home.store.scan(capsule.name, branch, range)].length, size)
    for (let index = 0; index < size; index += 3) home.store.entry(capsule.name, branch, index)
  }
}

function checkWhole({ home, branches }: Work): void {
  for (const { capsule, branch, size } of branches) {
    assert.equal(home.store.state(capsule.name, branch)?.size, size)
  }
  assert.deepEqual(home.store.fsck().problems, [])
}

test('JR23: a compaction goes on while the store changes and is read after every slice', () => {
  for (let seed = 1; seed <= 4; seed++) {
    const work = createWork(seed)
    const { home } = work
    const before = home.segments()
    const count = interleave(home.store.compactInSlices(), (slice) => {
      change(work, slice)
      checkReadable(work)
    })
    assert.ok(count > 20, `${count} slices`)
    assert.notDeepEqual(home.segments(), before)
    checkWhole(work)
    const all = readAll(home.store, ['k'])
    home.reopen()
    assert.deepEqual(readAll(home.store, ['k']), all)
    checkWhole(work)
  }
})

test('JR18 JR23: a crash after any slice, with changes between them, loses nothing', () => {
  const slices = interleave(createWork(20).home.store.compactInSlices(), () => undefined)
  for (let crashAt = 1; crashAt < slices; crashAt++) {
    const work = createWork(20)
    const { home } = work
    const compaction = home.store.compactInSlices()
    for (let slice = 1; slice <= crashAt; slice++) {
      compaction.next()
      change(work, slice)
    }
    const all = readAll(home.store, ['k'])
    home.crash('power', crashAt % 3 === 0 ? 'vanish' : 'keep')
    home.open()
    assert.deepEqual(readAll(home.store, ['k']), all, `slice ${crashAt}`)
    checkWhole(work)
    home.store.compact()
    assert.deepEqual(readAll(home.store, ['k']), all)
  }
})

test('JR19 JR23: what is erased meanwhile is gone after the next compaction', () => {
  const work = createWork(3)
  const { home, branches } = work
  const [branch] = branches as [SignedBranch]
  interleave(home.store.compactInSlices(), (slice) => {
    if (slice < 20) home.commit(branch.erase([10 + slice, 11 + slice]))
  })
  home.store.compact()
  const files = home.disk.files().map((path) => Buffer.from(home.disk.contents(path)))
  for (let index = 11; index < 30; index++) {
    assert.ok(
      !files.some((bytes) => bytes.includes(Buffer.from(branch.body(index)))),
      `entry ${index}`,
    )
  }
  checkWhole(work)
})

test('JR23: a compaction that is given up leaves a store that goes on', () => {
  const slices = interleave(createWork(4).home.store.compactInSlices(), () => undefined)
  for (let stopAt = 1; stopAt < slices; stopAt++) {
    const work = createWork(4)
    const { home } = work
    const compaction = home.store.compactInSlices()
    for (let slice = 1; slice <= stopAt; slice++) compaction.next()
    const all = readAll(home.store, ['k'])
    compaction.return(undefined as never)
    assert.deepEqual(readAll(home.store, ['k']), all)
    home.commit((work.branches[0] as SignedBranch).append(1))
    checkWhole(work)
    home.store.compact()
    assert.deepEqual(home.store.fsck().problems, [])
  }
})

test('JR23: one that is given up while a sync is in flight ends the store where places are half moved', () => {
  const slices = interleave(createWork(4).home.store.compactInSlices(), () => undefined)
  let ended = 0
  for (let stopAt = 1; stopAt < slices; stopAt++) {
    const work = createWork(4)
    const { home } = work
    const compaction = home.store.compactInSlices()
    for (let slice = 1; slice <= stopAt; slice++) compaction.next()
    home.driver.submit((work.branches[0] as SignedBranch).append(1))
    home.driver.flush()
    compaction.return(undefined as never)
    try {
      home.driver.finishSync()
    } catch (error) {
      assert.equal((error as { code?: string }).code, 'STORE_FAILED')
      ended++
      home.crash('kill')
      home.open()
    }
    // What was written and not synced is found when the store is opened.
    checkWhole(work)
    home.store.compact()
    assert.deepEqual(home.store.fsck().problems, [])
  }
  assert.ok(ended > 0 && ended < slices / 2, `${ended} of ${slices} end the store`)
})

test('JR23: closing in the middle of a compaction loses nothing', () => {
  const slices = interleave(createWork(5).home.store.compactInSlices(), () => undefined)
  for (let stopAt = 1; stopAt < slices; stopAt++) {
    const work = createWork(5)
    const { home } = work
    const compaction = home.store.compactInSlices()
    for (let slice = 1; slice <= stopAt; slice++) {
      compaction.next()
      change(work, slice)
    }
    const all = readAll(home.store, ['k'])
    home.reopen()
    assert.deepEqual(readAll(home.store, ['k']), all, `slice ${stopAt}`)
    checkWhole(work)
  }
})

test('JR23: when the index falls too far behind, the places of a segment are taken over at once', () => {
  const work = createWork(6)
  const { home, branches } = work
  interleave(home.store.compactInSlices(), () => {
    // More than sixteen index flushes of journal after each slice.
    for (let i = 0; i < 16; i++) home.commit((branches[0] as SignedBranch).append(40))
  })
  checkWhole(work)
})

test('JR23: the report is not lost when the places of the last segment are taken over at once', () => {
  const slices = interleave(createWork(6).home.store.compactInSlices(), () => undefined)
  for (let writeAt = slices - 4; writeAt < slices; writeAt++) {
    const work = createWork(6)
    const compaction = work.home.store.compactInSlices()
    let slice = compaction.next()
    for (let count = 1; slice.done !== true; slice = compaction.next(), count++) {
      if (count !== writeAt) continue
      for (let i = 0; i < 16; i++) {
        work.home.commit((work.branches[0] as SignedBranch).append(40))
      }
    }
    assert.ok(slice.value !== undefined && slice.value.segmentsRewritten > 0, `slice ${writeAt}`)
    checkWhole(work)
  }
})

test('JR23: fsck goes on while the store changes, and checks what was committed meanwhile', () => {
  for (let seed = 1; seed <= 5; seed++) {
    const work = createWork(seed)
    const fsck = work.home.store.fsckInSlices()
    let count = 0
    for (let slice = fsck.next(); ; slice = fsck.next()) {
      if (slice.done === true) {
        assert.deepEqual(slice.value.problems, [])
        const sizes = work.branches.map(({ size }) => size)
        assert.equal(slice.value.entries, sizes[0]! + sizes[1]!)
        break
      }
      change(work, ++count)
    }
    assert.ok(count > 8, `${count} slices`)
  }
})

test('JR23: fsck ends although the store is written as fast as it reads', () => {
  const { home, branches } = createWork(7)
  const slices = interleave(home.store.fsckInSlices(), (slice) => {
    assert.ok(slice < 1000, 'it ends')
    home.commit((branches[0] as SignedBranch).append(20))
  })
  assert.ok(slices > 8)
})

test('JR23: fsck in slices finds damage that a fsck at once finds', () => {
  const { home } = createWork(8)
  const [path] = home.segments()
  home.disk.flipBit(path as string, 5000, 3)
  const work = home.store.fsckInSlices()
  let slice = work.next()
  while (slice.done !== true) slice = work.next()
  assert.deepEqual(slice.value, home.store.fsck())
  assert.ok(!slice.value.ok)
})
