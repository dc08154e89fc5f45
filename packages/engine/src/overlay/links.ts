/**
 * The links of one node: hello, measurement, and how they end.
 *
 *     connected → (hello both ways) → up → down
 *              ↘ down
 *
 * Invariants.
 * 1. Nothing but a hello or a goodbye is accepted before the hello, and no second hello after it.
 * 2. A link is up only with a peer whose manifest lists exactly the TLS key of the connection and,
 *    where we dialled, is the one of the ticket.
 * 3. Whoever was told of a link that is up is told once that it is down.
 *
 * Rules OV1 to OV8 of docs/spec/overlay.md.
 *
 * @module
 */
import {
  type CapsuleName,
  isLongshoreError,
  type LongshoreError,
  UnavailableError,
} from '@longshore/capsule'
import { readUint32 } from '../store/disk/big-endian.ts'
import type { ConnectionId, TransportEvent } from '../transport/transport.ts'
import { encodeControl, Fields, helloValue, readGoodbye, VERSION } from './control-frame.ts'
import {
  AT_TYPE,
  checkFrame,
  FRAME_HEAD_BYTES,
  GOODBYE,
  HELLO,
  PING,
  PONG,
  pingFrame,
  retireFrame,
} from './frame.ts'
import { openHello } from './hello.ts'
import type { Join } from './joins.ts'
import { Joins } from './joins.ts'
import { FRAME_BYTES_MAX } from './limits.ts'
import { Link, type Peer } from './link.ts'
import type { Machine } from './machine.ts'

/** What the rest of the overlay does with links. */
export interface LinkUser {
  up(link: Link): void
  down(link: Link): void
  /** A whole, well-formed frame of a link that is up. May throw a LongshoreError: the peer lies. */
  frame(link: Link, type: number, bytes: Uint8Array, start: number, end: number): void
  /** Routes over this link cost something else now. */
  costChanged(link: Link): void
  /** A full queue dropped this frame. */
  dropped(link: Link, frame: Uint8Array): void
}

/** A cost has changed when it differs by a quarter and by a millisecond. */
const COST_CHANGE = 0.25
const COST_CHANGE_US_MIN = 1000

export class Links {
  readonly joins: Joins
  readonly #machine: Machine
  readonly #user: LinkUser
  readonly #byConnection = new Map<number, Link>()
  readonly #byPeer = new Map<string, Link[]>()
  #strangerCount = 0

  constructor(machine: Machine, user: LinkUser) {
    this.#machine = machine
    this.#user = user
    this.joins = new Joins(machine)
  }

