import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytesEqual, decodeHeader, formatName, openBody } from '@longshore/capsule'
import { DiskHome, readableEntries } from '../../testing/disk-home.ts'
import { codeOf } from '../../testing/expect.ts'
import type { SignedBranch } from '../../testing/signed-branch.ts'
import type { DiskStore } from './disk-store.ts'
import {
  RECORD_COMMIT,
  RECORD_ENTRIES,
  RECORD_ERASE,
  RECORD_HEAD,
  RECORD_MANIFEST,
  RECORD_NOTE,
  RECORD_PAYLOAD,
} from './record.ts'
import { SegmentWindow } from './segment-window.ts'

interface RecordPlace {
  readonly path: string
  readonly type: number
  readonly offset: number
  readonly end: number
  /** Name of the capsule, if the record has one. */
  readonly name: Uint8Array
}

/** Every record of a home, as it lies in the files. */
function listRecords(home: DiskHome): RecordPlace[] {
  const records: RecordPlace[] = []
  for (const path of home.segments()) {
    const file = home.disk.open(path, 'read')
    const window = new SegmentWindow(file, home.disk.contents(path).slice(16, 24))
    for (let offset = 64; ; ) {
      const record = window.recordAt(offset, file.byteLength())
      if (record === undefined) break
      const { type, end } = record
      records.push({ path, type, offset, end, name: record.body.slice(0, 32) })
      offset = end
    }
  }
  return records
}

interface Branches {
  readonly home: DiskHome
  /** Every kind of record is about this one, ... */
  readonly hit: SignedBranch
  /** ... and these are before, between and behind. */
  readonly others: readonly SignedBranch[]
}

function createBranches(seed: number): Branches {
  const home = new DiskHome(seed, { segmentBytesMax: 8000, aheadBytesMin: 2048 })
  const others = [home.createBranch(), home.createBranch()]
  const [first, second] = others as [SignedBranch, SignedBranch]
  const hit = home.createBranch()
  home.commit(first.append(3))
  home.commit(hit.append(10, { holes: [2, 5] }), second.append(2))
  home.commit(hit.fill(2), { type: 'note', key: 'k', value: home.prng.bytes(20) })
  home.commit(hit.erase([4, 7]), first.append(1))
  home.commit(hit.append(12))
  home.commit(second.append(4))
  return { home, hit, others }
}

/**
 * Whatever is shown of a branch is what was written. Where the index still points into damage, its
 * hashes do not fit, which every reader checks. Returns the indices that can be read.
 */
function checkShown(store: DiskStore, branch: SignedBranch, isIndexed = true): number[] {
  const { name } = branch.capsule
  const readable = readableEntries(store, name, branch.branch)
  for (const index of readable) {
    const { state, header, body } = store.entry(name, branch.branch, index)
    if (state !== 'present' || bytesEqual(body as Uint8Array, branch.body(index))) continue
    assert.ok(isIndexed)
    assert.throws(() => openBody(decodeHeader(header), body as Uint8Array))
  }
  return readable
}

function checkWhole(store: DiskStore, branch: SignedBranch): void {
  const { name } = branch.capsule
  assert.equal(store.state(name, branch.branch)?.size, branch.size)
  assert.equal(checkShown(store, branch).length, branch.size)
}

const TYPES: readonly [type: number, what: string][] = [
  [RECORD_MANIFEST, 'manifest'],
  [RECORD_ENTRIES, 'entries'],
  [RECORD_HEAD, 'head'],
  [RECORD_PAYLOAD, 'payload'],
  [RECORD_ERASE, 'erase'],
  [RECORD_NOTE, 'note'],
  [RECORD_COMMIT, 'commit'],
]

