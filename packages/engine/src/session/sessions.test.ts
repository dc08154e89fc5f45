/** Opening, using, losing and closing sessions on a network of datagrams. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { asCapsuleName, bytesEqual, encodeUtf8 } from '@longshore/capsule'
import { Prng } from '../testing/prng.ts'
import { CHUNK_BYTES_MAX, MESSAGE_BYTES_MAX, URGENT_MESSAGE_BYTES_MAX } from './limits.ts'
import { PACKET_FINISH, PACKET_INIT, PACKET_REPLY } from './packet.ts'
import type { SessionsOptions } from './sessions.ts'
import { SessionNetwork, type SessionNode } from './testing/session-network.ts'

const SECOND = 1_000_000
const CAPSULE = asCapsuleName(new Uint8Array(32).fill(0xc))

interface Pair {
  readonly network: SessionNetwork
  readonly a: SessionNode
  readonly b: SessionNode
}

function createPair(ofA: Partial<SessionsOptions> = {}, ofB: Partial<SessionsOptions> = {}): Pair {
  const network = new SessionNetwork(new Prng(1))
  return { network, a: network.add(ofA), b: network.add(ofB) }
}

/** A pair with one open session; its id at a is 1. */
function createOpenPair(
  ofA: Partial<SessionsOptions> = {},
  ofB: Partial<SessionsOptions> = {},
): Pair & { readonly idAtB: number } {
  const pair = createPair(ofA, ofB)
  pair.a.step({ type: 'open', session: 1, target: pair.b.name })
  pair.network.run(SECOND)
  const [opened] = pair.b.opened
  assert.ok(opened !== undefined && pair.a.opened.length === 1)
  return { ...pair, idAtB: opened.session }
}

function send(node: SessionNode, session: number, message: Uint8Array, isBulk = false): void {
  assert.ok(node.sessions.canSend(session, isBulk))
  node.step({ type: 'send', session, message, isBulk })
}

const codesOf = (node: SessionNode) => node.closed.map(({ error }) => error?.code)

test('SN7 SN8: both ends learn who the other one is', () => {
  const { a, b } = createOpenPair()
  const [atA, atB] = [a.opened[0], b.opened[0]]
  assert.ok(atA !== undefined && atB !== undefined)
  assert.deepEqual([atA.isInitiator, atB.isInitiator], [true, false])
  assert.deepEqual(atA.peer.name, b.name)
  assert.deepEqual(atB.peer.name, a.name)
  assert.deepEqual(atB.peer.manifest, a.identity.manifest)
  assert.deepEqual(atA.peer.manifest, b.identity.manifest)
  assert.deepEqual(atB.target, b.name)
})

test('SN9: an anonymous initiator stays anonymous, unless the responder turns it away', () => {
  const open = createPair()
  open.a.step({ type: 'open', session: 1, target: open.b.name, isAnonymous: true })
  open.network.run(SECOND)
  assert.equal(open.b.opened[0]?.peer.manifest, undefined)
  assert.deepEqual(open.b.opened[0]?.peer.name, open.a.name)

  const accept = () => ({ chain: undefined, requiresIdentity: true })
  const strict = createPair({}, { accept })
  strict.a.step({ type: 'open', session: 1, target: strict.b.name, isAnonymous: true })
  strict.network.run(SECOND)
  assert.equal(strict.b.opened.length, 0)
  assert.deepEqual(codesOf(strict.a), ['POLICY_REFUSED'])
  assert.equal(strict.b.closed.length, 0)
})

test('SN8: whoever serves a capsule answers for it and shows its chain', () => {
  const chain = encodeUtf8('chain')
  const accept: SessionsOptions['accept'] = (target) =>
    bytesEqual(target, CAPSULE) ? { chain } : undefined
  const { network, a, b } = createPair({}, { accept })
  network.route(CAPSULE, b)
  a.step({ type: 'open', session: 1, target: CAPSULE })
  network.run(SECOND)
  assert.deepEqual(a.opened[0]?.peer.chain, chain)
  assert.deepEqual(a.opened[0]?.peer.name, b.name)
  assert.deepEqual(b.opened[0]?.target, CAPSULE)
  send(a, 1, encodeUtf8('hello'))
  network.run(SECOND)
  assert.deepEqual(b.messages[0]?.message, encodeUtf8('hello'))
})

