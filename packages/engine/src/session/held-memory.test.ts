/** What sessions hold, counted together. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytesEqual } from '@longshore/capsule'
import { readUint32 } from '../store/disk/big-endian.ts'
import { Prng } from '../testing/prng.ts'
import { encodeUnknown, PACKET_SEALED } from './packet.ts'
import { SessionNetwork, type SessionNode } from './testing/session-network.ts'

const SECOND = 1_000_000
const KIB = 1024
const MESSAGE_BYTES = 256 * KIB
const LIMITS = { heldPerPeerBytesMax: 2048 * KIB, heldBytesMax: 4096 * KIB }
/** A bulk stream may have been given one message more. */
const BULK_MAX = 0.75 * LIMITS.heldPerPeerBytesMax + MESSAGE_BYTES

interface Scene {
  readonly network: SessionNetwork
  readonly node: SessionNode
  readonly peers: readonly SessionNode[]
  /** Most that the node has held after any packet. */
  readonly most: () => number
}

/** A node that consumes nothing, with small limits, and peers with so many sessions to it each. */
function createScene(sessionCounts: readonly number[]): Scene {
  const network = new SessionNetwork(new Prng(5))
  const node = network.add({ limits: LIMITS })
  let most = 0
  network.onSend = () => {
    most = Math.max(most, node.sessions.heldBytes)
    return true
  }
  const peers = sessionCounts.map((count) => {
    const peer = network.add()
    for (let session = 1; session <= count; session++) {
      peer.step({ type: 'open', session, target: node.name })
      network.run(SECOND)
    }
    assert.equal(peer.opened.length, count)
    return peer
  })
  return { network, node, peers, most: () => most }
}

function push({ network }: Scene, peer: SessionNode, session: number, count: number): void {
  for (let i = 0; i < count; i++) {
    const message = new Uint8Array(MESSAGE_BYTES).fill(session)
    peer.step({ type: 'send', session, message, isBulk: true })
  }
  network.run(SECOND)
}

/** Sessions that the node has given up, by who opened them. */
const givenUp = ({ node }: Scene, peer: SessionNode): number =>
  node.closed.filter(({ session, error }) => {
    assert.equal(error?.code, 'OVERLOADED')
    const opened = node.opened.find((effect) => effect.session === session)
    return opened !== undefined && bytesEqual(opened.peer.name, peer.name)
  }).length

test('SN29: a peer with many sessions gets no more room than one, and loses its fullest', () => {
  const scene = createScene([12, 1])
  const [many, one] = scene.peers as [SessionNode, SessionNode]
  push(scene, one, 1, 6)
  for (let session = 1; session <= 12; session++) push(scene, many, session, session === 5 ? 3 : 1)
  assert.ok(scene.most() <= LIMITS.heldPerPeerBytesMax + 6 * MESSAGE_BYTES, `${scene.most()}`)
  assert.equal(givenUp(scene, one), 0)
  assert.ok(givenUp(scene, many) > 0)
  assert.deepEqual(
    many.closed.map(({ error }) => error?.code),
    many.closed.map(() => 'OVERLOADED'),
  )
  assert.equal(many.closed[0]?.session, 5, 'the fullest first')
})

test('SN29: if all peers together hold too much, one that holds most gives way', () => {
  const scene = createScene([1, 1, 1, 1, 1, 1])
  const [honest, ...greedy] = scene.peers as [SessionNode, ...SessionNode[]]
  push(scene, honest, 1, 2)
  for (const peer of greedy) push(scene, peer, 1, 7)
  assert.ok(scene.most() <= LIMITS.heldBytesMax, `${scene.most()}`)
  assert.equal(givenUp(scene, honest), 0)
  assert.ok(greedy.some((peer) => givenUp(scene, peer) > 0))
})

test('SN29: parts of messages and chunks that came too early count, and are freed at the end', () => {
  const scene = createScene([1])
  const { network, node, peers } = scene
  const [peer] = peers as [SessionNode]
  const chunk = 32 * KIB
  let sent = 0
  network.onSend = ({ source, payload }) =>
    !(bytesEqual(source, peer.name) && payload.length > chunk) || sent++ % 4 !== 0
  peer.step({ type: 'send', session: 1, message: new Uint8Array(10 * chunk), isBulk: true })
  network.run(5000)
  assert.ok(node.sessions.heldBytes > 3 * chunk && node.messages.length === 0)
  const { session } = node.opened[0] as { session: number }
  node.step({ type: 'send', session, message: new Uint8Array(100), isBulk: false })
  peer.step({ type: 'close', session: 1 })
  network.run(20 * SECOND)
  assert.deepEqual([node.sessions.heldBytes, peer.sessions.heldBytes], [0, 0])
})

