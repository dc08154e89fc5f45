/**
 * The packets of a session: what a datagram of the overlay carries. The first byte is the type.
 *
 *     init         01 | e 32 | index 4 | versions n, n × 1 | suites n, n × 1 | cookie 0 or 16
 *     reply        02 | receiver 4 | index 4 | version 1 | suite 1 | e 32 | sealed …
 *     finish       03 | receiver 4 | sealed …
 *     sealed       04 | receiver 4 | counter 8 | sealed …
 *     retry        05 | receiver 4 | e 32 | cookie 16
 *     unsupported  06 | receiver 4 | e 32 | versions n, n × 1 | suites n, n × 1
 *     unknown      07 | receiver 4 | tag 16
 *
 * Integers are big-endian; lists are ascending. Rules SN1 to SN4 and SN27 of docs/spec/session.md.
 *
 * @module
 */
import { AEAD_TAG_BYTES, concatBytes, ProtocolError, X25519_BYTES } from '@longshore/capsule'
import { readUint32, writeUint32 } from '../store/disk/big-endian.ts'
import { HANDSHAKE_PACKET_BYTES_MAX, OFFERS_MAX } from './limits.ts'

export const PACKET_INIT = 1
export const PACKET_REPLY = 2
export const PACKET_FINISH = 3
export const PACKET_SEALED = 4
export const PACKET_RETRY = 5
export const PACKET_UNSUPPORTED = 6
export const PACKET_UNKNOWN = 7

export const COOKIE_BYTES = 16
/** Type, receiver and counter before what is sealed. */
export const SEALED_HEADER_BYTES = 13
const INIT_FIXED_BYTES: number = 1 + X25519_BYTES + 4
const REPLY_FIXED_BYTES: number = 11 + X25519_BYTES
const FINISH_FIXED_BYTES = 5
const ECHO_BYTES: number = 5 + X25519_BYTES
const UNKNOWN_BYTES: number = 5 + AEAD_TAG_BYTES

/** What an end can speak: ascending numbers. */
export interface Offer {
  readonly versions: readonly number[]
  readonly suites: readonly number[]
}

export interface InitPacket {
  readonly ephemeral: Uint8Array
  /** Under which the initiator wants to be answered. */
  readonly index: number
  readonly offer: Offer
  /** Empty, or what a retry asked for. */
  readonly cookie: Uint8Array
}

export interface ReplyPacket {
  readonly receiver: number
  readonly index: number
  readonly version: number
  readonly suite: number
  readonly ephemeral: Uint8Array
  readonly sealed: Uint8Array
}

export interface RetryPacket {
  readonly receiver: number
  /** The initiator's, so that nobody who did not see it can interfere. */
  readonly ephemeral: Uint8Array
  readonly cookie: Uint8Array
}

export interface UnsupportedPacket {
  readonly receiver: number
  readonly ephemeral: Uint8Array
  readonly offer: Offer
}

export interface UnknownPacket {
  /** The receiver that a sealed packet named, and nobody here is. */
  readonly receiver: number
  /** The end of that packet, so that nobody who did not see it can interfere. */
  readonly tag: Uint8Array
}

/** Caught and counted by whoever delivers: a handshake packet that changes nothing. */
export function refused(message: string): ProtocolError {
  return new ProtocolError('SESSION_INVALID', message)
}

function fail(message: string): never {
  throw new ProtocolError('SESSION_INVALID', message)
}

function checkLength(packet: Uint8Array, min: number, max: number): void {
  if (packet.length < min || packet.length > max) fail('a packet of no possible length')
}

function head(type: number, ...numbers: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(1 + 4 * numbers.length)
  bytes[0] = type
  for (const [at, value] of numbers.entries()) writeUint32(bytes, 1 + 4 * at, value)
  return bytes
}

function encodeOffer({ versions, suites }: Offer): Uint8Array {
  return Uint8Array.of(versions.length, ...versions, suites.length, ...suites)
}

function decodeOffer(bytes: Uint8Array, at: number): { offer: Offer; end: number } {
  const versions = readNumbers(bytes, at)
  const suites = readNumbers(bytes, versions.end)
  return { offer: { versions: versions.numbers, suites: suites.numbers }, end: suites.end }
}

function readNumbers(bytes: Uint8Array, at: number): { numbers: number[]; end: number } {
  const count = bytes[at] ?? 0
  const end = at + 1 + count
  if (count === 0 || count > OFFERS_MAX || end > bytes.length) fail('a list of no possible length')
  const numbers = [...bytes.subarray(at + 1, end)]
  if (numbers.some((value, i) => i > 0 && value <= (numbers[i - 1] as number))) {
    fail('a list that does not ascend')
  }
  return { numbers, end }
}