for (const [type, what] of TYPES) {
  test(`JR13 JR14 JR21: any flipped bit of a ${what} record harms nobody else and is reported`, () => {
    const { home, hit, others } = createBranches(10 + type)
    home.close()
    const all = listRecords(home).filter((record) => record.type === type)
    const about = all.filter(({ name }) => bytesEqual(name, hit.capsule.name))
    const targets = type === RECORD_NOTE || type === RECORD_COMMIT ? all : about
    assert.ok(targets.length > 0)
    for (let i = 0; i < 60; i++) {
      const { path, offset, end } = home.prng.pick(targets)
      const position = home.prng.between(offset, end - 1)
      const bit = home.prng.below(8)
      const isIndexed = home.prng.chance(0.3)
      home.crash('kill', isIndexed ? 'keep' : 'vanish')
      home.disk.flipBit(path, position, bit)
      const store = home.open()
      const where = `${path} ${position - offset} bit ${bit} ${isIndexed ? 'indexed' : ''}`
      for (const other of others) checkWhole(store, other)
      checkShown(store, hit, isIndexed)
      const { problems } = store.fsck()
      assert.ok(problems.length > 0, where)
      for (const { capsule } of problems) {
        const isOther = others.some(({ capsule: { name } }) => formatName(name) === capsule)
        assert.ok(!isOther, where)
      }
      // Repaired by hand: the next flip finds a whole home again.
      home.close()
      home.disk.flipBit(path, position, bit)
    }
    home.crash('kill', 'vanish')
    home.open()
    checkWhole(home.store, hit)
  })
}

test('JR14: lost entries fail closed with the place of the damage, also without index', () => {
  for (const index of ['keep', 'vanish'] as const) {
    const { home, hit, others } = createBranches(30)
    const { name } = hit.capsule
    home.close()
    const [record] = listRecords(home).filter(
      (r) => r.type === RECORD_ENTRIES && bytesEqual(r.name, name),
    ) as [RecordPlace]
    home.crash('kill', index)
    for (let i = record.offset; i < record.end; i++) home.disk.flipBit(record.path, i, i & 7)
    const store = home.open()
    const read = (at: number) => () => store.entry(name, hit.branch, at)
    assert.throws(read(0), (error) => {
      const { details } = error as { details: Record<string, number> }
      return codeOf(error) === 'STORE_CORRUPT' && details.segment === 1 && details.offset !== 0
    })
    assert.throws(() => [...store.scan(name, hit.branch, { start: 0, end: 22 })], {
      code: 'STORE_CORRUPT',
    })
    assert.deepEqual([...store.scan(name, hit.branch, { start: 10, end: 22 })].length, 12)
    assert.equal(store.state(name, hit.branch)?.size, 22)
    if (index === 'keep') {
      assert.equal(store.tile(name, hit.branch, 0, 0, 22).length, 22 * 32)
      home.commit(hit.append(1))
    } else {
      assert.throws(() => store.tile(name, hit.branch, 0, 0, 22), { code: 'STORE_CORRUPT' })
      home.driver.expectRefused('STORE_CORRUPT', hit.append(1))
    }
    for (const other of others) home.commit(other.append(1))
  }
})

test('JR14: a damaged branch stays damaged when its index was written and opened again', () => {
  const { home, hit } = createBranches(31)
  home.close()
  const { name } = hit.capsule
  const [record] = listRecords(home).filter(
    (r) => r.type === RECORD_ENTRIES && bytesEqual(r.name, name),
  ) as [RecordPlace]
  home.crash('kill', 'vanish')
  home.disk.flipBit(record.path, record.offset + 300, 2)
  home.open()
  home.reopen()
  home.driver.expectRefused('STORE_CORRUPT', hit.append(1))
  assert.deepEqual(
    readableEntries(home.store, name, hit.branch),
    [10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21],
  )
  assert.equal(home.store.entry(name, hit.branch, 15).state, 'present')
})

test('JR14: a head in damage hides the entries that only it covered, and stops appends', () => {
  const { home, hit, others } = createBranches(32)
  home.close()
  const { name } = hit.capsule
  const record = listRecords(home).findLast(
    (r) => r.type === RECORD_HEAD && bytesEqual(r.name, name),
  ) as RecordPlace
  home.crash('kill', 'vanish')
  home.disk.flipBit(record.path, record.offset + 100, 2)
  home.open()
  assert.equal(home.store.state(name, hit.branch)?.size, 10)
  hit.rewind(10)
  home.driver.expectRefused('STORE_CORRUPT', hit.append(1))
  for (const other of others) home.commit(other.append(1))
})

