import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MAIN_BRANCH, openManifest, type SignedManifest } from '@longshore/capsule'
import { runSlices } from '../store/slices.ts'
import type { StoreOp } from '../store/store.ts'
import { DiskHome } from '../testing/disk-home.ts'
import type { SignedBranch } from '../testing/signed-branch.ts'
import { readAll } from '../testing/store-contract/life.ts'
import { LocalCopy } from './local-copy.ts'
import { isKnownDamaged, planMending } from './mend-branch.ts'
import type { OtherCopy, ShownEntry } from './shown-entries.ts'

const BYTES_MAX = 67_108_864

interface Work {
  readonly home: DiskHome
  readonly hit: SignedBranch
  readonly signed: SignedManifest
  /** What others hold of the first 500 entries. */
  readonly other: OtherCopy
  readonly expected: unknown
}

/** A capsule of 600 entries, with erased payloads, beside another one. */
function createWork(seed: number): Work {
  const home = new DiskHome(seed)
  const [hit, beside] = [home.createBranch(), home.createBranch()]
  for (let i = 0; i < 20; i++) {
    home.commit(hit.append(29))
    home.commit(beside.append(1))
    if (i === 10) home.commit(hit.appendErase([3, 5]), hit.erase([3, 5]))
  }
  home.commit(hit.append(600 - hit.size))
  const { name, manifest } = hit.capsule
  const signed = openManifest((manifest as Extract<StoreOp, { type: 'manifest' }>).signed, name)
  const shown = new Map<number, ShownEntry>()
  for (const { index, header, body, state } of home.store.scan(name, MAIN_BRANCH, {
    start: 0,
    end: 500,
  })) {
    shown.set(index, { header, body, isErased: state === 'erased' })
  }
  const other = { size: 500, entry: (index: number) => shown.get(index) }
  return { home, hit, signed, other, expected: readAll(home.store, []) }
}

/** Flips a bit of the payload of each of these entries. */
function rot({ home, hit }: Work, indices: readonly number[], how: 'keep' | 'vanish'): void {
  home.close()
  for (const path of home.segments()) {
    for (const index of indices) {
      const at = Buffer.from(home.disk.contents(path)).indexOf(Buffer.from(hit.body(index)))
      if (at > 0) home.disk.flipBit(path, at + 3, 1)
    }
  }
  home.crash('kill', how)
  home.open()
}

function mend({ home, signed, other }: Work, bytesMax = BYTES_MAX): number | undefined {
  const mending = runSlices(planMending(home.store, signed, other, bytesMax))
  if (mending !== undefined) home.commit(...mending.ops)
  return mending?.count
}

function checkWhole(work: Work, what: string): void {
  const { home } = work
  home.store.compact()
  for (const how of ['keep', 'vanish'] as const) {
    assert.deepEqual(readAll(home.store, []), work.expected, what)
    assert.deepEqual(home.store.fsck().problems, [], what)
    home.crash('kill', how)
    home.open()
  }
}

for (const how of ['keep', 'vanish'] as const) {
  test(`HM62: what has rotted is there again, the rest stays, and appends go on (index: ${how})`, () => {
    const work = createWork(1)
    const { home, hit } = work
    rot(work, [0, 77, 300], how)
    const report = runSlices(home.store.scrubInSlices(hit.capsule.name))
    assert.deepEqual(report.capsules, [hit.capsule.name])
    const damaged = runSlices(new LocalCopy(home.store, hit.capsule.name, MAIN_BRANCH).findDamage())
    assert.ok(damaged.has(0) && damaged.has(77) && damaged.has(300))
    assert.ok(how === 'vanish' || damaged.count === 3)
    assert.equal(isKnownDamaged(home.store, hit.capsule.name), how === 'vanish')
    const count = mend(work) as number
    assert.ok(how === 'vanish' ? count > 3 : count === 3, `${count}`)
    checkWhole(work, how)
    assert.deepEqual(runSlices(home.store.scrubInSlices()).capsules, [])
    home.commit(hit.append(3))
    assert.equal(home.store.state(hit.capsule.name, MAIN_BRANCH)?.size, 603)
  })
}

test('HM62: damage behind what others hold changes nothing and says which entry', () => {
  for (const how of ['keep', 'vanish'] as const) {
    const work = createWork(2)
    rot(work, [77, 555], how)
    assert.throws(
      () => mend(work),
      (error) => {
        const { code, details } = error as { code: string; details: { index: number } }
        return code === 'STORE_CORRUPT' && details.index >= 500 && details.index <= 555
      },
    )
    const { state } = work.home.store.entry(work.signed.name, MAIN_BRANCH, 599)
    assert.equal(state, 'present')
  }
})

test('HM62: entries of another history are not taken', () => {
  const work = createWork(3)
  const stranger = createWork(4)
  rot(work, [77], 'keep')
  assert.throws(() => mend({ ...work, other: stranger.other }), { code: 'ROOT_MISMATCH' })
  assert.equal(mend(work), 1)
})

test('HM62: a capsule that is too large is left to an import', () => {
  const work = createWork(5)
  rot(work, [77], 'keep')
  assert.equal(mend(work, 10_000), undefined)
})

test('HM63: a manifest in damage is stored again, and everything under it is as before', () => {
  for (const how of ['keep', 'vanish'] as const) {
    const work = createWork(6)
    const { home, signed } = work
    const { name } = signed
    home.close()
    const [path] = home.segments() as [string]
    const at = Buffer.from(home.disk.contents(path)).indexOf(Buffer.from(signed.signed))
    home.disk.flipBit(path, at + 40, 2)
    home.crash('kill', how)
    home.open()
    if (how === 'keep') assert.throws(() => home.store.manifest(name), { code: 'STORE_CORRUPT' })
    else assert.equal(home.store.manifest(name), undefined)
    assert.ok(isKnownDamaged(home.store, name))
    home.commit({ type: 'manifest', name, signed: signed.signed })
    assert.ok(!isKnownDamaged(home.store, name))
    checkWhole(work, how)
  }
})
