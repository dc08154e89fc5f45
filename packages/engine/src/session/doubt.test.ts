/** A node that was started anew, and whoever pretends that one was. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AEAD_TAG_BYTES, bytesEqual, encodeUtf8 } from '@longshore/capsule'
import { readUint32 } from '../store/disk/big-endian.ts'
import { Prng } from '../testing/prng.ts'
import { decodeUnknown, encodeUnknown, PACKET_SEALED, PACKET_UNKNOWN } from './packet.ts'
import { type Datagram, SessionNetwork, type SessionNode } from './testing/session-network.ts'

const SECOND = 1_000_000

interface Scene {
  readonly network: SessionNetwork
  readonly a: SessionNode
  readonly b: SessionNode
  /** Everything that was sent, as an observer on the path sees it. */
  readonly seen: Datagram[]
}

/** A session that a has opened to b, used once and idle. */
function createScene(seed = 1): Scene {
  const network = new SessionNetwork(new Prng(seed))
  const [a, b] = [network.add(), network.add()]
  const seen: Datagram[] = []
  network.onSend = (datagram) => {
    seen.push({ ...datagram, payload: datagram.payload.slice() })
    return true
  }
  a.step({ type: 'open', session: 1, target: b.name })
  network.run(SECOND)
  assert.deepEqual([a.opened.length, b.opened.length], [1, 1])
  const scene = { network, a, b, seen }
  send(scene, 'hello')
  network.run(SECOND)
  assert.equal(b.messages.splice(0).length, 1)
  return scene
}

function send({ a }: Scene, text: string): void {
  a.step({ type: 'send', session: 1, message: encodeUtf8(text), isBulk: false })
}

const typesFrom = ({ seen }: Scene, { name }: SessionNode): (number | undefined)[] =>
  seen.filter(({ source }) => bytesEqual(source, name)).map(({ payload }) => payload[0])

/** What b would say of the last packet of a. */
function unknownOf({ a, b, seen }: Scene): Datagram {
  const last = seen.findLast(({ source }) => bytesEqual(source, a.name)) as Datagram
  const tag = last.payload.slice(-AEAD_TAG_BYTES)
  const payload = encodeUnknown({ receiver: readUint32(last.payload, 1), tag })
  return { source: b.name, destination: a.name, payload }
}

test('SN27 SN28: a peer that was started anew is given up in a second, not in half a minute', () => {
  const scene = createScene()
  const { network, a, b } = scene
  b.restart()
  send(scene, 'are you there')
  network.run(SECOND)
  assert.deepEqual(
    a.closed.map(({ error }) => error?.code),
    ['PEER_LOST'],
  )
  a.step({ type: 'open', session: 2, target: b.name })
  network.run(SECOND)
  assert.equal(a.opened.at(-1)?.session, 2)
})

test('SN20 SN28: of a peer that was idle too, as soon as the path is back', () => {
  const scene = createScene()
  const { network, a, b } = scene
  b.restart()
  network.run(SECOND)
  assert.equal(a.closed.length, 0, 'nothing was sent to it')
  a.step({ type: 'path-changed', destination: b.name })
  network.run(SECOND)
  assert.deepEqual(
    a.closed.map(({ error }) => error?.code),
    ['PEER_LOST'],
  )
})

test('SN28: who only says so ends nothing, however often, although he sees every packet', () => {
  const scene = createScene()
  const { network, a, b } = scene
  for (let i = 0; i < 40; i++) {
    send(scene, `message ${i}`)
    network.inject(unknownOf(scene))
    network.run(100_000)
  }
  network.run(5 * SECOND)
  assert.deepEqual([a.closed.length, b.closed.length], [0, 0])
  assert.equal(b.messages.length, 40)
})

test('SN27: who has not seen a packet of the session is not even asked about', () => {
  const scene = createScene()
  const { network, a, b, seen } = scene
  const unknown = unknownOf(scene)
  const sent = seen.length
  for (let at = 1; at < unknown.payload.length; at++) {
    const payload = unknown.payload.slice()
    payload[at] = (payload[at] as number) ^ 1
    network.inject({ ...unknown, payload })
  }
  for (const length of [0, 1, 20, 22]) {
    const payload = new Uint8Array(length)
    payload.set(unknown.payload.subarray(0, length))
    network.inject({ ...unknown, payload })
  }
  network.inject({ ...unknown, source: a.name })
  network.inject({ ...unknown, destination: b.name })
  network.run(100_000)
  assert.equal(seen.length, sent)
  network.inject(unknown)
  assert.equal(seen.length, sent + 1, 'it was the true one that asks')
})

test('SN28: a path that is cut off is waited for as ever', () => {
  const scene = createScene()
  const { network, a } = scene
  network.isParted = true
  send(scene, 'into the void')
  network.run(25 * SECOND)
  assert.equal(a.closed.length, 0)
})

test('SN28: with three seconds to the other end, an answer is waited for that long', () => {
  const network = new SessionNetwork(new Prng(4))
  network.weather = { latencyUs: 1.5 * SECOND, jitterUs: 0, loss: 0, duplication: 0 }
  const [a, b] = [network.add(), network.add()]
  let last: Uint8Array | undefined
  network.onSend = ({ source, payload }) => {
    if (bytesEqual(source, a.name)) last = payload.slice()
    return true
  }
  a.step({ type: 'open', session: 1, target: b.name })
  network.run(20 * SECOND)
  for (let i = 0; i < 10; i++) {
    a.step({ type: 'send', session: 1, message: Uint8Array.of(i), isBulk: false })
    const tag = (last as Uint8Array).slice(-AEAD_TAG_BYTES)
    const payload = encodeUnknown({ receiver: readUint32(last as Uint8Array, 1), tag })
    network.inject({ source: b.name, destination: a.name, payload })
    network.run(SECOND)
  }
  network.run(20 * SECOND)
  assert.equal(a.closed.length, 0)
  assert.equal(b.messages.length, 10)
})

test('SN27: an answer is shorter than what it answers, never answers another, and is bounded', () => {
  const scene = createScene()
  const { network, a, b } = scene
  const sealed = new Uint8Array(54)
  sealed[0] = PACKET_SEALED
  scene.seen.length = 0
  for (let i = 0; i < 1000; i++) {
    sealed[1] = i
    network.inject({ source: a.name, destination: b.name, payload: sealed })
  }
  const answers = typesFrom(scene, b)
  assert.ok(answers.length > 0 && answers.length <= 256)
  assert.ok(answers.every((type) => type === PACKET_UNKNOWN))
  const { payload } = scene.seen[0] as Datagram
  assert.ok(payload.length < sealed.length)
  assert.deepEqual(decodeUnknown(payload).tag, sealed.slice(-AEAD_TAG_BYTES))
  network.run(SECOND)
  assert.equal(typesFrom(scene, a).filter((type) => type === PACKET_UNKNOWN).length, 0)
  // In the next second again, but not to what is too short to be sealed.
  scene.seen.length = 0
  network.inject({ source: a.name, destination: b.name, payload: sealed.slice(0, 28) })
  assert.deepEqual(typesFrom(scene, b), [])
  network.inject({ source: a.name, destination: b.name, payload: sealed })
  assert.deepEqual(typesFrom(scene, b), [PACKET_UNKNOWN])
})