test('JR14: where an erasure may be lost, payloads are withheld', () => {
  const { home, hit, others } = createBranches(33)
  home.close()
  const { name } = hit.capsule
  const [record] = listRecords(home).filter(({ type }) => type === RECORD_ERASE) as [RecordPlace]
  for (const position of [4, 12, 20, 26, 32 + 48, 32 + 53, 32 + 64 + 7]) {
    for (const bit of [0, 3]) {
      home.crash('kill', 'vanish')
      home.disk.flipBit(record.path, record.offset + position, bit)
      home.open()
      for (const index of [0, 4, 5, 6]) {
        const shown = readableEntries(home.store, name, hit.branch).includes(index)
        const state = shown ? home.store.entry(name, hit.branch, index).state : 'withheld'
        assert.notEqual(state, 'present', `byte ${position} bit ${bit}, entry ${index}`)
      }
      for (const other of others) checkWhole(home.store, other)
      home.close()
      home.disk.flipBit(record.path, record.offset + position, bit)
    }
  }
})

test('JR14: an erase record in damage without a trace: its erase entry erases all the same', () => {
  const home = new DiskHome(36)
  const branch = home.createBranch()
  const { name } = branch.capsule
  home.commit(branch.append(6))
  home.commit(branch.appendErase([1, 2], [3, 5]), branch.erase([1, 2], [3, 5]))
  home.commit(branch.append(2))
  home.close()
  const [record] = listRecords(home).filter(({ type }) => type === RECORD_ERASE) as [RecordPlace]
  home.crash('kill', 'vanish')
  for (let i = record.offset; i < record.end; i++) home.disk.flipBit(record.path, i, i & 7)
  const states = (store: DiskStore) =>
    Array.from({ length: 9 }, (_, index) => store.entry(name, branch.branch, index).state)
  const expected = Array.from({ length: 9 }, (_, index) =>
    [1, 3, 4].includes(index) ? 'erased' : 'present',
  )
  assert.deepEqual(states(home.openReader()), expected, 'a reader that builds its own index')
  assert.deepEqual(states(home.open()), expected)
  home.reopen()
  home.commit(branch.append(1))
  assert.deepEqual(states(home.store), expected, 'from the index that was built')
})

/** Destroys the records of the last transaction with an erase record, as far as `types` say. */
function destroyErasure(home: DiskHome, types: readonly number[]): void {
  const records = listRecords(home)
  const last = records.findLastIndex(({ type }) => type === RECORD_ERASE)
  for (const { path, type, offset, end } of records.slice(last - 2, last + 2)) {
    if (!types.includes(type)) continue
    for (let i = offset; i < end; i++) home.disk.flipBit(path, i, i & 7)
  }
}

const ERASURE = [RECORD_ENTRIES, RECORD_HEAD, RECORD_ERASE]

