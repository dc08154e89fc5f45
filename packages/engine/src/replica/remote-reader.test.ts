import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Head, MAIN_BRANCH, verifyEquivocation } from '@longshore/capsule'
import { converge, introduce, sessionsOf } from '../testing/mirror-exchange.ts'
import { MirrorHome, OPEN_POLICY } from '../testing/mirror-home.ts'
import { Prng } from '../testing/prng.ts'
import { PublisherHome } from '../testing/publisher-home.ts'
import { ReaderHome } from '../testing/reader-home.ts'
import { decodeMessage, encodeMessage, isControlMessage } from './messages.ts'

interface World {
  readonly home: PublisherHome
  readonly mirrors: readonly MirrorHome[]
}

/** `mirrorCount` mirrors that hold `count` entries of one capsule. */
function createWorld(seed: number, mirrorCount: number, count: number): World {
  const prng = new Prng(seed)
  const home = new PublisherHome(prng)
  home.append(count)
  const mirrors = Array.from({ length: mirrorCount }, () => new MirrorHome(prng.child()))
  for (const [i, mirror] of mirrors.entries()) {
    home.connect(mirror, 100 + i)
    home.exchange(mirror, 100 + i)
  }
  return { home, mirrors }
}

function createReader({ home }: World, options: { remembered?: Head; mirrorsMin?: number } = {}) {
  return new ReaderHome({ name: home.capsule.name, nowUs: () => 1e15, ...options })
}

function sizeOf({ reader }: ReaderHome): number | undefined {
  return reader.head?.size
}

function bodies(home: PublisherHome, start: number, end: number): (Uint8Array | undefined)[] {
  const range = { start, end }
  return [...home.driver.store.scan(home.capsule.name, MAIN_BRANCH, range)].map(({ body }) => body)
}

test('RR7: ranges are read and verified, from any entry to any other', () => {
  const world = createWorld(1, 1, 1000)
  const reader = createReader(world)
  reader.connect(world.mirrors[0]!, 1)
  reader.exchange()
  assert.equal(sizeOf(reader), 1000)
  const ranges = [
    [0, 1000],
    [0, 1],
    [255, 257],
    [300, 700],
    [999, 1000],
    [512, 513],
  ] as const
  for (const [request, [start, end]] of ranges.entries()) {
    reader.take(reader.reader.read(request, { start, end, wantsBodies: true }))
    reader.exchange()
    assert.deepEqual(reader.read.get(request)?.slice(start), bodies(world.home, start, end))
  }
  assert.equal(reader.effects.filter(({ type }) => type === 'end').length, ranges.length)
  assert.throws(() => reader.reader.read(9, { start: 0, end: 1001, wantsBodies: true }), {
    code: 'INDEX_OUT_OF_RANGE',
  })
})

test('RR3 RR8 RR9 MI16: a follow reads everything, then what comes, and goes on elsewhere', () => {
  const world = createWorld(2, 2, 300)
  const [first, second] = world.mirrors as [MirrorHome, MirrorHome]
  const reader = createReader(world)
  reader.connect(first, 1)
  reader.connect(second, 2)
  reader.take(reader.reader.follow(7, 100))
  reader.exchange()
  for (let i = 0; i < 12; i++) {
    world.home.append(1 + ((i * 37) % 90))
    world.home.exchange(first, 100)
    world.home.exchange(second, 101)
    if (i === 5) reader.disconnect(1)
    reader.exchange()
  }
  const { size } = world.home.branch
  assert.equal(sizeOf(reader), size)
  assert.deepEqual(reader.read.get(7)?.slice(100), bodies(world.home, 100, size))
})

test('RR9: a follow is asked of no mirror that lacks the capsule, until it has it', () => {
  const world = createWorld(2, 1, 30)
  const fresh = new MirrorHome(new Prng(77))
  const reader = createReader(world)
  reader.connect(world.mirrors[0] as MirrorHome, 1)
  reader.connect(fresh, 2)
  reader.take(reader.reader.follow(7, 0))
  reader.exchange()
  reader.disconnect(1)
  reader.exchange()
  assert.deepEqual(reader.codes('distrusted'), [])
  world.home.connect(fresh, 102)
  world.home.exchange(fresh, 102)
  reader.take(reader.reader.refresh())
  reader.exchange()
  world.home.append(5)
  world.home.exchange(fresh, 102)
  reader.exchange()
  assert.equal(sizeOf(reader), 35)
  assert.deepEqual(reader.read.get(7), bodies(world.home, 0, 35))
})

