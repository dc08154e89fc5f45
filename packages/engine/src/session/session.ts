/**
 * One established session: two reliable streams of messages over packets that may be lost, come
 * twice or in another order.
 *
 * Events only change state; `#evaluate` then sends what may be sent. Rules SN14 to SN25 and
 * SN28 of docs/spec/session.md.
 *
 * Invariants:
 * 1. `closed` is emitted once, and no other effect but datagrams after it.
 * 2. Whatever waits has a due time: a chunk without an acknowledgement, a stream without credit,
 *    an acknowledgement that was put off, a peer that is silent. So no loss stops a session.
 *
 * @module
 */
import {
  AEAD_TAG_BYTES,
  assert,
  isLongshoreError,
  type LongshoreError,
  UnavailableError,
} from '@longshore/capsule'
import type { PeerMemory } from '../runtime/held-memory.ts'
import type { SpareMemory } from '../runtime/spare-memory.ts'
import { Acknowledging } from './acknowledging.ts'
import {
  type CloseCode,
  type Content,
  closeErrorOf,
  contentBytes,
  createContent,
  decodeContent,
  writeContent,
} from './content.ts'
import { Doubt } from './doubt.ts'
import type { Due } from './due-heap.ts'
import type { Emit, Peer, SessionId } from './events.ts'
import { createLane, type Lane } from './lane.ts'
import { MESSAGE_BYTES_MAX, type SessionLimits, URGENT_MESSAGE_BYTES_MAX } from './limits.ts'
import { SEALED_HEADER_BYTES } from './packet.ts'
import { RoundTrip } from './round-trip.ts'
import type { OpeningChannel, SealingChannel } from './sealed-channel.ts'
import type { Chunk } from './send-stream.ts'

export interface SessionStart {
  readonly session: SessionId
  /** Which packets of the peer name. */
  readonly index: number
  /** Which packets to the peer name. */
  readonly peerIndex: number
  readonly peer: Peer
  readonly sealing: SealingChannel
  readonly opening: OpeningChannel
  readonly limits: SessionLimits
  /** Of all sessions of this peer. */
  readonly memory: PeerMemory<Session>
  readonly spares: SpareMemory
  readonly emit: Emit
  readonly nowUs: number
  /** An initiator's last handshake packet, sent again until the responder shows its keys. */
  readonly finish?: Uint8Array
}

/** `draining`: closed here, what was sent before is still on its way. `gone`: to be forgotten. */
type State = 'open' | 'draining' | 'lingering' | 'gone'

export class Session implements Due {
  /** When it is looked at next, and its place among the others. */
  dueUs: number = Number.POSITIVE_INFINITY
  place: number = -1
  readonly id: SessionId
  readonly index: number
  readonly peerIndex: number
  readonly peer: Peer
  readonly #doubt = new Doubt()
  readonly #sealing: SealingChannel
  readonly #opening: OpeningChannel
  readonly #limits: SessionLimits
  readonly memory: PeerMemory<Session>
  readonly #emit: Emit
  readonly #spares: SpareMemory
  readonly #urgent: Lane
  readonly #bulk: Lane
  readonly #lanes: readonly Lane[]
  readonly #roundTrip: RoundTrip
  readonly #acknowledging: Acknowledging
  readonly #received: Content = createContent()
  readonly #outgoing: Content = createContent()
  readonly #messages: Uint8Array[] = []
  #state: State = 'open'
  #finish: Uint8Array | undefined
  #finishDueUs: number
  #finishCount = 0
  #receivedUs: number
  #pingUs: number
  /** Something must be sent in this step, with a chunk or without. */
  #mustAnswer = false
  #mustPing = false
  /** A router has said that there is no way to the peer, and nothing has shown one since. */
  #hasNoWay = false
  /** When the last chunk was sent. */
  #chunkUs = Number.NEGATIVE_INFINITY
  /** When it is looked whether other sessions have left room. */
  #roomDueUs = Number.POSITIVE_INFINITY
  /** When draining or lingering ends. */
  #endUs = Number.POSITIVE_INFINITY
  #closeCode: CloseCode = 'NORMAL'
  #isPacketKept = false

  constructor(start: SessionStart) {
    this.id = start.session
    this.index = start.index
    this.peerIndex = start.peerIndex
    this.peer = start.peer
    this.#sealing = start.sealing
    this.#opening = start.opening
    this.#limits = start.limits
    this.memory = start.memory
    this.#spares = start.spares
    this.#urgent = createLane(false, start.spares)
    this.#bulk = createLane(true, start.spares)
    this.#lanes = [this.#urgent, this.#bulk]
    this.#emit = start.emit
    this.#roundTrip = new RoundTrip(start.limits)
    this.#acknowledging = new Acknowledging(start.limits)
    this.#finish = start.finish
    this.#finishDueUs = start.nowUs + start.limits.handshakeRetryUs
    this.#receivedUs = start.nowUs
    this.#pingUs = start.nowUs
  }

