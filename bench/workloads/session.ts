/**
 * Sessions between two nodes in one process: handshakes, small messages, bulk. Both ends share one
 * core, so a rate is what a core does for sealing and opening together.
 *
 * @module
 */
import { AEAD_TAG_BYTES } from '@longshore/capsule'
import { sealInPlace } from '@longshore/capsule/session-crypto'
import { type SessionEffect, type SessionEvent, Sessions } from '@longshore/engine'
import { createNodeIdentity, Prng, SimRuntime } from '@longshore/engine/testing'
import { rateOf, tightRateOf } from '../frame/measure.ts'
import type { Contender, Row } from '../frame/row.ts'

const SMALL_BYTES = 100
const BULK_BYTES = 1_048_576
const CHUNK_BYTES = 32_768
const SMALL_A_CALL = 64
const MEGABYTE = 1e6

interface Waiting {
  readonly to: number
  readonly event: SessionEvent
}

/** Two nodes whose datagrams reach each other at once and in order. */
class Couple {
  readonly nodes: readonly [Sessions, Sessions]
  readonly #names: ReturnType<typeof createNodeIdentity>['name'][]
  readonly #runtime: SimRuntime
  readonly #waiting: Waiting[] = []
  messageCount = 0
  openedCount = 0
  #nextSession = 1

  constructor() {
    const prng = new Prng(1)
    const runtime = new SimRuntime(prng.child())
    const create = () => {
      const identity = createNodeIdentity(prng)
      const sessions = new Sessions({ identity, runtime, accept: () => ({ chain: undefined }) })
      return { name: identity.name, sessions }
    }
    const [a, b] = [create(), create()]
    this.nodes = [a.sessions, b.sessions]
    this.#names = [a.name, b.name]
    this.#runtime = runtime
  }

  step(at: number, event: SessionEvent): void {
    this.#waiting.push({ to: at, event })
    for (let i = 0; i < this.#waiting.length; i++) {
      const { to, event: next } = this.#waiting[i] as Waiting
      this.#runtime.timeUs++
      for (const effect of (this.nodes[to] as Sessions).step(next)) this.#apply(to, effect)
    }
    this.#waiting.length = 0
  }

  #apply(at: number, effect: SessionEffect): void {
    if (effect.type === 'opened') this.openedCount++
    if (effect.type === 'message') {
      this.messageCount++
      const { session, message } = effect
      const event = { type: 'consumed', session, bytes: message.length } as const
      this.#waiting.push({ to: at, event })
    }
    if (effect.type !== 'datagram') return
    const [source, destination] = [this.#names[at], effect.destination]
    if (source === undefined) throw new Error('two nodes')
    const event = { type: 'deliver', source, destination, payload: effect.payload } as const
    this.#waiting.push({ to: 1 - at, event })
  }

  open(): number {
    const session = this.#nextSession++
    const target = this.#names[1]
    if (target === undefined) throw new Error('two nodes')
    this.step(0, { type: 'open', session, target })
    if (this.openedCount !== 2 * session) throw new Error('the session did not open')
    return session
  }

  close(session: number): void {
    this.step(0, { type: 'close', session })
    // Lingering sessions end.
    if (session % 64 !== 0) return
    this.#runtime.timeUs += 6_000_000
    for (const at of [0, 1]) this.step(at, { type: 'tick' })
  }
}

function sender(bytes: number, isBulk: boolean): () => void {
  const couple = new Couple()
  const session = couple.open()
  const message = new Uint8Array(bytes).fill(7)
  return () => {
    const before = couple.messageCount
    couple.step(0, { type: 'send', session, message, isBulk })
    if (couple.messageCount !== before + 1) {
      // An acknowledgement may be late; the clock brings it.
      for (const at of [0, 1]) couple.step(at, { type: 'tick' })
    }
  }
}

/** What sealing and opening alone would allow. */
function limitOf(bytes: number): () => void {
  const packet = new Uint8Array(bytes + AEAD_TAG_BYTES)
  const [key, associated] = [new Uint8Array(32), new Uint8Array(77)]
  let counter = 0
  return () => {
    sealInPlace(key, counter++, associated, packet, 0, bytes)
    sealInPlace(key, counter++, associated, packet, 0, bytes)
  }
}

function contender(
  name: string,
  role: Contender['role'],
  measure: Contender['measure'],
): Contender {
  return { name, role, durability: 'no disk', measure }
}

export const sessionRows: readonly Row[] = [
  {
    title: 'session opened and closed, both ends on one core',
    ...{ unit: 'handshakes/s', better: 'more' },
    bound: 'two X25519 agreements, four signatures verified, two made',
    contenders: async () => {
      const couple = new Couple()
      return [
        contender('longshore', 'longshore', (windowMs) =>
          rateOf(windowMs, 1, () => couple.close(couple.open())),
        ),
      ]
    },
  },
  {
    title: `urgent messages of ${SMALL_BYTES} B, both ends on one core`,
    ...{ unit: 'messages/s', better: 'more' },
    contenders: async () => {
      const send = sender(SMALL_BYTES, false)
      const seal = limitOf(SMALL_BYTES + 60)
      return [
        contender('longshore', 'longshore', (windowMs) =>
          tightRateOf(windowMs, SMALL_A_CALL, send),
        ),
        contender('seal twice, nothing else', 'limit', (windowMs) =>
          tightRateOf(windowMs, SMALL_A_CALL, seal),
        ),
      ]
    },
  },
  {
    title: 'bulk messages of 1 MiB, both ends on one core',
    ...{ unit: 'MB/s', better: 'more' },
    contenders: async () => {
      const send = sender(BULK_BYTES, true)
      const seal = limitOf(CHUNK_BYTES)
      return [
        contender('longshore', 'longshore', (windowMs) =>
          rateOf(windowMs, BULK_BYTES / MEGABYTE, send),
        ),
        contender('seal twice, nothing else', 'limit', (windowMs) =>
          rateOf(windowMs, CHUNK_BYTES / MEGABYTE, seal),
        ),
      ]
    },
  },
]