test('SN8: a principal that answers for another name without a chain is refused', () => {
  const { network, a, b } = createPair({}, { accept: () => ({ chain: undefined }) })
  network.route(CAPSULE, b)
  a.step({ type: 'open', session: 1, target: CAPSULE })
  network.run(20 * SECOND)
  assert.equal(a.opened.length, 0)
  assert.deepEqual(codesOf(a), ['NAME_MISMATCH'])
})

test('SN23: a name that nobody answers for ends the handshake after its time', () => {
  const { network, a, b } = createPair({}, { accept: () => undefined })
  a.step({ type: 'open', session: 1, target: b.name })
  network.run(9 * SECOND)
  assert.deepEqual(a.closed, [])
  network.run(2 * SECOND)
  assert.deepEqual(codesOf(a), ['PEER_LOST'])
  assert.equal(a.sessions.count, 0)
})

test('SN23: a router that has no route ends a handshake at once, but no open session', () => {
  const { network, a, b } = createOpenPair()
  a.step({ type: 'open', session: 2, target: CAPSULE })
  const lost = { type: 'unreachable', code: 'NO_ROUTE', message: 'nowhere' } as const
  a.step({ ...lost, destination: CAPSULE })
  a.step({ ...lost, destination: b.name })
  assert.deepEqual(codesOf(a), ['NO_ROUTE'])
  assert.equal(a.closed[0]?.session, 2)
  send(a, 1, encodeUtf8('still here'))
  network.run(SECOND)
  assert.equal(b.messages.length, 1)
})

for (const type of [PACKET_INIT, PACKET_REPLY, PACKET_FINISH]) {
  test(`SN22: a handshake survives that packets of type ${type} are lost twice`, () => {
    const { network, a, b } = createPair()
    let lost = 0
    network.onSend = ({ payload }) => payload[0] !== type || ++lost > 2
    a.step({ type: 'open', session: 1, target: b.name })
    network.run(5 * SECOND)
    assert.equal(a.opened.length, 1)
    assert.equal(b.opened.length, 1)
    assert.equal(lost, 3)
    send(a, 1, encodeUtf8('x'))
    network.run(SECOND)
    assert.equal(b.messages.length, 1)
  })
}

test('SN22: what is sent before the responder knows the initiator arrives all the same', () => {
  const { network, a, b } = createPair()
  let lost = 0
  network.onSend = ({ payload }) => payload[0] !== PACKET_FINISH || ++lost > 1
  a.onEffect = ({ type }) => {
    if (type === 'opened') send(a, 1, encodeUtf8('early'))
  }
  a.step({ type: 'open', session: 1, target: b.name })
  network.run(5 * SECOND)
  assert.equal(b.messages.length, 1)
})

test('SN17: messages of every size around a chunk arrive whole and in order', () => {
  const { network, a, b, idAtB } = createOpenPair()
  const sizes = [1, 2, CHUNK_BYTES_MAX - 1, CHUNK_BYTES_MAX, CHUNK_BYTES_MAX + 1]
  sizes.push(3 * CHUNK_BYTES_MAX, URGENT_MESSAGE_BYTES_MAX)
  const prng = new Prng(2)
  for (const isBulk of [false, true]) {
    const messages = sizes.map((size) => prng.bytes(size))
    for (const message of messages) {
      send(a, 1, message, isBulk)
      network.run(SECOND)
    }
    assert.deepEqual(
      b.messages.map(({ message }) => message.length),
      sizes,
    )
    assert.ok(b.messages.every((got, i) => bytesEqual(got.message, messages[i] ?? prng.bytes(0))))
    assert.ok(b.messages.every((got) => got.isBulk === isBulk && got.session === idAtB))
    b.step({ type: 'consumed', session: idAtB, bytes: sizes.reduce((x, y) => x + y) })
    b.messages.length = 0
  }
})

