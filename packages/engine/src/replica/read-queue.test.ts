import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MAIN_BRANCH } from '@longshore/capsule'
import { MirrorHome } from '../testing/mirror-home.ts'
import { Prng } from '../testing/prng.ts'
import { PublisherHome } from '../testing/publisher-home.ts'
import { EntriesFrame } from './entries-message.ts'
import { decodeMessage, encodeMessage } from './messages.ts'

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

test('MI16: a follower that has more than the mirror waits until the mirror has more', () => {
  const prng = new Prng(32)
  const mirror = new MirrorHome(prng)
  const home = new PublisherHome(prng)
  home.append(10)
  home.connect(mirror, 1)
  home.exchange(mirror, 1)
  mirror.connect(2)
  const { name } = home.capsule
  mirror.receive(2, encodeMessage({ kind: 'follow', id: 1, name, branch: MAIN_BRANCH, size: 12 }))
  for (const [count, starts] of [
    [1, []],
    [1, []],
    [3, [12]],
  ] as const) {
    mirror.effects.length = 0
    home.append(count)
    home.exchange(mirror, 1)
    while (mirror.work());
    const frame = new EntriesFrame()
    const sent = mirror.sentTo(2).map((message) => {
      frame.read(message)
      return frame.start
    })
    assert.deepEqual(sent, starts)
  }
})
