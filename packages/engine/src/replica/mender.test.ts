import assert from 'node:assert/strict'
import { test } from 'node:test'
import { asSignature, bytesEqual, MAIN_BRANCH } from '@longshore/capsule'
import type { StoreOp } from '../store/store.ts'
import {
  content,
  converge,
  introduce,
  sessionsOf,
  withoutBodies,
} from '../testing/mirror-exchange.ts'
import { MirrorHome } from '../testing/mirror-home.ts'
import { Prng } from '../testing/prng.ts'
import { PublisherHome } from '../testing/publisher-home.ts'
import { createInstanceNote } from '../writer/writer-notes.ts'
import { pendingImport } from './committed-head.ts'
import { decodeMessage, encodeMessage } from './messages.ts'
import type { MirrorEffect } from './mirror-contract.ts'
import { readMirrorNote } from './mirror-note.ts'
import { planRemoval, readStated } from './removal.ts'

interface World {
  readonly home: PublisherHome
  readonly mirrors: readonly [MirrorHome, MirrorHome]
}

/** A capsule that two mirrors hold and have stated. */
function createWorld(seed: number, count = 740, holes: readonly number[] = []): World {
  const prng = new Prng(seed)
  const home = new PublisherHome(prng)
  const mirrors = [new MirrorHome(prng.child()), new MirrorHome(prng.child())] as const
  home.append(count, { holes })
  for (const [i, mirror] of mirrors.entries()) {
    home.connect(mirror, 1 + i)
    home.exchange(mirror, 1 + i)
  }
  return { home, mirrors }
}

/** One bit of a payload flips while the mirror is down. */
function damage({ disk, index }: MirrorHome, { branch }: PublisherHome, how: 'keep' | 'vanish') {
  const [path] = disk.files().filter((file) => file.startsWith('segments/'))
  const at = Buffer.from(disk.contents(path as string)).indexOf(Buffer.from(branch.body(300)))
  assert.ok(at > 0)
  disk.flipBit(path as string, at + 1, 1)
  if (how === 'vanish') index.crash('vanish')
}

function typesOf(effects: readonly MirrorEffect[]): string[] {
  const types = ['damaged', 'mending', 'mended']
  return effects.map(({ type }) => type).filter((type) => types.includes(type))
}

function noteOf({ store }: MirrorHome, { capsule }: PublisherHome) {
  return readMirrorNote(store, capsule.name, MAIN_BRANCH)
}

test('MI28 MI29: a damaged copy is replaced by what another mirror holds, statements included', () => {
  for (const how of ['vanish', 'keep'] as const) {
    const { home, mirrors } = createWorld(1)
    const [first, second] = mirrors
    const note = noteOf(first, home)
    assert.equal(note.size, 740)
    damage(first, home, how)
    first.restart('kill')
    const { name } = home.capsule
    first.take([...first.mirror.inspect()].flat())
    // With an index that knows every place, it is the scrub that finds out.
    if (how === 'keep') first.take(first.mirror.suspect(name))
    assert.deepEqual(typesOf(first.effects), ['damaged'])
    assert.equal(first.mirror.status.damaged, 1)
    introduce(mirrors, home)
    converge(mirrors)
    assert.deepEqual(typesOf(first.effects), ['damaged', 'mending', 'mended'])
    assert.deepEqual(content(first, home), content(second, home))
    assert.deepEqual(noteOf(first, home), note)
    assert.equal(readStated(first.store, name, MAIN_BRANCH), undefined)
    assert.equal(first.mirror.status.damaged + first.mirror.status.mending, 0)
    // It states the same again, byte for byte, and what comes.
    first.connect(77)
    first.receive(77, openMessage(home))
    const [opened] = first.sentTo(77).map((message) => decodeMessage(message))
    assert.ok(opened?.kind === 'opened' && opened.cosignature)
    assert.equal(opened.cosignature.timeS, note.timeS)
    first.store.compact()
    assert.deepEqual(first.store.fsck().problems, [], how)
  }
})

