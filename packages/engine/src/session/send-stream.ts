/**
 * The sending side of one stream: messages cut into chunks, each kept until it is acknowledged.
 *
 * Chunks have consecutive sequence numbers and never change, so one that is sent again is the
 * same. They live in a ring of slots that are used again: sending allocates nothing. Rules SN17
 * to SN20 of docs/spec/session.md.
 *
 * Invariants:
 * 1. acknowledged <= sent <= queued, in sequence numbers.
 * 2. Every slot in [acknowledged, sent) is in flight, lost or received; in [sent, queued) waiting.
 * 3. `#inFlightBytes` is the sum over slots in flight, `#lostCount` their number that are lost.
 *
 * @module
 */
import { assert, ProtocolError } from '@longshore/capsule'
import { SpareMemory } from '../runtime/spare-memory.ts'
import { Congestion } from './congestion.ts'
import type { StreamReceived } from './content.ts'
import { BITMAP_CHUNKS, CHUNK_BYTES_MAX } from './limits.ts'

/** Chunks sent later and received earlier before one counts as lost (RFC 9002 has 3). */
const OVERTAKEN_MAX = 3
/** What a message costs besides its bytes, so that many tiny ones are bounded as well. */
const MESSAGE_COST_BYTES = 64
const RING_MIN = 4
const NOTHING: Uint8Array = new Uint8Array(0)

type ChunkState = 'waiting' | 'in flight' | 'lost' | 'received'

/** One chunk: `message[start, end)`. */
export interface Chunk {
  message: Uint8Array
  start: number
  end: number
  sequence: number
  isLast: boolean
  state: ChunkState
  /** Number of this transmission among all of the stream. */
  order: number
  sentUs: number
  sentCount: number
}

function createChunk(): Chunk {
  return {
    ...{ message: NOTHING, start: 0, end: 0, sequence: 0, isLast: false, state: 'waiting' },
    ...{ order: 0, sentUs: 0, sentCount: 0 },
  }
}

export class SendStream {
  readonly #congestion: Congestion
  readonly #spares: SpareMemory
  #ring: Chunk[] = Array.from({ length: RING_MIN }, createChunk)
  /** Sequence numbers: the first unacknowledged, the first never sent, the next to be queued. */
  #acknowledged = 0
  #sent = 0
  #queued = 0
  #order = 0
  #lostCount = 0
  /** No chunk before this one is lost. */
  #lostFrom = 0
  #inFlightBytes = 0
  #heldBytes = 0
  /** Bytes of chunks that were sent at least once, and how many the peer allows. */
  #sentBytes = 0
  #creditBytes: number
  /** Of the newest measured chunk in the last acknowledgement. */
  #sampleUs: number | undefined

  /** Messages that have arrived go back to `spares`, where they came from there. */
  constructor(windowBytes: number, spares: SpareMemory = new SpareMemory()) {
    this.#spares = spares
    this.#creditBytes = windowBytes
    this.#congestion = new Congestion(windowBytes)
  }

  /** What is not acknowledged yet, with a cost for each message. */
  get heldBytes(): number {
    return this.#heldBytes
  }

  get isEmpty(): boolean {
    return this.#acknowledged === this.#queued
  }

  /** Something is on its way, or was and must be sent again. */
  get hasUnacknowledged(): boolean {
    return this.#acknowledged < this.#sent
  }

