/** Sessions over slow and narrow paths: what they send there, counted. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytesEqual } from '@longshore/capsule'
import { Prng } from '../testing/prng.ts'
import { SessionNetwork, type SessionNode } from './testing/session-network.ts'

const SECOND = 1_000_000
const MIB = 1_048_576

interface Path {
  readonly network: SessionNetwork
  readonly a: SessionNode
  readonly b: SessionNode
}

function createPath(latencyUs: number): Path {
  const network = new SessionNetwork(new Prng(1))
  network.weather = { latencyUs, jitterUs: 0, loss: 0, duplication: 0 }
  const path = { network, a: network.add(), b: network.add() }
  path.a.step({ type: 'open', session: 1, target: path.b.name })
  network.run(20 * latencyUs)
  assert.equal(path.b.opened.length, 1)
  return path
}

/** A router that passes so many bytes a second, and drops what its queue cannot hold. */
function narrow({ network, a, b }: Path, bytesPerSecond: number, queueBytes: number) {
  const counts = { sentBytes: 0, dropped: 0 }
  let freeUs = 0
  network.onSend = (datagram) => {
    if (!bytesEqual(datagram.source, a.name)) return true
    const { payload } = datagram
    counts.sentBytes += payload.length
    const { nowUs } = network.queue
    freeUs = Math.max(freeUs, nowUs)
    if (((freeUs - nowUs) * bytesPerSecond) / SECOND + payload.length > queueBytes) {
      counts.dropped++
      return false
    }
    freeUs += Math.ceil((payload.length * SECOND) / bytesPerSecond)
    network.queue.schedule(freeUs, () => network.inject(datagram))
    return false
  }
  b.onEffect = (effect) => {
    if (effect.type !== 'message') return
    const { session, message } = effect
    // After the step that hands it out.
    network.queue.schedule(network.queue.nowUs, () => {
      b.step({ type: 'consumed', session, bytes: message.length })
    })
  }
  return counts
}

test('SN19: over a path of three seconds nothing is sent more than a few times', () => {
  const { network, a, b } = createPath(1.5 * SECOND)
  let chunks = 0
  network.onSend = ({ source }) => {
    if (bytesEqual(source, a.name)) chunks++
    return true
  }
  for (let i = 0; i < 40; i++) {
    a.step({ type: 'send', session: 1, message: Uint8Array.of(i), isBulk: false })
    network.run(SECOND)
  }
  network.run(20 * SECOND)
  assert.equal(b.messages.length, 40)
  assert.ok(chunks < 100, `${chunks} packets for 40 messages`)
})

for (const [bytesPerSecond, queueBytes] of [
  [10 * MIB, 256 * 1024],
  [MIB, 128 * 1024],
  [MIB, 4 * MIB],
] as const) {
  const title = `${bytesPerSecond / 1024} KiB/s with a queue of ${queueBytes / 1024} KiB`
  test(`SN19: bulk through a router of ${title} is rarely sent twice`, () => {
    const path = createPath(5000)
    const counts = narrow(path, bytesPerSecond, queueBytes)
    const { network, a, b } = path
    const total = 24
    let sent = 0
    const begunUs = network.queue.nowUs
    while (b.messages.length < total) {
      if (sent < total && a.sessions.canSend(1, true)) {
        sent++
        a.step({ type: 'send', session: 1, message: new Uint8Array(MIB), isBulk: true })
      }
      network.run(1000)
      assert.ok(network.queue.nowUs - begunUs < 120 * SECOND, 'it ends')
    }
    const overhead = counts.sentBytes / (total * MIB)
    assert.ok(overhead < 1.2, `${overhead.toFixed(2)} times the content, ${counts.dropped} dropped`)
    const idealUs = (total * MIB * SECOND) / bytesPerSecond
    const elapsedUs = network.queue.nowUs - begunUs
    assert.ok(elapsedUs < 1.5 * idealUs, `${elapsedUs} us where ${idealUs} would do`)
  })
}

test('SN16: the longer nothing is missing, the more chunks an answer acknowledges', () => {
  const path = createPath(5000)
  narrow(path, 100 * MIB, 16 * MIB)
  const { network, a, b } = path
  let answers = 0
  const { onSend } = network
  network.onSend = (datagram) => {
    if (bytesEqual(datagram.source, b.name)) answers++
    return onSend?.(datagram) ?? true
  }
  const answersTo = (messages: number): number => {
    const [begun, before] = [b.messages.length, answers]
    for (let i = 0; i < messages; i++) {
      a.step({ type: 'send', session: 1, message: new Uint8Array(MIB), isBulk: true })
    }
    network.run(2 * SECOND)
    assert.equal(b.messages.length, begun + messages)
    return answers - before
  }
  const early = answersTo(4)
  const late = answersTo(4)
  // 32 chunks in a MiB: one answer for eight of them, and those that bring new credit.
  assert.ok(late < early / 2 && late <= 20, `${early} answers at first, then ${late}`)
})

test('SN19: a lost urgent message does not wait for the end of a bulk transfer', () => {
  const path = createPath(5000)
  narrow(path, 10 * MIB, 512 * 1024)
  const { network, a, b } = path
  for (let i = 0; i < 6; i++) {
    a.step({ type: 'send', session: 1, message: new Uint8Array(MIB), isBulk: true })
  }
  network.run(50_000)
  network.isParted = true
  a.step({ type: 'send', session: 1, message: Uint8Array.of(7), isBulk: false })
  network.run(80_000)
  network.isParted = false
  const before = network.queue.nowUs
  while (!b.messages.some(({ isBulk }) => !isBulk)) {
    network.run(1000)
    assert.ok(network.queue.nowUs - before < SECOND, 'the urgent message comes within a second')
  }
  assert.ok(b.messages.length < 7)
})

test('SN20: a peer to whom there is no way is tried now and then, and gets everything later', () => {
  const { network, a, b } = createPath(5000)
  let chunks = 0
  network.onSend = ({ source, destination }) => {
    if (!bytesEqual(source, a.name)) return false
    chunks++
    // The router next door.
    network.queue.schedule(network.queue.nowUs + 1000, () => {
      a.step({ type: 'unreachable', destination, code: 'NO_ROUTE', message: 'nobody' })
    })
    return false
  }
  const total = 400
  for (let i = 0; i < total; i++) {
    a.step({ type: 'send', session: 1, message: new Uint8Array(100), isBulk: true })
    network.run(50_000)
    // Links elsewhere come and go meanwhile.
    if (i % 20 === 0) a.step({ type: 'path-changed', destination: undefined })
  }
  assert.ok(chunks < 150, `${chunks} packets in 20 seconds`)
  network.onSend = () => true
  network.run(5 * SECOND)
  assert.equal(b.messages.length, total)
})