function openMessage({ capsule }: PublisherHome): Uint8Array {
  return encodeMessage({ kind: 'open', id: 1, name: capsule.name, branch: MAIN_BRANCH })
}

test('MI28: what nobody else holds as far as it was stated here stays as it is', () => {
  const prng = new Prng(2)
  const home = new PublisherHome(prng)
  const mirrors = [new MirrorHome(prng.child()), new MirrorHome(prng.child())] as const
  const [first, second] = mirrors
  home.append(400)
  home.connect(second, 2)
  home.exchange(second, 2)
  home.append(1)
  home.connect(first, 1)
  home.exchange(first, 1)
  damage(first, home, 'vanish')
  first.restart('kill')
  first.take([...first.mirror.inspect()].flat())
  introduce(mirrors, home)
  converge(mirrors)
  assert.deepEqual(typesOf(first.effects), ['damaged'])
  assert.equal(first.mirror.status.damaged, 1)
  assert.equal(first.store.state(home.capsule.name, MAIN_BRANCH)?.size, 401)
  // Nothing is stated of it meanwhile.
  first.connect(77)
  first.receive(77, openMessage(home))
  const [refused] = first.sentTo(77).map((message) => decodeMessage(message))
  assert.equal(refused?.kind === 'error' && refused.code, 'STORE_CORRUPT')
})

for (const how of ['vanish', 'keep'] as const) {
  test(`MI31: whoever pushes all of it fills a damaged copy again (index: ${how})`, () => {
    const { home, mirrors } = createWorld(8)
    const [first, second] = mirrors
    const note = noteOf(first, home)
    damage(first, home, how)
    first.restart('kill')
    const { name } = home.capsule
    first.take([...first.mirror.inspect()].flat())
    if (how === 'keep') first.take(first.mirror.suspect(name))
    home.connect(first, 3)
    home.exchange(first, 3)
    // What was there before is given up only now; the push is begun again.
    assert.deepEqual(typesOf(first.effects), ['damaged', 'mending'])
    home.take(home.publisher.retry(first.headLog.name))
    home.exchange(first, 3)
    assert.deepEqual(typesOf(first.effects), ['damaged', 'mending', 'mended'])
    assert.deepEqual(content(first, home), content(second, home))
    assert.deepEqual(noteOf(first, home), note)
    const receipts = home.effects.filter(({ type }) => type === 'receipt')
    home.append(5)
    home.exchange(first, 3)
    assert.equal(home.effects.filter(({ type }) => type === 'receipt').length, receipts.length + 1)
    assert.equal(noteOf(first, home).size, 745)
    first.store.compact()
    assert.deepEqual(first.store.fsck().problems, [])
  })
}

test('MI31: a push under way is begun again when damage is found', () => {
  const { home, mirrors } = createWorld(9)
  const [first] = mirrors
  damage(first, home, 'keep')
  first.restart('kill')
  home.connect(first, 3)
  home.exchange(first, 3)
  home.append(2)
  home.take(home.publisher.work())
  first.take(first.mirror.suspect(home.capsule.name))
  for (const round of [1, 2, 3]) {
    home.exchange(first, 3)
    home.take(home.publisher.retry(first.headLog.name))
    assert.ok(round > 0)
  }
  home.exchange(first, 3)
  assert.deepEqual(typesOf(first.effects), ['damaged', 'mending', 'mended'])
  assert.equal(noteOf(first, home).size, 742)
})

test('MI31: a push that brings less than was stated, or not every payload, changes nothing', () => {
  for (const what of ['less', 'holes', 'another history'] as const) {
    const { home, mirrors } = createWorld(10)
    const [first] = mirrors
    damage(first, home, 'vanish')
    first.restart('kill')
    first.take([...first.mirror.inspect()].flat())
    // A home with the same capsule, and the same entries where it has them.
    const { home: twin } = createWorld(10, what === 'less' ? 739 : 740, what === 'holes' ? [5] : [])
    const stranger = new PublisherHome(new Prng(11), MAIN_BRANCH, home.capsule)
    if (what === 'another history') stranger.append(800)
    const other = what === 'another history' ? stranger : twin
    other.connect(first, 3)
    other.exchange(first, 3)
    assert.deepEqual(typesOf(first.effects), ['damaged'], what)
    assert.equal(first.store.state(home.capsule.name, MAIN_BRANCH)?.size, 740)
    assert.equal(noteOf(first, home).size, 740)
    if (what === 'less') continue
    // It is not asked to send all of it once more.
    other.take(other.publisher.retry(first.headLog.name))
    let bulk = 0
    other.exchange(first, 3, (message) => {
      if (message[0] === 1) bulk++
      return [message]
    })
    assert.equal(bulk, 0, what)
  }
})

