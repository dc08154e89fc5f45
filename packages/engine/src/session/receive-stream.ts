/**
 * The receiving side of one stream: chunks in any order become whole messages in order.
 *
 * What it holds is bounded by the credit that it gave, whatever the peer claims: memory grows only
 * with bytes that arrived. Rules SN17 to SN20 of docs/spec/session.md.
 *
 * @module
 */
import { assert, ProtocolError } from '@longshore/capsule'
import { SpareMemory } from '../runtime/spare-memory.ts'
import type { StreamReceived } from './content.ts'
import { AHEAD_CHUNKS_MAX, BITMAP_CHUNKS } from './limits.ts'

/** A message whose memory is so many times larger is copied: it would keep all of that alive. */
const PINNED_MAX = 2
/** What a chunk that waits costs besides its bytes, so that many tiny ones are bounded as well. */
const AHEAD_COST_BYTES = 128
const NOTHING: Uint8Array = new Uint8Array(0)

interface AheadChunk {
  readonly bytes: Uint8Array
  readonly isLast: boolean
}

export class ReceiveStream {
  readonly #windowBytes: number
  readonly #messageBytesMax: number
  readonly #spares: SpareMemory
  #next = 0
  /** Beginning of a message whose end is missing, in memory that has room for more. */
  #part: Uint8Array = NOTHING
  #partBytes = 0
  /** Of the last message: the next one is likely to be as large. */
  #lastBytes = 0
  readonly #ahead = new Map<number, AheadChunk>()
  /** Bytes of all chunks taken so far, and of all messages that the application is done with. */
  #takenBytes = 0
  #consumedBytes = 0
  /** Handed to the application, which has not said that it is done with them. */
  #pendingBytes = 0
  #announcedCredit: number
  #isLastChunkKept = false

  /** Messages of several chunks are put together in memory from `spares`. */
  constructor(
    windowBytes: number,
    messageBytesMax: number,
    spares: SpareMemory = new SpareMemory(),
  ) {
    this.#spares = spares
    this.#windowBytes = windowBytes
    this.#messageBytesMax = messageBytesMax
    this.#announcedCredit = windowBytes
  }

  get pendingBytes(): number {
    return this.#pendingBytes
  }

  /** What has come and is not consumed. Its memory is at most about twice as much. */
  get heldBytes(): number {
    return this.#takenBytes - this.#consumedBytes + this.#ahead.size * AHEAD_COST_BYTES
  }

  /** The bytes taken last are a message themselves: they were not copied. */
  get isLastChunkKept(): boolean {
    return this.#isLastChunkKept
  }

  /** The peer could send a good part more than it knows. */
  get hasNewCredit(): boolean {
    const creditBytes = this.#consumedBytes + this.#windowBytes
    return creditBytes - this.#announcedCredit >= this.#windowBytes / 4
  }

  /**
   * Takes a chunk; `messages` receives those that it completes. True if it came in order, so that
   * the acknowledgement can wait.
   *
   * @throws {ProtocolError} `SESSION_INVALID` if the peer sends more than it was allowed to.
   */
  take(sequence: number, bytes: Uint8Array, isLast: boolean, messages: Uint8Array[]): boolean {
    this.#isLastChunkKept = false
    if (sequence < this.#next || this.#ahead.has(sequence)) return false
    if (sequence >= this.#next + AHEAD_CHUNKS_MAX) return false
    this.#takenBytes += bytes.length
    if (this.#takenBytes > this.#consumedBytes + this.#windowBytes) {
      fail('a peer sends more than its credit')
    }
    if (sequence > this.#next) {
      this.#ahead.set(sequence, { bytes: new Uint8Array(bytes), isLast })
      return false
    }
    const isInOrder = this.#ahead.size === 0
    this.#isLastChunkKept = isLast && this.#partBytes === 0
    this.#append(bytes, isLast, messages)
    for (;;) {
      const ahead = this.#ahead.get(this.#next)
      if (ahead === undefined) return isInOrder
      this.#ahead.delete(this.#next)
      this.#append(ahead.bytes, ahead.isLast, messages)
    }
  }

  #append(bytes: Uint8Array, isLast: boolean, messages: Uint8Array[]): void {
    this.#next++
    const before = this.#partBytes
    this.#partBytes += bytes.length
    if (this.#partBytes > this.#messageBytesMax) fail('a message is too large')
    const isWhole = isLast && before === 0
    if (!isWhole) {
      if (this.#partBytes > this.#part.length) this.#grow(before)
      this.#part.set(bytes, before)
    }
    if (!isLast) return
    messages.push(isWhole ? bytes : this.#takePart())
    this.#pendingBytes += this.#partBytes
    this.#partBytes = 0
  }

  #grow(usedBytes: number): void {
    const before = this.#part
    const likelyBytes = Math.max(this.#partBytes, this.#lastBytes)
    const kept = this.#spares.takeKept(likelyBytes)
    this.#part = kept ?? this.#spares.take(2 * this.#partBytes)
    this.#part.set(before.subarray(0, usedBytes))
    this.#spares.giveBack(before)
  }

  #takePart(): Uint8Array {
    const part = this.#part
    this.#part = NOTHING
    const message = part.subarray(0, this.#partBytes)
    this.#lastBytes = message.length
    if (message.length * PINNED_MAX >= part.buffer.byteLength) return message
    const copy = new Uint8Array(message)
    this.#spares.giveBack(part)
    return copy
  }

  /** The application is done with `bytes` of what it was handed. */
  consumed(bytes: number): void {
    assert(bytes <= this.#pendingBytes, 'nothing is consumed that was not handed out')
    this.#pendingBytes -= bytes
    this.#consumedBytes += bytes
  }

  /** The session has ended: nothing that is held is needed any more. */
  drop(): void {
    this.#ahead.clear()
    this.#spares.giveBack(this.#part)
    this.#part = NOTHING
    this.#partBytes = 0
    this.#pendingBytes = 0
    this.#consumedBytes = this.#takenBytes
  }

  /** Writes what the peer shall know into `received`. */
  report(received: StreamReceived): void {
    this.#announcedCredit = this.#consumedBytes + this.#windowBytes
    received.next = this.#next
    received.credit = this.#announcedCredit
    received.bitsLow = 0
    received.bitsHigh = 0
    if (this.#ahead.size === 0) return
    for (let i = 0; i < BITMAP_CHUNKS; i++) {
      if (!this.#ahead.has(this.#next + 1 + i)) continue
      if (i < 32) received.bitsLow = (received.bitsLow | (1 << i)) >>> 0
      else received.bitsHigh = (received.bitsHigh | (1 << (i - 32))) >>> 0
    }
  }
}

function fail(message: string): never {
  throw new ProtocolError('SESSION_INVALID', message)
}
