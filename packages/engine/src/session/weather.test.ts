/**
 * Hundreds of seeded worlds: whatever the network does, every message arrives once and in order,
 * or the session closes with a code.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytesEqual } from '@longshore/capsule'
import { Prng } from '../testing/prng.ts'
import type { SessionId } from './events.ts'
import { CHUNK_BYTES_MAX } from './limits.ts'
import { SessionNetwork, type SessionNode, type Weather } from './testing/session-network.ts'

const SEEDS = 200
const MS = 1000
const SECOND = 1_000_000
const MESSAGES_MAX = 40

/** One end: what it still has to send, and what it must receive. */
interface End {
  readonly node: SessionNode
  session: SessionId | undefined
  readonly toSend: { message: Uint8Array; isBulk: boolean }[]
  readonly sent: { message: Uint8Array; isBulk: boolean }[]
}

function drawWeather(prng: Prng): Weather {
  const latencyUs = prng.pick([50, 2 * MS, 80 * MS])
  return {
    latencyUs,
    jitterUs: prng.pick([0, latencyUs, 5 * latencyUs]),
    loss: prng.pick([0, 0.01, 0.1, 0.3]),
    duplication: prng.pick([0, 0, 0.05, 0.3]),
  }
}

function drawMessages(prng: Prng): End['toSend'] {
  return Array.from({ length: prng.below(MESSAGES_MAX) }, () => {
    const isBulk = prng.chance(0.4)
    const bytesMax = prng.pick(
      isBulk ? [500, 3 * CHUNK_BYTES_MAX] : [30, 2000, CHUNK_BYTES_MAX + 10],
    )
    return { message: prng.bytes(prng.between(1, bytesMax)), isBulk }
  })
}

function createEnd(node: SessionNode, prng: Prng): End {
  const end: End = { node, session: undefined, toSend: drawMessages(prng), sent: [] }
  node.onEffect = (effect) => {
    if (effect.type === 'opened') end.session = effect.session
    // Consumed later, in the turn of this end: the application is slow.
  }
  return end
}

/** Sends and consumes a little, as an application would. */
function act(end: End, prng: Prng, consumed: { count: number }): void {
  const { node, session } = end
  if (session === undefined || node.closed.length > 0) return
  const next = end.toSend[0]
  if (next !== undefined && prng.chance(0.7) && node.sessions.canSend(session, next.isBulk)) {
    end.toSend.shift()
    end.sent.push(next)
    node.step({ type: 'send', session, ...next })
  }
  const message = node.messages[consumed.count]
  if (message !== undefined && prng.chance(0.8)) {
    consumed.count++
    node.step({ type: 'consumed', session, bytes: message.message.length })
  }
  if (prng.chance(0.02)) node.step({ type: 'path-changed', destination: undefined })
}

/** `got` is the beginning of what was sent, in both streams. */
function checkReceived(got: SessionNode['messages'], sent: End['sent'], seed: number): void {
  for (const isBulk of [false, true]) {
    const received = got.filter((message) => message.isBulk === isBulk)
    const expected = sent.filter((message) => message.isBulk === isBulk)
    assert.ok(received.length <= expected.length, `seed ${seed}: more than was sent`)
    for (const [i, { message }] of received.entries()) {
      const original = expected[i]?.message ?? new Uint8Array(0)
      assert.ok(bytesEqual(message, original), `seed ${seed}: message ${i} differs`)
    }
  }
}

function runWorld(seed: number): 'delivered' | 'closed' {
  const prng = new Prng(seed)
  const network = new SessionNetwork(prng.child())
  const [a, b] = [createEnd(network.add(), prng), createEnd(network.add(), prng)]
  const ends = [a, b]
  const counts = ends.map(() => ({ count: 0 }))
  network.weather = drawWeather(prng)
  const partsAt = prng.chance(0.3) ? prng.below(300) : undefined
  const heals = prng.chance(0.7)
  a.node.step({ type: 'open', session: 1, target: b.node.name })
  for (let round = 0; round < 4000; round++) {
    if (round === partsAt) {
      network.isParted = true
      network.run(prng.pick([1, 5, 20]) * SECOND)
      network.isParted = !heals
    }
    network.run(prng.pick([0, 100, 5 * MS, 40 * MS]))
    for (const [i, end] of ends.entries()) act(end, prng, counts[i] ?? { count: 0 })
    const isDone = ends.every(({ toSend, node }, i) => {
      const other = ends[1 - i]
      return toSend.length === 0 && node.messages.length === other?.sent.length
    })
    if (isDone || ends.some(({ node }) => node.closed.length > 0)) break
  }
  network.run(60 * SECOND)
  checkReceived(b.node.messages, a.sent, seed)
  checkReceived(a.node.messages, b.sent, seed)
  const closed = ends.flatMap(({ node }) => node.closed)
  if (closed.length > 0) {
    assert.ok(
      closed.every(({ error }) => error?.code === 'PEER_LOST'),
      `seed ${seed}`,
    )
    assert.ok(
      network.weather.loss >= 0.3 || partsAt !== undefined,
      `seed ${seed}: lost for nothing`,
    )
    return 'closed'
  }
  assert.deepEqual([a.toSend.length, b.toSend.length], [0, 0], `seed ${seed}: did not end`)
  assert.equal(b.node.messages.length, a.sent.length, `seed ${seed}: something is missing`)
  assert.equal(a.node.messages.length, b.sent.length, `seed ${seed}: something is missing`)
  return 'delivered'
}

test(`SN17 SN19 SN20 SN22: ${SEEDS} worlds deliver once and in order, or close with a code`, () => {
  const outcomes = { delivered: 0, closed: 0 }
  for (let seed = 1; seed <= SEEDS; seed++) outcomes[runWorld(seed)]++
  assert.ok(outcomes.delivered > SEEDS / 2)
  assert.ok(outcomes.closed > 0)
})

test('SN26: the same seed gives the same world, datagram for datagram', () => {
  const trace = (): string => {
    const network = new SessionNetwork(new Prng(5))
    const [a, b] = [network.add(), network.add()]
    network.weather = { latencyUs: 100, jitterUs: 300, loss: 0.1, duplication: 0.1 }
    const lines: string[] = []
    network.onSend = ({ payload }) => {
      lines.push(Buffer.from(payload).toString('hex'))
      return true
    }
    a.step({ type: 'open', session: 1, target: b.name })
    network.run(SECOND)
    for (let i = 0; i < 20; i++) {
      a.step({ type: 'send', session: 1, message: Uint8Array.of(i), isBulk: i % 2 === 0 })
    }
    network.run(10 * SECOND)
    assert.equal(b.messages.length, 20)
    return lines.join('\n')
  }
  assert.equal(trace(), trace())
})
