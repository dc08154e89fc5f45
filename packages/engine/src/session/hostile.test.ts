/** What peers and strangers may send: nothing of it crashes, costs much, or is believed. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AEAD_TAG_BYTES, asCapsuleName, bytesEqual, encodeUtf8 } from '@longshore/capsule'
import { Prng } from '../testing/prng.ts'
import { OFFER } from './handshake.ts'
import { URGENT_MESSAGE_BYTES_MAX } from './limits.ts'
import {
  decodeInit,
  encodeInit,
  encodeRetry,
  encodeUnsupported,
  PACKET_FINISH,
  PACKET_INIT,
  PACKET_REPLY,
  PACKET_RETRY,
  PACKET_SEALED,
  PACKET_UNSUPPORTED,
} from './packet.ts'
import type { SessionsOptions } from './sessions.ts'
import { type Datagram, SessionNetwork, type SessionNode } from './testing/session-network.ts'

const SECOND = 1_000_000

interface Scene {
  readonly network: SessionNetwork
  readonly a: SessionNode
  readonly b: SessionNode
  readonly stranger: SessionNode
  /** Everything that was sent, as an observer on the path sees it. */
  readonly seen: Datagram[]
}

function createScene(ofB: Partial<SessionsOptions> = {}): Scene {
  const network = new SessionNetwork(new Prng(3))
  const seen: Datagram[] = []
  network.onSend = (datagram) => {
    seen.push({ ...datagram, payload: datagram.payload.slice() })
    return true
  }
  return { network, a: network.add(), b: network.add(ofB), stranger: network.add(), seen }
}

function openSession({ network, a, b }: Scene, session = 1): void {
  a.step({ type: 'open', session, target: b.name })
  network.run(SECOND)
  assert.equal(a.opened.at(-1)?.session, session)
}

const ofType = (seen: readonly Datagram[], type: number): Datagram => {
  const found = seen.find(({ payload }) => payload[0] === type)
  assert.ok(found !== undefined)
  return found
}

/** Nothing is open, lost or delivered that was not before. */
function assertUntouched({ a, b }: Scene, opened: number): void {
  assert.deepEqual([a.opened.length, b.opened.length], [opened, opened])
  assert.equal(a.closed.length + b.closed.length, 0)
}

test('SN12: packets that come again, all of them and in any order, do nothing again', () => {
  const scene = createScene()
  openSession(scene)
  const { network, a, b, seen } = scene
  for (let i = 0; i < 20; i++) {
    a.step({ type: 'send', session: 1, message: Uint8Array.of(i), isBulk: i % 3 === 0 })
    network.run(10_000)
  }
  const messages = b.messages.length
  assert.equal(messages, 20)
  const recorded = new Prng(9).shuffle([...seen, ...seen])
  for (const datagram of recorded) network.inject(datagram)
  network.run(SECOND)
  assertUntouched(scene, 1)
  assert.equal(b.messages.length, messages)
})

test('SN5 SN22: a handshake that is played again later opens nothing', () => {
  const scene = createScene()
  openSession(scene)
  const { network, a, b, seen } = scene
  const [init, finish] = [ofType(seen, PACKET_INIT), ofType(seen, PACKET_FINISH)]
  a.step({ type: 'close', session: 1 })
  network.run(60 * SECOND)
  assert.deepEqual([a.sessions.count, b.sessions.count], [0, 0])
  network.inject(init)
  network.inject(finish)
  network.run(20 * SECOND)
  assert.equal(b.opened.length, 1)
  assert.equal(b.sessions.count, 0)
})

test('SN11: a packet under another source or destination does not open', () => {
  const scene = createScene()
  openSession(scene)
  const { network, a, b, stranger } = scene
  const held: Datagram[] = []
  network.onSend = (datagram) => {
    held.push(datagram)
    return false
  }
  a.step({ type: 'send', session: 1, message: encodeUtf8('secret'), isBulk: false })
  const [packet] = held
  assert.ok(packet !== undefined)
  const refused = b.sessions.refusedCount
  network.inject({ ...packet, source: stranger.name })
  const { payload } = packet
  const other = asCapsuleName(new Uint8Array(32).fill(1))
  b.step({ type: 'deliver', source: a.name, destination: other, payload: payload.slice() })
  assert.equal(b.sessions.refusedCount, refused + 2)
  assert.equal(b.messages.length, 0)
  network.inject(packet)
  assert.equal(b.messages.length, 1)
})

test('SN11: a packet of one session does not open in another one of the same nodes', () => {
  const scene = createScene()
  openSession(scene, 1)
  openSession(scene, 2)
  const { network, a, b } = scene
  const held: Datagram[] = []
  network.onSend = (datagram) => {
    held.push(datagram)
    return false
  }
  for (const session of [1, 2]) {
    a.step({ type: 'send', session, message: encodeUtf8('x'), isBulk: false })
  }
  const [first, second] = held.map(({ payload }) => payload)
  assert.ok(first !== undefined && second !== undefined)
  const crossed = first.slice()
  crossed.set(second.subarray(1, 5), 1)
  network.inject({ source: a.name, destination: b.name, payload: crossed })
  assert.equal(b.messages.length, 0)
})

