import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeHeader, MAIN_BRANCH, verifyHeartbeat } from '@longshore/capsule'
import { createCapsuleFixture } from '../testing/capsule-fixture.ts'
import { Prng } from '../testing/prng.ts'
import { SimAnchor } from '../testing/sim-anchor.ts'
import { SimRuntime } from '../testing/sim-runtime.ts'
import { WriterHome } from '../testing/writer-home.ts'
import { decodeAnchor, encodeAnchor } from './anchor.ts'
import { isAnchorUpToDate } from './open-branch-writer.ts'
import { createGiveUpNote, readInstance } from './writer-notes.ts'

function createHome(seed: number): WriterHome {
  const prng = new Prng(seed)
  const runtime = new SimRuntime(prng.child())
  return WriterHome.create(createCapsuleFixture(prng), runtime, new SimAnchor(prng.child()))
}

function anchorOf(home: WriterHome) {
  const anchor = decodeAnchor(home.anchor.read() ?? new Uint8Array(0))
  assert.ok(anchor)
  return anchor
}

function instanceOf({ store, capsule }: WriterHome): Uint8Array | undefined {
  return readInstance(store, capsule.name, MAIN_BRANCH)
}

/** The control entry at `index`. */
function controlAt({ store, capsule }: WriterHome, index: number) {
  return decodeHeader(store.entry(capsule.name, MAIN_BRANCH, index).header).ext.control
}

/** A raw copy of the home, on this machine or on another one with an anchor of its own. */
function copyOf(home: WriterHome, anchor: SimAnchor = home.anchor): WriterHome {
  return new WriterHome(home.capsule, home.runtime, anchor, home.medium.copy())
}

test('WR8: in an unknown state nothing is signed, and the reason is said', () => {
  const home = createHome(1)
  home.append('a')
  home.commit()
  home.anchor.plant(undefined)
  home.reopen()
  const { writer } = home
  assert.equal(writer.doubt, 'missing')
  const unknown = { code: 'WRITER_STATE_UNKNOWN' }
  assert.throws(() => home.append('b'), unknown)
  assert.throws(() => writer.erase(1, [{ start: 0, end: 1 }], ''), unknown)
  assert.throws(() => writer.planHeartbeat(), unknown)
  assert.throws(() => writer.catchUp(), unknown)
  assert.equal(writer.cut(), undefined)
  assert.equal(writer.head?.size, 1, 'what was signed before may still be shown')
  assert.equal(home.anchor.read(), undefined, 'and the anchor is left as it was')
})

test('WR7 WR8: copied, appended to, old copy put back: ahead', () => {
  const home = createHome(2)
  home.append('a')
  home.commit()
  const old = home.medium.copy()
  home.append('b')
  home.commit()
  const restored = new WriterHome(home.capsule, home.runtime, home.anchor, old)
  assert.equal(restored.writer.doubt, 'ahead')
  assert.throws(() => restored.append('B'), /older than what this machine has already signed/)
})

test('WR7 WR10: used elsewhere and put back: another instance', () => {
  const home = createHome(3)
  home.append('a')
  home.commit()
  const elsewhere = copyOf(home, new SimAnchor(new Prng(1)))
  assert.equal(elsewhere.writer.doubt, 'missing')
  elsewhere.writer.recover(1, 'moved to this machine')
  elsewhere.commit()
  elsewhere.append('b')
  elsewhere.commit()
  const back = copyOf(elsewhere, home.anchor)
  assert.equal(back.writer.doubt, 'other-instance')
})

test('WR4 WR7: a crash between sync and anchor is no doubt, and no acknowledgement is lost', () => {
  const home = createHome(4)
  home.append('a')
  home.commit()
  home.append('b')
  home.cut()
  home.flush()
  const { syncing } = home
  assert.ok(syncing)
  // The journal is synced, then the process dies: recovery finds the group.
  home.store.step({ type: 'synced', token: syncing.effect.token })
  assert.equal(anchorOf(home).size, 1)
  home.reopen()
  assert.equal(home.writer.doubt, undefined)
  assert.equal(home.writer.size, 2)
  assert.equal(anchorOf(home).size, 2, 'the anchor is brought up')
})

