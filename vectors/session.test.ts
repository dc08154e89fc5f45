/** Sessions against the handshakes and packets of a second implementation: docs/spec/session.md. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  asCapsuleName,
  type CapsuleName,
  createSigner,
  openManifest,
  parseHex,
} from '@longshore/capsule'
import {
  type NodeIdentity,
  type Runtime,
  type SessionEffect,
  type SessionEvent,
  Sessions,
  type SessionsOptions,
} from '@longshore/engine'
import { bytesOf, checkCases, hexOf, readVectors } from './read-vectors.ts'

interface HandshakeFields {
  readonly kind: 'handshake'
  readonly initiatorManifest: string
  readonly initiatorSeed: string
  readonly initiatorSecret: string
  readonly initiatorIndex: number
  readonly responderManifest: string
  readonly responderSeed: string
  readonly responderSecret: string
  readonly responderIndex: number
  readonly target: string
  readonly chain: string | null
  readonly isAnonymous: boolean
  readonly rekeyPackets: number
  readonly init: string
  readonly reply: string
  readonly finish: string
  readonly confirmation: string
  readonly messages: readonly { message: string; isBulk: boolean; packet: string }[]
}

type Fields =
  | HandshakeFields
  | { readonly kind: 'reply'; readonly reply: string }
  | { readonly kind: 'sealed'; readonly packet: string }

const CASES = readVectors<Fields>('session')
const HANDSHAKES = CASES.filter((vector) => vector.kind === 'handshake')
const UNTIL_LATE_US = 11_000_000

/** The random numbers of the vector, in the order in which they are asked for. */
class ScriptedRuntime implements Runtime {
  readonly bootId: string = 'boot'
  timeUs = 1_790_000_000_000_000
  readonly #numbers: Uint8Array[]

  constructor(...numbers: Uint8Array[]) {
    this.#numbers = numbers
  }

  nowUs(): number {
    return this.timeUs
  }

  randomBytes(byteLength: number): Uint8Array {
    const next = this.#numbers.shift()
    assert.equal(next?.length, byteLength)
    return next?.slice() ?? new Uint8Array(0)
  }

  log(): void {}
}

interface End {
  readonly name: CapsuleName
  readonly runtime: ScriptedRuntime
  readonly sessions: Sessions
}

function createEnd(
  vector: HandshakeFields,
  role: 'initiator' | 'responder',
  accept: SessionsOptions['accept'],
): End {
  const { name, manifest, signed } = openManifest(bytesOf(vector[`${role}Manifest`]))
  const signer = createSigner(bytesOf(vector[`${role}Seed`]))
  const identity: NodeIdentity = {
    ...{ name, signedManifest: signed, manifest, identity: signer, mirror: signer },
  }
  const index = new Uint8Array(4)
  new DataView(index.buffer).setUint32(0, vector[`${role}Index`])
  const secret = bytesOf(vector[`${role}Secret`])
  const runtime = new ScriptedRuntime(new Uint8Array(32), index, secret)
  const channelLimits = { rekeyPackets: vector.rekeyPackets, counterMax: 2 ** 40 }
  return { name, runtime, sessions: new Sessions({ identity, runtime, accept, channelLimits }) }
}

function createEnds(vector: HandshakeFields): { a: End; b: End; open: SessionEvent } {
  const chain = vector.chain === null ? undefined : bytesOf(vector.chain)
  const target = asCapsuleName(bytesOf(vector.target))
  const { isAnonymous } = vector
  return {
    a: createEnd(vector, 'initiator', () => undefined),
    b: createEnd(vector, 'responder', () => ({ chain })),
    open: { type: 'open', session: 1, target, isAnonymous },
  }
}

function packetsOf(effects: readonly SessionEffect[]): string[] {
  return effects.flatMap((effect) => (effect.type === 'datagram' ? [hexOf(effect.payload)] : []))
}

function deliver(from: End, to: End, packet: string, destination = to.name): SessionEffect[] {
  const payload = parseHex(packet)
  assert.ok(payload !== undefined)
  return to.sessions.step({ type: 'deliver', source: from.name, destination, payload })
}

function codesOf(effects: readonly SessionEffect[]): (string | undefined)[] {
  return effects.flatMap((effect) => (effect.type === 'closed' ? [effect.error?.code] : []))
}

test('SN1 SN6 SN7 SN8 SN9 SN10 SN11 SN13 SN14 SN26: sessions give the bytes of the vectors', () => {
  checkCases(HANDSHAKES, (vector) => {
    const { a, b, open } = createEnds(vector)
    const target = asCapsuleName(bytesOf(vector.target))
    assert.deepEqual(packetsOf(a.sessions.step(open)), [vector.init])
    assert.deepEqual(packetsOf(deliver(a, b, vector.init, target)), [vector.reply])
    const atA = deliver(b, a, vector.reply)
    assert.deepEqual(packetsOf(atA), [vector.finish])
    const opened = atA.find(({ type }) => type === 'opened')
    assert.ok(opened?.type === 'opened')
    assert.equal(hexOf(opened.peer.chain ?? new Uint8Array(0)), vector.chain ?? '')
    const atB = deliver(a, b, vector.finish)
    assert.deepEqual(packetsOf(atB), [vector.confirmation])
    const accepted = atB.find(({ type }) => type === 'opened')
    assert.ok(accepted?.type === 'opened')
    assert.equal(accepted.peer.manifest === undefined, vector.isAnonymous)
    deliver(b, a, vector.confirmation)
    for (const { message, isBulk, packet } of vector.messages) {
      const bytes = bytesOf(message)
      const sent = a.sessions.step({ type: 'send', session: 1, message: bytes, isBulk })
      assert.deepEqual(packetsOf(sent), [packet])
      const got = deliver(a, b, packet).find(({ type }) => type === 'message')
      assert.ok(got?.type === 'message' && got.isBulk === isBulk)
      assert.equal(hexOf(got.message), message)
    }
  })
})

const [PLAIN] = HANDSHAKES

test('SN2 SN4 SN5 SN7 SN8: an initiator refuses every reply that is not the true one', () => {
  assert.ok(PLAIN !== undefined)
  const replies = CASES.filter((vector) => vector.kind === 'reply')
  checkCases(replies, ({ reply, code }) => {
    const { a, b, open } = createEnds(PLAIN)
    a.sessions.step(open)
    assert.deepEqual(packetsOf(deliver(b, a, reply)), [])
    a.runtime.timeUs += UNTIL_LATE_US
    assert.deepEqual(codesOf(a.sessions.step({ type: 'tick' })), [code])
  })
  checkCases(replies, ({ reply }) => {
    // It changed nothing: the true one is still accepted.
    const { a, b, open } = createEnds(PLAIN)
    a.sessions.step(open)
    deliver(b, a, reply)
    assert.deepEqual(packetsOf(deliver(b, a, PLAIN.reply)), [PLAIN.finish])
  })
})

test('SN14 SN15 SN16: a responder ends the session of an initiator that seals nonsense', () => {
  assert.ok(PLAIN !== undefined)
  const packets = CASES.filter((vector) => vector.kind === 'sealed')
  checkCases(packets, ({ packet, code }) => {
    const { a, b, open } = createEnds(PLAIN)
    a.sessions.step(open)
    deliver(a, b, PLAIN.init)
    deliver(a, b, PLAIN.finish)
    assert.deepEqual(codesOf(deliver(a, b, packet)), [code])
  })
})