test('SN2 SN10: every packet with one bit changed is dropped', () => {
  const scene = createScene()
  const { network, a, b } = scene
  const prng = new Prng(4)
  network.onSend = ({ source, destination, payload }) => {
    for (let i = 0; i < 10; i++) {
      const changed = payload.slice()
      const at = prng.below(8 * changed.length)
      changed[at >> 3] = (changed[at >> 3] as number) ^ (1 << (at & 7))
      // An init that asks for another index is an init of somebody else.
      if (payload[0] !== PACKET_INIT) network.inject({ source, destination, payload: changed })
    }
    return true
  }
  openSession(scene)
  a.step({ type: 'send', session: 1, message: encodeUtf8('whole'), isBulk: true })
  network.run(SECOND)
  assertUntouched(scene, 1)
  assert.deepEqual(b.messages[0]?.message, encodeUtf8('whole'))
})

test('SN1 SN2: every packet that is cut off, and noise of every type, is dropped', () => {
  const scene = createScene()
  openSession(scene)
  const { network, a, b, seen } = scene
  const prng = new Prng(5)
  const refused = b.sessions.refusedCount + a.sessions.refusedCount
  const packets = [...seen]
  for (const { payload } of packets) {
    for (let length = 0; length < payload.length; length += 3) {
      for (const [source, destination] of [
        [a, b],
        [b, a],
      ] as const) {
        const cut = payload.slice(0, length)
        network.inject({ source: source.name, destination: destination.name, payload: cut })
      }
    }
  }
  for (let i = 0; i < 500; i++) {
    const payload = prng.bytes(prng.below(300))
    payload[0] = i % 9
    network.inject({ source: a.name, destination: b.name, payload })
  }
  network.run(SECOND)
  assertUntouched(scene, 1)
  assert.ok(b.sessions.refusedCount + a.sessions.refusedCount > refused + 1000)
})

test('SN9: an initiator that proves another name than it comes from is refused', () => {
  const scene = createScene()
  const { network, a, b, stranger } = scene
  // The stranger relays everything under its own name.
  network.onSend = ({ source, destination, payload }) => {
    if (source === a.name) {
      network.inject({ source: stranger.name, destination, payload })
      return false
    }
    if (destination === stranger.name) {
      network.inject({ source, destination: a.name, payload })
      return false
    }
    return true
  }
  a.step({ type: 'open', session: 1, target: b.name })
  network.run(20 * SECOND)
  assert.equal(b.opened.length, 0)
})

test('SN4: nobody talks an initiator down, and none that we cannot speak with waits in vain', () => {
  const scene = createScene()
  const { network, a, b, seen } = scene
  network.onSend = (datagram) => {
    seen.push(datagram)
    return false
  }
  a.step({ type: 'open', session: 1, target: b.name })
  const { ephemeral, index } = decodeInit(ofType(seen, PACKET_INIT).payload)
  const tell = (offer: typeof OFFER, key = ephemeral): void => {
    const payload = encodeUnsupported({ receiver: index, ephemeral: key, offer })
    a.step({ type: 'deliver', source: b.name, destination: a.name, payload })
  }
  tell(OFFER)
  tell({ versions: [1, 2], suites: [1] })
  tell({ versions: [9], suites: [9] }, new Uint8Array(32))
  assert.equal(a.closed.length, 0)
  tell({ versions: [2], suites: [1] })
  assert.equal(a.closed[0]?.error?.code, 'PROTOCOL_VERSION')

  const offer = { versions: [7], suites: [1] }
  const init = encodeInit({ ephemeral, index, offer, cookie: new Uint8Array(0) })
  b.step({ type: 'deliver', source: a.name, destination: b.name, payload: init })
  assert.equal(seen.at(-1)?.payload[0], PACKET_UNSUPPORTED)
})

/** `count` handshakes that nobody will finish. */
function flood({ b, network, stranger }: Scene, count: number, source = stranger.name): number {
  const prng = new Prng(6)
  let answers = 0
  const { onSend } = network
  network.onSend = ({ payload }) => {
    if (payload[0] === PACKET_REPLY) answers++
    return false
  }
  for (let i = 0; i < count; i++) {
    const init = { ephemeral: prng.bytes(32), index: i, offer: OFFER, cookie: new Uint8Array(0) }
    const payload = encodeInit(init)
    b.step({ type: 'deliver', source, destination: b.name, payload })
  }
  network.onSend = onSend
  return answers
}

test('SN23: of one source a few handshakes are kept; others get theirs', () => {
  const scene = createScene()
  assert.equal(flood(scene, 1000), 16)
  openSession(scene)
})

