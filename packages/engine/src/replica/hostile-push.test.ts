import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeHead, type Head, MAIN_BRANCH, verifyEquivocation } from '@longshore/capsule'
import { MirrorHome, OPEN_POLICY } from '../testing/mirror-home.ts'
import { Prng } from '../testing/prng.ts'
import { PublisherHome } from '../testing/publisher-home.ts'
import { committedHead } from './committed-head.ts'
import { createSource, makeEntries } from './entries-source.ts'
import { REPLICA_LIMITS } from './limits.ts'
import { decodeMessage, encodeMessage, isControlMessage } from './messages.ts'
import { provePath } from './prove-path.ts'

/** A mirror with 300 entries of a capsule, and the messages that would bring 600 more. */
function createWorld(seed = 1) {
  const prng = new Prng(seed)
  const home = new PublisherHome(prng)
  const mirror = new MirrorHome(prng)
  home.append(300)
  home.connect(mirror, 1)
  home.exchange(mirror, 1)
  home.append(600)
  const messages: Uint8Array[] = []
  for (let more = home.publisher.work(); more.length > 0; more = home.publisher.work()) {
    for (const effect of more) if (effect.type === 'send') messages.push(effect.message)
  }
  mirror.effects.length = 0
  return { home, mirror, messages }
}

/** Codes of the errors that a session heard, and of what closed it; `home` answers meanwhile. */
function codes(mirror: MirrorHome, session: number, home?: PublisherHome): string[] {
  const heard: string[] = []
  for (let sent = mirror.sentTo(session); sent.length > 0; sent = mirror.sentTo(session)) {
    for (const bytes of sent.filter(isControlMessage)) {
      const message = decodeMessage(bytes)
      if (message.kind === 'error') heard.push(message.code)
      for (const effect of home?.publisher.receive(session, bytes) ?? []) {
        if (effect.type === 'send') mirror.receive(session, effect.message)
      }
    }
  }
  for (const effect of mirror.effects) {
    if (effect.type === 'close-session' && effect.session === session)
      heard.push(effect.error?.code ?? 'none')
  }
  return heard
}

function flip(message: Uint8Array, at: number): Uint8Array {
  const changed = message.slice()
  changed[at] = (changed[at] ?? 0) ^ 1
  return changed
}

function withHead(message: Uint8Array, head: Head): Uint8Array {
  const encoded = encodeHead(head)
  const before = new DataView(message.buffer, message.byteOffset).getUint16(5)
  const changed = new Uint8Array(message.length - before + encoded.length)
  changed.set(message.subarray(0, 5))
  new DataView(changed.buffer).setUint16(5, encoded.length)
  changed.set(encoded, 7)
  changed.set(message.subarray(7 + before), 7 + encoded.length)
  return changed
}

test('MI2 MI3 MS9: what a hostile pusher sends is refused with a code, and nothing of it is stored', () => {
  const foreign = createWorld(2)
  const foreignHead = foreign.home.driver.store.state(foreign.home.capsule.name, MAIN_BRANCH)?.head
  assert.ok(foreignHead)
  type Attack = (messages: readonly Uint8Array[]) => readonly Uint8Array[]
  const attacks: Readonly<Record<string, readonly [code: string, attack: Attack]>> = {
    'wrong package': ['ROOT_MISMATCH', ([a]) => [flip(a!, 250)]],
    'wrong proof': ['ROOT_MISMATCH', ([a]) => [replaceHash(a!)]],
    'wrong body': ['PAYLOAD_MISMATCH', ([a]) => [flip(a!, a!.length - 1)]],
    'a head of another capsule': ['BAD_SIGNATURE', ([a]) => [withHead(a!, foreignHead)]],
    'entries of another capsule': ['BAD_SIGNATURE', () => foreign.messages.slice(0, 1)],
    truncated: ['PROTOCOL_ERROR', ([a]) => [a!.subarray(0, a!.length - 1)]],
    'bytes behind': ['PROTOCOL_ERROR', ([a]) => [new Uint8Array([...a!, 0])]],
    reordered: ['PROTOCOL_ERROR', ([a, b]) => [b!, a!]],
    'a kind that is not known': ['PROTOCOL_ERROR', () => [new Uint8Array([7, 0, 0])]],
    'no bytes': ['PROTOCOL_ERROR', () => [new Uint8Array(0)]],
  }
  for (const [what, [code, attack]] of Object.entries(attacks)) {
    const { home, mirror, messages } = createWorld()
    for (const message of attack(messages)) mirror.receive(1, message)
    mirror.settle()
    assert.deepEqual(codes(mirror, 1, home).slice(0, 1), [code], what)
    assert.equal(mirror.store.state(home.capsule.name, MAIN_BRANCH)?.size, 300, what)
    // Nothing is kept of the sender's credit.
    let consumed = 0
    for (const effect of mirror.effects) if (effect.type === 'consumed') consumed += effect.bytes
    assert.ok(consumed >= (attack(messages)[0]?.length ?? 0), what)
  }
})

/** The first hash of the proof, changed. */
function replaceHash(message: Uint8Array): Uint8Array {
  const view = new DataView(message.buffer, message.byteOffset)
  const head = view.getUint16(5)
  const packageEnd = 7 + head + 14 + view.getUint32(7 + head + 10)
  return flip(message, packageEnd - 5)
}

test('MI2: what is sent twice is stored once', () => {
  const { home, mirror, messages } = createWorld()
  for (const message of messages) {
    mirror.receive(1, message)
    mirror.receive(1, message)
  }
  mirror.settle()
  for (const message of messages) mirror.receive(1, message)
  mirror.settle()
  assert.deepEqual(codes(mirror, 1), [])
  assert.equal(committedHead(mirror.store, home.capsule.name, MAIN_BRANCH)?.size, 900)
})

