/**
 * The network of a simulated world, under one seed and in virtual time.
 *
 * It carries what `transport/transport.ts` promises and is as unkind as a real network may be: a
 * reliable stream delays, stalls, is cut into pieces anywhere, breaks without a word, or breaks on
 * one side only. Loss shows as delay, because a stream repeats what was lost. Rules SM7 to SM10 of
 * docs/spec/simulation.md.
 *
 * @module
 */
import { assert, bytesEqual, type PublicKey } from '@longshore/capsule'
import type { ConnectionId, TransportEffect, TransportEvent } from '../transport/transport.ts'
import { EventQueue } from './event-queue.ts'
import type { Prng } from './prng.ts'

/** How one direction between two addresses behaves. */
export interface LinkConditions {
  readonly latencyUs: number
  /** Added to each piece, 0 to this much; order is kept. */
  readonly jitterUs: number
  /** Bytes a second. */
  readonly bytesPerSecond: number
  /** Of a piece to be lost, which delays it, and all after it, by a retransmission. */
  readonly loss: number
}

export const LAN: LinkConditions = {
  latencyUs: 50,
  jitterUs: 20,
  bytesPerSecond: 1_000_000_000,
  loss: 0,
}
export const WAN: LinkConditions = {
  latencyUs: 20_000,
  jitterUs: 4000,
  bytesPerSecond: 12_500_000,
  loss: 0.001,
}

/** A stream that hears nothing for so long gives up, like TCP with the keepalive of our nodes. */
const STREAM_TIMEOUT_US = 30_000_000
/** A dial into silence. */
const DIAL_TIMEOUT_US = 10_000_000
/** How long a lost piece takes to be sent again. */
const RETRANSMIT_US = 200_000
/** Pieces of a stream are cut to at most this much. */
const PIECE_BYTES_MAX = 65_536

/** One node's place in the network. */
export interface SimEndpoint {
  readonly address: string
  apply(effect: TransportEffect): void
  /**
   * The node is gone: `reset` tells the other ends at once (its operating system lives on),
   * `silent` leaves them half open until they time out (the machine is off).
   */
  detach(how: 'reset' | 'silent'): void
}

interface Attached {
  readonly address: string
  readonly tlsKey: PublicKey
  readonly onEvent: (event: TransportEvent) => void
  readonly connections: Map<ConnectionId, Stream>
  isGone: boolean
}

/** One end of a connection. */
interface Stream {
  readonly id: ConnectionId
  readonly owner: Attached
  peer: Stream | undefined
  /** Bytes written that have not arrived at the other end. */
  buffered: number
  /** When the last piece written will have left. */
  freeAtUs: number
  /** Arrived while paused, or held back by a cut. */
  readonly waiting: Uint8Array[]
  isPaused: boolean
  isClosed: boolean
  /** No more pieces will arrive; `closed` comes after the last of them. */
  endReason: string | undefined
}

export class SimNetwork {
  readonly queue: EventQueue
  readonly #prng: Prng
  readonly #attached = new Map<string, Attached>()
  readonly #conditions = new Map<string, LinkConditions>()
  /** Directions that carry nothing, as `from>to`. */
  readonly #cuts = new Set<string>()
  /** Streams whose pieces wait for a cut to heal, by direction. */
  readonly #stalled = new Map<string, Set<Stream>>()
  readonly #defaults: LinkConditions
  #lastConnection = 0

  constructor(prng: Prng, defaults: LinkConditions = LAN, queue: EventQueue = new EventQueue()) {
    this.#prng = prng
    this.#defaults = defaults
    this.queue = queue
  }