test('RR5: a head counts when enough mirrors have cosigned it', () => {
  const world = createWorld(3, 2, 50)
  const [first, second] = world.mirrors as [MirrorHome, MirrorHome]
  const reader = createReader(world, { mirrorsMin: 2 })
  reader.connect(first, 1)
  reader.exchange()
  assert.equal(sizeOf(reader), undefined)
  reader.connect(second, 2)
  reader.exchange()
  assert.equal(sizeOf(reader), 50)
  world.home.append(300)
  world.home.exchange(first, 100)
  reader.take(reader.reader.follow(1, 0))
  reader.take(reader.reader.refresh())
  reader.exchange()
  assert.equal(sizeOf(reader), 50)
  world.home.exchange(second, 101)
  reader.take(reader.reader.refresh())
  reader.exchange()
  reader.take(reader.reader.refresh())
  reader.exchange()
  assert.equal(sizeOf(reader), 350)
  assert.deepEqual(reader.read.get(1), bodies(world.home, 0, 350))
})

test('RR4: what is remembered is never gone behind', () => {
  const world = createWorld(4, 2, 20)
  const [first, second] = world.mirrors as [MirrorHome, MirrorHome]
  world.home.append(10)
  world.home.exchange(first, 100)
  const reader = createReader(world)
  reader.connect(first, 1)
  reader.exchange()
  const remembered = reader.reader.head
  assert.ok(remembered)
  assert.equal(remembered.size, 30)
  const later = createReader(world, { remembered })
  later.connect(second, 1)
  later.exchange()
  assert.equal(sizeOf(later), undefined)
  assert.deepEqual(later.codes('refused'), ['ROLLBACK'])
  world.home.append(1)
  world.home.exchange(second, 101)
  later.take(later.reader.refresh())
  later.exchange()
  assert.equal(sizeOf(later), 31)
})

test('RR6: two histories convict the writer, whoever shows them', () => {
  for (const [common, count] of [
    [0, 5],
    [4, 9],
    [256, 300],
    [300, 700],
  ] as const) {
    const prng = new Prng(5)
    const home = new PublisherHome(prng)
    const other = new PublisherHome(new Prng(5))
    assert.deepEqual(home.capsule.name, other.capsule.name)
    if (common > 0) {
      home.append(common, { payloadBytes: 10 })
      other.append(common, { payloadBytes: 10 })
    }
    home.append(count - common, { payloadBytes: 11 })
    other.append(2 * count - common, { payloadBytes: 12 })
    const mirrors = [home, other].map((from, i) => {
      const mirror = new MirrorHome(prng.child())
      from.connect(mirror, 100 + i)
      from.exchange(mirror, 100 + i)
      return mirror
    })
    const reader = new ReaderHome({ name: home.capsule.name, nowUs: () => 1e15 })
    reader.take(reader.reader.follow(1, 0))
    for (const [i, mirror] of mirrors.entries()) {
      reader.connect(mirror, 1 + i)
      reader.exchange()
    }
    const evidence = reader.effects.find((effect) => effect.type === 'evidence')
    assert.ok(evidence, `parted at ${common}`)
    assert.deepEqual(verifyEquivocation(evidence.bytes).sizes, [count, 2 * count])
    assert.deepEqual(reader.codes('failed'), ['EQUIVOCATION'])
  }
})

test('RR4 RR6: a follow behind the head in force never gets past it in another history', () => {
  // The other history parts at 4, and its mirror goes on beyond the head in force, or stops before.
  for (const [added, sizes] of [
    [20, [9, 24]],
    [3, [7, 9]],
  ] as const) {
    const prng = new Prng(5)
    const [home, other] = [new PublisherHome(prng), new PublisherHome(new Prng(5))]
    for (const from of [home, other]) from.append(4, { payloadBytes: 10 })
    home.append(5, { payloadBytes: 11 })
    const [first, second] = [home, other].map((from, i) => {
      const mirror = new MirrorHome(prng.child())
      from.connect(mirror, 100 + i)
      from.exchange(mirror, 100 + i)
      return mirror
    }) as [MirrorHome, MirrorHome]
    const reader = new ReaderHome({ name: home.capsule.name, nowUs: () => 1e15 })
    reader.take(reader.reader.follow(1, 0))
    reader.connect(second, 2)
    reader.exchange()
    reader.connect(first, 1)
    reader.exchange()
    assert.equal(sizeOf(reader), 9)
    other.append(added, { payloadBytes: 12 })
    other.exchange(second, 101)
    reader.exchange()
    assert.equal(sizeOf(reader), 9)
    reader.disconnect(2)
    reader.exchange()
    const evidence = reader.effects.find((effect) => effect.type === 'evidence')
    assert.ok(evidence, `${added} more`)
    assert.deepEqual(verifyEquivocation(evidence.bytes).sizes, sizes)
    assert.deepEqual(reader.codes('distrusted'), [])
  }
})