test('SN3: under a flood from many names a true initiator shows its cookie and gets in', () => {
  const scene = createScene()
  const prng = new Prng(7)
  let answers = 0
  for (let i = 0; i < 100; i++) answers += flood(scene, 1, asCapsuleName(prng.bytes(32)))
  assert.equal(answers, 64)
  openSession(scene)
  const retry = ofType(scene.seen, PACKET_RETRY)
  assert.ok(retry.payload.length < 64)
  assert.equal(scene.seen.filter(({ payload }) => payload[0] === PACKET_INIT).length, 2)
})

test('SN3: a cookie is good for one name, one key and two minutes', () => {
  const scene = createScene({ limits: { cookieFromHalfOpen: 0, handshakeUs: 300 * SECOND } })
  const { network, a, b, stranger, seen } = scene
  openSession(scene)
  const init = seen.filter(({ payload }) => payload[0] === PACKET_INIT)[1]
  assert.ok(init !== undefined)
  const replies = () => seen.filter(({ payload }) => payload[0] === PACKET_REPLY).length
  const { ephemeral, index, cookie } = decodeInit(init.payload)
  const ask = (source: SessionNode, key: Uint8Array): number => {
    const payload = encodeInit({ ephemeral: key, index: index ^ 1, offer: OFFER, cookie })
    const before = replies()
    b.step({ type: 'deliver', source: source.name, destination: b.name, payload })
    return replies() - before
  }
  assert.equal(ask(stranger, ephemeral), 0)
  assert.equal(ask(a, new Uint8Array(32).fill(9)), 0)
  network.run(121 * SECOND)
  assert.equal(ask(a, ephemeral), 0)
})

test('SN3: retries without end, and those for another key, lead an initiator nowhere', () => {
  const scene = createScene()
  const { network, a, b, seen } = scene
  network.onSend = (datagram) => {
    seen.push(datagram)
    return false
  }
  a.step({ type: 'open', session: 1, target: b.name })
  const { ephemeral, index } = decodeInit(ofType(seen, PACKET_INIT).payload)
  for (let i = 0; i < 100; i++) {
    const cookie = new Uint8Array(16).fill(i)
    const payload = encodeRetry({ receiver: index, ephemeral, cookie })
    a.step({ type: 'deliver', source: b.name, destination: a.name, payload })
    const forged = encodeRetry({ receiver: index, ephemeral: new Uint8Array(32), cookie })
    a.step({ type: 'deliver', source: b.name, destination: a.name, payload: forged })
  }
  assert.equal(seen.length, 1 + 8)
})

test('SN22: an init that comes again gets the same reply and no second place', () => {
  const scene = createScene({ limits: { halfOpenPerPeerMax: 1 } })
  const { network, a, b, seen } = scene
  network.onSend = (datagram) => {
    seen.push({ ...datagram, payload: datagram.payload.slice() })
    return datagram.payload[0] === PACKET_INIT
  }
  a.step({ type: 'open', session: 1, target: b.name })
  network.run(3 * SECOND)
  const replies = seen.filter(({ payload }) => payload[0] === PACKET_REPLY)
  assert.ok(replies.length > 2)
  for (const { payload } of replies) assert.deepEqual(payload, replies[0]?.payload)
})

test('SN10: forged sealed packets cost the session nothing', () => {
  const scene = createScene()
  openSession(scene)
  const { network, a, b, seen } = scene
  const sealed = ofType(
    seen.filter(({ destination }) => destination === a.name),
    PACKET_SEALED,
  )
  const prng = new Prng(8)
  for (let i = 0; i < 2000; i++) {
    const payload = prng.bytes(13 + AEAD_TAG_BYTES + prng.below(200))
    payload.set(sealed.payload.subarray(0, 5))
    // Counters near, far and beyond what is exact.
    payload.fill(0, 5, 5 + prng.below(8))
    network.inject({ source: b.name, destination: a.name, payload })
  }
  assertUntouched(scene, 1)
  a.step({ type: 'send', session: 1, message: encodeUtf8('fine'), isBulk: false })
  network.run(SECOND)
  assert.equal(b.messages.length, 1)
})

test('SN18: a peer that asks and takes no answers ends its own session, and nothing else', () => {
  const network = new SessionNetwork(new Prng(3))
  const [asker, other, node] = [network.add(), network.add(), network.add()]
  asker.step({ type: 'open', session: 1, target: node.name })
  other.step({ type: 'open', session: 1, target: node.name })
  network.run(1_000_000)
  network.onSend = ({ destination }) => !bytesEqual(destination, asker.name)
  node.onEffect = (effect) => {
    if (effect.type !== 'message') return
    const answer = new Uint8Array(URGENT_MESSAGE_BYTES_MAX).fill(1)
    node.step({ type: 'send', session: effect.session, message: answer, isBulk: false })
  }
  for (let i = 0; i < 12; i++) {
    asker.step({ type: 'send', session: 1, message: Uint8Array.of(i), isBulk: false })
  }
  other.step({ type: 'send', session: 1, message: Uint8Array.of(0), isBulk: false })
  network.run(1_000_000)
  assert.deepEqual(
    node.closed.map(({ error }) => error?.code),
    ['OVERLOADED'],
  )
  assert.equal(other.messages.length, 1)
  assert.equal(other.closed.length, 0)
})