  /** Puts a node at an address that nobody has. Events come later, never from inside a call. */
  attach(
    address: string,
    tlsKey: PublicKey,
    onEvent: (event: TransportEvent) => void,
  ): SimEndpoint {
    assert(!this.#attached.has(address), 'an address has one node')
    const owner: Attached = { address, tlsKey, onEvent, connections: new Map(), isGone: false }
    this.#attached.set(address, owner)
    return {
      address,
      apply: (effect) => this.#apply(owner, effect),
      detach: (how) => this.#detach(owner, how),
    }
  }

  /** Conditions in both directions between two addresses. */
  setLink(a: string, b: string, conditions: LinkConditions): void {
    this.#conditions.set(direction(a, b), conditions)
    this.#conditions.set(direction(b, a), conditions)
  }

  /** Nothing gets from `from` to `to` any more; the other direction is as before. */
  cut(from: string, to: string): void {
    this.#cuts.add(direction(from, to))
  }

  heal(from: string, to: string): void {
    const path = direction(from, to)
    this.#cuts.delete(path)
    const stalled = this.#stalled.get(path)
    this.#stalled.delete(path)
    for (const stream of stalled ?? []) this.#at(RETRANSMIT_US, () => this.#arrive(stream, []))
  }

  /** Cuts both directions between every address of one group and every address of the other. */
  partition(groupA: readonly string[], groupB: readonly string[]): void {
    for (const a of groupA) for (const b of groupB) this.#both(a, b, (x, y) => this.cut(x, y))
  }

  healAll(): void {
    for (const path of [...this.#cuts]) {
      const [from, to] = path.split('>') as [string, string]
      this.heal(from, to)
    }
  }

  /** Breaks every connection between two addresses; both ends learn of it after the latency. */
  reset(a: string, b: string): void {
    for (const stream of [...(this.#attached.get(a)?.connections.values() ?? [])]) {
      if (stream.peer?.owner.address !== b) continue
      this.#end(stream.peer, 'reset')
      this.#end(stream, 'reset')
    }
  }

  #both(a: string, b: string, action: (x: string, y: string) => void): void {
    action(a, b)
    action(b, a)
  }

  #at(delayUs: number, action: () => void): void {
    this.queue.schedule(this.queue.nowUs + delayUs, action)
  }

  #conditionsOf(from: string, to: string): LinkConditions {
    return this.#conditions.get(direction(from, to)) ?? this.#defaults
  }

  #latency(from: string, to: string): number {
    const { latencyUs, jitterUs } = this.#conditionsOf(from, to)
    return latencyUs + this.#prng.below(jitterUs + 1)
  }