test('RR1 RR10: a hostile mirror is distrusted, and another one is asked', () => {
  const flip = (message: Uint8Array, at: number): Uint8Array => {
    const changed = message.slice()
    changed[at] = (changed[at] ?? 0) ^ 1
    return changed
  }
  const attacks: Readonly<Record<string, (message: Uint8Array) => readonly Uint8Array[]>> = {
    'wrong package': (message) => [message[0] === 1 ? flip(message, 60) : message],
    'wrong body': (message) => [message[0] === 1 ? flip(message, message.length - 1) : message],
    truncated: (message) => [message[0] === 1 ? message.subarray(0, -1) : message],
    twice: (message) => (message[0] === 1 ? [message, message] : [message]),
    'no such message': () => [new Uint8Array([0x1f])],
    'unsigned head': (message) => {
      if (!isControlMessage(message)) return [message]
      const decoded = decodeMessage(message)
      if (decoded.kind !== 'opened' || decoded.head === null) return [message]
      const head = { ...decoded.head, size: decoded.head.size + 1 }
      return [encodeMessage({ ...decoded, head })]
    },
    'another capsule': (message) => {
      if (!isControlMessage(message)) return [message]
      const decoded = decodeMessage(message)
      if (decoded.kind !== 'opened') return [message]
      const { manifest } = new PublisherHome(new Prng(99)).capsule
      return [encodeMessage({ ...decoded, manifest: manifest.signed })]
    },
  }
  for (const [what, attack] of Object.entries(attacks)) {
    const world = createWorld(6, 2, 600)
    const [first, second] = world.mirrors as [MirrorHome, MirrorHome]
    const reader = createReader(world)
    reader.connect(first, 1, attack)
    reader.take(reader.reader.read(1, { start: 0, end: 600, wantsBodies: true }))
    reader.exchange()
    reader.connect(second, 2)
    reader.exchange()
    assert.deepEqual(reader.read.get(1), bodies(world.home, 0, 600), what)
    assert.equal(reader.codes('distrusted').length, 1, what)
  }
})

test('RR2: a head counts only if somebody has stated it lately', () => {
  const world = createWorld(7, 1, 10)
  const [mirror] = world.mirrors as [MirrorHome]
  const { name } = world.home.capsule
  let nowUs = mirror.runtime.timeUs + 61_000_000
  const reader = new ReaderHome({ name, nowUs: () => nowUs, ageSMax: 60 })
  reader.connect(mirror, 1)
  reader.exchange()
  assert.equal(sizeOf(reader), undefined)
  nowUs -= 2_000_000
  reader.take(reader.reader.refresh())
  reader.exchange()
  assert.equal(sizeOf(reader), 10)
  const early = new ReaderHome({ name, nowUs: () => nowUs - 300_000_000, ageSMax: 60 })
  early.connect(mirror, 2)
  early.exchange()
  assert.equal(sizeOf(early), undefined, 'a statement from the future')
})

test('RR10: a mirror where we may not read any more is no liar, and another one is asked', () => {
  const prng = new Prng(31)
  const home = new PublisherHome(prng)
  home.append(300)
  let mayRead = true
  const policy = { ...OPEN_POLICY, mayRead: () => mayRead }
  const mirrors = [new MirrorHome(prng.child(), { policy }), new MirrorHome(prng.child())]
  for (const [i, mirror] of mirrors.entries()) {
    home.connect(mirror, 100 + i)
    home.exchange(mirror, 100 + i)
  }
  const reader = createReader({ home, mirrors })
  reader.connect(mirrors[0]!, 1)
  reader.exchange()
  mayRead = false
  reader.take(reader.reader.read(7, { start: 0, end: 300, wantsBodies: true }))
  reader.exchange()
  const types = reader.effects.map(({ type }) => type)
  assert.deepEqual([types.includes('refused'), types.includes('distrusted')], [true, false])
  assert.equal(reader.read.get(7), undefined)
  reader.connect(mirrors[1]!, 2)
  reader.exchange()
  assert.deepEqual(reader.read.get(7), bodies(home, 0, 300))
  mayRead = true
  reader.take(reader.reader.refresh())
  reader.exchange()
  const sizes = [...reader.reader.sources].map(({ head }) => head?.size)
  assert.deepEqual(sizes, [300, 300])
})

test('RR10: a mirror that gives its copy up in the middle of a question is asked again', () => {
  const world = createWorld(32, 2, 300)
  const [first, second] = world.mirrors as [MirrorHome, MirrorHome]
  const reader = createReader(world)
  reader.connect(first, 1)
  reader.exchange()
  assert.equal(sizeOf(reader), 300)
  first.take(first.mirror.suspect(world.home.capsule.name))
  introduce(world.mirrors, world.home)
  reader.take(reader.reader.read(7, { start: 0, end: 300, wantsBodies: true }))
  // It gives its copy up before it answers.
  const cuts = (): number => first.effects.filter(({ type }) => type === 'request-cut').length
  for (const before = cuts(); cuts() === before; ) {
    const [mine, theirs] = sessionsOf(0, 1, true)
    for (const message of first.sentTo(mine)) second.receive(theirs, message)
    for (const message of second.sentTo(theirs)) first.receive(mine, message)
  }
  reader.exchange()
  assert.ok(!reader.effects.some(({ type }) => type === 'distrusted'))
  converge(world.mirrors)
  reader.take(reader.reader.refresh())
  reader.exchange()
  assert.deepEqual(reader.read.get(7), bodies(world.home, 0, 300))
})