test('WR9: opening brings the anchor up and syncs it, so that a copy cannot pass for the home', () => {
  const home = createHome(5)
  home.append('a')
  home.commit()
  const old = home.medium.copy()
  const behind = home.anchor.read()
  home.append('b')
  home.commit()
  // Power loss: the anchor is back at size 1.
  home.anchor.plant(behind)
  home.reopen()
  assert.equal(home.writer.doubt, undefined)
  assert.equal(home.anchor.losePower(), false, 'synced')
  const restored = new WriterHome(home.capsule, home.runtime, home.anchor, old)
  assert.equal(restored.writer.doubt, 'ahead')
})

test('WR9: an anchor that says what is committed needs no opening; every other does', () => {
  const home = createHome(5)
  const isUpToDate = (of: WriterHome = home): boolean => {
    const { store, anchor, capsule } = of
    return isAnchorUpToDate({ store, name: capsule.name, branch: MAIN_BRANCH, anchor })
  }
  assert.ok(!isUpToDate(), 'nothing is committed yet')
  home.append('a')
  home.commit()
  assert.ok(isUpToDate())
  const behind = home.anchor.read()
  home.append('b')
  home.commit()
  assert.ok(isUpToDate())
  home.anchor.plant(behind)
  assert.ok(!isUpToDate(), 'behind')
  home.reopen()
  assert.ok(isUpToDate())
  const elsewhere = copyOf(home, new SimAnchor(new Prng(1)))
  assert.ok(!isUpToDate(elsewhere), 'missing')
  elsewhere.writer.recover(1, 'moved to this machine')
  elsewhere.commit()
  assert.ok(isUpToDate(elsewhere))
  home.anchor.plant(elsewhere.anchor.read())
  assert.ok(!isUpToDate(), 'another instance, and ahead')
})

test('WR9: a clean anchor is synced at opening too; commits do not wait for it', () => {
  const home = createHome(6)
  home.append('a')
  home.commit()
  const { counts } = home.anchor
  const before = { ...counts }
  home.reopen()
  assert.deepEqual(counts, { writes: before.writes, syncs: before.syncs + 1 })
  for (let i = 0; i < 5; i++) {
    home.append('b')
    home.commit()
  }
  assert.deepEqual(counts, { writes: before.writes + 5, syncs: before.syncs + 1 })
})

test('WR9 WR10: the first instance: anchor before manifest, and a crash in between is harmless', () => {
  const home = createHome(7)
  assert.equal(home.writer.doubt, undefined)
  assert.deepEqual(anchorOf(home).instance, instanceOf(home))
  assert.equal(anchorOf(home).size, 0)
  const [platter] = home.anchor.versions()
  assert.deepEqual(platter, home.anchor.read(), 'the first anchor is synced')
})

test('WR11: recover says what the anchor said, and takes a new instance', () => {
  const home = createHome(8)
  home.append('a')
  home.commit()
  const old = home.medium.copy()
  home.append('b', 'c')
  const { head } = home.commit()
  const before = anchorOf(home)
  const restored = new WriterHome(home.capsule, home.runtime, home.anchor, old)
  const { writer } = restored
  assert.equal(writer.recover(7, 'the disk broke'), 1)
  assert.throws(() => restored.append('d'), { code: 'WRITER_STATE_UNKNOWN' }, 'not yet')
  assert.throws(() => writer.recover(8, ''), { code: 'USAGE' })
  const release = restored.commit()
  assert.deepEqual(release.appends, [{ ticket: 7, start: 1, count: 1 }])
  assert.deepEqual(controlAt(restored, 1), {
    type: 'recover',
    anchor: { size: 3, root: head?.root },
    reason: 'the disk broke',
  })
  assert.notDeepEqual(anchorOf(restored).instance, before.instance)
  assert.deepEqual(anchorOf(restored).instance, instanceOf(restored))
  assert.equal(restored.anchor.losePower(), false, 'the new anchor is synced')
  restored.append('d')
  assert.equal(restored.commit().head?.size, 3)
})