for (const [what, types, later, elsewhere] of [
  ['and its head, nothing behind it', ERASURE, 0, 0],
  ['and its head, other branches behind it', ERASURE, 0, 2],
  ['and its head, the branch goes on', ERASURE, 2, 2],
  ['but not its head', [RECORD_ENTRIES, RECORD_ERASE], 0, 0],
  ['but not its head, the branch goes on', [RECORD_ENTRIES, RECORD_ERASE], 2, 0],
  ['and the whole group', [...ERASURE, RECORD_COMMIT], 0, 2],
] as const) {
  test(`JR14: damage that hits erase entry and erase record, ${what}: nothing erased is shown`, () => {
    const home = new DiskHome(39)
    const [hit, other] = [home.createBranch(), home.createBranch()]
    const { name } = hit.capsule
    home.commit(hit.append(6))
    home.commit(other.append(3))
    home.commit(hit.appendErase([1, 2], [3, 5]), hit.erase([1, 2], [3, 5]))
    if (elsewhere > 0) home.commit(other.append(elsewhere))
    if (later > 0) home.commit(hit.append(later))
    home.close()
    home.crash('kill', 'vanish')
    destroyErasure(home, types)
    const check = (store: DiskStore): void => {
      const shown = readableEntries(store, name, hit.branch)
      for (const index of [1, 3, 4]) assert.ok(!shown.includes(index), `entry ${index}`)
      const behind = Array.from({ length: later }, (_, at) => 7 + at)
      assert.deepEqual(shown, behind)
      if (elsewhere > 0) checkWhole(store, other)
      assert.ok(store.fsck().problems.length > 0)
    }
    check(home.openReader())
    check(home.open())
    home.reopen()
    check(home.store)
  })
}

test('JR13: a damaged segment header costs nothing but a new segment', () => {
  const { home, hit, others } = createBranches(34)
  home.close()
  for (const path of home.segments()) {
    home.crash('kill', 'vanish')
    home.disk.flipBit(path, 20, 1)
    home.open()
    checkWhole(home.store, hit)
    for (const other of others) checkWhole(home.store, other)
    const codes = home.store.fsck().problems.map(({ code }) => code)
    assert.ok(codes.every((code) => code === 'SEGMENT_HEADER'))
    assert.ok(codes.length > 0)
    home.commit(hit.append(1))
    home.close()
    home.disk.flipBit(path, 20, 1)
  }
  home.crash('kill', 'vanish')
  home.open()
  checkWhole(home.store, hit)
  assert.deepEqual(home.store.fsck().problems, [])
})

test('JR13: the watermark tells the id of a segment whose header and first record are damaged', () => {
  const home = new DiskHome(37)
  const first = home.createBranch()
  const second = home.createBranch()
  home.commit(second.append(5))
  home.close()
  const [path] = home.segments() as [string]
  const [record] = listRecords(home) as [RecordPlace]
  assert.deepEqual(record.name, first.capsule.name)
  home.crash('kill', 'vanish')
  for (let i = 0; i < record.end; i++) home.disk.flipBit(path, i, i & 7)
  checkWhole(home.open(), second)
  home.commit(second.append(1))
  home.crash('kill', 'vanish')
  checkWhole(home.open(), second)
  const codes = new Set(home.store.fsck().problems.map(({ code }) => code))
  assert.deepEqual(codes, new Set(['SEGMENT_HEADER', 'RECORD_DAMAGED']))
})

test('JR21: a reader reports a journal of which nothing is left', () => {
  const { home } = createBranches(38)
  home.close()
  home.crash('power', 'vanish')
  for (const path of home.segments()) {
    home.disk.plant(path, new Uint8Array(home.disk.contents(path).length))
  }
  home.disk.remove('watermark')
  home.open()
  assert.ok(home.store.fsck().problems.length > 0, 'the writer')
  assert.ok(home.openReader().fsck().problems.length > 0, 'the reader')
})

test('JR13 JR14: any flipped bit anywhere: what is shown is true, and what is not is an error', () => {
  const { home, hit, others } = createBranches(35)
  const branches = [hit, ...others]
  home.close()
  for (let i = 0; i < 150; i++) {
    home.crash(home.prng.chance(0.5) ? 'kill' : 'power', home.prng.pick(['keep', 'vanish']))
    const copy = home.disk.copy(home.prng.child())
    const path = home.prng.pick(home.segments())
    const position = home.disk.flipAnyBit(path)
    const store = home.open()
    for (const branch of branches) {
      const size = store.state(branch.capsule.name, branch.branch)?.size ?? 0
      assert.ok(size <= branch.size, `${path} ${position}`)
      checkShown(store, branch)
    }
    home.close()
    for (const other of home.disk.files()) home.disk.remove(other)
    for (const kept of copy.files()) home.disk.plant(kept, copy.contents(kept))
  }
})
