import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  asCapsuleName,
  asHash,
  createHeartbeat,
  decodeHeader,
  encodeCbor,
  MAIN_BRANCH,
  openBody,
  verifyHeartbeat,
} from '@longshore/capsule'
import { MirrorHome, OPEN_POLICY } from '../testing/mirror-home.ts'
import { Prng } from '../testing/prng.ts'
import { PublisherHome } from '../testing/publisher-home.ts'
import { createChainNotes, readChain } from './chain-notes.ts'
import { committedHead } from './committed-head.ts'
import { decodeStatedHeads, encodeStatedHeads, originHash } from './head-log.ts'
import { decodeMessage, encodeMessage, isControlMessage, type ReplicaMessage } from './messages.ts'
import type { MirrorPolicy } from './mirror-contract.ts'
import { readMirrorNote } from './mirror-note.ts'

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

/** What a session is answered to one message. */
function ask(mirror: MirrorHome, session: number, message: ReplicaMessage): ReplicaMessage[] {
  mirror.receive(session, encodeMessage(message))
  return mirror.sentTo(session).filter(isControlMessage).map(decodeMessage)
}

test('MI10: the payload of a head log entry has one spelling', () => {
  const prng = new Prng(5)
  const heads = [1, 2, 3].map((size) => ({
    originHash: asHash(prng.bytes(32)),
    ...{ epoch: 0, size, root: asHash(prng.bytes(32)), timeS: 1_790_000_000 },
  }))
  const bytes = encodeStatedHeads(heads)
  const decoded = decodeStatedHeads(bytes)
  assert.deepEqual(new Set(decoded.map(({ size }) => size)), new Set([1, 2, 3]))
  assert.deepEqual(encodeStatedHeads(decoded), bytes)
  const reversed = encodeCbor(
    decoded.toReversed().map(({ originHash: hash, epoch, size, root, timeS }) => {
      return [hash, epoch, size, root, timeS]
    }),
  )
  for (const wrong of [reversed, encodeCbor([]), encodeCbor([[1]]), bytes.subarray(1)]) {
    assert.throws(() => decodeStatedHeads(wrong), { code: 'CBOR_INVALID' })
  }
})

test('CP18 MI12: statements never go back in time, and are the same after a restart', () => {
  const prng = new Prng(6)
  const mirror = new MirrorHome(prng)
  const home = new PublisherHome(prng)
  const { name } = home.capsule
  home.append(1)
  home.connect(mirror, 1)
  home.exchange(mirror, 1)
  mirror.runtime.timeUs -= 3_600_000_000
  home.append(1)
  home.exchange(mirror, 1)
  const [first, second] = home.effects.filter((effect) => effect.type === 'receipt')
  assert.ok(first && second)
  assert.equal(second.timeS, first.timeS)
  const note = readMirrorNote(mirror.store, name, MAIN_BRANCH)
  assert.deepEqual([note.timeS, note.size, note.holes], [first.timeS, 2, []])
  home.publisher.closed(1)
  mirror.restart('power')
  mirror.connect(2)
  const [receipt] = ask(mirror, 2, { kind: 'cosign', id: 1, name, branch: MAIN_BRANCH })
  assert.ok(receipt?.kind === 'receipt')
  assert.deepEqual([receipt.size, receipt.timeS], [2, second.timeS])
  assert.deepEqual(receipt.signature, second.signature)
})

test('MI12: the heartbeat of the writer is kept and shown, if it is newer', () => {
  const prng = new Prng(7)
  const mirror = new MirrorHome(prng)
  const home = new PublisherHome(prng)
  const { name, writer } = home.capsule
  home.append(4)
  home.connect(mirror, 1)
  home.exchange(mirror, 1)
  const head = committedHead(mirror.store, name, MAIN_BRANCH)
  assert.ok(head)
  mirror.connect(2)
  const nowS = Math.floor(mirror.runtime.timeUs / 1_000_000)
  const place = { name, branch: MAIN_BRANCH, size: 4 }
  for (const timeS of [nowS, nowS - 50]) {
    const heartbeat = createHeartbeat(name, head, timeS, writer)
    assert.deepEqual(ask(mirror, 2, { kind: 'heartbeat', id: 1, ...place, ...heartbeat }), [])
    mirror.settle()
  }
  mirror.restart('power')
  mirror.connect(3)
  const [opened] = ask(mirror, 3, { kind: 'open', id: 1, name, branch: MAIN_BRANCH })
  assert.ok(opened?.kind === 'opened')
  assert.equal(opened.heartbeat?.timeS, nowS)
  const future = createHeartbeat(name, head, nowS + 1000, writer)
  const [skewed] = ask(mirror, 3, { kind: 'heartbeat', id: 3, ...place, ...future })
  assert.ok(skewed?.kind === 'error' && skewed.code === 'CLOCK_SKEW')
  const forged = createHeartbeat(name, head, nowS + 1, mirror.signer)
  const [refused] = ask(mirror, 3, { kind: 'heartbeat', id: 5, ...place, ...forged })
  assert.ok(refused?.kind === 'error' && refused.code === 'BAD_SIGNATURE')
})