test('SN18: a peer that consumes nothing is sent its window and no more', () => {
  const { network, a, b, idAtB } = createOpenPair()
  const message = new Uint8Array(MESSAGE_BYTES_MAX).fill(7)
  for (let sent = 0; sent < 3; sent++) {
    send(a, 1, message, true)
    network.run(5 * SECOND)
  }
  assert.equal(b.messages.length, 2)
  assert.equal(a.sessions.canSend(1, true), false)
  assert.ok(a.sessions.canSend(1, false))
  let writable = 0
  a.onEffect = ({ type }) => {
    if (type === 'writable') writable++
  }
  b.step({ type: 'consumed', session: idAtB, bytes: MESSAGE_BYTES_MAX })
  network.run(5 * SECOND)
  assert.equal(b.messages.length, 3)
  assert.equal(writable, 1)
  assert.equal(a.closed.length + b.closed.length, 0)
})

test('SN18: credit that was lost on its way is asked for', () => {
  const { network, a, b, idAtB } = createOpenPair()
  const message = new Uint8Array(MESSAGE_BYTES_MAX)
  for (let sent = 0; sent < 3; sent++) {
    send(a, 1, message, true)
    network.run(2 * SECOND)
  }
  network.isParted = true
  b.step({ type: 'consumed', session: idAtB, bytes: MESSAGE_BYTES_MAX })
  network.run(SECOND)
  network.isParted = false
  network.run(5 * SECOND)
  assert.equal(b.messages.length, 3)
})

test('SN18: urgent messages pass while the bulk stream has no credit', () => {
  const { network, a, b } = createOpenPair()
  for (let sent = 0; sent < 3; sent++) {
    send(a, 1, new Uint8Array(MESSAGE_BYTES_MAX), true)
    network.run(2 * SECOND)
  }
  send(a, 1, encodeUtf8('urgent'))
  network.run(SECOND)
  assert.deepEqual(b.messages.at(-1)?.message, encodeUtf8('urgent'))
})

test('SN20: after a change of the path what was on its way is sent again at once', () => {
  const { network, a, b } = createOpenPair()
  network.isParted = true
  send(a, 1, encodeUtf8('lost with the old path'))
  network.run(20_000)
  network.isParted = false
  const before = network.sentCount
  a.step({ type: 'path-changed', destination: b.name })
  assert.equal(network.sentCount, before + 1)
  network.run(2000)
  assert.equal(b.messages.length, 1)
})

test('SN20: a session survives a parting shorter than the time to live', () => {
  const { network, a, b } = createOpenPair()
  network.isParted = true
  send(a, 1, encodeUtf8('first'))
  network.run(25 * SECOND)
  send(a, 1, encodeUtf8('second'))
  network.isParted = false
  network.run(5 * SECOND)
  assert.equal(b.messages.length, 2)
  assert.equal(a.closed.length + b.closed.length, 0)
})

test('SN21: a silent peer is lost after thirty seconds, on both ends', () => {
  const { network, a, b } = createOpenPair()
  network.isParted = true
  network.run(28 * SECOND)
  assert.equal(a.closed.length + b.closed.length, 0)
  network.run(4 * SECOND)
  assert.deepEqual([codesOf(a), codesOf(b)], [['PEER_LOST'], ['PEER_LOST']])
  network.run(10 * SECOND)
  assert.deepEqual([a.sessions.count, b.sessions.count], [0, 0])
})

test('SN21: an idle session stays, for a few packets an hour', () => {
  const { network, a, b } = createOpenPair()
  const before = network.sentCount
  network.run(3600 * SECOND)
  assert.equal(a.closed.length + b.closed.length, 0)
  assert.ok(network.sentCount - before < 1500)
})

test('SN21: a clock that is set forward or back loses no session and stops no timer', () => {
  for (const stepUs of [3600 * SECOND, -3600 * SECOND]) {
    const { network, a, b } = createOpenPair({ limits: { peerLostUs: 100 * SECOND } })
    const { runtime, sessions } = a
    network.run(SECOND)
    runtime.timeUs += stepUs
    const effects = sessions.step({ type: 'tick' })
    assert.ok(effects.every(({ type }) => type === 'datagram' || type === 'wake'))
    const wake = effects.find(({ type }) => type === 'wake')
    assert.ok(wake?.type === 'wake' && wake.atUs > runtime.timeUs)
    assert.ok(wake.atUs < runtime.timeUs + 11 * SECOND)
    assert.equal(b.closed.length, 0)
  }
})

