import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DiskHome } from '../../testing/disk-home.ts'
import type { SignedBranch } from '../../testing/signed-branch.ts'
import { readAll } from '../../testing/store-contract/life.ts'
import { runSlices } from '../slices.ts'
import type { StoreOp } from '../store.ts'
import { RECORD_HEADER_BYTES } from './record.ts'

const SMALL = { segmentBytesMax: 6000, aheadBytesMin: 1024, aheadBytesMax: 2048 }

interface Work {
  readonly home: DiskHome
  readonly hit: SignedBranch
  /** Everything that was appended to it. */
  readonly appends: StoreOp[]
}

/** Two capsules and notes over several segments. */
function createWork(seed: number): Work {
  const home = new DiskHome(seed, SMALL)
  const [hit, other] = [home.createBranch(), home.createBranch()]
  const appends: StoreOp[] = []
  home.commit({ type: 'note', key: 'seldom', value: home.prng.bytes(30) })
  for (let i = 0; i < 30; i++) {
    const append = hit.append(2)
    appends.push(append)
    home.commit(append)
    home.commit(other.append(2))
  }
  return { home, hit, appends }
}

/** Flips a bit of the name in the record that holds this entry: nobody can say whose it was. */
function damageName(home: DiskHome, branch: SignedBranch, index: number): string {
  for (const path of home.segments()) {
    const bytes = Buffer.from(home.disk.contents(path))
    const body = bytes.indexOf(Buffer.from(branch.body(index)))
    const name = bytes.lastIndexOf(Buffer.from(branch.capsule.name), body)
    if (body < 0 || name < RECORD_HEADER_BYTES) continue
    home.disk.flipBit(path, name + 5, 3)
    return path
  }
  throw new Error('the entry is in no file')
}

test('JR21 JR27: damage that is nobody’s is let go of once nobody lacks anything, and not before', () => {
  for (const crash of ['keep', 'vanish'] as const) {
    const { home, hit, appends } = createWork(1)
    const path = damageName(home, hit, 9)
    home.crash('kill', crash)
    home.open()
    assert.equal(home.store.fsck().isComplete, false, 'entries are missing')
    home.commit({ type: 'remove', name: hit.capsule.name }, hit.capsule.manifest, ...appends)
    const all = readAll(home.store, ['seldom'])
    assert.equal(home.store.compact().segmentsDamaged, 1, 'it no longer says whose it was')
    const { isComplete, problems, damage, lostNotes } = home.store.fsck()
    assert.deepEqual([isComplete, lostNotes], [true, []])
    assert.deepEqual([problems.length, damage.length], [1, 1])
    assert.deepEqual(runSlices(home.store.scrubInSlices()).capsules, [])
    assert.equal(home.store.compact({ nobodys: damage }).segmentsDamaged, 0)
    assert.ok(!home.segments().includes(path))
    assert.deepEqual(home.store.fsck().problems, [])
    assert.deepEqual(readAll(home.store, ['seldom']), all)
    home.crash('power', 'vanish')
    home.open()
    assert.deepEqual(home.store.fsck().problems, [])
    assert.deepEqual(readAll(home.store, ['seldom']), all)
  }
})

test('JR27: damage that came later is not let go of', () => {
  const { home, hit, appends } = createWork(2)
  damageName(home, hit, 9)
  home.commit({ type: 'remove', name: hit.capsule.name }, hit.capsule.manifest, ...appends)
  home.store.compact()
  const { damage } = home.store.fsck()
  const [stretch] = damage
  assert.ok(stretch !== undefined)
  const path = home.segments()[stretch.segment - 1] as string
  home.disk.flipBit(path, stretch.end + RECORD_HEADER_BYTES, 0)
  const before = home.disk.contents(path)
  assert.equal(home.store.compact({ nobodys: damage }).segmentsDamaged, 1)
  assert.deepEqual(home.disk.contents(path), before)
})

test('JR21 JR27: a note that only the index has is written again first', () => {
  const { home } = createWork(3)
  const value = home.store.note('seldom') as Uint8Array
  home.reopen()
  const [path] = home.segments() as [string]
  const at = Buffer.from(home.disk.contents(path)).indexOf(Buffer.from('seldom'))
  home.disk.flipBit(path, at, 1)
  const { isComplete, lostNotes, damage } = home.store.fsck()
  assert.deepEqual([isComplete, lostNotes], [true, ['seldom']])
  home.commit({ type: 'note', key: 'seldom', value })
  home.store.compact({ nobodys: damage })
  home.crash('kill', 'vanish')
  home.open()
  assert.deepEqual(home.store.fsck().problems, [])
  assert.deepEqual(home.store.note('seldom'), value)
})

test('JR24 JR27: a removal in damage stays while something before it may be removed by it', () => {
  const { home, hit } = createWork(4)
  const { name } = hit.capsule
  home.commit({ type: 'remove', name })
  home.reopen()
  const path = home.segments().at(-1) as string
  const bytes = Buffer.from(home.disk.contents(path))
  home.disk.flipBit(path, bytes.lastIndexOf(Buffer.from(name)) + 5, 3)
  // An earlier segment that compaction leaves as it is.
  const [first] = home.segments() as [string]
  home.disk.flipBit(first, 100, 3)
  const { damage } = home.store.fsck()
  const removal = damage.filter(({ segment }) => segment > 1)
  assert.equal(removal.length, 1)
  assert.equal(home.store.compact({ nobodys: removal }).segmentsDamaged, 2)
  assert.equal(home.store.compact({ nobodys: damage }).segmentsDamaged, 0)
  home.crash('kill', 'vanish')
  home.open()
  assert.equal(home.store.manifest(name), undefined)
})

test('JR21 JR27: a payload that came later is missed if its record lies in damage', () => {
  const { home, hit } = createWork(5)
  const [lost, erased] = [hit.size, hit.size + 1]
  home.commit(hit.append(2, { holes: [0, 1] }))
  home.commit(hit.fill(lost), hit.fill(erased))
  home.reopen()
  assert.deepEqual(home.store.fsck().problems, [])
  const path = home.segments().at(-1) as string
  const bytes = Buffer.from(home.disk.contents(path))
  for (const index of [lost, erased]) {
    home.disk.flipBit(path, bytes.lastIndexOf(Buffer.from(hit.body(index))), 3)
  }
  home.commit(hit.erase([erased, erased + 1]))
  const { isComplete, problems } = home.store.fsck()
  assert.equal(isComplete, false)
  const missing = problems.filter(({ code }) => code === 'ENTRY_MISSING')
  assert.deepEqual(
    missing.map(({ detail }) => detail),
    [`the payload of entry ${lost} is not in the journal`],
  )
  home.commit(hit.erase([lost, erased]))
  assert.equal(home.store.fsck().isComplete, true)
})
