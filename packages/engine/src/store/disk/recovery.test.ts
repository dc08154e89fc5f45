import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DiskHome } from '../../testing/disk-home.ts'
import type { SignedBranch } from '../../testing/signed-branch.ts'

function sizeOf(home: DiskHome, branch: SignedBranch): number | undefined {
  return home.store.state(branch.capsule.name, branch.branch)?.size
}

/** A home with one capsule, and a group that was written and not synced. */
function withUnsyncedGroup(seed: number): { home: DiskHome; branch: SignedBranch; start: number } {
  const home = new DiskHome(seed, { aheadBytesMin: 4096 })
  const branch = home.createBranch()
  home.commit(branch.append(5))
  const start = home.store.snapshotFiles()[0]?.byteLength as number
  home.driver.submit(branch.append(20))
  home.driver.flush()
  return { home, branch, start }
}

test('JR11: after a clean end, writing goes on in the same segment', () => {
  const home = new DiskHome(1)
  const branch = home.createBranch()
  for (let i = 0; i < 5; i++) {
    home.commit(branch.append(3))
    home.reopen()
  }
  assert.equal(home.segments().length, 1)
  home.crash('power')
  home.open()
  assert.equal(home.segments().length, 1, 'zeros that were written ahead are a clean end')
  home.commit(branch.append(3))
  assert.equal(sizeOf(home, branch), 18)
  assert.deepEqual(home.store.fsck().problems, [])
})

test('JR12: a torn group is dropped as a whole, and a new segment with a new id begins', () => {
  let torn = 0
  for (let seed = 1; seed <= 60; seed++) {
    const { home, branch, start } = withUnsyncedGroup(seed)
    home.crash('power')
    home.open()
    const size = sizeOf(home, branch)
    assert.ok(size === 5 || size === 25)
    if (home.segments().length === 2) {
      torn++
      assert.equal(size, 5)
      assert.equal(home.disk.contents(home.segments()[0] as string).length, start)
    }
    branch.rewind(size)
    home.commit(branch.append(2))
    home.reopen()
    assert.equal(sizeOf(home, branch), size + 2)
    assert.deepEqual(home.store.fsck().problems, [], `seed ${seed}`)
  }
  assert.ok(torn >= 10, `${torn} torn`)
})

test('JR12: the commit record of a torn group proves nothing', () => {
  const { home, branch, start } = withUnsyncedGroup(100)
  const path = home.segments()[0] as string
  const bytes = home.disk.contents(path)
  // The sector with the first record of the group is lost, the others are not.
  const sector = Math.ceil(start / 512) * 512
  home.crash('kill')
  bytes.fill(0, start, sector)
  home.disk.plant(path, bytes)
  home.open()
  assert.equal(sizeOf(home, branch), 5)
  assert.deepEqual(home.logged('error'), [])
  assert.equal(home.segments().length, 2)
})

test('JR12: what was dropped does not come to life again behind a shorter group', () => {
  // Records of one length: a shorter group ends where an old record began.
  const note = (home: DiskHome) => ({ type: 'note', key: 'k', value: home.prng.bytes(13) }) as const
  const home = new DiskHome(101)
  home.driver.submit(note(home), note(home), note(home))
  home.driver.flush()
  const path = home.segments()[0] as string
  const written = home.disk.contents(path)
  home.crash('kill')
  // A disk that is full in the middle of a group leaves such a thing without a crash, too.
  const start = home.disk
    .contents('watermark')
    .slice(12, 16)
    .reduce((n, b) => n * 256 + b, 0)
  written[start + 40]! ^= 1
  home.disk.plant(path, written)
  home.open()
  home.commit(note(home))
  const { sequence } = home.store
  home.crash('kill', 'vanish')
  home.open()
  assert.equal(home.store.sequence, sequence)
  assert.deepEqual(home.store.fsck().problems, [])
})

test('JR13: a broken group below the watermark is damage, not a torn tail', () => {
  const home = new DiskHome(102)
  const branch = home.createBranch()
  home.commit(branch.append(5))
  const start = home.store.snapshotFiles()[0]?.byteLength as number
  home.commit(branch.append(20))
  home.crash('kill', 'vanish')
  const path = home.segments()[0] as string
  const before = home.disk.contents(path)
  home.disk.flipBit(path, start + 200, 1)
  home.open()
  assert.ok(home.logged('error').includes('store.damage'))
  const after = home.disk.contents(path)
  assert.equal(after.length, before.length, 'nothing is truncated')
  assert.equal(home.segments().length, 2)
  assert.equal(sizeOf(home, branch), 25, 'the head still says so')
  assert.throws(() => home.store.entry(branch.capsule.name, branch.branch, 10), {
    code: 'STORE_CORRUPT',
  })
})

test('JR13: a later commit record proves that a broken group was durable, without a watermark', () => {
  const home = new DiskHome(103)
  const [first, second] = [home.createBranch(), home.createBranch()]
  home.commit(first.append(5))
  const start = home.store.snapshotFiles()[0]?.byteLength as number
  home.commit(first.append(20))
  home.commit(second.append(3))
  home.crash('power', 'vanish')
  home.disk.plant('watermark', new Uint8Array(0))
  const path = home.segments()[0] as string
  home.disk.flipBit(path, start + 200, 1)
  home.open()
  assert.equal(sizeOf(home, first), 25)
  assert.equal(sizeOf(home, second), 3)
  home.commit(second.append(4))
  home.driver.expectRefused('STORE_CORRUPT', first.append(1))
})

