import assert from 'node:assert/strict'
import { test } from 'node:test'
import { asSignature, formatName } from '@longshore/capsule'
import { DiskHome } from '../../testing/disk-home.ts'
import type { SignedBranch } from '../../testing/signed-branch.ts'
import type { FsckReport } from './fsck-report.ts'
import { blockKey, encodeBranchKey, stateKey, tileKey } from './index-layout.ts'

function codesOf(report: FsckReport): string[] {
  return [...new Set(report.problems.map(({ code }) => code))].sort()
}

function createWork(seed: number): { home: DiskHome; branch: SignedBranch } {
  const home = new DiskHome(seed, { segmentBytesMax: 20_000, aheadBytesMin: 1024 })
  const branch = home.createBranch()
  home.commit(branch.append(300, { holes: [4] }))
  home.commit(branch.fill(4), branch.erase([7, 9]))
  home.commit(branch.append(40), { type: 'note', key: 'k', value: home.prng.bytes(5) })
  return { home, branch }
}

test('JR21: fsck finds nothing in a home that is whole, and counts what it read', () => {
  const { home } = createWork(1)
  for (const open of [() => home.store, () => home.openReader(), () => home.reopen()]) {
    const report = open().fsck()
    assert.deepEqual(report.problems, [])
    assert.equal(report.ok, true)
    assert.equal(report.entries, 340)
    assert.equal(report.capsules, 1)
    assert.ok(report.bytes > 340 * 100)
  }
})

test('JR21: wrong signatures, roots, manifests and payloads are found by name', () => {
  const { home, branch } = createWork(2)
  const { name } = branch.capsule
  const append = branch.append(1)
  home.commit({ ...append, head: { ...append.head, signature: asSignature(home.prng.bytes(64)) } })
  assert.deepEqual(codesOf(home.store.fsck()), ['BAD_SIGNATURE'])

  const wrongRoot = createWork(3)
  const other = wrongRoot.branch.append(1)
  const head = { ...other.head, root: wrongRoot.branch.append(1).head.root }
  wrongRoot.home.commit({ ...other, head })
  assert.deepEqual(codesOf(wrongRoot.home.store.fsck()), [
    'BAD_SIGNATURE',
    'INDEX_MISMATCH',
    'ROOT_MISMATCH',
  ])

  const wrongBody = createWork(4)
  const hole = wrongBody.branch.append(2, { holes: [1] })
  wrongBody.home.commit(hole, { ...wrongBody.branch.fill(341), body: home.prng.bytes(50) } as never)
  assert.deepEqual(codesOf(wrongBody.home.store.fsck()), ['ENTRY_INVALID'])

  const signed = home.prng.bytes(200)
  home.commit({ type: 'manifest', name, signed: branch.capsule.manifest.signed })
  home.commit({ type: 'manifest', name: head.root as never, signed })
  const problem = home.store.fsck().problems.find(({ code }) => code === 'MANIFEST_INVALID')
  assert.equal(problem?.capsule, formatName(head.root as never))
})

test('JR21: a head that nobody signed is a problem unless a signed one follows', () => {
  const { home, branch } = createWork(9)
  const unsigned = asSignature(new Uint8Array(64))
  const step = branch.append(2)
  home.commit({ ...step, head: { ...step.head, signature: unsigned } })
  assert.deepEqual(codesOf(home.store.fsck()), ['BAD_SIGNATURE'])
  home.commit(branch.append(1))
  assert.deepEqual(home.store.fsck().problems, [])
})

test('JR21: damage is reported with its place', () => {
  const { home } = createWork(5)
  const path = home.segments()[1] as string
  home.disk.flipBit(path, 700, 4)
  const { problems, ok, problemCount } = home.store.fsck()
  assert.equal(ok, false)
  assert.ok(problemCount >= problems.length)
  const damage = problems.find(({ code }) => code === 'RECORD_DAMAGED')
  assert.equal(damage?.segment, 2)
  assert.ok((damage?.offset as number) <= 700)
})

test('JR21: files that do not belong are named', () => {
  const { home } = createWork(6)
  home.disk.plant('segments/notes.txt', new Uint8Array(3))
  home.disk.plant('README', new Uint8Array(3))
  const { problems } = home.store.fsck()
  assert.deepEqual(
    problems.map(({ code, detail }) => [code, detail]),
    [
      ['FILE_UNKNOWN', 'README'],
      ['FILE_UNKNOWN', 'segments/notes.txt'],
    ],
  )
})

test('JR21: links between segments are checked', () => {
  const { home } = createWork(7)
  const other = createWork(8)
  assert.ok(home.segments().length > 1)
  const path = home.segments()[1] as string
  home.close()
  home.disk.plant(path, other.home.disk.contents(path))
  home.crash('kill', 'vanish')
  home.open()
  assert.ok(codesOf(home.store.fsck()).includes('SEGMENT_HEADER'))
})

