/**
 * Frames between neighbors: their types and the bytes of those that carry payload.
 *
 *     00 00 00 10 | 11 | 01 | 1f | 00 00 00 07 | …      length, labelled data: flags, hop limit,
 *                                                         label, payload
 *
 * Hop limit and flags stand in the same place of every routed frame, so a router rewrites two
 * fields of the received bytes and sends them on. Rules FR1 to FR8 of docs/spec/frame.md; frames
 * of the overlay itself are CBOR (`control-frame.ts`).
 *
 * @module
 */
import { asCapsuleName, type CapsuleName, encodeUtf8, ProtocolError } from '@longshore/capsule'
import { writeUint32 } from '../store/disk/big-endian.ts'

/** Length, type. */
export const FRAME_HEAD_BYTES = 5
export const AT_TYPE = 4
export const AT_FLAGS = 5
export const AT_HOPS = 6
/** Destination of data, label of labelled data. */
export const AT_TARGET = 7
export const AT_SOURCE = 39
export const DATA_HEAD_BYTES = 71
export const LABELLED_HEAD_BYTES = 11
/** A refusal: about (32), by (32), code (1), message. */
export const AT_ABOUT = 39
const AT_BY = 71
const AT_CODE = 103
const AT_MESSAGE = 104
const MESSAGE_BYTES_MAX = 256
/** Names the mirror that published. */
export const AT_PUBLISHER = 39

export const FLAG_BULK = 1

export const HELLO = 0x01
export const GOODBYE = 0x02
export const PING = 0x03
export const PONG = 0x04
export const DATA = 0x10
export const LABELLED = 0x11
export const LABEL = 0x12
export const RETIRE = 0x13
export const UNREACHABLE = 0x14
export const PUBLISHED = 0x15
export const ADVERTISE = 0x20
export const ADVERTISED = 0x21
export const WITHDRAW = 0x22
export const LOOKUP = 0x23
export const FOUND = 0x24
export const SUBSCRIBE = 0x25
export const UNSUBSCRIBE = 0x26
export const GAP = 0x27
export const TRACE = 0x28
export const TRACED = 0x29

/** Frames that may be dropped when a link is slow; all others hold the overlay together. */
export function isDroppable(type: number): boolean {
  return type === LABELLED || type === DATA || type === PUBLISHED || type === UNREACHABLE
}

/** Length and type of a frame whose body has `bodyBytes`, in an array that has room for it. */
export function startFrame(
  type: number,
  bodyBytes: number,
  allocate: number = bodyBytes,
): Uint8Array {
  const frame = new Uint8Array(FRAME_HEAD_BYTES + allocate)
  writeUint32(frame, 0, 1 + bodyBytes)
  frame[AT_TYPE] = type
  return frame
}

/** Everything of a data frame before its payload. */
export function dataHead(
  destination: CapsuleName,
  source: CapsuleName,
  flags: number,
  hops: number,
  payloadBytes: number,
): Uint8Array {
  const headBytes = DATA_HEAD_BYTES - FRAME_HEAD_BYTES
  const head = startFrame(DATA, headBytes + payloadBytes, headBytes)
  head[AT_FLAGS] = flags
  head[AT_HOPS] = hops
  head.set(destination, AT_TARGET)
  head.set(source, AT_SOURCE)
  return head
}

/** Everything of a labelled frame before its payload, written at `at`. */
export function writeLabelledHead(
  bytes: Uint8Array,
  at: number,
  label: number,
  flags: number,
  hops: number,
  payloadBytes: number,
): void {
  writeUint32(bytes, at, LABELLED_HEAD_BYTES - 4 + payloadBytes)
  bytes[at + AT_TYPE] = LABELLED
  bytes[at + AT_FLAGS] = flags
  bytes[at + AT_HOPS] = hops
  writeUint32(bytes, at + AT_TARGET, label)
}

export function labelFrame(
  label: number,
  destination: CapsuleName,
  source: CapsuleName,
): Uint8Array {
  const frame = startFrame(LABEL, 68)
  writeUint32(frame, FRAME_HEAD_BYTES, label)
  frame.set(destination, FRAME_HEAD_BYTES + 4)
  frame.set(source, FRAME_HEAD_BYTES + 36)
  return frame
}

export function retireFrame(label: number): Uint8Array {
  const frame = startFrame(RETIRE, 4)
  writeUint32(frame, FRAME_HEAD_BYTES, label)
  return frame
}

export function pingFrame(type: typeof PING | typeof PONG, number: number): Uint8Array {
  const frame = startFrame(type, 4)
  writeUint32(frame, FRAME_HEAD_BYTES, number)
  return frame
}

export function publishedHead(
  name: CapsuleName,
  publisher: CapsuleName,
  flags: number,
  hops: number,
  payloadBytes: number,
): Uint8Array {
  const head = dataHead(name, publisher, flags, hops, payloadBytes)
  head[AT_TYPE] = PUBLISHED
  return head
}

export type UnreachableCode = 'NO_ROUTE' | 'POLICY_REFUSED' | 'HOPS_EXCEEDED'