test('JR13: damage in front of a torn tail: the one is kept, the other dropped', () => {
  let dropped = 0
  for (let seed = 1; seed <= 40; seed++) {
    const home = new DiskHome(200 + seed, { aheadBytesMin: 8192 })
    const [first, second] = [home.createBranch(), home.createBranch()]
    home.commit(first.append(5))
    const start = home.store.snapshotFiles()[0]?.byteLength as number
    home.commit(first.append(20))
    home.driver.submit(second.append(30))
    home.driver.flush()
    home.crash('power', 'vanish')
    home.disk.flipBit(home.segments()[0] as string, start + 200, 1)
    home.open()
    const size = sizeOf(home, second)
    assert.ok(size === 0 || size === 30, `seed ${seed}`)
    if (size === 0) dropped++
    second.rewind(size)
    home.commit(second.append(1))
  }
  assert.ok(dropped >= 5, `${dropped} dropped`)
})

test('JR13: the journal is cut below its durable end: what is left counts, writing goes on', () => {
  const home = new DiskHome(104)
  const [first, second] = [home.createBranch(), home.createBranch()]
  home.commit(first.append(5), second.append(2))
  const start = home.store.snapshotFiles()[0]?.byteLength as number
  home.commit(first.append(20))
  home.close()
  const path = home.segments()[0] as string
  home.disk.plant(path, home.disk.contents(path).subarray(0, start + 100))
  home.open()
  assert.equal(sizeOf(home, first), 25, 'the index still knows')
  assert.throws(() => home.store.entry(first.capsule.name, first.branch, 10), {
    code: 'STORE_CORRUPT',
  })
  home.commit(second.append(3), first.append(1))
  home.reopen()
  assert.equal(sizeOf(home, second), 5)
  assert.equal(home.store.entry(first.capsule.name, first.branch, 25).state, 'present')
  home.close()
  home.crash('kill', 'vanish')
  home.open()
  assert.equal(sizeOf(home, second), 5)
  assert.equal(sizeOf(home, first), 26)
  assert.equal(home.store.entry(first.capsule.name, first.branch, 25).state, 'present')
})

test('JR13: a segment file that is gone is damage; numbers and sequences are not used again', () => {
  const home = new DiskHome(105, { segmentBytesMax: 4000, aheadBytesMin: 1024 })
  const [first, second] = [home.createBranch(), home.createBranch()]
  for (let i = 0; i < 8; i++) home.commit(first.append(10))
  home.commit(second.append(2))
  const { sequence } = home.store
  const gone = home.segments().slice(1, 3)
  const last = home.segments().at(-1) as string
  home.crash('kill', 'vanish')
  for (const path of [...gone, last]) home.disk.remove(path)
  home.open()
  assert.ok(home.logged('error').includes('store.segment-missing'))
  assert.ok(home.store.sequence >= sequence)
  assert.ok(!home.segments().includes(last))
  home.driver.expectRefused('STORE_CORRUPT', first.append(1))
  const codes = home.store.fsck().problems.map(({ code }) => code)
  assert.ok(codes.includes('SEGMENT_MISSING'))
})

test('JR15: a group that was not synced is written again and synced before it is shown', () => {
  const { home, branch } = withUnsyncedGroup(106)
  home.driver.failSync(new Error('EIO'))
  home.crash('kill')
  home.open()
  assert.equal(sizeOf(home, branch), 25)
  home.crash('power', 'vanish')
  home.open()
  assert.equal(sizeOf(home, branch), 25)
  assert.deepEqual(home.store.fsck().problems, [])
})

test('JR15: the kernel forgot pages of a failed sync; opening makes them durable again', () => {
  for (let seed = 300; seed < 330; seed++) {
    const home = new DiskHome(seed, { aheadBytesMin: 4096 })
    const branch = home.createBranch()
    home.commit(branch.append(5))
    home.driver.submit(branch.append(20))
    home.disk.faultAt(home.disk.counts.operations + 1, 'IO')
    home.driver.flush()
    assert.throws(() => home.driver.finishSync())
    home.crash('kill')
    home.open()
    const size = sizeOf(home, branch)
    home.crash('power', 'vanish')
    home.open()
    assert.equal(sizeOf(home, branch), size, `seed ${seed}`)
  }
})

test('JR11: opening is repeatable, and reads little after a clean close', () => {
  const home = new DiskHome(107)
  const branch = home.createBranch()
  for (let i = 0; i < 20; i++) home.commit(branch.append(100))
  home.reopen()
  const { counts } = home.disk
  const before = { ...counts, index: home.index.counts.reads }
  home.reopen()
  assert.ok(counts.reads - before.reads <= 6, `${counts.reads - before.reads} reads`)
  assert.ok(home.index.counts.reads - before.index <= 6)
  assert.equal(home.store.state(branch.capsule.name, branch.branch)?.size, 2000)
})