test('WR11: recover without anchor, also of an empty branch', () => {
  const home = createHome(9)
  home.anchor.plant(undefined)
  home.reopen()
  assert.equal(home.writer.doubt, 'missing')
  home.writer.recover(1, 'anchor lost')
  home.commit()
  assert.deepEqual(controlAt(home, 0), { type: 'recover', anchor: null, reason: 'anchor lost' })
  home.reopen()
  assert.equal(home.writer.doubt, undefined)
  assert.throws(() => home.writer.recover(1, ''), { code: 'USAGE' }, 'nothing to recover')
})

test('WR10 WR11: a crash before a recovery is durable leaves the state unknown', () => {
  const home = createHome(10)
  home.append('a')
  home.commit()
  const old = home.medium.copy()
  home.append('b')
  home.commit()
  const restored = new WriterHome(home.capsule, home.runtime, home.anchor, old)
  restored.writer.recover(1, 'first try')
  const [platter, cache] = restored.anchor.versions()
  assert.deepEqual(platter, cache, 'the new instance is synced before anything is cut')
  assert.equal(anchorOf(restored).size, 2, 'and what the anchor said is kept')
  restored.cut()
  restored.flush()
  restored.reopen()
  assert.equal(restored.writer.doubt, 'other-instance')
  assert.equal(restored.writer.isCaughtUp, false)
  // The home that was replaced no longer passes either: two recoveries cannot both go on.
  home.reopen()
  assert.equal(home.writer.doubt, 'other-instance')
  restored.writer.recover(1, 'second try')
  assert.equal(restored.commit().head?.size, 2)
})

test('WR11: a crash after a recovery is durable and before its anchor needs no second one', () => {
  const home = createHome(16)
  home.append('a')
  home.commit()
  home.anchor.plant(undefined)
  home.reopen()
  home.writer.recover(1, 'anchor lost')
  home.cut()
  home.flush()
  home.store.step({ type: 'synced', token: home.syncing?.effect.token ?? 0 })
  home.reopen()
  assert.equal(home.writer.doubt, undefined)
  assert.equal(anchorOf(home).size, 2)
})

test('WR11: a recovery that cannot be written into the anchor, or has no header, changes nothing', () => {
  const home = createHome(17)
  home.anchor.plant(undefined)
  home.reopen()
  assert.throws(() => home.writer.recover(1, 'r'.repeat(1025)), { code: 'USAGE' })
  home.anchor.failure = new Error('ANCHOR_UNWRITABLE')
  assert.throws(() => home.writer.recover(1, ''), /ANCHOR_UNWRITABLE/)
  assert.equal(home.writer.doubt, 'missing')
  assert.equal(home.writer.size, 0)
  home.writer.recover(1, '')
  assert.equal(home.commit().head?.size, 1)
})

test('WR10 WR11: entries brought in by import: unknown, until the home is where the anchor is', () => {
  const home = createHome(11)
  const { name } = home.capsule
  home.append('a')
  home.commit()
  const old = home.medium.copy()
  home.append('b')
  const appended = home.cut().ops
  home.flush()
  home.durable()
  home.committed()

  const restored = new WriterHome(home.capsule, home.runtime, home.anchor, old)
  assert.equal(restored.writer.doubt, 'ahead')
  assert.equal(restored.writer.isCaughtUp, false)
  restored.commitOps(...appended, createGiveUpNote(name, MAIN_BRANCH))
  restored.reopen()
  assert.equal(restored.writer.doubt, 'other-instance')
  assert.equal(restored.writer.isCaughtUp, true)
  assert.throws(() => restored.append('c'), { code: 'WRITER_STATE_UNKNOWN' })

  const before = anchorOf(home)
  restored.writer.catchUp()
  const release = restored.commit()
  assert.deepEqual(release.appends, [])
  assert.equal(release.head?.size, 2)
  assert.notDeepEqual(anchorOf(restored).instance, before.instance)
  assert.deepEqual(anchorOf(restored).root, before.root)
  restored.append('c')
  assert.equal(restored.commit().head?.size, 3)
  restored.reopen()
  assert.equal(restored.writer.doubt, undefined)
  // The home that was left behind is noticed when it is opened again.
  home.reopen()
  assert.equal(home.writer.doubt, 'other-instance')
})