  get isOpen(): boolean {
    return this.#state === 'open'
  }

  /** Closed here, with something on its way to the peer. */
  get isDraining(): boolean {
    return this.#state === 'draining'
  }

  /** Of what was sent, something has not arrived. */
  get hasUndelivered(): boolean {
    return this.isOpen && this.#lanes.some(({ send }) => !send.isEmpty)
  }

  get isGone(): boolean {
    return this.#state === 'gone'
  }

  /** For the peer: what it sent and what is on its way to it. */
  get heldBytes(): number {
    if (this.isGone) return 0
    let bytes = 0
    for (const { send, receive } of this.#lanes) bytes += send.heldBytes + receive.heldBytes
    return bytes
  }

  /** What a stream may hold for sending. */
  #roomBytes(lane: Lane): number {
    const { sendBufferBytes } = this.#limits
    return lane.isBulk ? Math.min(sendBufferBytes, this.memory.roomBytes) : sendBufferBytes
  }

  canSend(isBulk: boolean): boolean {
    const lane = isBulk ? this.#bulk : this.#urgent
    const isFree = this.isOpen && lane.send.heldBytes < this.#roomBytes(lane)
    if (!isFree) lane.isBlocked = true
    return isFree
  }

  /** What waits although nothing of it is on its way waits for others: no answer will wake it. */
  awaitRoom(nowUs: number): void {
    const waits =
      this.isOpen && this.#lanes.some(({ isBlocked, send }) => isBlocked && send.isEmpty)
    this.#roomDueUs = waits ? nowUs + this.#limits.roomRetryUs : Number.POSITIVE_INFINITY
  }

  send(message: Uint8Array, isBulk: boolean, nowUs: number): void {
    if (!this.isOpen) return
    const bytesMax = isBulk ? MESSAGE_BYTES_MAX : URGENT_MESSAGE_BYTES_MAX
    assert(message.length <= bytesMax, 'a message has at most 8 MiB, an urgent one 1 MiB')
    const lane = isBulk ? this.#bulk : this.#urgent
    if (lane.send.heldBytes >= this.#limits.sendBufferBytes) {
      assert(!isBulk, 'ask canSend before sending')
      const error = new UnavailableError('OVERLOADED', 'a peer asks and takes no answers')
      this.end(error, 'OVERLOADED', nowUs)
      return
    }
    lane.send.queue(message)
    this.#evaluate(nowUs)
  }

