/**
 * What a sealed packet holds: how far its sender has received, and at most one chunk.
 *
 *     flags 1 | urgent next 6 | urgent credit 6 | bulk next 6 | bulk credit 6
 *             | bitmaps 8 + 8, with flag 10 | close code 1, with flag 20
 *             | sequence number 6, chunk 1 to 32768, with flag 01
 *
 * Flags: 01 chunk, 02 it is of the bulk stream, 04 it ends a message, 08 answer at once, 10
 * bitmaps, 20 close. `next` is the first chunk that is missing, `credit` how many bytes of chunks
 * the peer may send in all; bit i of a bitmap (from the lowest) says that chunk next + 1 + i is
 * here. Rules SN14 to SN16 of docs/spec/session.md.
 *
 * @module
 */
import { assert, type LongshoreError, ProtocolError, UnavailableError } from '@longshore/capsule'
import { readUint16, readUint32, writeUint16, writeUint32 } from '../store/disk/big-endian.ts'
import { CHUNK_BYTES_MAX, COUNTER_MAX } from './limits.ts'

const FLAG_CHUNK = 1
const FLAG_BULK = 2
const FLAG_LAST = 4
const FLAG_PING = 8
const FLAG_BITMAPS = 16
const FLAG_CLOSE = 32
const FLAGS_ALL = 63

const TWO_TO_32 = 0x1_0000_0000
const UINT48_BYTES = 6
const FIXED_BYTES: number = 1 + 4 * UINT48_BYTES
const BITMAPS_BYTES = 16

/** Why a session ends. A number on the wire: add at the end, never change. */
const CLOSE_CODES = [
  'NORMAL',
  'SESSION_INVALID',
  'POLICY_REFUSED',
  'OVERLOADED',
  'PEER_LOST',
] as const
export type CloseCode = (typeof CLOSE_CODES)[number]

/** What a peer's reason means for the application here. */
export function closeErrorOf(code: CloseCode): LongshoreError | undefined {
  if (code === 'NORMAL') return undefined
  if (code === 'SESSION_INVALID') {
    return new ProtocolError(code, 'the peer ended the session: we broke the protocol, it says')
  }
  return new UnavailableError(code, 'the peer ended the session')
}

/** How far one stream was received: two words of bitmap, the lower one first. */
export interface StreamReceived {
  next: number
  credit: number
  bitsLow: number
  bitsHigh: number
}

/** One object for each session, filled anew by every packet: nothing is allocated. */
export interface Content {
  readonly urgent: StreamReceived
  readonly bulk: StreamReceived
  isPing: boolean
  close: CloseCode | undefined
  hasChunk: boolean
  isBulk: boolean
  isLast: boolean
  sequence: number
  /** Where the chunk lies in the bytes that were decoded. */
  chunkStart: number
  chunkEnd: number
}

function createReceived(): StreamReceived {
  return { next: 0, credit: 0, bitsLow: 0, bitsHigh: 0 }
}

export function createContent(): Content {
  return {
    ...{ urgent: createReceived(), bulk: createReceived(), isPing: false, close: undefined },
    ...{ hasChunk: false, isBulk: false, isLast: false, sequence: 0, chunkStart: 0, chunkEnd: 0 },
  }
}

function hasBits({ urgent, bulk }: Content): boolean {
  return (urgent.bitsLow | urgent.bitsHigh | bulk.bitsLow | bulk.bitsHigh) !== 0
}

/** Length of the content, with a chunk of `chunkBytes`. */
export function contentBytes(content: Content, chunkBytes: number): number {
  return (
    FIXED_BYTES +
    (hasBits(content) ? BITMAPS_BYTES : 0) +
    (content.close === undefined ? 0 : 1) +
    (content.hasChunk ? UINT48_BYTES + chunkBytes : 0)
  )
}

function writeUint48(bytes: Uint8Array, at: number, value: number): void {
  writeUint16(bytes, at, Math.floor(value / TWO_TO_32))
  writeUint32(bytes, at + 2, value % TWO_TO_32)
}

function readUint48(bytes: Uint8Array, at: number): number {
  return readUint16(bytes, at) * TWO_TO_32 + readUint32(bytes, at + 2)
}

