import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type BranchId, encodeHead, MAIN_BRANCH } from '@longshore/capsule'
import { createCapsuleFixture } from '../testing/capsule-fixture.ts'
import { MirrorHome } from '../testing/mirror-home.ts'
import { Prng } from '../testing/prng.ts'
import { PublisherHome } from '../testing/publisher-home.ts'
import { type Change, ReaderHome } from '../testing/reader-home.ts'
import { committedHead } from './committed-head.ts'
import { createSource, makeEntries } from './entries-source.ts'
import { decodeMessage } from './messages.ts'

const FOLLOW = 1

interface WorldOptions {
  readonly mirrors?: number
  readonly count?: number
  readonly isPrivate?: boolean
}

/** A capsule on mirrors, and whoever follows it; what they publish goes by hand. */
class World {
  readonly home: PublisherHome
  readonly mirrors: readonly MirrorHome[]

  constructor(seed: number, { mirrors = 1, count = 10, isPrivate = false }: WorldOptions = {}) {
    const prng = new Prng(seed)
    const capsule = createCapsuleFixture(prng, isPrivate ? {} : { read: 'any' })
    this.home = new PublisherHome(prng, MAIN_BRANCH, capsule)
    this.mirrors = Array.from({ length: mirrors }, () => new MirrorHome(prng.child()))
    for (const [i, mirror] of this.mirrors.entries()) this.home.connect(mirror, 100 + i)
    this.append(count)
  }

  get first(): MirrorHome {
    return this.mirrors[0] as MirrorHome
  }

  /** Entries that the mirror with this number gets, and what it publishes of them. */
  append(count: number, payloadBytes = 20, to: readonly number[] = [...this.mirrors.keys()]) {
    if (count > 0) this.home.append(count, { payloadBytes })
    return to.flatMap((i) => this.#deliver(i))
  }

  #deliver(i: number): Uint8Array[] {
    const mirror = this.mirrors[i] as MirrorHome
    this.home.exchange(mirror, 100 + i)
    const isOne = ({ type }: { readonly type: string }): boolean => type === 'publish'
    const published = mirror.effects.filter(isOne)
    const rest = mirror.effects.filter((effect) => !isOne(effect))
    mirror.effects.splice(0, mirror.effects.length, ...rest)
    return published.flatMap((effect) => (effect.type === 'publish' ? [effect.payload] : []))
  }

  follower(options: { mirrorsMin?: number; ageSMax?: number; changes?: readonly Change[] } = {}) {
    const { changes = [], ...rest } = options
    const nowUs = (): number => this.first.runtime.timeUs
    const reader = new ReaderHome({ name: this.home.capsule.name, nowUs, ...rest })
    for (const [i, mirror] of this.mirrors.entries()) reader.connect(mirror, 1 + i, changes[i])
    reader.take(reader.reader.follow(FOLLOW, 0))
    reader.exchange()
    return reader
  }

  /** One that goes by the tree. */
  treeFollower(options: { changes?: readonly Change[] } = {}): ReaderHome {
    const reader = this.follower(options)
    for (const payload of this.append(1, 20, [0])) hear(reader, payload)
    for (const i of this.mirrors.keys()) this.append(0, 20, [i])
    reader.exchange()
    assert.equal(this.followers, 0)
    return reader
  }

  /** Sessions that stream. */
  get followers(): number {
    return this.mirrors.reduce((sum, { mirror }) => sum + mirror.status.followers, 0)
  }

  expectRead(reader: ReaderHome): void {
    const { driver, capsule, branch } = this.home
    const range = { start: 0, end: branch.size }
    const all = [...driver.store.scan(capsule.name, MAIN_BRANCH, range)].map(({ body }) => body)
    assert.deepEqual(reader.read.get(FOLLOW), all)
  }
}

function hear(home: ReaderHome, ...payloads: readonly Uint8Array[]): void {
  for (const payload of payloads) home.take(home.reader.published(payload))
}

function kinds(home: ReaderHome): string[] {
  return home.effects.map((effect) => {
    const isControl = effect.type === 'send' && !effect.isBulk
    return isControl ? decodeMessage(effect.message).kind : effect.type
  })
}