test('SN29: a session that was given up holds nothing while it lingers', () => {
  const scene = createScene([2])
  const { network, node, peers } = scene
  const [peer] = peers as [SessionNode]
  push(scene, peer, 1, 6)
  network.isParted = true
  network.run(2 * SECOND)
  const { session } = node.opened[0] as { session: number }
  node.step({ type: 'send', session, message: new Uint8Array(MESSAGE_BYTES), isBulk: true })
  assert.equal(node.sessions.heldBytes, 7 * MESSAGE_BYTES + 64)
  while (!node.closed.some((effect) => effect.session === session)) network.run(100_000)
  assert.equal(node.sessions.count, 2)
  assert.equal(node.sessions.heldBytes, 0)
})

test('SN29: bulk waits for room that other sessions of the peer take, and goes on with it', () => {
  const scene = createScene([4, 1])
  const { network, node, peers } = scene
  const [peer, other] = peers as [SessionNode, SessionNode]
  const sessionsOf = ({ name }: SessionNode): number[] =>
    node.opened.filter((effect) => bytesEqual(effect.peer.name, name)).map((e) => e.session)
  const message = new Uint8Array(MESSAGE_BYTES)
  const fill = (session: number): number => {
    let count = 0
    for (; node.sessions.canSend(session, true); count++) {
      node.step({ type: 'send', session, message, isBulk: true })
    }
    return count
  }
  network.isParted = true
  const [first, second, ...rest] = sessionsOf(peer) as [number, number, ...number[]]
  const counts = [first, second, ...rest].map(fill)
  assert.ok(node.sessions.heldBytes <= BULK_MAX + 64 * 12, `${node.sessions.heldBytes}`)
  assert.equal(node.closed.length, 0)
  assert.ok(counts[0] === 3 && counts[1] === 2, `${counts}`)
  assert.ok(fill(sessionsOf(other)[0] as number) > 0, 'another peer has its own')
  const writable: number[] = []
  node.onEffect = (effect) => void (effect.type === 'writable' && writable.push(effect.session))
  network.isParted = false
  network.run(10 * SECOND)
  assert.deepEqual(new Set(writable), new Set(node.opened.map(({ session }) => session)))
  assert.equal(node.sessions.heldBytes, 0)
})

test('SN29: a stream that holds nothing hears of room that a session without packets leaves', () => {
  const scene = createScene([3])
  const { network, node, peers } = scene
  const [peer] = peers as [SessionNode]
  push(scene, peer, 1, 7)
  const [full, waiting] = node.opened.map(({ session }) => session) as [number, number]
  assert.equal(node.sessions.canSend(waiting, true), false)
  const writable: number[] = []
  node.onEffect = (effect) => void (effect.type === 'writable' && writable.push(effect.session))
  node.step({ type: 'consumed', session: full, bytes: 7 * MESSAGE_BYTES })
  network.run(300_000)
  assert.deepEqual(writable, [waiting])
})

test('SN28: a peer that gives the index of another peer does not switch off its doubt', () => {
  const network = new SessionNetwork(new Prng(6))
  const node = network.add()
  const index = Uint8Array.of(1, 2, 3, 4)
  const peers = [network.add(), network.add()] as const
  let last: Uint8Array | undefined
  network.onSend = ({ source, destination, payload }) => {
    const isToFirst = bytesEqual(source, node.name) && bytesEqual(destination, peers[0].name)
    if (isToFirst && payload[0] === PACKET_SEALED) last = payload.slice()
    return true
  }
  for (const peer of peers) {
    const { randomBytes } = peer.runtime
    peer.runtime.randomBytes = (length) =>
      length === 4 ? index.slice() : randomBytes.call(peer.runtime, length)
    peer.step({ type: 'open', session: 1, target: node.name })
    network.run(SECOND)
  }
  const { session } = node.opened[0] as { session: number }
  node.step({ type: 'send', session, message: Uint8Array.of(1), isBulk: false })
  network.run(SECOND)
  assert.ok(last !== undefined)
  network.onSend = () => false
  const payload = encodeUnknown({ receiver: readUint32(last, 1), tag: last.slice(-16) })
  network.inject({ source: peers[0].name, destination: node.name, payload })
  network.run(5 * SECOND)
  assert.deepEqual(
    node.closed.map((effect) => [effect.session, effect.error?.code]),
    [[session, 'PEER_LOST']],
  )
})