test('MI28: a writer that goes on pushing does not keep a mirror from mending', () => {
  const { home, mirrors } = createWorld(7)
  const [first, second] = mirrors
  damage(first, home, 'keep')
  first.restart('kill')
  home.connect(first, 3)
  home.exchange(first, 3)
  first.take(first.mirror.suspect(home.capsule.name))
  home.append(5)
  home.take(home.publisher.work())
  // Accepted, and not committed yet.
  for (const message of home.sentTo(3)) first.receive(3, message)
  introduce(mirrors, home)
  converge(mirrors)
  assert.deepEqual(typesOf(first.effects), ['damaged', 'mending', 'mended'])
  assert.deepEqual(content(first, home), content(second, home))
  home.connect(first, 4)
  home.exchange(first, 4)
  assert.equal(noteOf(first, home).size, 745)
})

test('MI28: two damaged copies do not wait for each other with nothing', () => {
  const { home, mirrors } = createWorld(3)
  for (const mirror of mirrors) {
    damage(mirror, home, 'vanish')
    mirror.restart('kill')
    mirror.take([...mirror.mirror.inspect()].flat())
  }
  introduce(mirrors, home)
  converge(mirrors)
  for (const mirror of mirrors) {
    assert.deepEqual(typesOf(mirror.effects), ['damaged'])
    assert.equal(mirror.store.state(home.capsule.name, MAIN_BRANCH)?.size, 740)
  }
})

test('MI28: what this home writes is never given up', () => {
  const { home, mirrors } = createWorld(4)
  const [first] = mirrors
  const { name } = home.capsule
  const ops: StoreOp[] = [createInstanceNote(name, MAIN_BRANCH, new Uint8Array(16).fill(1))]
  first.submit({ ops, durable: () => {}, committed: () => [], failed: () => [] })
  damage(first, home, 'vanish')
  first.restart('kill')
  first.take([...first.mirror.inspect()].flat())
  introduce(mirrors, home)
  converge(mirrors)
  assert.deepEqual(typesOf(first.effects), ['damaged'])
  assert.throws(() => planRemoval(first.store, first.headLog.name, name), {
    code: 'POLICY_REFUSED',
  })
})

test('MI29: a crash while it is filled again: no statement before it is whole, then the same', () => {
  const { home, mirrors } = createWorld(5)
  const [first, second] = mirrors
  const { name } = home.capsule
  const note = noteOf(first, home)
  damage(first, home, 'vanish')
  first.restart('kill')
  first.take([...first.mirror.inspect()].flat())
  introduce(mirrors, home)
  let packages = 0
  converge(mirrors, (message) => message[0] === 1 && ++packages > 1)
  first.restart('power')
  first.take([...first.mirror.inspect()].flat())
  assert.equal(first.mirror.status.mending, 1)
  const stored = first.store.state(name, MAIN_BRANCH)?.size ?? 0
  assert.ok(stored < 740, `${stored}`)
  assert.equal(readStated(first.store, name, MAIN_BRANCH)?.size, 740)
  first.connect(77)
  first.receive(77, openMessage(home))
  const [refused] = first.sentTo(77).map((message) => decodeMessage(message))
  assert.ok(refused?.kind === 'error' && refused.code === 'OVERLOADED')
  second.mirror.closed(2010)
  introduce(mirrors, home)
  converge(mirrors)
  assert.deepEqual(content(first, home), content(second, home))
  assert.deepEqual(noteOf(first, home), note)
})

