/**
 * All sessions of one node: finds the session of a packet, answers handshakes, keeps the time.
 *
 * A session is authenticated end to end, encrypted, reliable, in order within each of its two
 * streams, and independent of the path. What does not verify is dropped and counted, and changes
 * nothing. Rules of docs/spec/session.md.
 *
 * @module
 */
import {
  assert,
  bytesEqual,
  type CapsuleName,
  isLongshoreError,
  type LongshoreError,
  ProtocolError,
  UnavailableError,
  X25519_BYTES,
} from '@longshore/capsule'
import type { NodeIdentity } from '../node/principal.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { SpareMemory } from '../runtime/spare-memory.ts'
import { SteadyClock } from '../runtime/steady-clock.ts'
import { readUint32 } from '../store/disk/big-endian.ts'
import {
  ACCEPTED_SESSION_FIRST,
  type Acceptance,
  type Emit,
  type SessionEffect,
  type SessionEvent,
  type SessionId,
} from './events.ts'
import { COOKIE_SECRET_BYTES, type HalfOpen, HalfOpenTable } from './half-open.ts'
import { type Agreement, Responder } from './handshake.ts'
import { SESSION_LIMITS, type SessionLimits } from './limits.ts'
import { Opening } from './opening.ts'
import {
  decodeFinish,
  decodeInit,
  decodeReply,
  decodeRetry,
  decodeUnknown,
  decodeUnsupported,
  type InitPacket,
  PACKET_FINISH,
  PACKET_INIT,
  PACKET_REPLY,
  PACKET_RETRY,
  PACKET_SEALED,
  PACKET_UNKNOWN,
  PACKET_UNSUPPORTED,
  refused,
  SEALED_HEADER_BYTES,
} from './packet.ts'
import { CHANNEL_LIMITS, type ChannelLimits, createChannels } from './sealed-channel.ts'
import { Session } from './session.ts'
import { SessionTable } from './session-table.ts'
import { UnknownAnswers } from './unknown-answers.ts'

export interface SessionsOptions {
  readonly identity: NodeIdentity
  readonly runtime: Runtime
  /** Whether this node answers for a name, and with which chain. Asked for its own name as well. */
  readonly accept: (target: CapsuleName) => Acceptance | undefined
  readonly limits?: Partial<SessionLimits>
  readonly channelLimits?: ChannelLimits
  /** Of the whole node. */
  readonly spares?: SpareMemory
}

type Deliver = Extract<SessionEvent, { type: 'deliver' }>

export class Sessions {
  readonly #identity: NodeIdentity
  readonly #runtime: Runtime
  readonly #accept: SessionsOptions['accept']
  readonly #limits: SessionLimits
  readonly #channelLimits: ChannelLimits
  readonly #spares: SpareMemory
  readonly #clock: SteadyClock
  readonly #halfOpen: HalfOpenTable
  /** By the index that this node gave them, which packets name. */
  readonly #openings = new Map<number, Opening>()
  readonly #established: SessionTable
  readonly #byId = new Map<SessionId, Opening | Session>()
  #acceptedNext: SessionId = ACCEPTED_SESSION_FIRST
  #refusedCount = 0
  readonly #unknown: UnknownAnswers
  #effects: SessionEffect[] = []
  readonly #emit: Emit = (effect) => void this.#effects.push(effect)
  /** Steady times: of the next tick that was asked for, and of the one that this step needs. */
  #wakeUs = Number.POSITIVE_INFINITY
  #neededUs = Number.POSITIVE_INFINITY

