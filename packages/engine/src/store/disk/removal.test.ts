import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DiskHome } from '../../testing/disk-home.ts'
import type { SignedBranch } from '../../testing/signed-branch.ts'
import { SimCrash } from '../../testing/sim-disk.ts'
import { readAll } from '../../testing/store-contract/life.ts'
import type { StoreOp } from '../store.ts'

const SMALL = {
  segmentBytesMax: 6000,
  aheadBytesMin: 1024,
  aheadBytesMax: 2048,
  indexFlushBytes: 3000,
  sliceBytes: 1500,
}

interface Work {
  readonly home: DiskHome
  readonly gone: SignedBranch
  readonly stays: SignedBranch
}

/** Two capsules, side by side over several segments. */
function createWork(seed: number): Work {
  const home = new DiskHome(seed, SMALL)
  const [gone, stays] = [home.createBranch(), home.createBranch()]
  for (let i = 0; i < 15; i++) {
    for (const branch of [gone, stays]) home.commit(branch.append(2, { holes: [1] }))
    home.commit({ type: 'note', key: 'k', value: home.prng.bytes(30) })
  }
  for (const branch of [gone, stays]) home.commit(branch.fill(1), branch.erase([4, 6]))
  return { home, gone, stays }
}

function removal({ capsule }: SignedBranch): StoreOp {
  return { type: 'remove', name: capsule.name }
}

/** The same capsule once more, with other entries. */
function storeAnew(home: DiskHome, branch: SignedBranch, count: number): void {
  branch.restart()
  home.commit(branch.capsule.manifest, branch.append(count))
}

function contentOf({ home }: Work): unknown {
  return readAll(home.store, ['k'])
}

function holdsBody({ disk }: DiskHome, branch: SignedBranch, index: number): boolean {
  const body = Buffer.from(branch.body(index))
  return disk.files().some((path) => Buffer.from(disk.contents(path)).includes(body))
}

/** What index and journal say about the capsule by its name. */
function namesIt({ disk, index }: DiskHome, { capsule }: SignedBranch): boolean {
  const name = Buffer.from(capsule.name)
  const isIn = (bytes: Uint8Array): boolean => Buffer.from(bytes).includes(name)
  const items = [...index.open().range(Uint8Array.of(0), Uint8Array.of(0xff))]
  return disk.files().some((path) => isIn(disk.contents(path))) || items.some(([key]) => isIn(key))
}

function checkWhole(work: Work, expected: unknown, when: string): void {
  assert.deepEqual(contentOf(work), expected, when)
  assert.deepEqual(work.home.store.fsck().problems, [], when)
}

test('JR24: what was removed is gone after a compaction, from the journal alone, too', () => {
  const work = createWork(1)
  const { home, gone, stays } = work
  home.commit(removal(gone))
  const expected = contentOf(work)
  checkWhole(work, expected, 'removed')
  assert.ok(holdsBody(home, gone, 8))
  const reclaimable = home.store.reclaimableBytes()
  const { bytesBefore, bytesAfter } = home.store.compact()
  assert.equal(bytesBefore - bytesAfter, reclaimable)
  assert.ok(reclaimable > 2000, `${reclaimable}`)
  assert.ok(!holdsBody(home, gone, 8))
  assert.ok(holdsBody(home, stays, 8))
  checkWhole(work, expected, 'compacted')
  home.crash('power', 'vanish')
  home.open()
  checkWhole(work, expected, 'without the index')
})

test('JR24: the record itself goes with the last of what it removed', () => {
  const work = createWork(2)
  const { home, gone, stays } = work
  home.commit(removal(gone))
  home.store.compact()
  // Its segment becomes worth writing anew.
  home.commit(stays.erase([20, 22]))
  home.store.compact()
  home.reopen()
  assert.ok(!namesIt(home, gone))
  storeAnew(home, gone, 12)
  const expected = contentOf(work)
  home.crash('power', 'vanish')
  home.open()
  checkWhole(work, expected, 'stored anew')
})

