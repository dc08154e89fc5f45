import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type BranchId,
  bytesEqual,
  type CapsuleName,
  compareBytes,
  createHeartbeat,
  type Head,
  MAIN_BRANCH,
} from '@longshore/capsule'
import {
  content,
  converge,
  introduce,
  sessionsOf,
  takeOn,
  withoutBodies,
} from '../testing/mirror-exchange.ts'
import { MirrorHome, OPEN_POLICY } from '../testing/mirror-home.ts'
import { Prng } from '../testing/prng.ts'
import { PublisherHome } from '../testing/publisher-home.ts'
import { committedHead } from './committed-head.ts'
import { createSource, makeEntries } from './entries-source.ts'
import { decodeMessage, encodeMessage, type ReplicaMessage } from './messages.ts'
import type { MirrorPolicy } from './mirror-contract.ts'
import { readMirrorNote } from './mirror-note.ts'

test('MI21 MI22: a new mirror is filled by any other', () => {
  const prng = new Prng(1)
  const home = new PublisherHome(prng)
  home.append(1500)
  home.erase([3, 8])
  const [first, second] = [new MirrorHome(prng.child()), new MirrorHome(prng.child())]
  home.connect(first, 1)
  home.exchange(first, 1)
  takeOn(second, home)
  introduce([first, second], home)
  converge([first, second])
  assert.deepEqual(content(second, home), content(first, home))
  assert.deepEqual(content(second, home), [
    ...home.driver.store.scan(home.capsule.name, MAIN_BRANCH, { start: 0, end: 1501 }),
  ])
})

test('MI21 MI27: what the writer has told one mirror is as good at the others', () => {
  const prng = new Prng(2)
  const home = new PublisherHome(prng)
  const { name, writer } = home.capsule
  home.append(20)
  const [first, second] = [new MirrorHome(prng.child()), new MirrorHome(prng.child())]
  home.connect(first, 1)
  home.exchange(first, 1)
  takeOn(second, home)
  introduce([first, second], home)
  converge([first, second])
  const head = committedHead(first.store, name, MAIN_BRANCH)
  assert.ok(head)
  const timeS = Math.floor(first.runtime.timeUs / 1_000_000)
  const heartbeat = { size: head.size, ...createHeartbeat(name, head, timeS, writer) }
  home.take(home.publisher.heartbeat(name, MAIN_BRANCH, heartbeat))
  home.exchange(first, 1)
  for (const mirror of [first, second]) mirror.runtime.timeUs += 61_000_000
  for (const mirror of [first, second]) mirror.take(mirror.mirror.tick())
  converge([first, second])
  assert.deepEqual(readMirrorNote(second.store, name, MAIN_BRANCH).heartbeat, heartbeat)
})

test('MI15 MI21: what named readers may read goes to a mirror that shows its chain, to no other', () => {
  const [shown, other] = [new Uint8Array(9).fill(1), new Uint8Array(9).fill(2)]
  for (const [held, size] of [
    [shown, 20],
    [other, undefined],
  ] as const) {
    const prng = new Prng(4)
    const mayRead: MirrorPolicy['mayRead'] = (_, { chains = [] }) => {
      return chains.some((chain) => bytesEqual(chain, shown))
    }
    const home = new PublisherHome(prng)
    home.append(20)
    const first = new MirrorHome(prng.child(), { policy: { ...OPEN_POLICY, mayRead } })
    const second = new MirrorHome(prng.child())
    home.connect(first, 1)
    home.exchange(first, 1)
    takeOn(second, home, held)
    introduce([first, second], home)
    converge([first, second])
    assert.equal(committedHead(second.store, home.capsule.name, MAIN_BRANCH)?.size, size)
  }
})

test('MI23: mirrors converge to the union of what they hold, minus what was erased', () => {
  for (let seed = 1; seed <= 6; seed++) {
    const prng = new Prng(seed)
    const home = new PublisherHome(prng)
    const mirrors = [0, 1, 2].map(() => new MirrorHome(prng.child()))
    // Each holds another beginning, with other payloads missing.
    for (const [i, mirror] of mirrors.entries()) {
      home.append(prng.between(1, 400))
      if (i === 1) home.erase([0, 1])
      home.connect(mirror, 1 + i)
      home.exchange(mirror, 1 + i, (message) => {
        return [prng.chance(0.5) ? withoutBodies(message) : message]
      })
    }
    introduce(mirrors, home)
    converge(mirrors)
    const held = mirrors.map((mirror) => content(mirror, home) as { state: string }[])
    const size = home.branch.size
    for (const entries of held) assert.equal(entries.length, size)
    for (let index = 0; index < size; index++) {
      const states = new Set(held.map((entries) => entries[index]?.state))
      assert.equal(states.size, 1, `seed ${seed}: entry ${index} is ${[...states].join()}`)
    }
    assert.ok(held.every((entries) => entries[0]?.state === 'erased'))
  }
})