  constructor(options: SessionsOptions) {
    this.#identity = options.identity
    this.#runtime = options.runtime
    this.#accept = options.accept
    this.#limits = { ...SESSION_LIMITS, ...options.limits }
    this.#established = new SessionTable(this.#limits)
    this.#channelLimits = options.channelLimits ?? CHANNEL_LIMITS
    this.#spares = options.spares ?? new SpareMemory()
    // No session leaves its peer alone for longer than this, so no tick is further away.
    const stepUsMax = 2 * Math.max(this.#limits.keepaliveUs, this.#limits.handshakeUs)
    this.#clock = new SteadyClock(() => this.#runtime.nowUs(), stepUsMax)
    const secret = this.#runtime.randomBytes(COOKIE_SECRET_BYTES)
    this.#halfOpen = new HalfOpenTable(this.#limits, secret)
    this.#unknown = new UnknownAnswers(this.#limits.unknownPerSecondMax)
  }

  /** Packets that were dropped because they did not verify, belonged to nobody or came again. */
  get refusedCount(): number {
    return this.#refusedCount
  }

  /** Sessions in every state but half open. */
  get count(): number {
    return this.#established.size + this.#openings.size
  }

  /** Sessions that were closed here and still deliver what was sent before. */
  get drainingCount(): number {
    return this.#established.count(({ isDraining }) => isDraining)
  }

  /** Sessions in which something that was sent has not arrived. */
  get undeliveredCount(): number {
    return this.#established.count(({ hasUndelivered }) => hasUndelivered)
  }

  /** What came and is not consumed, and what was sent and is not acknowledged. */
  get heldBytes(): number {
    return this.#established.heldBytes
  }

  /** False while the stream may not hold more: wait for `writable`. Or it is not open. */
  canSend(session: SessionId, isBulk: boolean): boolean {
    const found = this.#byId.get(session)
    if (!(found instanceof Session)) return false
    if (found.canSend(isBulk)) return true
    found.awaitRoom(this.#clock.read())
    this.#needTick(this.#established.plan(found))
    return false
  }

  step(event: SessionEvent): SessionEffect[] {
    const effects: SessionEffect[] = []
    this.#effects = effects
    const nowUs = this.#clock.read()
    this.#handle(event, nowUs)
    if (this.#neededUs < this.#wakeUs) {
      this.#wakeUs = this.#neededUs
      effects.push({ type: 'wake', atUs: this.#clock.shownAt(this.#wakeUs) })
    }
    this.#neededUs = Number.POSITIVE_INFINITY
    return effects
  }

  #handle(event: SessionEvent, nowUs: number): void {
    switch (event.type) {
      case 'deliver':
        this.#deliver(event, nowUs)
        break
      case 'open':
        this.#open(event, nowUs)
        break
      case 'send':
      case 'consumed':
      case 'close':
        this.#command(event, nowUs)
        break
      case 'path-changed':
        this.#pathChanged(event.destination, nowUs)
        break
      case 'unreachable':
        this.#unreachable(event)
        break
      case 'tick':
        this.#tick(nowUs)
        break
    }
  }

  #needTick(dueUs: number): void {
    if (dueUs < this.#neededUs) this.#neededUs = dueUs
  }

  #open(event: Extract<SessionEvent, { type: 'open' }>, nowUs: number): void {
    const { session, target, isAnonymous = false } = event
    assert(session < ACCEPTED_SESSION_FIRST && !this.#byId.has(session), 'ids are used once')
    if (this.count >= this.#limits.sessionsMax) {
      const error = new UnavailableError('OVERLOADED', 'this node has too many sessions')
      this.#emit({ type: 'closed', session, error })
      return
    }
    const index = this.#newIndex()
    const secret = this.#runtime.randomBytes(X25519_BYTES)
    const start = { identity: this.#identity, target, isAnonymous, index, secret }
    const opening = new Opening(session, start, this.#limits, this.#emit, nowUs)
    this.#openings.set(index, opening)
    this.#byId.set(session, opening)
    this.#needTick(opening.dueUs)
  }

  /** Random, so that a packet for an earlier life of this node finds no session. */
  #newIndex(): number {
    for (;;) {
      const index = readUint32(this.#runtime.randomBytes(4), 0)
      const isUsed = this.#openings.has(index) || this.#established.has(index)
      if (!isUsed && this.#halfOpen.get(index) === undefined) return index
    }
  }

  #command(
    event: Extract<SessionEvent, { type: 'send' | 'consumed' | 'close' }>,
    nowUs: number,
  ): void {
    const found = this.#byId.get(event.session)
    // It may have ended while the command was on its way.
    if (found === undefined) return
    if (found instanceof Opening) {
      assert(event.type === 'close', 'a session is open before it is used')
      this.#closeOpening(found, undefined)
      return
    }
    if (event.type === 'send') found.send(event.message, event.isBulk, nowUs)
    else if (event.type === 'consumed') found.consumed(event.bytes, nowUs)
    else found.close(nowUs)
    this.#settle(found, nowUs)
  }

  #closeOpening(opening: Opening, error: LongshoreError | undefined): void {
    this.#openings.delete(opening.index)
    this.#byId.delete(opening.id)
    this.#emit({ type: 'closed', session: opening.id, error })
  }

  /** After anything that may have changed a session: forgets it, or asks for its next tick. */
  #settle(session: Session, nowUs: number): void {
    const surplus = this.#established.surplusAfter(session)
    if (surplus !== undefined) {
      surplus.end(new UnavailableError('OVERLOADED', 'it holds too much'), 'OVERLOADED', nowUs)
      this.#settle(surplus, nowUs)
      if (surplus === session) return
    }
    if (!session.isOpen) this.#byId.delete(session.id)
    if (session.isGone) this.#established.remove(session)
    else this.#needTick(this.#established.plan(session))
  }

  #deliver(event: Deliver, nowUs: number): void {
    if (event.payload[0] === PACKET_SEALED) {
      this.#receiveSealed(event, nowUs)
      return
    }
    try {
      this.#receiveHandshake(event, nowUs)
    } catch (error) {
      if (!isLongshoreError(error)) throw error
      this.#refusedCount++
    }
  }

  #receiveSealed(event: Deliver, nowUs: number): void {
    const { source, destination, payload } = event
    const isWhole = payload.length >= SEALED_HEADER_BYTES
    const found = isWhole ? this.#established.get(readUint32(payload, 1)) : undefined
    if (
      found === undefined ||
      !bytesEqual(source, found.session.peer.name) ||
      !bytesEqual(destination, this.#identity.name) ||
      !found.session.receive(payload, nowUs)
    ) {
      this.#refusedCount++
      if (isWhole && found === undefined) this.#answerUnknown(event, nowUs)
      return
    }
    if (!found.session.isPacketKept) this.#spares.giveBack(payload)
    this.#settle(found.session, nowUs)
  }

  /** What came belongs to no session here, perhaps to one of an earlier life of this node. */
  #answerUnknown({ source, destination, payload }: Deliver, nowUs: number): void {
    const receiver = readUint32(payload, 1)
    const isBegun = this.#halfOpen.get(receiver) !== undefined || this.#openings.has(receiver)
    if (isBegun || !bytesEqual(destination, this.#identity.name)) return
    const answer = this.#unknown.answer(payload, nowUs)
    if (answer !== undefined) this.#send(source, answer)
  }

  #receiveUnknown({ source, destination, payload }: Deliver, nowUs: number): void {
    const { receiver, tag } = decodeUnknown(payload)
    const session = this.#established.find(source, receiver)
    if (session === undefined || !bytesEqual(destination, this.#identity.name)) {
      throw refused('of no session with this peer')
    }
    session.doubted(tag, nowUs)
    this.#settle(session, nowUs)
  }

  #receiveHandshake(event: Deliver, nowUs: number): void {
    const { payload } = event
    switch (payload[0]) {
      case PACKET_INIT:
        this.#answer(event, decodeInit(payload), nowUs)
        break
      case PACKET_REPLY:
        this.#receiveReply(event, nowUs)
        break
      case PACKET_FINISH:
        this.#receiveFinish(event, nowUs)
        break
      case PACKET_RETRY:
        this.#receiveRetry(payload, nowUs)
        break
      case PACKET_UNSUPPORTED:
        this.#receiveUnsupported(payload)
        break
      case PACKET_UNKNOWN:
        this.#receiveUnknown(event, nowUs)
        break
      default:
        throw refused('a packet of no known type')
    }
  }

  #receiveRetry(payload: Uint8Array, nowUs: number): void {
    const packet = decodeRetry(payload)
    const opening = this.#openings.get(packet.receiver)
    if (opening === undefined) return
    opening.retry(packet, nowUs)
    this.#needTick(opening.dueUs)
  }

  #receiveUnsupported(payload: Uint8Array): void {
    const packet = decodeUnsupported(payload)
    const opening = this.#openings.get(packet.receiver)
    if (!opening?.isUnsupported(packet)) return
    const error = new ProtocolError('PROTOCOL_VERSION', 'the peer speaks no version of ours')
    this.#closeOpening(opening, error)
  }