/** Writes everything but the chunk; returns where that belongs. */
export function writeContent(bytes: Uint8Array, start: number, content: Content): number {
  const { urgent, bulk, close } = content
  const withBits = hasBits(content)
  bytes[start] =
    (content.hasChunk ? FLAG_CHUNK : 0) |
    (content.isBulk ? FLAG_BULK : 0) |
    (content.isLast ? FLAG_LAST : 0) |
    (content.isPing ? FLAG_PING : 0) |
    (withBits ? FLAG_BITMAPS : 0) |
    (close === undefined ? 0 : FLAG_CLOSE)
  writeUint48(bytes, start + 1, urgent.next)
  writeUint48(bytes, start + 7, urgent.credit)
  writeUint48(bytes, start + 13, bulk.next)
  writeUint48(bytes, start + 19, bulk.credit)
  let at = start + FIXED_BYTES
  if (withBits) {
    writeUint32(bytes, at, urgent.bitsHigh)
    writeUint32(bytes, at + 4, urgent.bitsLow)
    writeUint32(bytes, at + 8, bulk.bitsHigh)
    writeUint32(bytes, at + 12, bulk.bitsLow)
    at += BITMAPS_BYTES
  }
  if (close !== undefined) bytes[at++] = CLOSE_CODES.indexOf(close)
  if (!content.hasChunk) return at
  assert(content.sequence <= COUNTER_MAX, 'sequence numbers have 48 bits')
  writeUint48(bytes, at, content.sequence)
  return at + UINT48_BYTES
}

function fail(message: string): never {
  throw new ProtocolError('SESSION_INVALID', message)
}

/**
 * Reads `bytes[start, end)` into `content`.
 *
 * @throws {ProtocolError} `SESSION_INVALID` for anything but the one spelling.
 */
export function decodeContent(
  bytes: Uint8Array,
  start: number,
  end: number,
  content: Content,
): void {
  if (end - start < FIXED_BYTES) fail('a packet is cut off')
  const flags = bytes[start] as number
  if (flags > FLAGS_ALL) fail('a packet with unknown flags')
  const { urgent, bulk } = content
  urgent.next = readUint48(bytes, start + 1)
  urgent.credit = readUint48(bytes, start + 7)
  bulk.next = readUint48(bytes, start + 13)
  bulk.credit = readUint48(bytes, start + 19)
  content.isPing = (flags & FLAG_PING) !== 0
  let at = start + FIXED_BYTES
  at = readBitmaps(bytes, at, end, (flags & FLAG_BITMAPS) !== 0, content)
  at = readClose(bytes, at, end, (flags & FLAG_CLOSE) !== 0, content)
  content.hasChunk = (flags & FLAG_CHUNK) !== 0
  content.isBulk = (flags & FLAG_BULK) !== 0
  content.isLast = (flags & FLAG_LAST) !== 0
  if (content.hasChunk) readChunk(bytes, at, end, content)
  else if (content.isBulk || content.isLast || at !== end)
    fail('a packet without the chunk it says')
}

function readBitmaps(
  bytes: Uint8Array,
  at: number,
  end: number,
  isThere: boolean,
  content: Content,
): number {
  const { urgent, bulk } = content
  if (!isThere) {
    urgent.bitsHigh = urgent.bitsLow = bulk.bitsHigh = bulk.bitsLow = 0
    return at
  }
  if (at + BITMAPS_BYTES > end) fail('a packet is cut off')
  urgent.bitsHigh = readUint32(bytes, at)
  urgent.bitsLow = readUint32(bytes, at + 4)
  bulk.bitsHigh = readUint32(bytes, at + 8)
  bulk.bitsLow = readUint32(bytes, at + 12)
  if (!hasBits(content)) fail('bitmaps without a bit')
  return at + BITMAPS_BYTES
}

function readClose(
  bytes: Uint8Array,
  at: number,
  end: number,
  isThere: boolean,
  content: Content,
): number {
  content.close = undefined
  if (!isThere) return at
  const code = at < end ? CLOSE_CODES[bytes[at] as number] : undefined
  if (code === undefined) fail('a packet closes for no known reason')
  content.close = code
  return at + 1
}

function readChunk(bytes: Uint8Array, at: number, end: number, content: Content): void {
  const chunkBytes = end - at - UINT48_BYTES
  if (chunkBytes < 1 || chunkBytes > CHUNK_BYTES_MAX) fail('a chunk has 1 to 32768 bytes')
  if (!content.isLast && chunkBytes !== CHUNK_BYTES_MAX) fail('only the last chunk may be shorter')
  if (content.close !== undefined) fail('a packet that closes holds no chunk')
  content.sequence = readUint48(bytes, at)
  content.chunkStart = at + UINT48_BYTES
  content.chunkEnd = end
}