test('JR21 JR22: every kind of wrong value in the index is found, and repaired', () => {
  const { home, branch } = createWork(9)
  home.reopen()
  const key = encodeBranchKey(branch.capsule.name, branch.branch)
  const keys: [Uint8Array, number][] = [
    [blockKey(key, 0), 30],
    [blockKey(key, 0), 1040],
    [blockKey(key, 1), 12],
    [tileKey(key, 0, 0), 5000],
    [tileKey(key, 0, 1), 32],
    [tileKey(key, 1, 0), 3],
    [stateKey(key), 8],
    [stateKey(key), 16],
    [stateKey(key), 60],
    [Uint8Array.of(0x6d, ...branch.capsule.name), 11],
    [Uint8Array.of(0x6e, 0x6b), 0],
  ]
  for (const [at, position] of keys) {
    const index = home.index.open()
    const value = index.get(at)
    assert.ok(value)
    const changed = value.slice()
    changed[position]! ^= 1
    home.close()
    index.write([{ key: at, value: changed }])
    home.open()
    const report = home.store.fsck()
    assert.ok(report.problemCount > 0, `${at[0]} ${position}`)
    assert.ok(codesOf(report).includes('INDEX_MISMATCH'), `${at[0]} ${position}`)
    assert.deepEqual(home.store.fsck({ repair: true }).problems, [])
    assert.deepEqual(home.store.fsck().problems, [])
    home.reopen()
    assert.deepEqual(index.get(at), value, 'as it was')
  }
})

test('JR22: repair keeps what waits, removes leftovers and never data', () => {
  const { home, branch } = createWork(10)
  home.disk.plant('segments/00000009.0.seg.tmp', new Uint8Array(10))
  home.disk.plant('segments/keep', new Uint8Array(10))
  home.driver.submit(branch.append(3))
  const before = home.disk.files()
  home.store.fsck({ repair: true })
  assert.deepEqual(
    home.disk.files(),
    before.filter((path) => !path.endsWith('.tmp')),
  )
  home.driver.settle()
  assert.equal(home.store.state(branch.capsule.name, branch.branch)?.size, 343)
  home.driver.submit(branch.append(1))
  home.driver.flush()
  assert.throws(() => home.store.fsck({ repair: true }))
  home.driver.finishSync()
})

test('JR21: what a snapshot lists is enough to open the same store elsewhere', () => {
  const { home, branch } = createWork(11)
  home.driver.submit(branch.append(5))
  home.driver.flush()
  const files = home.store.snapshotFiles()
  const { journalBytes, segments, capsules } = home.store.usage()
  assert.equal(segments, files.length)
  assert.equal(capsules, 1)
  assert.ok(journalBytes >= files.reduce((sum, { byteLength }) => sum + byteLength, 0))
  const other = new DiskHome(12)
  other.close()
  for (const path of other.disk.files()) other.disk.remove(path)
  other.index.rollBack(0)
  for (const { path, byteLength } of files) {
    other.disk.plant(path, home.disk.contents(path).subarray(0, byteLength))
  }
  other.open()
  assert.equal(other.store.state(branch.capsule.name, branch.branch)?.size, 340)
  assert.deepEqual(other.store.fsck().problems, [])
})

test('JR21: many capsules are checked with bounded memory', () => {
  const home = new DiskHome(13, { branchesMax: 8 })
  const branches = Array.from({ length: 90 }, () => home.createBranch())
  for (let round = 0; round < 3; round++) {
    for (const branch of branches) home.commit(branch.append(2))
  }
  const { problems, entries, capsules } = home.store.fsck()
  assert.deepEqual(problems, [])
  assert.equal(entries, 540)
  assert.equal(capsules, 90)
})

test('JR21: a payload that came later is missed if its record lies in damage', () => {
  const home = new DiskHome(5, { segmentBytesMax: 6000, aheadBytesMin: 1024, aheadBytesMax: 2048 })
  const branch = home.createBranch()
  home.commit(branch.append(2, { holes: [0, 1] }))
  home.commit(branch.fill(0), branch.fill(1))
  home.reopen()
  assert.deepEqual(home.store.fsck().problems, [])
  const path = home.segments().at(-1) as string
  const bytes = Buffer.from(home.disk.contents(path))
  for (const index of [0, 1]) {
    home.disk.flipBit(path, bytes.lastIndexOf(Buffer.from(branch.body(index))), 3)
  }
  home.commit(branch.erase([1, 2]))
  const missing = home.store.fsck().problems.filter(({ code }) => code === 'ENTRY_MISSING')
  const details = missing.map(({ detail }) => detail)
  assert.deepEqual(details, ['the payload of entry 0 is not in the journal'])
})
