/** What peers make a mirror keep by presenting and offering. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { asCapsuleName, type CapsuleName } from '@longshore/capsule'
import { createCapsuleFixture } from '../testing/capsule-fixture.ts'
import { MirrorHome } from '../testing/mirror-home.ts'
import { Prng } from '../testing/prng.ts'
import { REPLICA_LIMITS } from './limits.ts'
import { decodeMessage, encodeMessage } from './messages.ts'
import { MirrorSessions } from './mirror-sessions.ts'

const KIB = 1024

const nameOf = (fill: number): CapsuleName => asCapsuleName(new Uint8Array(32).fill(fill))

test('MI33: the chains of one peer are bounded over all its sessions, and those of all peers', () => {
  const limits = {
    ...REPLICA_LIMITS,
    presentedPerPeerBytesMax: 100 * KIB,
    presentedBytesMax: 250 * KIB,
  }
  const sessions = new MirrorSessions(limits)
  const ended: number[] = []
  const present = (id: number, peer: number, bytes: number): void => {
    const session = sessions.get(id) ?? sessions.open(id, { name: nameOf(peer) }, false)
    const surplus = sessions.present(session, [new Uint8Array(bytes - 10), new Uint8Array(10)])
    if (surplus === undefined) return
    ended.push(surplus.id)
    sessions.close(surplus.id)
  }
  for (let id = 0; id < 6; id++) present(id, 1, id === 2 ? 30 * KIB : 20 * KIB)
  assert.deepEqual(ended.splice(0), [2], 'the session that holds most')
  assert.equal(sessions.presentedBytes, 100 * KIB)
  present(5, 1, 5 * KIB)
  assert.equal(sessions.presentedBytes, 85 * KIB, 'what was presented before is replaced')
  present(10, 2, 90 * KIB)
  present(11, 3, 70 * KIB)
  assert.deepEqual(ended.splice(0), [])
  present(12, 4, 10 * KIB)
  assert.deepEqual(ended.splice(0), [10], 'of the peer with most')
  assert.equal(sessions.presentedBytes, (85 + 70 + 10) * KIB)
  for (let id = 0; id < 13; id++) sessions.close(id)
  assert.equal(sessions.presentedBytes, 0)
})

test('MI33: a mirror ends the session, and keeps nothing of who proves no name', () => {
  const limits = { presentedPerPeerBytesMax: 100 * KIB }
  const mirror = new MirrorHome(new Prng(1), { limits })
  const chains = [new Uint8Array(60 * KIB)]
  const present = encodeMessage({ kind: 'present', id: 1, chains })
  for (const session of [1, 2, 3]) {
    const name = session === 3 ? undefined : nameOf(7)
    mirror.take(mirror.mirror.opened(session, { name }, false))
    mirror.receive(session, present)
    assert.equal(mirror.sentTo(session).map(decodeMessage)[0]?.kind, 'presented')
  }
  const closed = mirror.effects.flatMap((effect) =>
    effect.type === 'close-session'
      ? [[effect.session, (effect.error as { code?: string }).code]]
      : [],
  )
  assert.deepEqual(closed, [[1, 'OVERLOADED']])
  assert.equal(mirror.mirror.status.sessions, 2)
})

test('MI14: offering by the same chain again writes nothing, by another one what changed', () => {
  const prng = new Prng(2)
  const mirror = new MirrorHome(prng)
  const { manifest } = createCapsuleFixture(prng)
  mirror.connect(1)
  let id = -1
  const offer = (chain: Uint8Array): void => {
    id += 2
    mirror.receive(1, encodeMessage({ kind: 'offer', id, manifest: manifest.signed, chain }))
  }
  const accepted = (): number =>
    mirror.sentTo(1).filter((message) => decodeMessage(message).kind === 'accepted').length
  const chain = new Uint8Array(100 * KIB).fill(1)
  offer(chain)
  assert.equal(accepted(), 0)
  assert.ok(mirror.commit())
  assert.equal(accepted(), 1)
  const { writtenBytes } = mirror.disk.counts
  for (let i = 0; i < 10; i++) offer(chain)
  assert.ok(mirror.mirror.cut() === undefined)
  assert.equal(accepted(), 10)
  assert.equal(mirror.disk.counts.writtenBytes, writtenBytes)
  // While another chain is on its way the first one is no longer what will be there.
  const other = chain.slice().fill(2)
  offer(other)
  offer(chain)
  assert.equal(accepted(), 0)
  assert.ok(mirror.commit())
  assert.equal(accepted(), 2)
  offer(chain)
  assert.equal(accepted(), 1)
})

test('MI7: offers count among what waits for the disk', () => {
  const prng = new Prng(3)
  const mirror = new MirrorHome(prng, { limits: { pendingBytesMax: 500 * KIB } })
  mirror.connect(1)
  const chain = new Uint8Array(100 * KIB)
  for (let i = 0; i < 8; i++) {
    const { manifest } = createCapsuleFixture(prng)
    mirror.receive(
      1,
      encodeMessage({ kind: 'offer', id: 1 + 2 * i, manifest: manifest.signed, chain }),
    )
  }
  const codes = mirror.sentTo(1).map((message) => {
    const answer = decodeMessage(message)
    return answer.kind === 'error' ? answer.code : answer.kind
  })
  assert.ok(mirror.mirror.status.pendingBytes < 620 * KIB)
  assert.deepEqual(codes, ['OVERLOADED', 'OVERLOADED', 'OVERLOADED'])
  mirror.settle()
  assert.equal(mirror.mirror.status.pendingBytes, 0)
  assert.equal(mirror.sentTo(1).length, 5)
})