test('JR24: a group with a removal is torn at every byte: all of it or nothing', () => {
  const { home, gone } = createWork(3)
  const [before] = [readAll(home.store, ['k'])]
  const path = home.segments().at(-1) as string
  const start = home.store.snapshotFiles().at(-1)?.byteLength as number
  gone.restart()
  home.driver.submit(removal(gone), gone.capsule.manifest, gone.append(1))
  home.driver.flush()
  const files = home.disk.files().map((file) => [file, home.disk.contents(file)] as const)
  home.driver.finishSync()
  const after = readAll(home.store, ['k'])
  const end = home.store.snapshotFiles().at(-1)?.byteLength as number
  assert.ok(end > start)
  for (let cut = start; cut <= end; cut++) {
    home.crash('kill', cut % 2 === 0 ? 'vanish' : 'keep')
    for (const file of home.disk.files()) home.disk.remove(file)
    for (const [file, bytes] of files) {
      const torn = bytes.slice()
      if (file === path) torn.fill(0, cut)
      home.disk.plant(file, torn)
    }
    home.open()
    assert.deepEqual(readAll(home.store, ['k']), cut === end ? after : before, `cut at ${cut}`)
  }
})

test('JR24 IX8 IX12: whatever the index forgets, what was removed does not come back', () => {
  for (let seed = 100; seed < 130; seed++) {
    const work = createWork(seed)
    const { home, gone, stays } = work
    for (let round = 0; round < 6; round++) {
      home.commit(removal(gone))
      if (home.prng.chance(0.4)) home.store.compact()
      storeAnew(home, gone, home.prng.between(1, 12))
      home.commit(stays.append(1))
      if (home.prng.chance(0.4)) home.store.compact()
      if (home.prng.chance(0.5)) home.reopen()
      if (home.prng.chance(0.3)) home.commit(removal(gone), gone.capsule.manifest)
      const expected = contentOf(work)
      home.crash(home.prng.chance(0.5) ? 'power' : 'kill', home.prng.pick(['roll-back', 'vanish']))
      home.open()
      checkWhole(work, expected, `seed ${seed}, round ${round}`)
    }
  }
})

test('JR23 JR24: a removal after any slice of a compaction, perhaps stored anew', () => {
  let slices = 0
  for (const _ of createWork(4).home.store.compactInSlices()) slices++
  assert.ok(slices > 10, `${slices} slices`)
  for (let at = 1; at <= slices; at++) {
    const work = createWork(4)
    const { home, gone } = work
    home.commit(removal(gone), gone.capsule.manifest)
    gone.restart()
    home.commit(gone.append(9))
    let slice = 0
    for (const _ of home.store.compactInSlices()) {
      if (++slice !== at) continue
      home.commit(removal(gone))
      if (at % 2 === 0) storeAnew(home, gone, 5)
    }
    const expected = contentOf(work)
    checkWhole(work, expected, `slice ${at}`)
    home.store.compact()
    home.crash('power', at % 3 === 0 ? 'keep' : 'vanish')
    home.open()
    checkWhole(work, expected, `slice ${at}, from the journal`)
  }
})

test('JR16 JR24: a reader beside the writer follows removals', () => {
  const work = createWork(5)
  const { home, gone, stays } = work
  const reader = home.openReader()
  for (let round = 0; round < 12; round++) {
    home.commit(removal(gone))
    if (round % 3 === 0) home.store.compact()
    if (round % 2 === 0) storeAnew(home, gone, 1 + round)
    else home.commit(gone.capsule.manifest)
    home.commit(stays.append(2))
    reader.step({ type: 'refresh' })
    assert.deepEqual(readAll(reader, ['k']), contentOf(work), `round ${round}`)
    assert.equal(reader.reclaimableBytes(), home.store.reclaimableBytes())
  }
  assert.deepEqual(reader.fsck().problems, [])
})

test('JR23 JR24: fsck is content with a removal in its middle', () => {
  for (let at = 1; at < 8; at++) {
    const { home, gone } = createWork(6)
    const work = home.store.fsckInSlices()
    for (let slice = 1; ; slice++) {
      const step = work.next()
      if (step.done === true) {
        assert.deepEqual(step.value.problems, [], `slice ${at}`)
        break
      }
      if (slice !== at) continue
      home.commit(removal(gone))
      if (at % 2 === 0) storeAnew(home, gone, 3)
    }
  }
})

/** Offset of the first record in a file that holds these bytes. */
function find(home: DiskHome, path: string, wanted: Uint8Array): number {
  return Buffer.from(home.disk.contents(path)).indexOf(Buffer.from(wanted))
}