test('MI14: a chain is kept whole, whatever its length', () => {
  const prng = new Prng(8)
  const mirror = new MirrorHome(prng)
  const { name } = new PublisherHome(prng).capsule
  assert.equal(readChain(mirror.store, name), undefined)
  for (const byteLength of [0, 1, 4091, 4092, 4093, 131_072, 500]) {
    const chain = prng.bytes(byteLength)
    const ops = createChainNotes(name, chain)
    mirror.submit({ ops, durable: () => {}, committed: () => [], failed: () => [] })
    assert.deepEqual(readChain(mirror.store, name)?.slice(), chain)
  }
})

test('MI15: nothing is shown beyond the head in force, nor to whoever may not read', () => {
  const prng = new Prng(9)
  const secret = new Set<number>()
  const policy = { ...OPEN_POLICY, mayRead: () => secret.size === 0 }
  const mirror = new MirrorHome(prng, { policy })
  const home = new PublisherHome(prng)
  const place = { name: home.capsule.name, branch: MAIN_BRANCH }
  home.append(300)
  home.connect(mirror, 1)
  home.exchange(mirror, 1)
  mirror.connect(2)
  const questions: readonly ReplicaMessage[] = [
    { kind: 'range', id: 1, ...place, start: 0, end: 1, size: 301, wantsBodies: true },
    { kind: 'bodies', id: 3, ...place, indices: [300] },
    { kind: 'consistency', id: 5, ...place, oldSize: 1, newSize: 301 },
  ]
  const codes = (question: ReplicaMessage): string[] =>
    ask(mirror, 2, question).map((answer) => (answer.kind === 'error' ? answer.code : answer.kind))
  for (const question of questions) assert.deepEqual(codes(question), ['INDEX_OUT_OF_RANGE'])
  secret.add(1)
  const others: readonly ReplicaMessage[] = [
    { kind: 'open', id: 7, ...place },
    { kind: 'follow', id: 9, ...place, size: 0 },
    { kind: 'cosign', id: 11, ...place },
  ]
  for (const question of [...questions, ...others]) {
    assert.deepEqual(codes(question), ['NOT_FOUND'])
  }
})

test('MI17 MI20: a reader that does not read holds up nobody', () => {
  const prng = new Prng(10)
  const mirror = new MirrorHome(prng, { limits: { idleBranchesMax: 1 } })
  const homes = [new PublisherHome(prng), new PublisherHome(prng)]
  for (const [i, home] of homes.entries()) {
    home.append(2000)
    home.connect(mirror, 1 + i)
    home.exchange(mirror, 1 + i)
  }
  const { name } = (homes[0] as PublisherHome).capsule
  for (const session of [5, 6]) {
    mirror.connect(session)
    ask(mirror, session, { kind: 'follow', id: 1, name, branch: MAIN_BRANCH, size: 0 })
  }
  mirror.full.add(5)
  mirror.settle()
  assert.equal(mirror.sentTo(5).length, 0)
  assert.equal(mirror.sentTo(6).length, 8)
  mirror.full.delete(5)
  mirror.settle()
  assert.equal(mirror.sentTo(5).length, 0, 'not before it has room')
  mirror.mirror.writable(5)
  mirror.settle()
  assert.equal(mirror.sentTo(5).length, 8)
})

test('MI25 MS3: a mirror that does not bring a round forward is left', () => {
  const prng = new Prng(11)
  const mirror = new MirrorHome(prng)
  const home = new PublisherHome(prng)
  const { name } = home.capsule
  home.append(300)
  home.connect(mirror, 1)
  home.exchange(mirror, 1)
  home.append(1)
  const head = committedHead(home.driver.store, name, MAIN_BRANCH)
  const other = asCapsuleName(prng.bytes(32))
  mirror.take(mirror.mirror.learn(name, [other]))
  assert.ok(mirror.effects.some(({ type }) => type === 'open-session'))
  mirror.take(mirror.mirror.opened(9, { name: other }, true))
  const asked: string[] = []
  for (let sent = mirror.sentTo(9); sent.length > 0; sent = mirror.sentTo(9)) {
    for (const { kind, id } of sent.map(decodeMessage)) {
      asked.push(kind)
      assert.equal(id % 2, 1, 'whoever opened the session uses odd ids')
      const { signed: manifest } = home.capsule.manifest
      const described = { branches: [MAIN_BRANCH], head: head ?? null, manifest }
      const nothing = { cosignature: null, heartbeat: null }
      const opened = { kind: 'opened' as const, id, ...described, ...nothing }
      mirror.receive(9, encodeMessage(kind === 'open' ? opened : { kind: 'end', id }))
    }
  }
  assert.deepEqual(asked, ['present', 'open', 'range'])
})

