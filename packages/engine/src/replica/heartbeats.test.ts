/** Heartbeats on their way from a writer to its mirrors, and to a reader who wants a fresh head. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createHeartbeat, type Head, MAIN_BRANCH } from '@longshore/capsule'
import { createCapsuleFixture } from '../testing/capsule-fixture.ts'
import { MirrorHome } from '../testing/mirror-home.ts'
import { Prng } from '../testing/prng.ts'
import { PublisherHome } from '../testing/publisher-home.ts'
import { ReaderHome } from '../testing/reader-home.ts'
import { committedHead } from './committed-head.ts'
import { decodeMessage, encodeMessage, isControlMessage } from './messages.ts'
import { readMirrorNote } from './mirror-note.ts'

const HOUR_US = 3_600_000_000

interface Scene {
  readonly mirror: MirrorHome
  readonly home: PublisherHome
}

/** A mirror that holds four entries. */
function createScene(isPostQuantum = false): Scene {
  const prng = new Prng(1)
  const mirror = new MirrorHome(prng)
  const capsule = createCapsuleFixture(prng, { read: 'any' }, isPostQuantum)
  const home = new PublisherHome(prng, MAIN_BRANCH, capsule)
  home.append(4)
  home.connect(mirror, 1)
  home.exchange(mirror, 1)
  return { mirror, home }
}

const nowS = ({ mirror }: Scene): number => Math.floor(mirror.runtime.timeUs / 1_000_000)

/** The writer states its head at a time. */
function beat({ home }: Scene, timeS: number): void {
  const { name, writer } = home.capsule
  const head = committedHead(home.driver.store, name, MAIN_BRANCH) as Head
  const heartbeat = { size: head.size, ...createHeartbeat(name, head, timeS, writer) }
  home.take(home.publisher.heartbeat(name, MAIN_BRANCH, heartbeat))
}

/** Times of the heartbeats that are exchanged now. */
function timesTold({ mirror, home }: Scene, session: number): number[] {
  const times: number[] = []
  home.exchange(mirror, session, (message) => {
    const decoded = isControlMessage(message) ? decodeMessage(message) : undefined
    if (decoded?.kind === 'heartbeat') times.push(decoded.timeS)
    return [message]
  })
  return times
}

for (const isPostQuantum of [false, true]) {
  const keys = isPostQuantum ? 'two keys' : 'one key'
  test(`PU5 MI27 RR2: by a writer with ${keys} a head stays fresh without an entry`, () => {
    const scene = createScene(isPostQuantum)
    const { mirror, home } = scene
    mirror.runtime.timeUs += HOUR_US
    const { name } = home.capsule
    const reader = new ReaderHome({ name, ageSMax: 60, nowUs: () => mirror.runtime.timeUs })
    reader.connect(mirror, 2)
    reader.exchange()
    const sizes = (): (number | undefined)[] => [reader.reader.head?.size]
    assert.deepEqual(sizes(), [undefined], 'it is an hour old')
    beat(scene, nowS(scene))
    home.exchange(mirror, 1)
    // It is kept, too.
    mirror.restart('power')
    reader.connect(mirror, 3)
    reader.exchange()
    assert.deepEqual(reader.codes('distrusted'), [])
    assert.deepEqual(sizes(), [4])
  })
}

test('PU5: a mirror that comes later hears of the newest heartbeat, once per session', () => {
  const scene = createScene()
  const { mirror, home } = scene
  beat(scene, 100)
  beat(scene, 120)
  assert.deepEqual(timesTold(scene, 1), [100, 120])
  assert.deepEqual(timesTold(scene, 1), [])
  home.publisher.closed(1)
  home.connect(mirror, 5)
  assert.deepEqual(timesTold(scene, 5), [120])
})

test('PU5: a heartbeat waits until the mirror has its head in force, or is overtaken', () => {
  const scene = createScene()
  const { home } = scene
  home.append(1)
  beat(scene, 100)
  assert.deepEqual(home.sentTo(1), [], 'nothing is sent before the entry')
  assert.deepEqual(timesTold(scene, 1), [100])
  home.append(1)
  beat(scene, 120)
  home.append(1)
  assert.deepEqual(timesTold(scene, 1), [])
})

test('CP18 MI27: one that is older or smaller than what is kept changes nothing', () => {
  const scene = createScene()
  const { mirror, home } = scene
  const { name, writer } = home.capsule
  const place = { kind: 'heartbeat' as const, id: 1, name, branch: MAIN_BRANCH }
  mirror.connect(2)
  const tell = (timeS: number, size = 4): number | undefined => {
    const head = { ...(committedHead(mirror.store, name, MAIN_BRANCH) as Head), size }
    const heartbeat = createHeartbeat(name, head, timeS, writer)
    mirror.receive(2, encodeMessage({ ...place, size, ...heartbeat }))
    mirror.settle()
    return readMirrorNote(mirror.store, name, MAIN_BRANCH).heartbeat?.timeS
  }
  assert.deepEqual(
    [tell(200), tell(100), tell(300, 3), tell(300, 5), tell(250)],
    [...[200, 200, 200, 200, 250]],
  )
  home.append(1)
  home.exchange(mirror, 1)
  assert.deepEqual([tell(240, 5), tell(250, 5)], [250, 250])
  assert.equal(readMirrorNote(mirror.store, name, MAIN_BRANCH).heartbeat?.size, 5)
})