test('MI5: two histories are refused, and the evidence convicts', () => {
  for (const common of [0, 100, 256, 300]) {
    for (const otherSize of [common + 1, 350, 420]) {
      const [home, other] = [new PublisherHome(new Prng(3)), new PublisherHome(new Prng(3))]
      const mirror = new MirrorHome(new Prng(4))
      for (const { append } of [home, other].map((each) => ({ append: each.append.bind(each) }))) {
        if (common > 0) append(common, { payloadBytes: 5 })
      }
      home.append(350 - common, { payloadBytes: 6 })
      home.connect(mirror, 1)
      home.exchange(mirror, 1)
      other.append(otherSize - common, { payloadBytes: 7 })
      const { name } = home.capsule
      const source = createSource(other.driver.store, { name, branch: MAIN_BRANCH })
      const head = committedHead(other.driver.store, name, MAIN_BRANCH)
      assert.ok(head)
      mirror.connect(5)
      mirror.receive(5, encodeMessage({ kind: 'push', id: 1, name, branch: MAIN_BRANCH }))
      const start = otherSize > 350 ? 350 : 0
      const request = { id: 1, head: encodeHead(head), size: otherSize, start, end: otherSize }
      mirror.receive(5, makeEntries(source, { ...request, wantsBodies: true }).bytes)
      const what = `parted at ${common}, up to ${otherSize}`
      const heard: string[] = []
      for (let sent = mirror.sentTo(5); sent.length > 0; sent = mirror.sentTo(5)) {
        for (const message of sent.map(decodeMessage)) {
          if (message.kind === 'error') heard.push(message.code)
          if (message.kind !== 'consistency') continue
          const hashes = provePath(source.nodes, message.oldSize, message.newSize, otherSize)
          mirror.receive(5, encodeMessage({ kind: 'path', id: message.id, hashes }))
        }
      }
      assert.deepEqual(heard, ['EQUIVOCATION'], what)
      const evidence = mirror.effects.find((effect) => effect.type === 'evidence')
      assert.ok(evidence, what)
      const sizes = [350, otherSize].sort((a, b) => a - b)
      assert.deepEqual(verifyEquivocation(evidence.bytes).sizes, sizes)
      mirror.settle()
      assert.equal(mirror.store.state(name, MAIN_BRANCH)?.size, 350, what)
    }
  }
})

test('MI18 MI19: a flood of questions and pushes is answered with OVERLOADED', () => {
  const { home, mirror } = createWorld()
  const { name } = home.capsule
  const branch = MAIN_BRANCH
  mirror.connect(5)
  mirror.full.add(5)
  for (let i = 0; i < REPLICA_LIMITS.readsPerSessionMax + 1; i++) {
    const range = { start: 0, end: 300, size: 300, wantsBodies: true }
    mirror.receive(5, encodeMessage({ kind: 'range', id: 2 * i + 1, name, branch, ...range }))
  }
  assert.deepEqual(codes(mirror, 5), ['OVERLOADED'])
  mirror.connect(7)
  for (let i = 0; i < REPLICA_LIMITS.requestsPerSessionMax + 1; i++) {
    mirror.receive(7, encodeMessage({ kind: 'push', id: 2 * i + 1, name, branch }))
  }
  assert.deepEqual(codes(mirror, 7), ['OVERLOADED'])
})

test('MI7: no quota is answered before anything is taken', () => {
  const prng = new Prng(5)
  const home = new PublisherHome(prng)
  home.append(10)
  let bytesFree = 0
  const policy = { ...OPEN_POLICY, bytesFree: () => bytesFree }
  const mirror = new MirrorHome(prng, { policy })
  home.connect(mirror, 1)
  home.exchange(mirror, 1)
  assert.equal(mirror.store.manifest(home.capsule.name), undefined)
  const failed = home.effects.find((effect) => effect.type === 'failed')
  assert.equal((failed?.error as { code?: string } | undefined)?.code, 'QUOTA_EXCEEDED')
  bytesFree = 1_000_000
  home.take(home.publisher.retry(mirror.headLog.name))
  home.exchange(mirror, 1)
  assert.equal(mirror.store.state(home.capsule.name, MAIN_BRANCH)?.size, 10)
})

test('MI5: a peer that answers nothing is asked so many questions, and then refused', () => {
  const prng = new Prng(8)
  const home = new PublisherHome(prng)
  const mirror = new MirrorHome(prng, { limits: { requestsPerSessionMax: 4 } })
  home.append(300)
  home.connect(mirror, 1)
  home.exchange(mirror, 1)
  home.append(1)
  const place = { name: home.capsule.name, branch: MAIN_BRANCH }
  const head = committedHead(home.driver.store, place.name, MAIN_BRANCH)
  assert.ok(head)
  const source = createSource(home.driver.store, place)
  const request = { head: encodeHead(head), size: 301, start: 300, end: 301, wantsBodies: true }
  mirror.connect(5)
  for (let id = 1; id < 40; id += 2) {
    mirror.receive(5, encodeMessage({ kind: 'push', id, ...place }))
    mirror.receive(5, replaceHash(makeEntries(source, { id, ...request }).bytes))
  }
  const sent = mirror.sentTo(5).map((bytes) => decodeMessage(bytes))
  assert.equal(sent.filter(({ kind }) => kind === 'consistency').length, 4)
  const refused = sent.flatMap((message) => (message.kind === 'error' ? [message.code] : []))
  assert.deepEqual(refused, Array(16).fill('ROOT_MISMATCH'))
})
