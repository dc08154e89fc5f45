import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createSigner, formatHex } from '@longshore/capsule'
import type { TransportEvent } from '../transport/transport.ts'
import { EventQueue } from './event-queue.ts'
import { Prng } from './prng.ts'
import { LAN, type LinkConditions, type SimEndpoint, SimNetwork, WAN } from './sim-network.ts'

const MS = 1000
const SECOND = 1_000_000

interface Node {
  readonly endpoint: SimEndpoint
  /** What was reported, with the time. */
  readonly seen: (readonly [atUs: number, event: TransportEvent])[]
}

/** Two nodes with one connection, which `a` dialled; number 1 at `a`, 2 at `b`. */
function connectedPair(seed: number, conditions: LinkConditions = LAN) {
  const network = new SimNetwork(new Prng(seed), conditions)
  const keys = { a: createSigner(new Uint8Array(32).fill(1)), b: createSigner(new Uint8Array(32)) }
  const attach = (name: 'a' | 'b'): Node => {
    const seen: Node['seen'] = []
    const onEvent = (event: TransportEvent): void => void seen.push([network.queue.nowUs, event])
    return { endpoint: network.attach(`mem://${name}`, keys[name].publicKey, onEvent), seen }
  }
  const [a, b] = [attach('a'), attach('b')]
  a.endpoint.apply({ type: 'dial', dial: 1, address: 'mem://b', tlsKey: keys.b.publicKey })
  network.queue.runUntil(SECOND)
  return { network, a, b }
}

function received({ seen }: Node): string {
  const pieces = seen.map(([, event]) => (event.type === 'received' ? formatHex(event.bytes) : ''))
  return pieces.join('')
}

const closedAt = ({ seen }: Node): number | undefined =>
  seen.find(([, { type }]) => type === 'closed')?.[0]

test('SM7: equal times happen in the order in which they were scheduled', () => {
  const queue = new EventQueue()
  const seen: number[] = []
  const prng = new Prng(1)
  const times = Array.from({ length: 500 }, () => prng.below(20))
  for (const [i, atUs] of times.entries()) queue.schedule(atUs, () => seen.push(i))
  while (queue.step());
  const expected = [...times.keys()].sort((i, j) => times[i]! - times[j]! || i - j)
  assert.deepEqual(seen, expected)
})

test('SM7 SM8: one seed gives one world, and bytes keep their order on a bad line', () => {
  const run = (seed: number) => {
    const { network, a, b } = connectedPair(seed, { ...WAN, loss: 0.1 })
    const sent = new Prng(3).bytes(500_000)
    for (let at = 0; at < sent.length; at += 10_000) {
      const chunks = [sent.subarray(at, at + 10_000)]
      a.endpoint.apply({ type: 'write', connection: 1, chunks })
    }
    while (network.queue.step());
    assert.equal(received(b), formatHex(sent))
    return JSON.stringify([a.seen, b.seen])
  }
  assert.equal(run(5), run(5))
  assert.notEqual(run(5), run(6))
})

test('SM8: what the far end writes at once arrives after the near end is connected', () => {
  for (let seed = 0; seed < 50; seed++) {
    const network = new SimNetwork(new Prng(seed))
    const key = createSigner(new Uint8Array(32)).publicKey
    const seen: string[] = []
    const near = network.attach('mem://near', key, ({ type }) => seen.push(type))
    const far = network.attach('mem://far', key, (event) => {
      if (event.type !== 'connected') return
      far.apply({ type: 'write', connection: event.connection, chunks: [new Uint8Array(9)] })
    })
    near.apply({ type: 'dial', dial: 1, address: 'mem://far', tlsKey: key })
    while (network.queue.step());
    assert.equal(seen[0], 'connected', `seed ${seed}`)
  }
})

test('SM8: latency and bandwidth cost time', () => {
  const conditions = { latencyUs: 10 * MS, jitterUs: 0, bytesPerSecond: 1_000_000, loss: 0 }
  const { network, a, b } = connectedPair(1, conditions)
  const start = network.queue.nowUs
  const chunks = [new Uint8Array(100_000)]
  a.endpoint.apply({ type: 'write', connection: 1, chunks })
  while (network.queue.step());
  assert.equal(b.seen.at(-1)?.[0], start + 110 * MS)
  assert.deepEqual(a.seen.at(-1), [start + 100 * MS, { type: 'drained', connection: 1 }])
})

test('SM9: a cut that heals in time delays, and only its own direction', () => {
  const { network, a, b } = connectedPair(1)
  network.cut('mem://a', 'mem://b')
  a.endpoint.apply({ type: 'write', connection: 1, chunks: [new Uint8Array([1, 2])] })
  b.endpoint.apply({ type: 'write', connection: 2, chunks: [new Uint8Array([3])] })
  network.queue.runUntil(10 * SECOND)
  assert.deepEqual([received(a), received(b)], ['03', ''])
  network.heal('mem://a', 'mem://b')
  network.queue.runUntil(11 * SECOND)
  assert.equal(received(b), '0102')
  assert.equal(closedAt(a), undefined)
})

test('SM9: a cut that stays ends the connection on both sides, and dials into it fail', () => {
  const { network, a, b } = connectedPair(1)
  network.partition(['mem://a'], ['mem://b'])
  a.endpoint.apply({ type: 'write', connection: 1, chunks: [new Uint8Array([1])] })
  const tlsKey = createSigner(new Uint8Array(32)).publicKey
  a.endpoint.apply({ type: 'dial', dial: 2, address: 'mem://b', tlsKey })
  while (network.queue.step());
  assert.ok((closedAt(a) ?? 0) > 30 * SECOND && (closedAt(b) ?? 0) > 30 * SECOND)
  const failed = a.seen.find(([, { type }]) => type === 'dial-failed')
  assert.equal(failed?.[0], 11 * SECOND)
  network.healAll()
  a.endpoint.apply({ type: 'dial', dial: 3, address: 'mem://b', tlsKey })
  while (network.queue.step());
  assert.ok(a.seen.some(([, event]) => event.type === 'connected' && event.dial === 3))
})

test('SM10: a reset is noticed at once, a silent death after the time-out', () => {
  const reset = connectedPair(1)
  reset.network.reset('mem://a', 'mem://b')
  while (reset.network.queue.step());
  assert.ok((closedAt(reset.a) ?? Infinity) < 2 * SECOND)
  assert.ok((closedAt(reset.b) ?? Infinity) < 2 * SECOND)
  for (const [how, fromUs, toUs] of [
    ['reset', SECOND, 2 * SECOND],
    ['silent', 31 * SECOND, 32 * SECOND],
  ] as const) {
    const { network, a, b } = connectedPair(1)
    b.endpoint.detach(how)
    while (network.queue.step());
    const at = closedAt(a) ?? 0
    assert.ok(at >= fromUs && at <= toUs, `${how} is noticed at ${at}`)
    assert.equal(closedAt(b), undefined)
  }
})
