import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DiskHome } from '../../testing/disk-home.ts'
import type { SignedBranch } from '../../testing/signed-branch.ts'
import { runSlices } from '../slices.ts'

const SMALL = { segmentBytesMax: 6000, aheadBytesMin: 1024, aheadBytesMax: 2048, sliceBytes: 1500 }

function createWork(seed: number): { home: DiskHome; branches: SignedBranch[] } {
  const home = new DiskHome(seed, SMALL)
  const branches = [home.createBranch(), home.createBranch()]
  for (let i = 0; i < 30; i++) {
    for (const branch of branches) home.commit(branch.append(2, { holes: [1] }))
  }
  for (const branch of branches) home.commit(branch.fill(1))
  return { home, branches }
}

/** Flips one bit of a payload that lies in a sealed segment. */
function damage(home: DiskHome, branch: SignedBranch, index: number): void {
  for (const path of home.segments()) {
    const at = Buffer.from(home.disk.contents(path)).indexOf(Buffer.from(branch.body(index)))
    if (at > 0) home.disk.flipBit(path, at, 1)
  }
}

test('JR26: a scrub finds nothing where nothing is wrong, and whose bytes rotted where it is', () => {
  const { home, branches } = createWork(1)
  const [first, second] = branches as [SignedBranch, SignedBranch]
  const whole = runSlices(home.store.scrubInSlices())
  assert.deepEqual(whole.capsules, [])
  assert.equal(whole.damagedBytes, 0)
  assert.ok(whole.bytes > 6000)
  damage(home, first, 8)
  const one = runSlices(home.store.scrubInSlices())
  assert.deepEqual(one.capsules, [first.capsule.name])
  assert.ok(one.damagedBytes > 0)
  // A payload that came later lies in a record of its own.
  damage(home, second, 1)
  assert.equal(runSlices(home.store.scrubInSlices()).capsules.length, 2)
  const reader = home.openReader()
  assert.equal(runSlices(reader.scrubInSlices()).capsules.length, 2)
})

test('JR26: appends, removals and a compaction between two slices are no damage', () => {
  const { home, branches } = createWork(2)
  const [first, second] = branches as [SignedBranch, SignedBranch]
  let slices = 0
  const work = home.store.scrubInSlices()
  for (;;) {
    const slice = work.next()
    if (slice.done === true) {
      assert.deepEqual(slice.value.capsules, [])
      assert.equal(slice.value.damagedBytes, 0)
      break
    }
    slices++
    home.commit(second.append(1))
    if (slices === 3) home.commit({ type: 'remove', name: first.capsule.name })
    if (slices === 4) home.store.compact()
  }
  assert.ok(slices > 5, `${slices} slices`)
})

test('JR26: what was removed or stored again behind the damage is not named once more', () => {
  const { home, branches } = createWork(3)
  const [first, second] = branches as [SignedBranch, SignedBranch]
  damage(home, first, 8)
  assert.deepEqual(runSlices(home.store.scrubInSlices()).capsules, [first.capsule.name])
  assert.deepEqual(runSlices(home.store.scrubInSlices(second.capsule.name)).capsules, [])
  home.commit({ type: 'remove', name: first.capsule.name }, first.capsule.manifest)
  const { capsules, damagedBytes } = runSlices(home.store.scrubInSlices())
  assert.deepEqual(capsules, [])
  assert.ok(damagedBytes > 0)
})
