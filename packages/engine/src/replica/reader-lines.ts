/**
 * What a reader has asked of its mirrors, by session and request id, and who hears the answer.
 *
 * @module
 */
import { decodeMessage, isControlMessage, type ReplicaMessage } from './messages.ts'
import type { SessionId } from './mirror-contract.ts'
import { send, type Unnumbered } from './mirror-sessions.ts'
import type { ReaderEffect } from './reader-contract.ts'
import type { EntriesVerifier } from './verify-entries.ts'

/** Hears the messages with one request id; a bulk message lies in the verifier's frame. */
export type Listener = (message: ReplicaMessage | Uint8Array) => ReaderEffect[]

interface Line {
  readonly listeners: Map<number, Listener>
  nextId: number
}

export class ReaderLines {
  readonly #verifier: EntriesVerifier
  readonly #lines = new Map<SessionId, Line>()
  #lastInTurn: SessionId = 0

  constructor(verifier: EntriesVerifier) {
    this.#verifier = verifier
  }

  get sessions(): SessionId[] {
    return [...this.#lines.keys()]
  }

  /** Each session in turn; undefined if there is none. */
  nextInTurn(): SessionId | undefined {
    const sessions = this.sessions.sort((a, b) => a - b)
    const next = sessions.find((session) => session > this.#lastInTurn) ?? sessions[0]
    this.#lastInTurn = next ?? 0
    return next
  }

  open(session: SessionId): void {
    this.#lines.set(session, { listeners: new Map(), nextId: 1 })
  }

  close(session: SessionId): void {
    this.#lines.delete(session)
  }

  has(session: SessionId): boolean {
    return this.#lines.has(session)
  }

  /** Request id of the next question. */
  nextId(session: SessionId): number | undefined {
    return this.#lines.get(session)?.nextId
  }

  ask(session: SessionId, question: Unnumbered, listener: Listener): ReaderEffect[] {
    const line = this.#lines.get(session)
    if (line === undefined) return []
    const id = line.nextId
    line.nextId += 2
    line.listeners.set(id, (answer) => {
      // A bulk message is never the last of an answer.
      const isLast = !(answer instanceof Uint8Array)
      if (isLast) line.listeners.delete(id)
      return listener(answer)
    })
    return [send(session, { ...question, id } as ReplicaMessage)]
  }

  /** What is still answered to this question is not heard any more. */
  ignore(session: SessionId, id: number): void {
    this.#lines.get(session)?.listeners.delete(id)
  }

  hear(session: SessionId, message: Uint8Array): ReaderEffect[] {
    const listeners = this.#lines.get(session)?.listeners
    if (isControlMessage(message)) {
      const decoded = decodeMessage(message)
      return listeners?.get(decoded.id)?.(decoded) ?? []
    }
    const { frame } = this.#verifier
    frame.read(message)
    return listeners?.get(frame.id)?.(message) ?? []
  }
}
