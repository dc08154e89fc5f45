/**
 * The receiving side of one stream: chunks in any order become whole messages in order.
 *
 * What it holds is bounded by the credit that it gave, whatever the peer claims: memory grows only
 * with bytes that arrived. Rules SN17 to SN20 of docs/spec/session.md.
 *
 * @module
 */
import { assert, concatBytes, ProtocolError } from '@longshore/capsule'
import type { StreamReceived } from './content.ts'
import { AHEAD_CHUNKS_MAX, BITMAP_CHUNKS } from './limits.ts'

/** A view of a buffer so many times larger is copied: it would keep all of that alive. */
const PINNED_MAX = 2

interface AheadChunk {
  readonly bytes: Uint8Array
  readonly isLast: boolean
}

export class ReceiveStream {
  readonly #windowBytes: number
  readonly #messageBytesMax: number
  #next = 0
  /** Beginning of a message whose end is missing. */
  #parts: Uint8Array[] = []
  #partBytes = 0
  readonly #ahead = new Map<number, AheadChunk>()
  /** Bytes of all chunks taken so far, and of all messages that the application is done with. */
  #takenBytes = 0
  #consumedBytes = 0
  /** Handed to the application, which has not said that it is done with them. */
  #pendingBytes = 0
  #announcedCredit: number

  constructor(windowBytes: number, messageBytesMax: number) {
    this.#windowBytes = windowBytes
    this.#messageBytesMax = messageBytesMax
    this.#announcedCredit = windowBytes
  }

  get pendingBytes(): number {
    return this.#pendingBytes
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
    if (sequence < this.#next || this.#ahead.has(sequence)) return false
    if (sequence >= this.#next + AHEAD_CHUNKS_MAX) return false
    this.#takenBytes += bytes.length
    if (this.#takenBytes > this.#consumedBytes + this.#windowBytes) {
      fail('a peer sends more than its credit')
    }
    if (sequence > this.#next) {
      this.#ahead.set(sequence, { bytes: unpinned(bytes), isLast })
      return false
    }
    const isInOrder = this.#ahead.size === 0
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
    this.#partBytes += bytes.length
    if (this.#partBytes > this.#messageBytesMax) fail('a message is too large')
    if (!isLast) {
      this.#parts.push(unpinned(bytes))
      return
    }
    messages.push(this.#parts.length === 0 ? bytes : concatBytes(...this.#parts, bytes))
    this.#pendingBytes += this.#partBytes
    this.#parts = []
    this.#partBytes = 0
  }

  /** The application is done with `bytes` of what it was handed. */
  consumed(bytes: number): void {
    assert(bytes <= this.#pendingBytes, 'nothing is consumed that was not handed out')
    this.#pendingBytes -= bytes
    this.#consumedBytes += bytes
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

function unpinned(bytes: Uint8Array): Uint8Array {
  return bytes.buffer.byteLength > PINNED_MAX * bytes.length ? new Uint8Array(bytes) : bytes
}

function fail(message: string): never {
  throw new ProtocolError('SESSION_INVALID', message)
}