test('MI24: a round that is cut off goes on with the next one', () => {
  const prng = new Prng(9)
  const home = new PublisherHome(prng)
  home.append(3000)
  const mirrors = [new MirrorHome(prng.child()), new MirrorHome(prng.child())]
  const [first, second] = mirrors as [MirrorHome, MirrorHome]
  home.connect(first, 1)
  home.exchange(first, 1)
  takeOn(second, home)
  introduce(mirrors, home)
  let messages = 0
  converge(mirrors, (message) => message[0] === 1 && ++messages > 5)
  second.restart('power')
  const stored = second.store.state(home.capsule.name, MAIN_BRANCH)?.size ?? 0
  assert.ok(stored > 0 && stored < 3000)
  first.mirror.closed(sessionsOf(1, 0, true)[1])
  introduce(mirrors, home)
  converge(mirrors)
  assert.deepEqual(content(second, home), content(first, home))
})

/** A mirror with 10 of 20 entries and its session to another one, which a test plays. */
function createHalf(seed: number): { home: PublisherHome; mirror: MirrorHome } {
  const prng = new Prng(seed)
  const home = new PublisherHome(prng)
  const mirror = new MirrorHome(prng.child())
  home.append(10)
  home.connect(mirror, 1)
  home.exchange(mirror, 1)
  home.append(10)
  const other = prng.bytes(32) as CapsuleName
  mirror.take(mirror.mirror.learn(home.capsule.name, [other]))
  mirror.take(mirror.mirror.opened(7, { name: other }, true))
  return { home, mirror }
}

/** The next question that it asks, after those about who serves. */
function nextQuestion(mirror: MirrorHome): ReplicaMessage | undefined {
  for (;;) {
    const [question] = mirror.sentTo(7).map(decodeMessage)
    if (question?.kind !== 'present') return question
    mirror.receive(7, encodeMessage({ kind: 'presented', id: question.id, chains: [] }))
  }
}

function describe(
  { capsule }: PublisherHome,
  id: number,
  branches: readonly BranchId[],
  head: Head | null,
): Uint8Array {
  const { signed: manifest } = capsule.manifest
  const shown = { head, cosignature: null, heartbeat: null }
  return encodeMessage({ kind: 'opened', id, manifest, branches, ...shown })
}

test('MI25: a round ends, whatever branches the other side names', () => {
  const { mirror, home } = createHalf(11)
  const prng = new Prng(12)
  let asked = 0
  for (;;) {
    const question = nextQuestion(mirror)
    if (question?.kind !== 'open') break
    assert.ok(++asked <= 65)
    const branches = Array.from({ length: 64 }, () => prng.bytes(16) as BranchId)
    mirror.receive(7, describe(home, question.id, branches.sort(compareBytes), null))
  }
  assert.equal(asked, 65)
})

test('MI25: messages that bring nothing new are not held', () => {
  const { mirror, home } = createHalf(13)
  const question = nextQuestion(mirror)
  assert.ok(question?.kind === 'open')
  const head = home.driver.store.state(home.capsule.name, MAIN_BRANCH)?.head ?? null
  mirror.receive(7, describe(home, question.id, [MAIN_BRANCH], head))
  const range = nextQuestion(mirror)
  assert.ok(range?.kind === 'range')
  const place = { name: home.capsule.name, branch: MAIN_BRANCH }
  const old = { id: range.id, head: new Uint8Array(0), size: 20, start: 0, end: 10 }
  const source = createSource(home.driver.store, place)
  const { bytes } = makeEntries(source, { ...old, wantsBodies: true })
  for (let i = 0; i < 3; i++) {
    mirror.receive(7, bytes)
    mirror.settle()
    assert.equal(mirror.mirror.status.pendingBytes, 0)
    const credit = mirror.effects.filter(({ type }) => type === 'consumed').at(-1)
    assert.deepEqual(credit, { type: 'consumed', session: 7, bytes: bytes.length })
    mirror.effects.length = 0
  }
})