export function encodeInit({ ephemeral, index, offer, cookie }: InitPacket): Uint8Array {
  const type = Uint8Array.of(PACKET_INIT)
  const sender = head(0, index).subarray(1)
  return concatBytes(type, ephemeral, sender, encodeOffer(offer), cookie)
}

/** @throws {ProtocolError} `SESSION_INVALID`, as all of these decoders. */
export function decodeInit(packet: Uint8Array): InitPacket {
  checkLength(packet, INIT_FIXED_BYTES + 4, INIT_FIXED_BYTES + 2 + 2 * OFFERS_MAX + COOKIE_BYTES)
  const { offer, end } = decodeOffer(packet, INIT_FIXED_BYTES)
  const cookie = packet.slice(end)
  if (cookie.length !== 0 && cookie.length !== COOKIE_BYTES) fail('a cookie has 16 bytes')
  const index = readUint32(packet, 1 + X25519_BYTES)
  return { ephemeral: packet.slice(1, 1 + X25519_BYTES), index, offer, cookie }
}

/** The part of a reply that is bound into the transcript before the responder's ephemeral key. */
export function replyChoice(packet: Omit<ReplyPacket, 'sealed'>): Uint8Array {
  const { receiver, index, version, suite } = packet
  return concatBytes(head(PACKET_REPLY, receiver, index), Uint8Array.of(version, suite))
}

export function encodeReply(packet: ReplyPacket): Uint8Array {
  return concatBytes(replyChoice(packet), packet.ephemeral, packet.sealed)
}

export function decodeReply(packet: Uint8Array): ReplyPacket {
  checkLength(packet, REPLY_FIXED_BYTES + AEAD_TAG_BYTES, HANDSHAKE_PACKET_BYTES_MAX)
  return {
    receiver: readUint32(packet, 1),
    index: readUint32(packet, 5),
    version: packet[9] as number,
    suite: packet[10] as number,
    ephemeral: packet.slice(11, REPLY_FIXED_BYTES),
    sealed: packet.slice(REPLY_FIXED_BYTES),
  }
}

export function encodeFinish(receiver: number, sealed: Uint8Array): Uint8Array {
  return concatBytes(head(PACKET_FINISH, receiver), sealed)
}

export function decodeFinish(packet: Uint8Array): { receiver: number; sealed: Uint8Array } {
  checkLength(packet, FINISH_FIXED_BYTES + AEAD_TAG_BYTES, HANDSHAKE_PACKET_BYTES_MAX)
  return { receiver: readUint32(packet, 1), sealed: packet.slice(FINISH_FIXED_BYTES) }
}

export function encodeRetry({ receiver, ephemeral, cookie }: RetryPacket): Uint8Array {
  return concatBytes(head(PACKET_RETRY, receiver), ephemeral, cookie)
}

export function decodeRetry(packet: Uint8Array): RetryPacket {
  checkLength(packet, ECHO_BYTES + COOKIE_BYTES, ECHO_BYTES + COOKIE_BYTES)
  const [ephemeral, cookie] = [packet.slice(5, ECHO_BYTES), packet.slice(ECHO_BYTES)]
  return { receiver: readUint32(packet, 1), ephemeral, cookie }
}

export function encodeUnsupported({ receiver, ephemeral, offer }: UnsupportedPacket): Uint8Array {
  return concatBytes(head(PACKET_UNSUPPORTED, receiver), ephemeral, encodeOffer(offer))
}

export function decodeUnsupported(packet: Uint8Array): UnsupportedPacket {
  checkLength(packet, ECHO_BYTES + 4, ECHO_BYTES + 2 + 2 * OFFERS_MAX)
  const { offer, end } = decodeOffer(packet, ECHO_BYTES)
  if (end !== packet.length) fail('bytes after the end of a packet')
  return { receiver: readUint32(packet, 1), ephemeral: packet.slice(5, ECHO_BYTES), offer }
}

export function encodeUnknown({ receiver, tag }: UnknownPacket): Uint8Array {
  return concatBytes(head(PACKET_UNKNOWN, receiver), tag)
}

export function decodeUnknown(packet: Uint8Array): UnknownPacket {
  checkLength(packet, UNKNOWN_BYTES, UNKNOWN_BYTES)
  return { receiver: readUint32(packet, 1), tag: packet.slice(5) }
}