  /** A handshake that somebody begins. Cheap checks come first. */
  #answer({ source, destination, payload }: Deliver, init: InitPacket, nowUs: number): void {
    const answer = this.#halfOpen.cheapAnswer(source, init, payload, nowUs)
    if (answer !== undefined) {
      this.#send(source, answer)
      return
    }
    const acceptance = this.#accept(destination)
    if (acceptance === undefined || !this.#halfOpen.hasRoom(source)) {
      this.#refusedCount++
      return
    }
    const index = this.#newIndex()
    const secret = this.#runtime.randomBytes(X25519_BYTES)
    const responder = new Responder({
      ...{ identity: this.#identity, source, target: destination, acceptance },
      ...{ init, packet: payload, index, secret },
    })
    const endUs = nowUs + this.#limits.handshakeUs
    this.#halfOpen.add({
      ...{ index, source, target: destination, acceptance, responder, packet: payload },
      ...{ initiatorIndex: init.index, endUs },
    })
    this.#needTick(endUs)
    this.#send(source, responder.reply)
  }

  #send(destination: CapsuleName, payload: Uint8Array): void {
    this.#emit({ type: 'datagram', destination, payload, isBulk: false })
  }

  #receiveReply({ source, payload }: Deliver, nowUs: number): void {
    const reply = decodeReply(payload)
    const opening = this.#openings.get(reply.receiver)
    if (opening === undefined) throw refused('a reply that nobody waits for')
    let read: ReturnType<Opening['initiator']['read']>
    try {
      read = opening.initiator.read(reply)
      if (!bytesEqual(read.peer.name, source)) {
        throw refused('a reply comes from another name than it proves')
      }
    } catch (error) {
      if (isLongshoreError(error)) opening.refusal = error
      throw error
    }
    this.#openings.delete(opening.index)
    const { id, index, target } = opening
    const session = this.#establish(id, index, read, nowUs, { finish: read.finish })
    this.#send(source, read.finish)
    this.#emit({ type: 'opened', session: id, peer: session.peer, target, isInitiator: true })
    this.#settle(session, nowUs)
  }

  #receiveFinish({ source, destination, payload }: Deliver, nowUs: number): void {
    const { receiver, sealed } = decodeFinish(payload)
    if (!bytesEqual(destination, this.#identity.name)) {
      throw refused('a finish for another name')
    }
    const established = this.#established.get(receiver)
    if (established?.finish !== undefined) {
      // Our confirmation was lost; only the same packet gets another one.
      if (!bytesEqual(established.finish, payload)) throw refused('another finish')
      established.session.confirm(nowUs)
      this.#settle(established.session, nowUs)
      return
    }
    const halfOpen = this.#halfOpen.get(receiver)
    if (halfOpen === undefined || !bytesEqual(source, halfOpen.source)) {
      throw refused('a finish that nobody waits for')
    }
    const agreement = halfOpen.responder.read(sealed)
    this.#halfOpen.remove(halfOpen)
    this.#admit(halfOpen, agreement, payload, nowUs)
  }

  #admit(halfOpen: HalfOpen, agreement: Agreement, finish: Uint8Array, nowUs: number): void {
    const { index, target, acceptance } = halfOpen
    const { sessionsMax, sessionsPerPeerMax } = this.#limits
    // Those that are turned away linger as well; beyond twice the bound nobody gets an answer.
    if (this.count >= 2 * sessionsMax) return
    const ofPeer = this.#established.of(agreement.peer.name).size
    const id = this.#acceptedNext++
    const session = this.#establish(id, index, agreement, nowUs, { known: finish })
    const isAnonymous = agreement.peer.manifest === undefined
    if (isAnonymous && acceptance.requiresIdentity) session.refuse('POLICY_REFUSED', nowUs)
    else if (this.count > sessionsMax || ofPeer >= sessionsPerPeerMax) {
      session.refuse('OVERLOADED', nowUs)
    } else {
      const { peer } = agreement
      this.#emit({ type: 'opened', session: id, peer, target, isInitiator: false })
      session.confirm(nowUs)
    }
    this.#settle(session, nowUs)
  }

  /** Puts a session into the tables. `finish` is sent again by it, `known` is recognised. */
  #establish(
    id: SessionId,
    index: number,
    agreement: Agreement,
    nowUs: number,
    packets: { readonly finish?: Uint8Array; readonly known?: Uint8Array },
  ): Session {
    const { peer, peerIndex } = agreement
    const session = new Session({
      ...{ session: id, index, peerIndex, peer, nowUs },
      ...{ limits: this.#limits, spares: this.#spares, emit: this.#emit },
      memory: this.#established.memoryOf(peer.name),
      ...createChannels(this.#identity.name, index, agreement, this.#channelLimits),
      ...(packets.finish === undefined ? {} : { finish: packets.finish }),
    })
    this.#established.add(session, packets.known)
    this.#byId.set(id, session)
    return session
  }

  #pathChanged(destination: CapsuleName | undefined, nowUs: number): void {
    const isMeant = (name: CapsuleName): boolean =>
      destination === undefined || bytesEqual(destination, name)
    for (const opening of this.#openings.values()) {
      if (!isMeant(opening.target)) continue
      opening.send(nowUs)
      this.#needTick(opening.dueUs)
    }
    for (const session of this.#established.sessions()) {
      if (!isMeant(session.peer.name)) continue
      session.pathChanged(nowUs)
      this.#settle(session, nowUs)
    }
  }

  /** Ends handshakes; an established session waits for another path. */
  #unreachable(event: Extract<SessionEvent, { type: 'unreachable' }>): void {
    for (const session of this.#established.of(event.destination)) session.unreachable()
    for (const opening of this.#openings.values()) {
      if (!bytesEqual(event.destination, opening.target)) continue
      this.#closeOpening(opening, new UnavailableError(event.code, event.message))
    }
  }

  #tick(nowUs: number): void {
    this.#wakeUs = Number.POSITIVE_INFINITY
    this.#halfOpen.tick(nowUs)
    this.#needTick(this.#halfOpen.dueUs)
    for (const opening of this.#openings.values()) {
      const error = opening.tick(nowUs)
      if (error === undefined) this.#needTick(opening.dueUs)
      else this.#closeOpening(opening, error)
    }
    for (const session of this.#established.takeDue(nowUs)) {
      session.tick(nowUs)
      this.#settle(session, nowUs)
    }
    this.#needTick(this.#established.dueUs)
  }
}