test('MI29: after a removal another history is never stated', () => {
  const { home, mirrors } = createWorld(6)
  const [first] = mirrors
  const { name, manifest } = home.capsule
  const { ops, stated } = planRemoval(first.store, first.headLog.name, name)
  const [tree] = stated.values()
  const root = first.store.state(name, MAIN_BRANCH)?.head?.root
  assert.ok(tree && root && bytesEqual(tree.root, root))
  first.submit({
    ...{ ops: [...ops, manifest], durable: () => {} },
    ...{ committed: () => [], failed: () => [] },
  })
  first.restart('kill')
  // The writer has a second history.
  const other = new PublisherHome(new Prng(99), MAIN_BRANCH, home.capsule)
  other.append(800)
  other.connect(first, 5)
  other.exchange(first, 5)
  assert.equal(first.store.state(name, MAIN_BRANCH)?.size, 800)
  assert.equal(noteOf(first, home).size, 740)
  assert.equal(readStated(first.store, name, MAIN_BRANCH)?.size, 740)
})

test('MI29: what is pushed in part while a copy is given up leaves nothing behind', () => {
  const { home, mirrors } = createWorld(7)
  const [first, second] = mirrors
  const { name } = home.capsule
  home.append(300)
  for (let i = 0; i < 4; i++) home.take(home.publisher.work())
  const [pushed] = home.sentTo(1)
  home.exchange(second, 2)
  // The first of several messages was accepted, and is not committed, when the damage is found.
  first.receive(1, pushed as Uint8Array)
  first.take(first.mirror.suspect(name))
  introduce(mirrors, home)
  const [mine, theirs] = sessionsOf(0, 1, true)
  for (let isAsked = false; !isAsked; ) {
    for (const message of first.sentTo(mine)) {
      isAsked ||= decodeMessage(message).kind === 'consistency'
      second.receive(theirs, message)
    }
    if (isAsked) break
    for (const message of second.sentTo(theirs)) first.receive(mine, message)
  }
  // It is while the other mirror makes the proof.
  first.commit()
  assert.ok(pendingImport(first.store, name, MAIN_BRANCH)?.before)
  converge(mirrors)
  assert.deepEqual(typesOf(first.effects), ['damaged', 'mending', 'mended'])
  assert.deepEqual(content(first, home), content(second, home))
})

test('MI29: payloads that were missing before a removal are not missed after it', () => {
  const prng = new Prng(8)
  const home = new PublisherHome(prng)
  const mirror = new MirrorHome(prng.child())
  const { name } = home.capsule
  home.append(20)
  home.connect(mirror, 1)
  home.exchange(mirror, 1, (message) => [withoutBodies(message)])
  assert.equal(noteOf(mirror, home).holes.length, 1)
  const { ops } = planRemoval(mirror.store, mirror.headLog.name, name)
  mirror.submit({ ops, durable: () => {}, committed: () => [], failed: () => [] })
  mirror.restart('kill')
  home.connect(mirror, 2)
  home.exchange(mirror, 2)
  assert.equal(home.publisher.countHolding(name, MAIN_BRANCH, 20), 1)
})

test('MI28: a statement that the other mirror did not sign is none', () => {
  const { home, mirrors } = createWorld(9)
  const [first, second] = mirrors
  const forge: typeof second.mirror.receive = (session, message) =>
    receive(session, message).map((effect) => {
      if (effect.type !== 'send' || effect.isBulk) return effect
      const answer = decodeMessage(effect.message)
      if (answer.kind !== 'opened' || answer.cosignature === null) return effect
      const signature = asSignature(new Uint8Array(64).fill(1))
      const cosignature = { ...answer.cosignature, signature }
      return { ...effect, message: encodeMessage({ ...answer, cosignature }) }
    })
  const receive = second.mirror.receive.bind(second.mirror)
  second.mirror.receive = forge
  first.take(first.mirror.suspect(home.capsule.name))
  introduce(mirrors, home)
  converge(mirrors)
  assert.deepEqual(typesOf(first.effects), ['damaged'])
  second.mirror.receive = receive
  first.take(first.mirror.suspect(home.capsule.name))
  first.runtime.timeUs += 61_000_000
  first.take(first.mirror.tick())
  converge(mirrors)
  assert.deepEqual(typesOf(first.effects), ['damaged', 'mending', 'mended'])
})