  /** All links that are up. */
  *[Symbol.iterator](): IterableIterator<Link> {
    for (const links of this.#byPeer.values()) yield* links
  }

  /** Links that this node dialled: the way to names that it does not know. */
  *parents(): IterableIterator<Link> {
    for (const link of this) if (link.join !== undefined) yield link
  }

  /** The cheapest link to this principal itself. */
  toPeer(key: string): Link | undefined {
    const links = this.#byPeer.get(key)
    return links?.reduce((best, link) => (link.costUs < best.costUs ? link : best))
  }

  step(event: TransportEvent): void {
    switch (event.type) {
      case 'connected':
        this.#connected(event)
        return
      case 'received':
        this.#received(event.connection, event.bytes)
        return
      case 'drained':
        this.drained(event.connection)
        return
      case 'closed': {
        const link = this.#byConnection.get(event.connection)
        if (link === undefined) return
        link.isClosed = true
        this.#down(link, link.closeReason ?? event.reason)
        return
      }
      case 'dial-failed':
        this.joins.failed(event.dial, event.reason)
    }
  }

  /** The transport has sent what it was given. True if more waits, which this step then writes. */
  drained(connection: ConnectionId): boolean {
    const link = this.#byConnection.get(connection)
    if (link === undefined) return false
    link.out.drained()
    if (link.out.waitingBytes === 0) return false
    this.#machine.markDirty(link)
    return true
  }

  leave(principal: CapsuleName): void {
    this.#end(this.joins.leave(principal))
  }

  /** The link of a join that is no more. */
  #end(join: Join | undefined): void {
    if (join === undefined) return
    for (const link of [...this.#byConnection.values()]) {
      if (link.join === join) this.close(link, new UnavailableError('CLOSED', 'left'))
    }
  }

  join(ticket: Join['ticket']): void {
    this.#end(this.joins.join(ticket))
  }

  /** Says goodbye to everybody, and dials nobody any more. */
  closeAll(error: LongshoreError): void {
    this.joins.leaveAll()
    for (const link of [...this.#byConnection.values()]) this.close(link, error)
  }

  /** Connections without a hello yet. */
  get strangerCount(): number {
    return this.#strangerCount
  }

  /** Says goodbye with a reason; the link is down from now on. */
  close(link: Link, error: LongshoreError): void {
    link.close(error.code, error.message)
    this.#down(link, link.closeReason ?? error.message)
  }

  #connected(event: Extract<TransportEvent, { type: 'connected' }>): void {
    const { connection, dial, peerTlsKey, exporter, remote } = event
    const join = dial === undefined ? undefined : this.joins.takeDial(dial)
    const { limits } = this.#machine
    const isLeft = dial !== undefined && join === undefined
    const isFull = dial === undefined && this.#strangerCount >= limits.strangersMax
    if (isLeft || isFull) {
      this.#machine.emit({ type: 'close', connection })
      return
    }
    const options = { connection, join, peerTlsKey, exporter, remote }
    const link = new Link(this.#machine, options, (from, frame) => this.#dropped(from, frame))
    this.#byConnection.set(connection, link)
    this.#strangerCount++
    link.timer = this.#machine.timers.schedule(this.#machine.nowUs + limits.helloUs, () => {
      this.close(link, new UnavailableError('PEER_LOST', 'no hello in time'))
    })
    link.send(this.#hello(link))
  }

  #dropped(link: Link, frame: Uint8Array): void {
    this.#machine.counters.droppedFrames++
    this.#user.dropped(link, frame)
  }

  #hello(link: Link): Uint8Array {
    const { identity, isRouter, membership, listen } = this.#machine
    const value = helloValue({
      ...{ versionMin: VERSION, versionMax: VERSION, nonce: link.ownNonce, addresses: listen },
      ...{ signedManifest: identity.signedManifest, isRouter, membership },
    })
    return encodeControl(HELLO, value)
  }