const UNREACHABLE_CODES: readonly UnreachableCode[] = [
  'NO_ROUTE',
  'POLICY_REFUSED',
  'HOPS_EXCEEDED',
]

export interface Unreachable {
  /** Who sent what could not be delivered. */
  readonly source: CapsuleName
  /** Where it should have gone. */
  readonly destination: CapsuleName
  /** The router that says so. A claim of a peer, never evidence. */
  readonly by: CapsuleName
  readonly code: UnreachableCode
  readonly message: string
}

export function unreachableFrame(refusal: Unreachable, hops: number): Uint8Array {
  const message = encodeUtf8(refusal.message).subarray(0, MESSAGE_BYTES_MAX)
  const frame = startFrame(UNREACHABLE, AT_MESSAGE - FRAME_HEAD_BYTES + message.length)
  frame[AT_HOPS] = hops
  frame.set(refusal.source, AT_TARGET)
  frame.set(refusal.destination, AT_ABOUT)
  frame.set(refusal.by, AT_BY)
  frame[AT_CODE] = 1 + UNREACHABLE_CODES.indexOf(refusal.code)
  frame.set(message, AT_MESSAGE)
  return frame
}

/** `start` and `end` of the frame within `bytes`. @throws {ProtocolError} `FRAME_INVALID` */
export function decodeUnreachable(bytes: Uint8Array, start: number, end: number): Unreachable {
  const code = UNREACHABLE_CODES[(bytes[start + AT_CODE] as number) - 1]
  if (code === undefined || bytes[start + AT_FLAGS] !== 0) {
    throw new ProtocolError('FRAME_INVALID', 'a refusal for an unknown reason')
  }
  // Shown on terminals: printable ASCII and nothing else.
  const text = bytes.subarray(start + AT_MESSAGE, end)
  if (text.length > MESSAGE_BYTES_MAX || text.some((byte) => byte < 0x20 || byte > 0x7e)) {
    throw new ProtocolError('FRAME_INVALID', 'the message of a refusal is not short ASCII')
  }
  return {
    source: nameAt(bytes, start + AT_TARGET),
    destination: nameAt(bytes, start + AT_ABOUT),
    by: nameAt(bytes, start + AT_BY),
    code,
    message: String.fromCharCode(...text),
  }
}

/** A copy, which keeps nothing else of `bytes` alive. */
export function nameAt(bytes: Uint8Array, at: number): CapsuleName {
  return asCapsuleName(new Uint8Array(bytes.subarray(at, at + 32)))
}

interface FrameShape {
  readonly bodyBytesMin: number
  readonly bodyBytesMax: number
}

const anything = (bodyBytesMin: number): FrameShape => ({
  bodyBytesMin,
  bodyBytesMax: Number.MAX_SAFE_INTEGER,
})
const exactly = (bodyBytes: number): FrameShape => ({
  bodyBytesMin: bodyBytes,
  bodyBytesMax: bodyBytes,
})

const SHAPES: ReadonlyMap<number, FrameShape> = new Map([
  [HELLO, anything(1)],
  [GOODBYE, anything(1)],
  [PING, exactly(4)],
  [PONG, exactly(4)],
  [DATA, anything(DATA_HEAD_BYTES - FRAME_HEAD_BYTES)],
  [LABELLED, anything(LABELLED_HEAD_BYTES - FRAME_HEAD_BYTES)],
  [LABEL, exactly(68)],
  [RETIRE, exactly(4)],
  [UNREACHABLE, anything(AT_MESSAGE - FRAME_HEAD_BYTES)],
  [PUBLISHED, anything(DATA_HEAD_BYTES - FRAME_HEAD_BYTES)],
  ...[ADVERTISE, ADVERTISED, WITHDRAW, LOOKUP, FOUND].map(
    (type) => [type, anything(1)] as [number, FrameShape],
  ),
  ...[SUBSCRIBE, UNSUBSCRIBE, GAP, TRACE, TRACED].map(
    (type) => [type, anything(1)] as [number, FrameShape],
  ),
])

/**
 * Known type, a length that it can have, no unknown flag.
 *
 * @throws {ProtocolError} `FRAME_INVALID`
 */
export function checkFrame(bytes: Uint8Array, start: number, end: number): void {
  const type = bytes[start + AT_TYPE] as number
  const shape = SHAPES.get(type)
  if (shape === undefined) {
    throw new ProtocolError('FRAME_INVALID', 'a frame of an unknown type', { type })
  }
  const bodyBytes = end - start - FRAME_HEAD_BYTES
  if (bodyBytes < shape.bodyBytesMin || bodyBytes > shape.bodyBytesMax) {
    throw new ProtocolError('FRAME_INVALID', 'a frame of a wrong length', { type, bodyBytes })
  }
  if (type < DATA || type > PUBLISHED || type === LABEL || type === RETIRE) return
  if (((bytes[start + AT_FLAGS] as number) & ~FLAG_BULK) !== 0) {
    throw new ProtocolError('FRAME_INVALID', 'a frame with an unknown flag', { type })
  }
}