  #isCut(from: string, to: string): boolean {
    return this.#cuts.has(direction(from, to))
  }

  #apply(owner: Attached, effect: TransportEffect): void {
    assert(!owner.isGone, 'a node that is gone does nothing')
    if (effect.type === 'dial') {
      this.#dial(owner, effect)
      return
    }
    const stream = owner.connections.get(effect.connection)
    if (stream === undefined || stream.isClosed) return
    switch (effect.type) {
      case 'write':
        this.#write(stream, effect.chunks)
        return
      case 'close':
        this.#close(stream)
        return
      case 'pause':
        stream.isPaused = true
        return
      case 'resume':
        stream.isPaused = false
        this.#at(0, () => this.#arrive(stream, []))
    }
  }

  #emit(owner: Attached, event: TransportEvent): void {
    if (!owner.isGone) owner.onEvent(event)
  }

  #dial(owner: Attached, { dial, address, tlsKey }: Extract<TransportEffect, { type: 'dial' }>) {
    const fail = (reason: string) => this.#emit(owner, { type: 'dial-failed', dial, reason })
    const from = owner.address
    if (this.#isCut(from, address) || this.#isCut(address, from)) {
      this.#at(DIAL_TIMEOUT_US, () => fail('timed out'))
      return
    }
    const there = this.#latency(from, address)
    this.#at(there, () => {
      const target = this.#attached.get(address)
      const back = this.#latency(address, from)
      if (target === undefined) this.#at(back, () => fail('refused'))
      else if (!bytesEqual(target.tlsKey, tlsKey)) this.#at(back, () => fail('another TLS key'))
      else if (!owner.isGone) this.#connect(owner, target, dial, back)
    })
  }

  #connect(owner: Attached, target: Attached, dial: number, back: number): void {
    const exporter = this.#prng.bytes(32)
    const [near, far] = [this.#stream(owner), this.#stream(target)]
    near.peer = far
    far.peer = near
    const connected = (stream: Stream, peer: Attached, number: number | undefined): void =>
      this.#emit(stream.owner, {
        type: 'connected',
        connection: stream.id,
        dial: number,
        peerTlsKey: peer.tlsKey,
        exporter: exporter.slice(),
        remote: peer.address,
      })
    // What the far end writes at once arrives after the near end is connected.
    far.freeAtUs = this.queue.nowUs + back
    near.freeAtUs = this.queue.nowUs + back
    this.#at(back, () => connected(near, target, dial))
    connected(far, owner, undefined)
  }

  #stream(owner: Attached): Stream {
    const id = ++this.#lastConnection
    const stream: Stream = {
      id,
      owner,
      peer: undefined,
      buffered: 0,
      freeAtUs: this.queue.nowUs,
      waiting: [],
      isPaused: false,
      isClosed: false,
      endReason: undefined,
    }
    owner.connections.set(id, stream)
    return stream
  }

  #write(stream: Stream, chunks: readonly Uint8Array[]): void {
    const { peer, owner } = stream
    if (peer === undefined) return
    const { bytesPerSecond, loss } = this.#conditionsOf(owner.address, peer.owner.address)
    const pieces = this.#cutUp(chunks)
    if (pieces.length === 0) return
    for (const [i, piece] of pieces.entries()) {
      stream.buffered += piece.byteLength
      const sendUs = Math.ceil((piece.byteLength * 1_000_000) / bytesPerSecond)
      const lostUs = loss > 0 && this.#prng.chance(loss) ? RETRANSMIT_US : 0
      const latencyUs = this.#latency(owner.address, peer.owner.address)
      stream.freeAtUs = Math.max(stream.freeAtUs, this.queue.nowUs) + sendUs + lostUs
      const isLast = i === pieces.length - 1
      // Order is kept: the queue is stable, and no piece is due before the one ahead of it.
      const dueUs = Math.max(stream.freeAtUs + latencyUs, this.#lastDue.get(stream) ?? 0)
      this.#lastDue.set(stream, dueUs)
      // Until it has left it must not change, so it is looked at then and not before.
      let sent: Uint8Array = piece
      this.queue.schedule(stream.freeAtUs, () => {
        sent = piece.slice()
        this.#left(stream, piece.byteLength, isLast)
      })
      this.queue.schedule(dueUs, () => this.#arrive(peer, [sent]))
    }
  }

  readonly #lastDue = new WeakMap<Stream, number>()

  /** A stream keeps no borders: pieces are cut and joined anywhere. */
  #cutUp(chunks: readonly Uint8Array[]): Uint8Array[] {
    const pieces: Uint8Array[] = []
    for (const chunk of chunks) {
      for (let at = 0; at < chunk.byteLength; ) {
        const rest = chunk.byteLength - at
        const most = Math.min(rest, PIECE_BYTES_MAX)
        const length = this.#prng.chance(0.1) ? this.#prng.between(1, most) : most
        pieces.push(chunk.subarray(at, at + length))
        at += length
      }
    }
    return pieces
  }

  #left(stream: Stream, byteLength: number, isLast: boolean): void {
    stream.buffered -= byteLength
    if (!isLast || stream.isClosed || stream.buffered > 0) return
    this.#emit(stream.owner, { type: 'drained', connection: stream.id })
  }

  /** Pieces reach `stream`, unless its direction is cut or it does not read. */
  #arrive(stream: Stream, pieces: readonly Uint8Array[]): void {
    if (stream.isClosed || stream.owner.isGone) return
    stream.waiting.push(...pieces)
    const from = stream.peer?.owner.address
    if (from !== undefined && this.#isCut(from, stream.owner.address)) {
      this.#stall(stream, from)
      return
    }
    while (!stream.isPaused && !stream.isClosed) {
      const bytes = stream.waiting.shift()
      if (bytes === undefined) break
      this.#emit(stream.owner, { type: 'received', connection: stream.id, bytes })
    }
    if (stream.waiting.length === 0 && stream.endReason !== undefined) {
      this.#finish(stream, stream.endReason)
    }
  }

  /** Both ends give up in the end; each by itself, as there is nobody to tell. */
  #stall(stream: Stream, from: string): void {
    const path = direction(from, stream.owner.address)
    const stalled = this.#stalled.get(path) ?? new Set()
    this.#stalled.set(path, stalled)
    if (stalled.has(stream)) return
    stalled.add(stream)
    this.#at(STREAM_TIMEOUT_US, () => {
      if (this.#stalled.get(path) !== stalled || !stalled.has(stream)) return
      stalled.delete(stream)
      stream.waiting.length = 0
      const { peer } = stream
      if (peer !== undefined) this.#finish(peer, 'timed out')
      this.#finish(stream, 'timed out')
    })
  }

  #close(stream: Stream): void {
    const { peer } = stream
    if (peer !== undefined) {
      const due = Math.max(this.#lastDue.get(stream) ?? 0, stream.freeAtUs)
      const arrives = due + this.#latency(stream.owner.address, peer.owner.address)
      this.queue.schedule(arrives, () => this.#end(peer, 'closed by the other end'))
    }
    stream.isClosed = true
    this.#at(0, () => this.#finish(stream, 'closed'))
  }

  /** No more will come; what has arrived is still read. */
  #end(stream: Stream, reason: string): void {
    if (stream.isClosed) return
    stream.endReason ??= reason
    this.#at(0, () => this.#arrive(stream, []))
  }

  #finish(stream: Stream, reason: string): void {
    if (!stream.owner.connections.delete(stream.id)) return
    stream.isClosed = true
    this.#emit(stream.owner, { type: 'closed', connection: stream.id, reason })
  }

  #detach(owner: Attached, how: 'reset' | 'silent'): void {
    owner.isGone = true
    this.#attached.delete(owner.address)
    for (const stream of owner.connections.values()) {
      stream.isClosed = true
      const { peer } = stream
      if (peer === undefined) continue
      const delay =
        how === 'reset' ? this.#latency(owner.address, peer.owner.address) : STREAM_TIMEOUT_US
      this.#at(delay, () => this.#end(peer, how === 'reset' ? 'reset' : 'timed out'))
    }
    owner.connections.clear()
  }
}

function direction(from: string, to: string): string {
  return `${from}>${to}`
}
