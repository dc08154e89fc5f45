import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MAIN_BRANCH } from '@longshore/capsule'
import { MirrorHome } from '../testing/mirror-home.ts'
import { Prng } from '../testing/prng.ts'
import { PublisherHome } from '../testing/publisher-home.ts'
import { committedHead } from './committed-head.ts'
import { droppedOp } from './dropped.ts'

/** Codes of what the mirrors refused, in order. */
function failures({ effects }: PublisherHome): string[] {
  return effects.flatMap((effect) =>
    effect.type === 'failed' ? [(effect.error as { code?: string }).code ?? ''] : [],
  )
}

test('ND18: a mirror that stops receipts what it accepted; more is not taken, or OVERLOADED', () => {
  const prng = new Prng(1)
  const mirror = new MirrorHome(prng)
  const home = new PublisherHome(prng)
  home.append(10)
  home.connect(mirror, 1)
  home.exchange(mirror, 1)
  home.append(20)
  home.take(home.publisher.work())
  for (const message of home.sentTo(1)) mirror.receive(1, message)
  mirror.mirror.stop()
  home.append(5)
  home.exchange(mirror, 1)
  const sizes = home.effects.flatMap((effect) =>
    effect.type === 'receipt' ? [effect.head.size] : [],
  )
  assert.deepEqual(sizes, [10, 30])
  assert.deepEqual(failures(home), [])
  assert.equal(committedHead(mirror.store, home.capsule.name, MAIN_BRANCH)?.size, 30)
  const late = new PublisherHome(prng)
  late.append(1)
  late.connect(mirror, 2)
  late.exchange(mirror, 2)
  assert.deepEqual(failures(late), ['OVERLOADED'])
  assert.equal(mirror.mirror.counters.refusals.get('OVERLOADED'), 1)
})

test('ND13: a dropped capsule ends its pushes and followers, and stays dropped', () => {
  const prng = new Prng(2)
  const mirror = new MirrorHome(prng)
  const home = new PublisherHome(prng)
  home.append(10)
  home.connect(mirror, 1)
  home.exchange(mirror, 1)
  const { name } = home.capsule
  assert.equal(mirror.mirror.status.pushes, 1)
  mirror.submit({
    ops: [droppedOp(name, true)],
    durable: () => {},
    committed: () => [],
    failed: () => [],
  })
  mirror.take(mirror.mirror.forget(name))
  assert.equal(mirror.mirror.status.pushes, 0)
  assert.ok(mirror.effects.some(({ type }) => type === 'withdraw'))
  home.append(10)
  home.exchange(mirror, 1)
  assert.deepEqual(failures(home), ['POLICY_REFUSED'])
  mirror.restart('power')
  const late = new PublisherHome(prng, MAIN_BRANCH, home.capsule)
  late.append(1)
  late.connect(mirror, 2)
  late.exchange(mirror, 2)
  assert.deepEqual(failures(late), ['POLICY_REFUSED'])
})