test('RR11: what is published is verified, and heads come before their entries', () => {
  const world = new World(1)
  const reader = world.follower()
  const [payload] = world.append(2) as [Uint8Array]
  for (const at of [10, 60, payload.length - 1]) {
    const changed = payload.slice()
    changed[at] = (changed[at] as number) ^ 1
    hear(reader, changed)
  }
  assert.equal(reader.reader.head?.size, 10)
  reader.effects.length = 0
  hear(reader, payload)
  assert.deepEqual(kinds(reader), ['head', 'entries', 'unfollow'])
  world.expectRead(reader)
})

test('RR12: a follow joins the tree, and no session streams once that delivers', () => {
  const world = new World(2)
  const reader = world.follower()
  assert.equal(reader.effects.filter(({ type }) => type === 'subscribe').length, 1)
  assert.equal(world.followers, 1)
  // The session is faster the first time, and the tree brings the same again.
  const payloads = world.append(3)
  reader.exchange()
  world.expectRead(reader)
  hear(reader, ...payloads)
  reader.exchange()
  assert.equal(world.followers, 0)
  for (let i = 1; i < 40; i++) hear(reader, ...world.append(i))
  world.expectRead(reader)
  assert.deepEqual(kinds(reader).includes('follow'), false)
  assert.deepEqual(reader.reader.multicast, { entries: 780, left: 0 })
})

test('RR12: nobody joins a tree for a private capsule, or where mirrors or an age are demanded', () => {
  const followers = [
    new World(3, { isPrivate: true }).follower(),
    new World(3).follower({ mirrorsMin: 1 }),
    new World(3).follower({ ageSMax: 60 }),
  ]
  for (const reader of followers) {
    assert.equal(reader.read.get(FOLLOW)?.length, 10)
    assert.equal(kinds(reader).includes('subscribe'), false)
  }
})

test('RR12: whoever stops leaves the tree', () => {
  const world = new World(4)
  const reader = world.treeFollower()
  reader.take(reader.reader.follow(2, 0))
  reader.exchange()
  reader.take(reader.reader.stop(FOLLOW))
  assert.equal(kinds(reader).includes('unsubscribe'), false)
  reader.take(reader.reader.stop(2))
  assert.equal(reader.effects.at(-1)?.type, 'unsubscribe')
  reader.exchange()
  assert.equal(world.followers, 0)
})

test('RR13: a gap is filled by a session, what came behind it is not asked for twice', () => {
  const world = new World(5)
  const reader = world.treeFollower()
  world.append(2)
  hear(reader, ...world.append(3), ...world.append(4))
  assert.equal(kinds(reader).includes('follow'), true)
  reader.exchange()
  world.expectRead(reader)
  assert.equal(world.followers, 0, 'what was held has shown that the tree delivers')
  hear(reader, ...world.append(5))
  world.expectRead(reader)
})

test('RR13: a gap that is announced is asked for at once', () => {
  const world = new World(6)
  const reader = world.treeFollower()
  world.append(2)
  reader.take(reader.reader.missed())
  reader.exchange()
  world.expectRead(reader)
  assert.equal(world.followers, 1)
  hear(reader, ...world.append(1))
  reader.exchange()
  assert.equal(world.followers, 0)
})

test('RR13: what does not verify has a mirror asked', () => {
  const world = new World(7)
  const reader = world.treeFollower()
  const [payload] = world.append(2) as [Uint8Array]
  hear(reader, payload.subarray(0, -1), new Uint8Array([0x1f]), new Uint8Array())
  reader.exchange()
  world.expectRead(reader)
  assert.equal(reader.reader.multicast.left, 1)
})

test('RR14: what comes twice or begins before is taken once', () => {
  const world = new World(8, { mirrors: 2, count: 250 })
  const reader = world.treeFollower()
  for (const count of [1, 2, 3, 5, 100, 2]) {
    const early = world.append(count, 20, [0])
    hear(reader, ...early, ...early)
    // The other mirror commits both at once, and only it is heard.
    world.append(count, 20, [0])
    hear(reader, ...world.append(0, 20, [1]))
    world.expectRead(reader)
  }
  assert.deepEqual(reader.reader.multicast, { entries: 227, left: 0 })
})

test('RR15: what the tree loses in silence is there after two checks', () => {
  const world = new World(9)
  const reader = world.treeFollower()
  world.append(3)
  reader.take(reader.reader.check())
  reader.exchange()
  assert.equal(world.followers, 0, 'it may still come')
  reader.take(reader.reader.check())
  reader.exchange()
  world.expectRead(reader)
})