/** One bit of the manifest flips while the mirror is down; the index stays. */
function damageManifest({ disk }: MirrorHome, { capsule }: PublisherHome): void {
  for (const path of disk.files().filter((file) => file.startsWith('segments/'))) {
    const at = Buffer.from(disk.contents(path)).indexOf(Buffer.from(capsule.manifest.signed))
    if (at > 0) disk.flipBit(path, at + 40, 1)
  }
}

test('MI32: a manifest that was lost comes from another mirror, and what was stated holds', () => {
  const { home, mirrors } = createWorld(20)
  const [first] = mirrors
  const { name } = home.capsule
  const note = noteOf(first, home)
  damageManifest(first, home)
  first.restart('kill')
  assert.ok(!first.mirror.holds(name))
  first.take(first.mirror.suspect(name))
  assert.deepEqual(
    first.effects.map(({ type }) => type),
    ['damaged', 'seek'],
  )
  assert.equal(first.mirror.status.damaged, 1)
  assert.deepEqual(first.mirror.suspect(name), [])
  introduce(mirrors, home)
  converge(mirrors)
  assert.deepEqual(typesOf(first.effects), ['damaged', 'mended'])
  assert.ok(first.effects.some(({ type }) => type === 'advertise'))
  assert.equal(first.mirror.status.damaged, 0)
  assert.deepEqual(noteOf(first, home), note)
  first.connect(77)
  first.receive(77, openMessage(home))
  const [opened] = first.sentTo(77).map((message) => decodeMessage(message))
  assert.equal(opened?.kind === 'opened' && opened.cosignature?.timeS, note.timeS)
  first.store.compact()
  assert.deepEqual(first.store.fsck().problems, [])
})

test('MI32: a manifest that was lost comes with an offer, and what was stated holds', () => {
  const { home, mirrors } = createWorld(21)
  const [first] = mirrors
  const note = noteOf(first, home)
  damageManifest(first, home)
  first.restart('kill')
  first.take(first.mirror.suspect(home.capsule.name))
  first.runtime.timeUs += 5_000_000
  home.connect(first, 3)
  home.exchange(first, 3)
  assert.deepEqual(typesOf(first.effects), ['damaged', 'mended'])
  assert.deepEqual(noteOf(first, home), note)
  home.append(1)
  home.exchange(first, 3)
  assert.equal(noteOf(first, home).size, 741)
})

test('MI32: what is not the manifest of the capsule is not taken for it', () => {
  const { home, mirrors } = createWorld(22)
  const [first] = mirrors
  const { name } = home.capsule
  damageManifest(first, home)
  first.restart('kill')
  first.take(first.mirror.suspect(name))
  const stranger = new PublisherHome(new Prng(23))
  first.take(first.mirror.learn(name, [mirrors[1].headLog.name]))
  first.take(first.mirror.opened(9, { name: mirrors[1].headLog.name }, true))
  const asked = first.sentTo(9).map((message) => decodeMessage(message))
  const question = asked.find(({ kind }) => kind === 'present' || kind === 'open')
  assert.ok(question)
  const answer = (id: number): Uint8Array =>
    encodeMessage({
      ...{ kind: 'opened', id, manifest: stranger.capsule.manifest.signed, branches: [] },
      ...{ head: null, cosignature: null, heartbeat: null },
    })
  if (question.kind === 'present') {
    first.receive(9, encodeMessage({ kind: 'presented', id: question.id, chains: [] }))
    const [open] = first.sentTo(9).map((message) => decodeMessage(message))
    first.receive(9, answer(open?.id ?? 0))
  } else first.receive(9, answer(question.id))
  first.settle()
  assert.ok(!first.mirror.holds(name))
  assert.equal(first.mirror.status.damaged, 1)
})
