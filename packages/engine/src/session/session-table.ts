/**
 * The established sessions of a node: by the index that packets name, by their peers, and by the
 * time at which each has something to do.
 *
 * @module
 */
import { bytesEqual, type CapsuleName, formatHex } from '@longshore/capsule'
import { DueHeap } from './due-heap.ts'
import type { Session } from './session.ts'

export interface Established {
  readonly session: Session
  /** By which a `finish` that comes again is known; undefined for an initiator. */
  readonly finish: Uint8Array | undefined
}

const NONE: ReadonlySet<Session> = new Set()

export class SessionTable {
  readonly #established = new Map<number, Established>()
  /** By the name of the peer in hex. */
  readonly #byPeer = new Map<string, Set<Session>>()
  /** By the index that the peer gave; of two with the same one the later. */
  readonly #byPeerIndex = new Map<number, Session>()
  readonly #due = new DueHeap<Session>()

  get size(): number {
    return this.#established.size
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
    const known = this.#byPeer.get(peer) ?? new Set<Session>()
    this.#byPeer.set(peer, known.add(session))
    this.#byPeerIndex.set(session.peerIndex, session)
  }

  remove(session: Session): void {
    this.#established.delete(session.index)
    this.#due.remove(session)
    const peer = formatHex(session.peer.name)
    const known = this.#byPeer.get(peer)
    known?.delete(session)
    if (known?.size === 0) this.#byPeer.delete(peer)
    const { peerIndex } = session
    if (this.#byPeerIndex.get(peerIndex) === session) this.#byPeerIndex.delete(peerIndex)
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
    return this.#byPeer.get(formatHex(peer)) ?? NONE
  }

  /** The session to which packets for this index of the peer belong. */
  find(peer: CapsuleName, peerIndex: number): Session | undefined {
    const session = this.#byPeerIndex.get(peerIndex)
    return session !== undefined && bytesEqual(session.peer.name, peer) ? session : undefined
  }

  count(isMeant: (session: Session) => boolean): number {
    let count = 0
    for (const session of this.sessions()) if (isMeant(session)) count++
    return count
  }
}