test('RR15: mirrors are asked in turn, so one that is silent hides nothing', () => {
  const world = new World(10, { mirrors: 3 })
  // They answer until they have shown the branch once.
  let isSilent = false
  const change: Change = (message) => (isSilent ? [] : [message])
  const reader = world.treeFollower({ changes: [change, change] })
  isSilent = true
  world.append(3)
  for (let i = 0; i < 4; i++) {
    reader.take(reader.reader.check())
    reader.exchange()
  }
  world.expectRead(reader)
})

test('RR15: whoever shows more is asked to stream, not who is there first', () => {
  const world = new World(16, { mirrors: 2 })
  const reader = world.treeFollower()
  world.append(3, 20, [1])
  for (let i = 0; i < 3; i++) {
    reader.take(reader.reader.check())
    reader.exchange()
  }
  world.expectRead(reader)
})

test('RR15: a tree that lags is left, and what it brings late does not count', () => {
  const world = new World(11, { mirrors: 2 })
  const reader = world.treeFollower()
  const late: Uint8Array[] = []
  for (let i = 0; i < 4; i++) {
    late.push(...world.append(3, 20, [0]))
    world.append(0, 20, [1])
    reader.take(reader.reader.check())
    reader.exchange()
  }
  world.expectRead(reader)
  assert.equal(world.followers, 1)
  hear(reader, ...late.slice(0, 2))
  reader.exchange()
  assert.equal(world.followers, 1)
  world.expectRead(reader)
})

test('RR13 RR16: the session goes while the tree delivers, and nobody is asked', () => {
  const world = new World(12)
  const reader = world.treeFollower()
  reader.disconnect(1)
  hear(reader, ...world.append(3), ...world.append(300))
  world.expectRead(reader)
  reader.take(reader.reader.missed())
  const lost = world.append(2)
  assert.equal(reader.reader.head?.size, 314)
  reader.connect(world.first, 9)
  reader.exchange()
  world.expectRead(reader)
  hear(reader, ...lost)
  assert.deepEqual(reader.codes('refused'), [])
})

test('RR16: an answer that the tree has overtaken is no rollback', () => {
  const world = new World(13)
  const reader = world.treeFollower()
  reader.take(reader.reader.refresh())
  const answers: Uint8Array[] = []
  for (const effect of reader.effects.splice(0)) {
    if (effect.type !== 'send') continue
    world.first.receive(effect.session, effect.message)
    answers.push(...world.first.sentTo(effect.session))
  }
  hear(reader, ...world.append(4))
  for (const answer of answers) reader.take(reader.reader.receive(1, answer))
  reader.exchange()
  assert.deepEqual([reader.codes('refused'), reader.codes('distrusted')], [[], []])
  world.expectRead(reader)
})

test('RR11: another branch of the capsule is published in the same tree, and is none of this one', () => {
  const world = new World(14)
  const reader = world.treeFollower()
  const branch = new Uint8Array(16).fill(7) as BranchId
  const other = new PublisherHome(new Prng(1), branch, world.home.capsule)
  other.append(20)
  const source = createSource(other.driver.store, { name: other.capsule.name, branch })
  const head = committedHead(source.store, source.name, branch)
  assert.ok(head)
  const request = { id: 0, head: encodeHead(head), size: 20, start: 0, end: 20, wantsBodies: true }
  hear(reader, makeEntries(source, request).bytes)
  assert.deepEqual(reader.reader.multicast, { entries: 1, left: 0 })
})

test('MI30: a commit is published in a few messages, or as news', () => {
  const world = new World(15, { count: 200 })
  const reader = world.treeFollower()
  const straddling = world.append(300)
  assert.equal(straddling.length, 2)
  hear(reader, ...straddling)
  world.expectRead(reader)
  for (const [count, payloadBytes] of [
    [3000, 20],
    [1, 600_000],
  ] as const) {
    const published = world.append(count, payloadBytes)
    assert.deepEqual(
      published.map((payload) => payload[0] === 1 || decodeMessage(payload).kind),
      ['news'],
    )
    hear(reader, ...published)
    reader.exchange()
    world.expectRead(reader)
    hear(reader, ...world.append(1))
    reader.exchange()
    assert.equal(world.followers, 0)
  }
})
