/**
 * The sessions of a mirror: what their peers push, and what the mirror has asked them.
 *
 * Whoever opened a session uses odd request ids, the other side even ones, so a message belongs to
 * one request. Rule MS3 of docs/spec/message.md.
 *
 * @module
 */
import {
  type BranchId,
  bytesEqual,
  type CapsuleName,
  formatHex,
  isLongshoreError,
  type LongshoreError,
  ProtocolError,
  UnavailableError,
} from '@longshore/capsule'
import { HeldMemory, PeerMemory } from '../runtime/held-memory.ts'
import { branchKey } from '../store/branch-key.ts'
import { REPLICA_LIMITS, type ReplicaLimits } from './limits.ts'
import { encodeMessage, type ReplicaMessage } from './messages.ts'
import type { MirrorEffect, SendEffect, SessionId, SessionPeer } from './mirror-contract.ts'
import type { PushedCopy } from './pushed-copy.ts'

/** A branch that a peer pushes. */
export interface Push {
  readonly session: SessionId
  readonly id: number
  readonly name: CapsuleName
  readonly branch: BranchId
  /** Of the last receipt that was sent. */
  receiptSize: number
  /** What is here is damaged: what comes is not stored, and shows what the peer holds. */
  readonly copy?: PushedCopy
}

/** What was asked of a peer: hears every message with its request id until it says that it ends. */
export type Answer = (message: ReplicaMessage | Uint8Array) => {
  readonly effects: MirrorEffect[]
  readonly isOver: boolean
}

export interface MirrorSession {
  readonly id: SessionId
  peer: SessionPeer
  readonly pushes: Map<number, Push>
  readonly asked: Map<number, Answer>
  nextId: number
  /** Of the chains that the peer has presented. */
  heldBytes: number
}

/** Request ids of one session, before it is to be opened anew. */
const REQUEST_ID_MAX = 4_294_967_290

export class MirrorSessions {
  readonly #sessions = new Map<SessionId, MirrorSession>()
  readonly #pushes = new Map<string, Set<Push>>()
  readonly #requestsMax: number
  readonly #presented: HeldMemory<MirrorSession>
  /** Of peers that have presented chains, by name in hex. */
  readonly #presentedBy = new Map<string, PeerMemory<MirrorSession>>()