test('JR14 JR24: a removal in damage did not happen, and what it was about is damaged', () => {
  const work = createWork(7)
  const { home, gone } = work
  home.commit(removal(gone))
  const path = home.segments().at(-1) as string
  const bytes = Buffer.from(home.disk.contents(path))
  const at = bytes.lastIndexOf(Buffer.from(gone.capsule.name))
  home.commit({ type: 'note', key: 'later', value: home.prng.bytes(3) })
  home.crash('kill', 'vanish')
  home.disk.flipBit(path, at - 6, 1)
  home.open()
  assert.equal(home.store.state(gone.capsule.name, gone.branch)?.isDamaged, true)
  home.driver.expectRefused('STORE_CORRUPT', gone.append(1))
  assert.deepEqual(
    home.store.fsck().problems.map(({ code }) => code),
    ['RECORD_DAMAGED'],
  )
  home.commit(removal(gone))
  storeAnew(home, gone, 7)
  const expected = contentOf(work)
  home.store.compact()
  home.crash('kill', 'vanish')
  home.open()
  checkWhole(work, expected, 'removed again, compacted')
})

test('JR17 JR24: damage that only hit what was removed goes with the next compaction', () => {
  const work = createWork(8)
  const { home, gone } = work
  const path = home.segments()[1] as string
  const found = [...Array(gone.size).keys()].find((i) => find(home, path, gone.body(i)) > 0)
  home.close()
  home.disk.flipBit(path, find(home, path, gone.body(found as number)) + 3, 1)
  home.open()
  assert.equal(home.store.fsck().ok, false)
  home.commit(removal(gone))
  const expected = contentOf(work)
  assert.equal(home.store.compact().segmentsDamaged, 0)
  checkWhole(work, expected, 'compacted')
  home.crash('kill', 'vanish')
  home.open()
  checkWhole(work, expected, 'without the index')
})

test('JR17 JR24: while a damaged segment may hold what was removed, the removal stays', () => {
  const work = createWork(9)
  const { home, stays, gone } = work
  const path = home.segments()[0] as string
  const found = [...Array(stays.size).keys()].find((i) => find(home, path, stays.body(i)) > 0)
  home.close()
  home.disk.flipBit(path, find(home, path, stays.body(found as number)) + 3, 1)
  home.open()
  home.commit(removal(gone))
  for (let i = 0; i < 3; i++) {
    home.commit(stays.append(1), stays.erase([20 + i, 21 + i]))
    assert.equal(home.store.compact().segmentsDamaged, 1)
  }
  home.crash('kill', 'vanish')
  home.open()
  assert.equal(home.store.manifest(gone.capsule.name), undefined)
  assert.equal(home.store.state(gone.capsule.name, gone.branch), undefined)
})

test('JR25: a program that does not know removals cannot open the store any more', () => {
  const work = createWork(10)
  const { home, gone } = work
  // What such a program does first, to write and to read.
  const openAsBefore = (): void => home.disk.open('watermark', 'read').close()
  openAsBefore()
  const reader = home.openReader()
  home.driver.submit(removal(gone))
  home.driver.flush()
  assert.throws(openAsBefore, { code: 'NOT_A_FILE' })
  home.driver.settle()
  reader.step({ type: 'refresh' })
  assert.deepEqual(readAll(reader, ['k']), contentOf(work))
  home.crash('power', 'vanish')
  home.open()
  assert.throws(openAsBefore, { code: 'NOT_A_FILE' })
  // A backup has segments only.
  const files = home.segments().map((path) => [path, home.disk.contents(path)] as const)
  const restored = new DiskHome(11, SMALL)
  restored.close()
  for (const path of restored.disk.files()) restored.disk.remove(path)
  for (const [path, bytes] of files) restored.disk.plant(path, bytes)
  restored.crash('power', 'vanish')
  restored.open()
  assert.throws(() => restored.disk.open('watermark', 'read'), { code: 'NOT_A_FILE' })
  assert.deepEqual(readAll(restored.store, ['k']), contentOf(work))
})

test('JR25: the watermark moves with a crash at any operation of the disk', () => {
  for (let operation = 0; operation < 12; operation++) {
    const work = createWork(12)
    const { home, gone } = work
    const before = contentOf(work)
    home.disk.crashAt(home.disk.counts.operations + operation, operation % 2 ? 'before' : 'after')
    let isCrashed = false
    try {
      home.commit(removal(gone))
    } catch (error) {
      if (!(error instanceof SimCrash)) throw error
      isCrashed = true
    }
    const after = isCrashed ? before : contentOf(work)
    home.crash(home.prng.chance(0.5) ? 'power' : 'kill')
    home.open()
    if (home.store.manifest(gone.capsule.name) !== undefined) checkWhole(work, after, 'not done')
    else assert.equal(home.store.names().length, 1)
    assert.deepEqual(home.store.fsck().problems, [], `operation ${operation}`)
    home.commit({ type: 'note', key: 'k', value: home.prng.bytes(3) })
    home.reopen()
  }
})
