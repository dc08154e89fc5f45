/** What lies in the store of a mirror, and what it holds for others. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MAIN_BRANCH } from '@longshore/capsule'
import type { StoreOp } from '../store/store.ts'
import { MirrorHome, OPEN_POLICY } from '../testing/mirror-home.ts'
import { Prng } from '../testing/prng.ts'
import { PublisherHome } from '../testing/publisher-home.ts'
import { decodeMessage, encodeMessage, isControlMessage, type ReplicaMessage } from './messages.ts'

function ask(mirror: MirrorHome, session: number, question: ReplicaMessage): ReplicaMessage[] {
  mirror.receive(session, encodeMessage(question))
  return mirror.sentTo(session).map(decodeMessage)
}

/** Bulk messages that travel until both sides are silent. */
function bulkTo(mirror: MirrorHome, home: PublisherHome, session: number): number {
  let count = 0
  home.exchange(mirror, session, (message) => {
    if (!isControlMessage(message)) count++
    return [message]
  })
  return count
}

test('MI26: what was imported is there for nobody before it is offered, then receipted as it is', () => {
  const prng = new Prng(1)
  const mirror = new MirrorHome(prng)
  const home = new PublisherHome(prng)
  const { name, manifest } = home.capsule
  const entries = home.branch.append(700)
  home.driver.commit(entries)
  const ops: StoreOp[] = [manifest, entries]
  mirror.submit({ ops, durable: () => {}, committed: () => [], failed: () => [] })

  mirror.connect(2)
  const place = { name, branch: MAIN_BRANCH }
  for (const question of [
    { kind: 'open' as const, id: 1, ...place },
    { kind: 'follow' as const, id: 3, ...place, size: 0 },
    { kind: 'cosign' as const, id: 5, ...place },
  ]) {
    const [answer] = ask(mirror, 2, question)
    assert.ok(answer?.kind === 'error' && answer.code === 'NOT_FOUND')
  }
  assert.equal(mirror.mirror.holds(name), false)

  home.connect(mirror, 1)
  assert.equal(bulkTo(mirror, home, 1), 0)
  const receipt = home.effects.find((effect) => effect.type === 'receipt')
  assert.equal(receipt?.head.size, 700)
  assert.equal(mirror.mirror.holds(name), true)
  home.append(1)
  assert.equal(bulkTo(mirror, home, 1), 1)
})

test('MI26 ND17: a new node in the directory repeats nothing that the one before has stated', () => {
  const prng = new Prng(2)
  let isOwn = true
  const policy = {
    ...OPEN_POLICY,
    isOwnChain: () => isOwn,
    checkOffer: () => {
      isOwn = true
    },
  }
  const mirror = new MirrorHome(prng, { policy })
  const home = new PublisherHome(prng)
  const place = { name: home.capsule.name, branch: MAIN_BRANCH }
  const timeOf = (session: number): number | string | undefined => {
    mirror.connect(session)
    const [answer] = ask(mirror, session, { kind: 'cosign', id: 1, ...place })
    if (answer?.kind === 'error') return answer.code
    return answer?.kind === 'receipt' ? answer.timeS : undefined
  }
  home.append(10)
  home.connect(mirror, 1)
  home.exchange(mirror, 1)
  const before = timeOf(2)
  assert.equal(typeof before, 'number')

  isOwn = false
  mirror.restart('power')
  mirror.runtime.timeUs += 3_600_000_000
  assert.equal(timeOf(3), 'NOT_FOUND')
  home.publisher.closed(1)
  home.connect(mirror, 4)
  assert.equal(bulkTo(mirror, home, 4), 0)
  assert.equal(timeOf(5), (before as number) + 3600)
})