test('SN25: closing delivers what was sent before, then tells the peer', () => {
  const { network, a, b } = createOpenPair()
  send(a, 1, new Uint8Array(5 * CHUNK_BYTES_MAX), true)
  send(a, 1, encodeUtf8('bye'))
  a.step({ type: 'close', session: 1 })
  assert.deepEqual(codesOf(a), [undefined])
  network.run(SECOND)
  assert.equal(b.messages.length, 2)
  assert.deepEqual(codesOf(b), [undefined])
  network.run(10 * SECOND)
  assert.deepEqual([a.sessions.count, b.sessions.count], [0, 0])
  assert.equal(a.closed.length, 1)
})

test('SN25: a peer that missed the end hears it when it asks', () => {
  const { network, a, b, idAtB } = createOpenPair()
  network.isParted = true
  a.step({ type: 'close', session: 1 })
  network.run(10_000)
  network.isParted = false
  send(b, idAtB, encodeUtf8('are you there'))
  network.run(SECOND)
  assert.deepEqual(codesOf(b), [undefined])
  assert.equal(a.messages.length, 0)
})

test('SN24: too many sessions of one peer, or of all, are turned away as overloaded', () => {
  const limits = { sessionsPerPeerMax: 2, sessionsMax: 3 }
  const { network, a, b } = createPair({}, { limits })
  const c = network.add()
  for (let session = 1; session <= 3; session++) {
    a.step({ type: 'open', session, target: b.name })
    network.run(SECOND)
  }
  assert.deepEqual(codesOf(a), ['OVERLOADED'])
  network.run(10 * SECOND)
  for (let session = 1; session <= 2; session++) {
    c.step({ type: 'open', session, target: b.name })
    network.run(SECOND)
  }
  assert.deepEqual(codesOf(c), ['OVERLOADED'])
  assert.equal(b.opened.length, 3)
  b.step({ type: 'open', session: 1, target: c.name })
  assert.deepEqual(codesOf(b), ['OVERLOADED'])
})

test('SN13: keys change while messages flow in both directions', () => {
  const channelLimits = { rekeyPackets: 7, counterMax: 2 ** 40 }
  const { network, a, b, idAtB } = createOpenPair({ channelLimits }, { channelLimits })
  network.weather = { latencyUs: 100, jitterUs: 50, loss: 0, duplication: 0.1 }
  for (let i = 0; i < 100; i++) {
    send(a, 1, Uint8Array.of(i))
    send(b, idAtB, Uint8Array.of(i))
    network.run(1000)
  }
  network.run(SECOND)
  const expected = Array.from({ length: 100 }, (_, i) => i)
  for (const node of [a, b]) {
    assert.deepEqual(
      node.messages.map(({ message }) => message[0]),
      expected,
    )
  }
})

test('SN13: a session ends before its counters do', () => {
  const channelLimits = { rekeyPackets: 7, counterMax: 20 }
  const { network, a, b } = createOpenPair({ channelLimits }, { channelLimits })
  for (let i = 0; i < 30; i++) {
    if (a.sessions.canSend(1, false)) send(a, 1, Uint8Array.of(i))
    network.run(1000)
  }
  assert.deepEqual(codesOf(a), ['PEER_LOST'])
  assert.ok(b.messages.length <= 21)
  assert.equal(a.sessions.count, 0)
})

test('a command for a session that has ended is ignored; one for a wrong state is a defect', () => {
  const { network, a, b } = createOpenPair()
  a.step({ type: 'close', session: 1 })
  for (const type of ['send', 'consumed', 'close'] as const) {
    a.step({ type, session: 1, message: Uint8Array.of(1), isBulk: false, bytes: 1 })
  }
  assert.throws(() => {
    a.step({ type: 'open', session: 2, target: b.name })
    a.step({ type: 'send', session: 2, message: Uint8Array.of(1), isBulk: false })
  }, /a session is open before it is used/)
  network.run(SECOND)
  assert.throws(
    () => a.step({ type: 'send', session: 2, message: new Uint8Array(0), isBulk: false }),
    /a message is not empty/,
  )
})