  /** Everything sent has arrived, and credit is missing for more. */
  get isStarved(): boolean {
    if (this.hasUnacknowledged || this.#sent === this.#queued) return false
    const { start, end } = this.#slot(this.#sent)
    return this.#sentBytes + end - start > this.#creditBytes
  }

  queue(message: Uint8Array): void {
    assert(message.length > 0, 'a message is not empty')
    for (let start = 0; start < message.length; start += CHUNK_BYTES_MAX) {
      if (this.#queued - this.#acknowledged === this.#ring.length) this.#grow()
      const chunk = this.#slot(this.#queued)
      chunk.message = message
      chunk.start = start
      chunk.end = Math.min(start + CHUNK_BYTES_MAX, message.length)
      chunk.sequence = this.#queued++
      chunk.isLast = chunk.end === message.length
      chunk.state = 'waiting'
      chunk.sentCount = 0
    }
    this.#heldBytes += message.length + MESSAGE_COST_BYTES
  }

  /** The chunk to send now, if one may be sent. It then counts as in flight. */
  next(nowUs: number): Chunk | undefined {
    const chunk = this.#choose()
    if (chunk === undefined) return undefined
    chunk.state = 'in flight'
    chunk.order = this.#order++
    chunk.sentUs = nowUs
    chunk.sentCount++
    this.#inFlightBytes += chunk.end - chunk.start
    return chunk
  }

  #choose(): Chunk | undefined {
    if (!this.#congestion.hasRoom(this.#inFlightBytes)) return undefined
    if (this.#lostCount > 0) {
      this.#lostFrom = Math.max(this.#lostFrom, this.#acknowledged)
      while (this.#lostFrom < this.#sent) {
        const chunk = this.#slot(this.#lostFrom++)
        if (chunk.state !== 'lost') continue
        this.#lostCount--
        return chunk
      }
    }
    if (this.#sent === this.#queued) return undefined
    const chunk = this.#slot(this.#sent)
    const chunkBytes = chunk.end - chunk.start
    if (this.#sentBytes + chunkBytes > this.#creditBytes) return undefined
    this.#sentBytes += chunkBytes
    this.#sent++
    return chunk
  }

  /**
   * What the peer says it has. True if that is more than before.
   *
   * @throws {ProtocolError} `SESSION_INVALID` if it claims what was never sent.
   */
  received(
    { next, credit, bitsLow, bitsHigh }: StreamReceived,
    nowUs: number,
    isQueueing: boolean = false,
  ): boolean {
    if (next > this.#sent) fail('an acknowledgement of what was not sent')
    const inFlightBefore = this.#inFlightBytes
    let newestOrder = -1
    let acknowledgedBytes = 0
    this.#sampleUs = undefined
    const take = (sequence: number): void => {
      const chunk = this.#slot(sequence)
      if (chunk.state === 'received') return
      acknowledgedBytes += chunk.end - chunk.start
      newestOrder = Math.max(newestOrder, chunk.order)
      this.#take(chunk, nowUs)
    }
    while (this.#acknowledged < next) {
      take(this.#acknowledged)
      this.#forget(this.#slot(this.#acknowledged++))
    }
    // An overtaken packet may say less than we know, and then its bitmap lies behind.
    if ((bitsLow | bitsHigh) !== 0) {
      for (let i = 0; i < BITMAP_CHUNKS; i++) {
        if ((((i < 32 ? bitsLow : bitsHigh) >>> (i % 32)) & 1) === 0) continue
        const sequence = next + 1 + i
        if (sequence >= this.#sent) fail('an acknowledgement of what was not sent')
        if (sequence >= this.#acknowledged) take(sequence)
      }
    }
    this.#creditBytes = Math.max(this.#creditBytes, credit)
    if (newestOrder < 0) return false
    this.#congestion.acknowledged(acknowledgedBytes, inFlightBefore, isQueueing)
    this.#findOvertaken(newestOrder)
    return true
  }

  #take(chunk: Chunk, nowUs: number): void {
    if (chunk.state === 'lost') this.#lostCount--
    else this.#inFlightBytes -= chunk.end - chunk.start
    if (chunk.sentCount === 1) this.#sampleUs = nowUs - chunk.sentUs
    this.#heldBytes -= chunk.end - chunk.start + (chunk.isLast ? MESSAGE_COST_BYTES : 0)
    chunk.state = 'received'
  }

  /** This chunk has arrived and all before it. */
  #forget(chunk: Chunk): void {
    if (chunk.isLast) this.#spares.giveBack(chunk.message)
    chunk.message = NOTHING
  }

  /** The session has ended: nothing is sent any more. */
  drop(): void {
    this.#ring = Array.from({ length: RING_MIN }, createChunk)
    this.#acknowledged = this.#sent = this.#queued
    this.#lostCount = 0
    this.#inFlightBytes = 0
    this.#heldBytes = 0
  }

  /** Round-trip time that the last acknowledgement shows, if it shows one. */
  get sampleUs(): number | undefined {
    return this.#sampleUs
  }

  #findOvertaken(newestOrder: number): void {
    // Beyond the bitmap nothing is known yet, so nothing there was overtaken.
    const end = Math.min(this.#sent, this.#acknowledged + BITMAP_CHUNKS + 1)
    for (let sequence = this.#acknowledged; sequence < end; sequence++) {
      const chunk = this.#slot(sequence)
      if (chunk.state !== 'in flight') continue
      if (chunk.order > newestOrder) return
      if (chunk.order + OVERTAKEN_MAX > newestOrder) continue
      this.#lose(chunk)
      this.#congestion.lost(chunk.order, this.#order - 1)
    }
  }

  /** No acknowledgement came in time. */
  expired(): void {
    this.#loseAll()
    this.#congestion.expired(this.#order - 1)
  }

  /** What was on the old path may be gone. */
  pathChanged(): void {
    this.#loseAll()
    this.#congestion.restart(this.#order - 1)
  }

  #loseAll(): void {
    for (let sequence = this.#acknowledged; sequence < this.#sent; sequence++) {
      const chunk = this.#slot(sequence)
      if (chunk.state === 'in flight') this.#lose(chunk)
    }
  }

  #lose(chunk: Chunk): void {
    chunk.state = 'lost'
    this.#lostCount++
    this.#lostFrom = Math.min(this.#lostFrom, chunk.sequence)
    this.#inFlightBytes -= chunk.end - chunk.start
  }

  #slot(sequence: number): Chunk {
    return this.#ring[sequence % this.#ring.length] as Chunk
  }

  #grow(): void {
    const larger = Array.from({ length: 2 * this.#ring.length }, createChunk)
    for (let sequence = this.#acknowledged; sequence < this.#queued; sequence++) {
      larger[sequence % larger.length] = this.#slot(sequence)
    }
    this.#ring = larger
  }
}

function fail(message: string): never {
  throw new ProtocolError('SESSION_INVALID', message)
}