  #received(connection: number, bytes: Uint8Array): void {
    const link = this.#byConnection.get(connection)
    if (link === undefined || link.isClosed) return
    link.unansweredUs = undefined
    link.receivedBytes += bytes.length
    this.#guard(link, () => {
      link.reader.push(bytes, (piece, start, end) => {
        link.receivedFrames++
        this.#frame(link, piece, start, end)
        return !link.isClosed
      })
    })
  }

  /** What a peer does wrong costs it the link and nobody else anything. */
  #guard(link: Link, work: () => void): void {
    try {
      work()
    } catch (error) {
      if (!isLongshoreError(error)) throw error
      this.#machine.counters.protocolErrors++
      this.#machine.runtime.log('warn', 'link.protocol-broken', {
        ...{ code: error.code, message: error.message, remote: link.remote },
      })
      this.close(link, error)
    }
  }

  #frame(link: Link, bytes: Uint8Array, start: number, end: number): void {
    checkFrame(bytes, start, end)
    const type = bytes[start + AT_TYPE] as number
    if (type === GOODBYE) {
      const { code, message } = readGoodbye(Fields.ofFrame(bytes, start, end, 2))
      link.closeReason = `the other side: ${code ?? 'goodbye'} ${message}`
      link.isClosed = true
      this.#machine.emit({ type: 'close', connection: link.connection })
      this.#down(link, link.closeReason)
    } else if (link.peer === undefined || type === HELLO) {
      this.#helloReceived(link, openHello(this.#machine, link, bytes, start, end))
    } else if (type === PING) {
      link.send(pingFrame(PONG, readUint32(bytes, start + FRAME_HEAD_BYTES)))
    } else if (type === PONG) {
      this.#pong(link, readUint32(bytes, start + FRAME_HEAD_BYTES))
    } else {
      this.#user.frame(link, type, bytes, start, end)
    }
  }

  #helloReceived(link: Link, peer: Peer): void {
    const { timers, limits } = this.#machine
    timers.cancel(link.timer)
    this.#strangerCount--
    link.peer = peer
    link.reader.frameBytesMax = FRAME_BYTES_MAX
    const links = this.#byPeer.get(peer.key) ?? []
    this.#byPeer.set(peer.key, [...links, link])
    // The oldest goes: it is the one that a peer which came back does not know any more.
    const [oldest] = links
    if (oldest !== undefined && links.length >= limits.linksPerPrincipalMax) {
      this.close(oldest, new UnavailableError('OVERLOADED', 'too many links to one node'))
    }
    if (this.#upCount() > limits.linksMax) {
      this.close(link, new UnavailableError('OVERLOADED', 'this node has no room for a link'))
      return
    }
    this.#ping(link)
    link.sweepTimer = timers.schedule(this.#machine.nowUs + limits.labelIdleUs, () =>
      this.#sweep(link),
    )
    const { isRouter, name: principal } = peer
    this.#machine.emit({
      ...{ type: 'link-up', principal, isRouter, remote: link.remote, reason: '' },
    })
    this.#user.up(link)
  }

  #upCount(): number {
    return this.#byConnection.size - this.#strangerCount
  }

  #ping(link: Link): void {
    const { timers, limits, nowUs } = this.#machine
    const { unansweredUs } = link
    if (unansweredUs !== undefined && nowUs - unansweredUs >= limits.silenceUs) {
      this.close(link, new UnavailableError('PEER_LOST', 'the other side is silent'))
      return
    }
    // It has stood for a while: a link that falls at once would be dialled again at once for ever.
    if (link.join !== undefined && link.pingNumber > 0) {
      link.join.failures = 0
      link.join.reason = ''
    }
    link.unansweredUs ??= nowUs
    link.pingSentUs = nowUs
    link.pingNumber = (link.pingNumber + 1) >>> 0
    link.send(pingFrame(PING, link.pingNumber))
    link.timer = timers.schedule(nowUs + limits.pingUs, () => this.#ping(link))
  }

  #pong(link: Link, number: number): void {
    // An answer to an older ping says nothing about the round trip.
    if (number !== link.pingNumber || link.pingSentUs === undefined) return
    // The clock may have been set back meanwhile.
    link.measured(Math.max(0, this.#machine.nowUs - link.pingSentUs))
    link.pingSentUs = undefined
    const change = Math.abs(link.costUs - link.chosenCostUs)
    if (change < COST_CHANGE_US_MIN || change < link.chosenCostUs * COST_CHANGE) return
    link.chosenCostUs = link.costUs
    this.#user.costChanged(link)
  }

  #sweep(link: Link): void {
    link.outLabels.sweep((label) => link.send(retireFrame(label)))
    const { timers, limits, nowUs } = this.#machine
    link.sweepTimer = timers.schedule(nowUs + limits.labelIdleUs, () => this.#sweep(link))
  }

  #down(link: Link, reason: string): void {
    if (!this.#byConnection.delete(link.connection)) return
    link.isClosed = true
    const { timers } = this.#machine
    timers.cancel(link.timer)
    timers.cancel(link.sweepTimer)
    const { peer } = link
    if (peer === undefined) {
      this.#strangerCount--
    } else {
      const rest = (this.#byPeer.get(peer.key) ?? []).filter((other) => other !== link)
      if (rest.length === 0) this.#byPeer.delete(peer.key)
      else this.#byPeer.set(peer.key, rest)
      const { isRouter, name: principal } = peer
      this.#machine.emit({
        ...{ type: 'link-down', principal, isRouter, remote: link.remote, reason },
      })
      this.#user.down(link)
    }
    if (link.join !== undefined) this.joins.again(link.join, reason)
  }
}
