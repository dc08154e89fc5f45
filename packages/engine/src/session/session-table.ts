/**
 * The established sessions of a node: by the index that packets name, by their peers, and by the
 * time at which each has something to do.
 *
 * @module
 */
import { type CapsuleName, formatHex } from '@longshore/capsule'
import { HeldMemory, PeerMemory } from '../runtime/held-memory.ts'
import { DueHeap } from './due-heap.ts'
import type { SessionLimits } from './limits.ts'
import type { Session } from './session.ts'

export interface Established {
  readonly session: Session
  /** By which a `finish` that comes again is known; undefined for an initiator. */
  readonly finish: Uint8Array | undefined
}

interface PeerSessions {
  readonly sessions: Set<Session>
  /** By the index that the peer gave; of two with the same one the later. */
  readonly byPeerIndex: Map<number, Session>
  readonly memory: PeerMemory<Session>
}

const NONE: ReadonlySet<Session> = new Set()

export class SessionTable {
  readonly #established = new Map<number, Established>()
  /** By the name of the peer in hex. */
  readonly #byPeer = new Map<string, PeerSessions>()
  readonly #due = new DueHeap<Session>()
  readonly #memory: HeldMemory<Session>

  constructor(limits: SessionLimits) {
    this.#memory = new HeldMemory(limits)
  }

  get size(): number {
    return this.#established.size
  }

  /** What all of them hold for their peers. */
  get heldBytes(): number {
    return this.#memory.heldBytes
  }

  /** For a session with this peer that is about to be added. */
  memoryOf(peer: CapsuleName): PeerMemory<Session> {
    return this.#byPeer.get(formatHex(peer))?.memory ?? new PeerMemory(this.#memory)
  }

  /** A session has changed: counts what it holds, and names the one that has to give way. */
  surplusAfter(session: Session): Session | undefined {
    session.memory.count(session)
    return this.#memory.surplus(session.memory)
  }

  has(index: number): boolean {
    return this.#established.has(index)
  }

  get(index: number): Established | undefined {
    return this.#established.get(index)
  }

  *sessions(): Iterable<Session> {
    for (const { session } of this.#established.values()) yield session
  }

  add(session: Session, finish: Uint8Array | undefined): void {
    this.#established.set(session.index, { session, finish })
    const peer = formatHex(session.peer.name)
    const { memory } = session
    const known = this.#byPeer.get(peer) ?? { sessions: new Set(), byPeerIndex: new Map(), memory }
    this.#byPeer.set(peer, known)
    known.sessions.add(session)
    known.byPeerIndex.set(session.peerIndex, session)
  }

  remove(session: Session): void {
    this.#established.delete(session.index)
    this.#due.remove(session)
    const peer = formatHex(session.peer.name)
    const known = this.#byPeer.get(peer)
    if (known === undefined) return
    known.sessions.delete(session)
    if (known.sessions.size === 0) this.#byPeer.delete(peer)
    const { byPeerIndex } = known
    if (byPeerIndex.get(session.peerIndex) === session) byPeerIndex.delete(session.peerIndex)
  }

  /** A session has changed; returns when it is to be looked at next. */
  plan(session: Session): number {
    const { nextUs } = session
    // What is due later than planned is looked at once too often, and not moved with every packet.
    if (nextUs < session.dueUs) this.#due.put(session, nextUs)
    return nextUs
  }

  /** When the first of them is to be looked at. */
  get dueUs(): number {
    return this.#due.first?.dueUs ?? Number.POSITIVE_INFINITY
  }

  /** Those that are to be looked at now; each is planned anew then. */
  takeDue(nowUs: number): Session[] {
    return this.#due.takeUntil(nowUs)
  }

  /** The sessions with a peer. */
  of(peer: CapsuleName): ReadonlySet<Session> {
    return this.#byPeer.get(formatHex(peer))?.sessions ?? NONE
  }

  /** The session to which packets for this index of the peer belong. */
  find(peer: CapsuleName, peerIndex: number): Session | undefined {
    return this.#byPeer.get(formatHex(peer))?.byPeerIndex.get(peerIndex)
  }

  count(isMeant: (session: Session) => boolean): number {
    let count = 0
    for (const session of this.sessions()) if (isMeant(session)) count++
    return count
  }
}
