import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeHeader, MAIN_BRANCH, openBody, verifyHeartbeat } from '@longshore/capsule'
import { MirrorHome } from '../testing/mirror-home.ts'
import { Prng } from '../testing/prng.ts'
import { PublisherHome } from '../testing/publisher-home.ts'
import { committedHead } from './committed-head.ts'
import { decodeStatedHeads, originHash } from './head-log.ts'
import { decodeMessage, encodeMessage } from './messages.ts'

/** The mirror holds what the publisher's store holds, payload by payload. */
function assertSame(home: PublisherHome, mirror: MirrorHome): void {
  const { name } = home.capsule
  const { branch } = home.branch
  const head = committedHead(home.driver.store, name, branch)
  assert.deepEqual(committedHead(mirror.store, name, branch), head)
  const range = { start: 0, end: head?.size ?? 0 }
  const [ours, theirs] = [home.driver.store, mirror.store].map((store) => [
    ...store.scan(name, branch, range),
  ])
  assert.deepEqual(theirs, ours)
}

test('MI1 MI6 MI8 PU1: what is pushed is held, stated in the head log, and receipted', () => {
  const prng = new Prng(1)
  const mirror = new MirrorHome(prng)
  const home = new PublisherHome(prng)
  home.append(3)
  home.connect(mirror, 1)
  home.exchange(mirror, 1)
  home.append(700)
  home.append(1, { payloadBytes: 1_000_000 })
  home.append(40)
  home.exchange(mirror, 1)
  assertSame(home, mirror)

  const receipts = home.effects.filter((effect) => effect.type === 'receipt')
  const last = receipts.at(-1)
  assert.equal(last?.head.size, 744)
  const heartbeat = { timeS: last.timeS, signature: last.signature as never }
  verifyHeartbeat(home.capsule.name, last.head, heartbeat, mirror.signer.key)
  assert.equal(home.publisher.countHolding(home.capsule.name, MAIN_BRANCH, 744), 1)

  const log = mirror.store.state(mirror.headLog.name, MAIN_BRANCH)
  const newest = mirror.store.entry(mirror.headLog.name, MAIN_BRANCH, (log?.size ?? 0) - 1)
  const payload = openBody(decodeHeader(newest.header), newest.body ?? new Uint8Array(0))
  const [stated] = decodeStatedHeads(payload)
  assert.deepEqual(stated?.originHash, originHash(home.capsule.name, MAIN_BRANCH))
  assert.deepEqual([stated?.size, stated?.root, stated?.timeS], [744, last.head.root, last.timeS])
})

test('MI4: a large catch-up is stored in steps; the old head stays in force until it is whole', () => {
  const prng = new Prng(2)
  const mirror = new MirrorHome(prng)
  const home = new PublisherHome(prng)
  home.append(10)
  home.connect(mirror, 1)
  home.exchange(mirror, 1)
  home.append(2000, { payloadBytes: 300 })
  const seen = new Set<number>()
  for (let round = 0; round < 20; round++) {
    home.take(home.publisher.work())
    for (const message of home.sentTo(1)) mirror.receive(1, message)
    home.delivered(1)
    mirror.commit()
    seen.add(committedHead(mirror.store, home.capsule.name, MAIN_BRANCH)?.size ?? 0)
    for (const message of mirror.sentTo(1)) home.take(home.publisher.receive(1, message))
  }
  assert.deepEqual([...seen], [10, 2010])
  home.exchange(mirror, 1)
  assertSame(home, mirror)
})

test('MI13: an erase entry erases, whatever came before it', () => {
  const prng = new Prng(3)
  const mirror = new MirrorHome(prng)
  const home = new PublisherHome(prng)
  home.append(300)
  home.connect(mirror, 1)
  home.exchange(mirror, 1)
  home.erase([5, 10], [290, 300])
  home.append(5)
  home.exchange(mirror, 1)
  assertSame(home, mirror)
  assert.equal(mirror.store.entry(home.capsule.name, MAIN_BRANCH, 7).state, 'erased')
})

test('PU2: a session that is lost goes on where the mirror is', () => {
  const prng = new Prng(4)
  const mirror = new MirrorHome(prng)
  const home = new PublisherHome(prng)
  home.append(3000)
  home.connect(mirror, 1)
  let count = 0
  home.exchange(mirror, 1, (message) => (++count < 6 ? [message] : []))
  mirror.settle()
  mirror.mirror.closed(1)
  home.publisher.closed(1)
  mirror.restart('power')
  const stored = mirror.store.state(home.capsule.name, MAIN_BRANCH)?.size ?? 0
  assert.ok(stored > 0 && stored < 3000)
  home.connect(mirror, 2)
  let entries = 0
  home.exchange(mirror, 2, (message) => {
    if (message[0] === 1) entries++
    return [message]
  })
  assertSame(home, mirror)
  assert.equal(entries, Math.ceil(3000 / 256) - Math.floor(stored / 256))
})

test('MI16: the end of an answer waits for room, as the entries before it do', () => {
  const prng = new Prng(31)
  const mirror = new MirrorHome(prng)
  const home = new PublisherHome(prng)
  home.append(10)
  home.connect(mirror, 1)
  home.exchange(mirror, 1)
  mirror.effects.length = 0
  mirror.connect(2)
  const { name } = home.capsule
  const range = { start: 0, end: 10, size: 10, wantsBodies: true }
  mirror.receive(2, encodeMessage({ kind: 'range', id: 1, name, branch: MAIN_BRANCH, ...range }))
  assert.ok(mirror.work())
  assert.equal(mirror.sentTo(2).length, 1, 'one message for one look at the window')
  mirror.full.add(2)
  mirror.work()
  assert.equal(mirror.sentTo(2).length, 0)
  mirror.full.delete(2)
  mirror.mirror.writable(2)
  mirror.work()
  assert.deepEqual(mirror.sentTo(2).map(decodeMessage), [{ kind: 'end', id: 1 }])
})