  constructor(limits: ReplicaLimits) {
    this.#requestsMax = limits.requestsPerSessionMax
    this.#presented = new HeldMemory({
      heldPerPeerBytesMax: limits.presentedPerPeerBytesMax,
      heldBytesMax: limits.presentedBytesMax,
    })
  }

  open(id: SessionId, peer: SessionPeer, isInitiator: boolean): MirrorSession {
    const nextId = isInitiator ? 1 : 2
    const session = { id, peer, pushes: new Map(), asked: new Map(), nextId, heldBytes: 0 }
    this.#sessions.set(id, session)
    return session
  }

  get(id: SessionId): MirrorSession | undefined {
    return this.#sessions.get(id)
  }

  close(id: SessionId): void {
    const session = this.#sessions.get(id)
    if (session === undefined) return
    for (const push of session.pushes.values()) this.#forget(push)
    this.present(session, [])
    this.#sessions.delete(id)
  }

  /**
   * Keeps the chains that a peer presents, in place of those before. Returns the session that has
   * to end, if too much is kept. Who proves no name is shown nothing for chains.
   */
  present(session: MirrorSession, chains: readonly Uint8Array[]): MirrorSession | undefined {
    const { name } = session.peer
    if (name === undefined) return undefined
    const key = formatHex(name)
    const ofPeer = this.#presentedBy.get(key) ?? new PeerMemory(this.#presented)
    session.peer = { ...session.peer, chains }
    session.heldBytes = chains.reduce((bytes, chain) => bytes + chain.length, 0)
    ofPeer.count(session)
    if (ofPeer.heldBytes > 0) this.#presentedBy.set(key, ofPeer)
    else this.#presentedBy.delete(key)
    return this.#presented.surplus(ofPeer)
  }

  /** Bytes of all chains that peers have presented. */
  get presentedBytes(): number {
    return this.#presented.heldBytes
  }

  /** @throws {UnavailableError} `OVERLOADED` */
  addPush(session: MirrorSession, push: Push): void {
    if (session.pushes.size >= this.#requestsMax) {
      throw new UnavailableError('OVERLOADED', 'too many branches pushed at once')
    }
    session.pushes.set(push.id, push)
    const key = branchKey(push.name, push.branch)
    const pushes = this.#pushes.get(key) ?? new Set<Push>()
    pushes.add(push)
    this.#pushes.set(key, pushes)
  }

  endPush(session: MirrorSession, push: Push): void {
    session.pushes.delete(push.id)
    this.#forget(push)
  }

  get count(): number {
    return this.#sessions.size
  }

  get pushCount(): number {
    let count = 0
    for (const pushes of this.#pushes.values()) count += pushes.size
    return count
  }

  /** Ends all pushes into one capsule; returns what they were. */
  endPushesInto(name: CapsuleName): Push[] {
    const ended: Push[] = []
    for (const session of this.#sessions.values()) {
      for (const push of [...session.pushes.values()]) {
        if (!bytesEqual(push.name, name)) continue
        this.endPush(session, push)
        ended.push(push)
      }
    }
    return ended
  }

  /** Ends all pushes; returns what they were. */
  endAllPushes(): Push[] {
    const all = [...this.#pushes.values()].flatMap((pushes) => [...pushes])
    for (const session of this.#sessions.values()) session.pushes.clear()
    this.#pushes.clear()
    return all
  }

  pushesOf(name: CapsuleName, branch: BranchId): Iterable<Push> {
    return this.#pushes.get(branchKey(name, branch)) ?? []
  }

  /** A peer that answers nothing is not asked for ever. */
  mayAsk({ asked }: MirrorSession): boolean {
    return asked.size < this.#requestsMax
  }

  /** Asks the peer; `answer` hears what comes back. */
  ask(session: MirrorSession, message: Unnumbered, answer: Answer): MirrorEffect {
    const id = session.nextId
    if (id >= REQUEST_ID_MAX) throw new ProtocolError('PROTOCOL_ERROR', 'a session is used up')
    session.nextId += 2
    session.asked.set(id, answer)
    return send(session.id, { ...message, id } as ReplicaMessage)
  }

  #forget(push: Push): void {
    const key = branchKey(push.name, push.branch)
    const pushes = this.#pushes.get(key)
    pushes?.delete(push)
    if (pushes?.size === 0) this.#pushes.delete(key)
  }
}

/** A message that has no request id yet. */
export type Unnumbered = ReplicaMessage extends infer TMessage
  ? TMessage extends ReplicaMessage
    ? Omit<TMessage, 'id'>
    : never
  : never

export function send(session: SessionId, message: ReplicaMessage): SendEffect {
  return { type: 'send', session, message: encodeMessage(message), isBulk: false }
}

/** Credit for a message that is done with. */
export function consumed({ id }: MirrorSession, message: Uint8Array): MirrorEffect {
  return { type: 'consumed', session: id, bytes: message.length }
}

/** The end of a request that did not work out. Whatever is not an error of ours is thrown on. */
export function refuse(session: SessionId, id: number, error: unknown): SendEffect {
  return { type: 'send', session, message: encodeError(id, error), isBulk: false }
}

/** @throws what is not an error with a code: a defect of ours, which ends the process. */
function encodeError(id: number, error: unknown): Uint8Array {
  if (!isLongshoreError(error)) throw error
  const { code } = error
  const isBusy = code === 'OVERLOADED' || code === 'STORE_FULL'
  const retryAfterMs = isBusy ? REPLICA_LIMITS.retryAfterMs : null
  return encodeMessage({ kind: 'error', id, code, text: shortText(error), retryAfterMs })
}

function shortText({ message }: LongshoreError): string {
  // 170 code units are at most 510 bytes in UTF-8.
  return message.slice(0, 170).toWellFormed()
}