test('WR11: catch-up of an empty branch', () => {
  const home = createHome(12)
  home.commitOps(createGiveUpNote(home.capsule.name, MAIN_BRANCH))
  home.reopen()
  assert.equal(home.writer.doubt, 'other-instance')
  home.writer.catchUp()
  assert.equal(home.commit().head, undefined)
  home.append('a')
  assert.equal(home.commit().head?.size, 1)
})

test('WR7: an anchor that was tampered with or belongs to another history', () => {
  const home = createHome(13)
  home.append('a', 'b')
  home.commit()
  const anchor = anchorOf(home)
  const root = anchor.root.slice()
  root[0]! ^= 1
  home.anchor.plant(encodeAnchor({ ...anchor, root: root as typeof anchor.root }))
  home.reopen()
  assert.equal(home.writer.doubt, 'diverged')
  home.anchor.plant(encodeAnchor(anchor).fill(0, 100))
  home.reopen()
  assert.equal(home.writer.doubt, 'missing', 'a damaged anchor tells as little as none')
  const stranger = createCapsuleFixture(new Prng(99)).name
  home.anchor.plant(encodeAnchor({ ...anchor, name: stranger }))
  home.reopen()
  assert.equal(home.writer.doubt, 'missing', 'and so does the anchor of another capsule')
  home.writer.recover(1, '')
  home.commit()
  assert.deepEqual(controlAt(home, 2), { type: 'recover', anchor: null, reason: '' })
  assert.deepEqual(anchorOf(home).name, home.capsule.name)
})

test('CP18 WR13: a heartbeat is signed after its position is committed, and never goes back', () => {
  const home = createHome(14)
  const { capsule, runtime } = home
  assert.throws(() => home.writer.planHeartbeat(), { code: 'USAGE' }, 'no head yet')
  home.append('a')
  home.commit()
  runtime.timeUs = 1_800_000_000_999_999
  const beat = () => {
    const { head } = home.writer
    assert.ok(head)
    const { position, op } = home.writer.planHeartbeat()
    assert.throws(() => home.writer.signHeartbeat({ ...position, timeS: position.timeS + 1 }, head))
    home.commitOps(op)
    const heartbeat = home.writer.signHeartbeat(position, head)
    verifyHeartbeat(capsule.name, head, heartbeat, capsule.writer.key)
    return [heartbeat.timeS, head.size]
  }
  assert.deepEqual(beat(), [1_800_000_000, 1])
  assert.deepEqual(beat(), [1_800_000_000, 1], 'equal seconds are legal')
  runtime.timeUs = 5_000_000
  home.reopen()
  home.append('b')
  home.commit()
  assert.deepEqual(beat(), [1_800_000_000, 2], 'the clock went back, the heartbeat does not')
  runtime.timeUs = 1_800_000_007_000_000
  assert.deepEqual(beat(), [1_800_000_007, 2])
})

test('WR13: no heartbeat is signed before its position is committed', () => {
  const home = createHome(15)
  home.append('a')
  home.commit()
  const { head } = home.writer
  assert.ok(head)
  const { position } = home.writer.planHeartbeat()
  assert.throws(() => home.writer.signHeartbeat(position, head), { name: 'AssertionFailure' })
})
