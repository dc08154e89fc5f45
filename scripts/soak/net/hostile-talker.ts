/**
 * Somebody with a real session to a mirror who says what no honest peer says: damaged requests,
 * bulk messages that nobody asked for, thousands of questions at once. When the mirror hangs up it
 * comes back.
 *
 * @module
 */
import { type CapsuleName, MAIN_BRANCH, type Ticket } from '@longshore/capsule'
import { encodeMessage, type ReplicaMessage, type Service } from '@longshore/engine'
import type { Prng } from '@longshore/engine/testing'
import { mutate } from '../../fuzz/mutate.ts'
import { BareNode } from './bare-node.ts'

export interface HostileTalkerOptions {
  readonly prng: Prng
  readonly router: Ticket
  readonly mirror: CapsuleName
  /** The mirror has it. */
  readonly capsule: CapsuleName
}

const MESSAGES_PER_TURN = 20
const TURN_MS = 20
const BULK_BYTES_MAX = 100_000

export class HostileTalker {
  messages = 0
  sessions = 0
  readonly #options: HostileTalkerOptions
  readonly #node: BareNode
  readonly #open = new Set<number>()
  readonly #talking: NodeJS.Timeout

  constructor(options: HostileTalkerOptions) {
    this.#options = options
    const { prng, router, mirror } = options
    this.#node = new BareNode([this.#service()], { prng, join: router })
    this.#node.run([{ type: 'open-session', target: mirror }])
    this.#talking = setInterval(() => this.#talk(), TURN_MS)
  }

  async close(): Promise<void> {
    clearInterval(this.#talking)
    await this.#node.close()
  }

  #service(): Service {
    return {
      opened: (session) => {
        this.sessions++
        this.#open.add(session)
        return []
      },
      closed: (session) => {
        this.#open.delete(session)
        return []
      },
      receive: (session, message) => [{ type: 'consumed', session, bytes: message.length }],
      wants: () => true,
    }
  }

  #talk(): void {
    const { prng } = this.#options
    for (const session of this.#open) {
      for (let i = 0; i < MESSAGES_PER_TURN; i++) {
        const isBulk = prng.chance(0.3)
        if (!this.#open.has(session) || !this.#node.canSend(session, isBulk)) break
        this.messages++
        const message = isBulk ? this.#bulk() : this.#request()
        this.#node.run([{ type: 'send', session, message, isBulk }])
      }
    }
  }

  #bulk(): Uint8Array {
    const { prng } = this.#options
    const bytes = prng.bytes(1 + prng.below(BULK_BYTES_MAX))
    bytes[0] = prng.pick([1, 2, 3])
    return bytes
  }

  /** Valid ones are as many as the damaged: a flood of questions is an attack, too. */
  #request(): Uint8Array {
    const { prng, capsule } = this.#options
    const name = prng.chance(0.8) ? capsule : (prng.bytes(32) as CapsuleName)
    const place = { name, branch: MAIN_BRANCH }
    const id = prng.below(1000)
    const numbers = { start: prng.below(10), end: prng.below(1000), size: prng.below(1000) }
    const request = prng.pick<ReplicaMessage>([
      { kind: 'open', id, ...place },
      { kind: 'push', id, ...place },
      { kind: 'range', id, ...place, ...numbers, wantsBodies: true },
      { kind: 'follow', id, ...place, size: numbers.size },
      { kind: 'bodies', id, ...place, indices: [0, 1, 2] },
      { kind: 'consistency', id, ...place, oldSize: numbers.start, newSize: numbers.size },
      { kind: 'cosign', id, ...place },
      { kind: 'offer', id, manifest: prng.bytes(200), chain: prng.bytes(200) },
      { kind: 'present', id, chains: [prng.bytes(100)] },
    ])
    const bytes = encodeMessage(request)
    const damaged = prng.chance(0.5) ? bytes : mutate(bytes, prng, [bytes])
    // A session carries no empty message.
    return damaged.length > 0 ? damaged : bytes
  }
}