test('PU3: a receipt that is not of our entries, or not by the mirror, is worth nothing', () => {
  const changes: readonly ((receipt: ReplicaMessage) => ReplicaMessage)[] = [
    (receipt) => ({ ...receipt, root: asHash(new Uint8Array(32)) }) as ReplicaMessage,
    (receipt) => ({ ...receipt, size: 4 }) as ReplicaMessage,
    (receipt) => ({ ...receipt, timeS: 7 }) as ReplicaMessage,
  ]
  for (const change of changes) {
    const prng = new Prng(12)
    const mirror = new MirrorHome(prng)
    const home = new PublisherHome(prng)
    home.append(3)
    home.connect(mirror, 1)
    home.take(home.publisher.work())
    for (let i = 0; i < 8; i++) {
      for (const message of home.sentTo(1)) mirror.receive(1, message)
      mirror.settle()
      for (const bytes of mirror.sentTo(1)) {
        const message = decodeMessage(bytes)
        const shown = message.kind === 'receipt' ? encodeMessage(change(message)) : bytes
        home.take(home.publisher.receive(1, shown))
      }
      home.take(home.publisher.work())
    }
    assert.ok(home.effects.some(({ type }) => type === 'failed'))
    assert.equal(home.publisher.countHolding(home.capsule.name, MAIN_BRANCH, 3), 0)
  }
})

test('PU4: copies count by mirrors that hold the size', () => {
  const prng = new Prng(13)
  const home = new PublisherHome(prng)
  const mirrors = [new MirrorHome(prng.child()), new MirrorHome(prng.child())]
  const { name } = home.capsule
  home.append(3)
  for (const [i, mirror] of mirrors.entries()) home.connect(mirror, 1 + i)
  home.exchange(mirrors[0] as MirrorHome, 1)
  assert.equal(home.publisher.countHolding(name, MAIN_BRANCH, 3), 1)
  home.exchange(mirrors[1] as MirrorHome, 2)
  assert.equal(home.publisher.countHolding(name, MAIN_BRANCH, 3), 2)
  assert.equal(home.publisher.countHolding(name, MAIN_BRANCH, 4), 0)
  home.publisher.checkLevel(name, MAIN_BRANCH, 2)
  assert.throws(() => home.publisher.checkLevel(name, MAIN_BRANCH, 3), { code: 'LEVEL_IMPOSSIBLE' })
})

test('MS5: the end of an answer goes in the stream of what it ends', () => {
  const prng = new Prng(14)
  const mirror = new MirrorHome(prng)
  const home = new PublisherHome(prng)
  const { name } = home.capsule
  home.append(300)
  home.connect(mirror, 1)
  home.exchange(mirror, 1)
  mirror.connect(2)
  const range = { start: 0, end: 300, size: 300, wantsBodies: true }
  mirror.receive(2, encodeMessage({ kind: 'range', id: 1, name, branch: MAIN_BRANCH, ...range }))
  mirror.effects.length = 0
  mirror.settle()
  const sent = mirror.effects.filter((effect) => effect.type === 'send')
  assert.deepEqual(
    sent.map(({ isBulk, message }) => [isBulk, isControlMessage(message)]),
    [
      [true, false],
      [true, false],
      [true, true],
    ],
  )
})

test('MS16 MI15: a capsule that not everybody may read is shown to who has presented what lets it', () => {
  const prng = new Prng(16)
  const mayRead: MirrorPolicy['mayRead'] = (_, peer) => peer.chains?.length === 1
  const mirror = new MirrorHome(prng, { policy: { ...OPEN_POLICY, mayRead } })
  const home = new PublisherHome(prng)
  home.append(3)
  home.connect(mirror, 1)
  home.exchange(mirror, 1)
  mirror.take(mirror.mirror.opened(2, { name: mirror.headLog.name }, false))
  let id = 1
  const ask = (message: Record<string, unknown>): ReplicaMessage => {
    id += 2
    mirror.receive(2, encodeMessage({ ...message, id } as ReplicaMessage))
    const [answer] = mirror.sentTo(2)
    assert.ok(answer)
    return decodeMessage(answer)
  }
  const open = { kind: 'open', name: home.capsule.name, branch: MAIN_BRANCH }
  const refused = ask(open)
  assert.equal(refused.kind === 'error' && refused.code, 'NOT_FOUND')
  const presented = ask({ kind: 'present', chains: [new Uint8Array(2)] })
  assert.deepEqual(presented.kind === 'presented' && presented.chains, [])
  assert.equal(ask(open).kind, 'opened')
  ask({ kind: 'present', chains: [] })
  assert.equal(ask(open).kind, 'error')
})
