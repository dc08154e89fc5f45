/**
 * Peers that ask for more than a mirror answers at a time, take none of the answers, and ask on:
 * each question too many is refused, for less than an answer takes.
 *
 * @module
 */
import { setTimeout as pause } from 'node:timers/promises'
import { type CapsuleName, MAIN_BRANCH } from '@longshore/capsule'
import { createNodeRuntime, type Network, openNodeNetwork } from '@longshore/client/node'
import { decodeMessage, encodeMessage, type Service } from '@longshore/engine'
import type { NodeProcess } from '../node-process.ts'
import type { PushClient, PushTarget } from '../push-client.ts'
import { type Field, openClients, pace } from './field.ts'

const SERVICE = 'asker'
const PEERS = 4
/** More than a mirror keeps open for one session. */
const OPEN_QUESTIONS = 80
/** Until the windows are full of answers that nobody takes. */
const FILL_MS = 1000
const QUESTIONS_PER_SECOND_OF_RUN = 500
const QUESTIONS_MAX = 40_000
const LOOK_MS = 10
const ANSWER_MS_MAX = 60_000
/** Half of the windows of all peers, so that no answer ever ends. */
const ASKED_BYTES = 4_000_000

export async function floodWithQuestions(field: Field): Promise<Record<string, string>> {
  const { target, mirror, seconds } = field
  const clients = await openClients(field, 1)
  const [client] = clients as [PushClient]
  await pace(field, clients, ASKED_BYTES)
  const asked = { name: client.name, size: client.entries }
  const create = (isTaking: boolean, end: number): Asker =>
    new Asker({ target, asked: { ...asked, end, isTaking } })
  const askers = Array.from({ length: PEERS }, () => create(false, client.entries))
  const honest = [create(true, 1)]
  try {
    await Promise.all(askers.map((asker) => asker.ask(OPEN_QUESTIONS)))
    await pause(FILL_MS)
    const count = Math.min(QUESTIONS_MAX, seconds * QUESTIONS_PER_SECOND_OF_RUN)
    const refused = await costOf(mirror, askers, count)
    const refusals = refusalsOf(askers)
    if (refusals < count) throw new Error(`${refusals} of ${count} questions too many were refused`)
    const answered = await costOf(mirror, honest, count)
    const text = `${refusals} refused with OVERLOADED, for ${refused} us of a processor each`
    if (refused > answered) throw new Error(`${text}; an answer takes ${answered} us`)
    return { 'questions too many': `${text}; an answer with one entry takes ${answered} us` }
  } finally {
    for (const asker of [...askers, ...honest]) await asker.close()
    await client.close()
  }
}

/** Microseconds of the mirror's processor for each of so many questions. */
async function costOf(
  mirror: NodeProcess,
  askers: readonly Asker[],
  count: number,
): Promise<number> {
  const startCpuS = mirror.cpuS
  await Promise.all(askers.map((asker) => asker.ask(count / askers.length)))
  await settled(askers)
  return Math.round(((mirror.cpuS - startCpuS) * 1e6) / count)
}

const refusalsOf = (askers: readonly Asker[]): number =>
  askers.reduce((sum, { refusals }) => sum + refusals, 0)

/** No question of the second kind is open. */
async function settled(askers: readonly Asker[]): Promise<void> {
  const endMs = performance.now() + ANSWER_MS_MAX
  while (askers.some(({ unanswered }) => unanswered > OPEN_QUESTIONS)) {
    if (performance.now() > endMs) throw new Error('questions are neither answered nor refused')
    await pause(LOOK_MS)
  }
}

interface AskerOptions {
  readonly target: PushTarget
  readonly asked: {
    readonly name: CapsuleName
    readonly size: number
    /** For the entries below it, each time. */
    readonly end: number
    /** What comes is taken, and not too much is asked for at a time. */
    readonly isTaking: boolean
  }
}

class Asker {
  refusals = 0
  /** Asked and not refused. */
  unanswered = 0
  readonly #options: AskerOptions
  readonly #network: Network
  readonly #session = Promise.withResolvers<number>()
  #lastId = -1
  #isOpen = false
  #hasLost = false

  constructor(options: AskerOptions) {
    this.#options = options
    const { target } = options
    const tickets = [target.ticket]
    this.#network = openNodeNetwork({ runtime: createNodeRuntime(), tickets, sessionLimits: {} })
    this.#network.add(SERVICE, this.#service(), () => {})
    this.#network.run(SERVICE, [{ type: 'open-session', target: target.name }])
  }

  async ask(count: number): Promise<void> {
    const session = await this.#session.promise
    const { name, end, size, isTaking } = this.#options.asked
    const place = { name, branch: MAIN_BRANCH, start: 0, end, size, wantsBodies: true }
    for (let left = count; left > 0; left--) {
      const isFull = (): boolean => isTaking && this.unanswered >= OPEN_QUESTIONS / 2
      while (isFull() || !this.#network.engine.sessions.canSend(session, false)) {
        if (this.#hasLost) throw new Error('a session with too many questions is lost')
        await pause(LOOK_MS)
      }
      this.#lastId += 2
      const message = encodeMessage({ kind: 'range', id: this.#lastId, ...place })
      this.unanswered++
      this.#network.run(SERVICE, [{ type: 'send', session, message, isBulk: false }])
    }
  }

  async close(): Promise<void> {
    await this.#network.close()
  }

  #service(): Service {
    return {
      opened: (session) => {
        this.#isOpen = true
        this.#session.resolve(session)
        return []
      },
      closed: () => {
        this.#hasLost = this.#isOpen
        return []
      },
      receive: (session, message) => {
        const isContent = (message[0] ?? 0) < 0x80
        if (!isContent) this.#answered(message)
        // Content that is not taken gives no credit back.
        else if (!this.#options.asked.isTaking) return []
        return [{ type: 'consumed', session, bytes: message.length }]
      },
      // Until the link to the mirror is up nobody can be reached.
      wants: () => !this.#isOpen,
    }
  }

  #answered(message: Uint8Array): void {
    const answer = decodeMessage(message)
    this.unanswered--
    if (answer.kind === 'end') return
    const isMeant = answer.kind === 'error' && answer.code === 'OVERLOADED'
    if (!isMeant || answer.retryAfterMs === null) throw new Error(`an answer: ${answer.kind}`)
    this.refusals++
  }
}