  /** Urgent credit goes back first: the event does not say which messages were consumed. */
  consumed(bytes: number, nowUs: number): void {
    if (!this.isOpen) return
    const urgentBytes = Math.min(bytes, this.#urgent.receive.pendingBytes)
    this.#urgent.receive.consumed(urgentBytes)
    this.#bulk.receive.consumed(bytes - urgentBytes)
    if (this.#lanes.some(({ receive }) => receive.hasNewCredit)) this.#mustAnswer = true
    this.#evaluate(nowUs)
  }

  /** A confirmation that keys are agreed: the responder's first packet. */
  confirm(nowUs: number): void {
    this.#mustAnswer = true
    this.#evaluate(nowUs)
  }

  /** Delivers what was sent before, then ends. */
  close(nowUs: number): void {
    if (!this.isOpen) return
    this.#state = 'draining'
    this.#endUs = nowUs + this.#limits.drainUs
    this.#emit({ type: 'closed', session: this.id, error: undefined })
    for (const lane of this.#lanes) lane.receive.consumed(lane.receive.pendingBytes)
    this.#evaluate(nowUs)
  }

  /** Ends at once, and tells the peer why. */
  end(error: LongshoreError, code: CloseCode, nowUs: number): void {
    if (this.isOpen) this.#emit({ type: 'closed', session: this.id, error })
    this.#linger(code, nowUs)
  }

  /** Turns away a peer of whom the application has not heard. */
  refuse(code: CloseCode, nowUs: number): void {
    this.#linger(code, nowUs)
  }

  #linger(code: CloseCode, nowUs: number): void {
    this.#state = 'lingering'
    this.#closeCode = code
    this.#endUs = nowUs + this.#limits.lingerUs
    for (const { send, receive } of this.#lanes) {
      send.drop()
      receive.drop()
    }
    this.#sendPacket(undefined)
  }

  /** The packet received last holds a message; else nothing of it is needed any more. */
  get isPacketKept(): boolean {
    return this.#isPacketKept
  }

  /** A packet of type `sealed`, opened in place. Forged ones change nothing. */
  receive(packet: Uint8Array, nowUs: number): boolean {
    this.#isPacketKept = false
    if (!this.#opening.isOpened(packet)) return false
    this.#receivedUs = nowUs
    this.#doubt.settled()
    this.#hasNoWay = false
    this.#finish = undefined
    const content = this.#received
    try {
      decodeContent(packet, SEALED_HEADER_BYTES, packet.length - AEAD_TAG_BYTES, content)
      if (content.close !== undefined) this.#closedByPeer(content.close)
      else if (this.#state === 'lingering') this.#sendPacket(undefined)
      else this.#take(packet, content, nowUs)
    } catch (error) {
      if (!isLongshoreError(error)) throw error
      this.end(error, 'SESSION_INVALID', nowUs)
    }
    return true
  }

  #closedByPeer(code: CloseCode): void {
    if (this.isOpen) this.#emit({ type: 'closed', session: this.id, error: closeErrorOf(code) })
    this.#state = 'gone'
  }

  #take(packet: Uint8Array, content: Content, nowUs: number): void {
    this.#takeAcknowledgement(this.#urgent, nowUs)
    this.#takeAcknowledgement(this.#bulk, nowUs)
    if (content.isPing) this.#mustAnswer = true
    if (content.hasChunk) this.#takeChunk(packet, content, nowUs)
    this.#evaluate(nowUs)
  }

  #takeAcknowledgement(lane: Lane, nowUs: number): void {
    const { send } = lane
    const report = lane.isBulk ? this.#received.bulk : this.#received.urgent
    if (!send.received(report, nowUs, this.#roundTrip.isQueueing)) return
    if (send.sampleUs !== undefined) this.#roundTrip.measured(send.sampleUs)
    lane.dueUs = undefined
  }

  #takeChunk(packet: Uint8Array, content: Content, nowUs: number): void {
    const lane = content.isBulk ? this.#bulk : this.#urgent
    const chunk = packet.subarray(content.chunkStart, content.chunkEnd)
    const messages = this.#messages
    messages.length = 0
    const canWait = lane.receive.take(content.sequence, chunk, content.isLast, messages)
    this.#isPacketKept = lane.receive.isLastChunkKept
    if (this.#acknowledging.received(chunk.length, canWait, nowUs)) this.#mustAnswer = true
    for (const message of messages) {
      if (this.isOpen) {
        this.#emit({ type: 'message', session: this.id, message, isBulk: lane.isBulk })
      } else {
        lane.receive.consumed(message.length)
      }
    }
  }

  /** The peer's node says that it knows nothing of the session for which it got this packet. */
  doubted(tag: Uint8Array, nowUs: number): void {
    if (this.#state !== 'open' && this.#state !== 'draining') return
    if (!this.#doubt.isOfPacket(tag)) return
    const intervalUs = Math.max(this.#limits.doubtPingUs, this.#roundTrip.patienceUs)
    if (!this.#doubt.begin(intervalUs, nowUs)) return
    this.#mustPing = true
    this.#evaluate(nowUs)
  }

  pathChanged(nowUs: number): void {
    if (this.#state !== 'open' && this.#state !== 'draining') return
    this.#roundTrip.recovered()
    // Of a peer to whom there was no way nothing but one chunk is risked.
    this.#chunkUs = Number.NEGATIVE_INFINITY
    for (const lane of this.#lanes) {
      lane.send.pathChanged()
      lane.dueUs = undefined
    }
    if (this.#finish !== undefined) this.#sendFinish(nowUs)
    this.#mustPing = true
    this.#evaluate(nowUs)
  }

  /** Until something shows a way, the peer is only tried now and then. */
  unreachable(): void {
    this.#hasNoWay = true
  }

  /** The next time at which `tick` has something to do. */
  get nextUs(): number {
    if (this.#state === 'lingering') return this.#endUs
    let dueUs = Math.min(this.#endUs, this.#lostUs, this.#nextPingUs, this.#doubt.dueUs)
    dueUs = Math.min(dueUs, this.#acknowledging.dueUs, this.#roomDueUs)
    if (this.#finish !== undefined) dueUs = Math.min(dueUs, this.#finishDueUs)
    for (const lane of this.#lanes) {
      if (lane.dueUs !== undefined) dueUs = Math.min(dueUs, lane.dueUs)
    }
    return dueUs
  }

  get #lostUs(): number {
    return this.#receivedUs + this.#limits.peerLostUs
  }

  get #nextPingUs(): number {
    const { keepaliveUs, pingUs } = this.#limits
    return Math.max(this.#receivedUs + keepaliveUs, this.#pingUs + pingUs)
  }

  tick(nowUs: number): void {
    if (nowUs < this.nextUs) return
    if (this.#state === 'lingering') {
      this.#state = 'gone'
      return
    }
    const doubt = this.#doubt.tick(nowUs)
    if (doubt === 'ask') this.#mustPing = true
    if (nowUs >= this.#lostUs || doubt === 'lost') {
      const error = new UnavailableError('PEER_LOST', 'the peer of a session stopped answering')
      this.end(error, 'PEER_LOST', nowUs)
      return
    }
    if (nowUs >= this.#endUs) {
      this.#linger('NORMAL', nowUs)
      return
    }
    if (nowUs >= this.#acknowledging.dueUs) this.#mustAnswer = true
    if (nowUs >= this.#nextPingUs) this.#mustPing = true
    if (this.#finish !== undefined && nowUs >= this.#finishDueUs) this.#sendFinish(nowUs)
    for (const lane of this.#lanes) if (lane.dueUs !== undefined) this.#tickLane(lane, nowUs)
    this.#evaluate(nowUs)
  }

  #tickLane(lane: Lane, nowUs: number): void {
    if (lane.dueUs === undefined || nowUs < lane.dueUs) return
    lane.dueUs = undefined
    this.#roundTrip.expired()
    if (lane.send.hasUnacknowledged) lane.send.expired()
    else this.#mustPing = true
  }

  #sendFinish(nowUs: number): void {
    assert(this.#finish !== undefined, 'only before the responder has shown its keys')
    const { handshakeRetryUs, retransmitMaxUs } = this.#limits
    const waitUs = Math.min(handshakeRetryUs * 2 ** ++this.#finishCount, retransmitMaxUs)
    this.#finishDueUs = nowUs + waitUs
    const { name } = this.peer
    this.#emit({ type: 'datagram', destination: name, payload: this.#finish, isBulk: false })
  }

  /** The one place that decides what is sent. */
  #evaluate(nowUs: number): void {
    if (this.#sealing.isExhausted) {
      const error = new UnavailableError('PEER_LOST', 'a session has used up its counters')
      if (this.isOpen) this.#emit({ type: 'closed', session: this.id, error })
      this.#state = 'gone'
      return
    }
    if (this.#mustPing) this.#pingUs = nowUs
    for (const lane of this.#lanes) {
      while (!this.#hasNoWay || nowUs - this.#chunkUs >= this.#limits.noWayUs) {
        const chunk = lane.send.next(nowUs)
        if (chunk === undefined) break
        this.#chunkUs = nowUs
        this.#sendPacket(chunk, lane)
      }
      const isHeldBack = this.#hasNoWay && !lane.send.isEmpty
      const waits = lane.send.hasUnacknowledged || lane.send.isStarved || isHeldBack
      if (!waits) lane.dueUs = undefined
      else lane.dueUs ??= nowUs + this.#roundTrip.timeoutUs
    }
    if (this.#mustAnswer || this.#mustPing) this.#sendPacket(undefined)
    if (this.#state === 'draining') {
      if (this.#lanes.every(({ send }) => send.isEmpty)) this.#linger('NORMAL', nowUs)
      return
    }
    this.#unblock()
    this.awaitRoom(nowUs)
  }

  #unblock(): void {
    let isWritable = false
    for (const lane of this.#lanes) {
      if (!lane.isBlocked || lane.send.heldBytes >= this.#roomBytes(lane) / 2) continue
      lane.isBlocked = false
      isWritable = true
    }
    if (isWritable) this.#emit({ type: 'writable', session: this.id })
  }

  /** A packet with a chunk, or one that only answers. Every packet acknowledges. */
  #sendPacket(chunk: Chunk | undefined, lane: Lane = this.#urgent): void {
    if (this.#sealing.isExhausted) return
    const content = this.#outgoing
    this.#urgent.receive.report(content.urgent)
    this.#bulk.receive.report(content.bulk)
    content.close = this.#state === 'lingering' ? this.#closeCode : undefined
    content.isPing = this.#mustPing && content.close === undefined
    content.hasChunk = chunk !== undefined
    content.isBulk = chunk !== undefined && lane.isBulk
    content.isLast = chunk?.isLast ?? false
    content.sequence = chunk?.sequence ?? 0
    const chunkBytes = chunk === undefined ? 0 : chunk.end - chunk.start
    const bytes = SEALED_HEADER_BYTES + contentBytes(content, chunkBytes) + AEAD_TAG_BYTES
    const payload = this.#spares.take(bytes)
    const at = writeContent(payload, SEALED_HEADER_BYTES, content)
    if (chunk !== undefined) {
      const { message, start, end } = chunk
      payload.set(
        start === 0 && end === message.length ? message : message.subarray(start, end),
        at,
      )
    }
    this.#sealing.seal(payload)
    this.#doubt.sent(payload)
    this.#mustAnswer = false
    this.#mustPing = false
    this.#acknowledging.sent()
    this.#emit({ type: 'datagram', destination: this.peer.name, payload, isBulk: content.isBulk })
  }
}
