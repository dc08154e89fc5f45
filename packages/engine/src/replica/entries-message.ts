/**
 * The bulk message that carries entries: one package (F24), the head that it is under, and bodies.
 *
 *     01              kind
 *     00000007        request id
 *     008a  85 40 …   compact head with its length; length 0: the head that was asked for
 *     00000000000001  index of the first entry (8 bytes)
 *     0002            number of entries, 1 to 256
 *     000000af  …     package with its length
 *     01 00000005 …   per entry: 0 absent, 1 and the body with its length, 2 erased
 *
 * All integers are big-endian. The package covers [start, start + count) within one tile of 256
 * entries; it may end before the tile does, so that bodies of any size are verified message by
 * message. Reading copies nothing. Rules MS10-MS14 of docs/spec/message.md.
 *
 * @module
 */
import {
  assert,
  BODY_BYTES_MAX,
  COMPACT_HEAD_BYTES_MAX,
  copyBytes,
  HASH_BYTES,
  type Hash,
  HEADER_BYTES_MAX,
  INTEGER_MAX,
  PACKAGE_ENTRIES_MAX,
  PACKAGE_HASHES_MAX,
  ProtocolError,
  TILE_WIDTH,
} from '@longshore/capsule'
import type { SpareMemory } from '../runtime/spare-memory.ts'
import type { StoredEntry } from '../store/store.ts'
import { BULK_BYTES_MAX, MESSAGE_BODIES_BYTES_MAX } from './limits.ts'

export const ENTRIES_KIND = 0x01
/** Where the request id stands: answers to several askers differ in nothing else. */
export const REQUEST_ID_AT = 1

const HEAD_AT = 5
const STATE_ABSENT = 0
const STATE_PRESENT = 1
const STATE_ERASED = 2
const U32_RANGE = 4_294_967_296

export interface EntriesParts {
  readonly id: number
  /** Encoded; empty if the asker named the tree. */
  readonly head: Uint8Array
  readonly entries: readonly StoredEntry[]
  readonly path: readonly Hash[]
  /** False: every body is absent, whatever the entries have. */
  readonly withBodies: boolean
}

/** How many of `entries` fit into one message by the rule for bodies; at least one. */
export function countFitting(entries: readonly StoredEntry[]): number {
  let bytes = 0
  for (const [i, { body }] of entries.entries()) {
    if (i > 0) bytes += body?.length ?? 0
    if (bytes > MESSAGE_BODIES_BYTES_MAX) return i
  }
  return entries.length
}

/** In memory from `spares`, if there are any. */
export function encodeEntries(parts: EntriesParts, spares?: SpareMemory): Uint8Array {
  const { id, head, entries, path, withBodies } = parts
  assert(entries.length >= 1 && entries.length <= PACKAGE_ENTRIES_MAX, '1 to 256 entries')
  let packageBytes = 1 + path.length * HASH_BYTES
  let statesBytes = entries.length
  for (const { header, body } of entries) {
    packageBytes += 2 + header.length
    if (withBodies && body !== undefined) statesBytes += 4 + body.length
  }
  const byteLength = HEAD_AT + 2 + head.length + 14 + packageBytes + statesBytes
  const bytes = spares?.take(byteLength) ?? new Uint8Array(byteLength)
  const view = new DataView(bytes.buffer)
  bytes[0] = ENTRIES_KIND
  view.setUint32(REQUEST_ID_AT, id)
  view.setUint16(HEAD_AT, head.length)
  bytes.set(head, HEAD_AT + 2)
  let at = HEAD_AT + 2 + head.length
  view.setBigUint64(at, BigInt((entries[0] as StoredEntry).index))
  view.setUint16(at + 8, entries.length)
  view.setUint32(at + 10, packageBytes)
  at += 14
  for (const { header } of entries) {
    view.setUint16(at, header.length)
    bytes.set(header, at + 2)
    at += 2 + header.length
  }
  bytes[at++] = path.length
  for (const hash of path) {
    bytes.set(hash, at)
    at += HASH_BYTES
  }
  for (const { state, body } of entries) {
    const isSent = withBodies && body !== undefined
    bytes[at++] = state === 'erased' ? STATE_ERASED : isSent ? STATE_PRESENT : STATE_ABSENT
    if (!isSent) continue
    view.setUint32(at, body.length)
    bytes.set(body, at + 4)
    at += 4 + body.length
  }
  assert(at === bytes.length, 'the message was measured')
  return bytes
}

/**
 * One message taken apart where it lies. Used again for the next message: nothing is allocated per
 * entry. What it says is not verified.
 */
export class EntriesFrame {
  bytes: Uint8Array = new Uint8Array(0)
  id = 0
  start = 0
  count = 0
  /** A view; empty if the asker named the tree. */
  head: Uint8Array = new Uint8Array(0)
  /** Range of each header in `bytes`. */
  readonly headerStart: Uint32Array = new Uint32Array(PACKAGE_ENTRIES_MAX)
  readonly headerEnd: Uint32Array = new Uint32Array(PACKAGE_ENTRIES_MAX)
  /** Where each body begins in `bytes`; -1 if it is not there. */
  readonly bodyStart: Int32Array = new Int32Array(PACKAGE_ENTRIES_MAX)
  readonly bodyEnd: Uint32Array = new Uint32Array(PACKAGE_ENTRIES_MAX)
  /** 1 where the sender says that the payload was erased. */
  readonly isErased: Uint8Array = new Uint8Array(PACKAGE_ENTRIES_MAX)
  /** Copies: proofs are kept longer than messages. */
  path: Hash[] = []

  get end(): number {
    return this.start + this.count
  }

  /** @throws {ProtocolError} `PROTOCOL_ERROR` for anything but the one spelling of a message. */
  read(bytes: Uint8Array): void {
    if (bytes.length > BULK_BYTES_MAX) throw invalid('it is too long')
    if (bytes[0] !== ENTRIES_KIND) throw invalid('it is of another kind')
    this.bytes = bytes
    this.id = this.#u32(REQUEST_ID_AT)
    const headBytes = this.#u16(HEAD_AT)
    if (headBytes > COMPACT_HEAD_BYTES_MAX) throw invalid('a compact head is shorter')
    let at = HEAD_AT + 2 + headBytes
    this.head = bytes.subarray(HEAD_AT + 2, at)
    this.start = this.#u32(at) * U32_RANGE + this.#u32(at + 4)
    this.count = this.#u16(at + 8)
    if (this.count < 1 || this.count > PACKAGE_ENTRIES_MAX) throw invalid('1 to 256 entries')
    if (this.start > INTEGER_MAX - this.count) throw invalid('an index is too large')
    if ((this.start % TILE_WIDTH) + this.count > TILE_WIDTH) throw invalid('entries of two tiles')
    const packageBytes = this.#u32(at + 10)
    at += 14
    this.#readPackage(at, at + packageBytes)
    this.#readBodies(at + packageBytes)
  }

  #readPackage(start: number, end: number): void {
    if (end > this.bytes.length) throw invalid('it is cut off')
    let at = start
    for (let i = 0; i < this.count; i++) {
      const headerBytes = this.#u16(at)
      if (headerBytes > HEADER_BYTES_MAX) throw invalid('a header is too long')
      this.headerStart[i] = at + 2
      at += 2 + headerBytes
      this.headerEnd[i] = at
    }
    if (at >= end) throw invalid('a package is cut off')
    const hashCount = this.bytes[at++] as number
    if (hashCount > PACKAGE_HASHES_MAX) throw invalid('a proof is shorter')
    if (at + hashCount * HASH_BYTES !== end) throw invalid('a package has another length')
    this.path = []
    for (; at < end; at += HASH_BYTES) {
      this.path.push(copyBytes(this.bytes, at, at + HASH_BYTES) as Hash)
    }
  }

  #readBodies(start: number): void {
    const { bytes } = this
    let at = start
    let bodiesBytes = 0
    let sent = 0
    for (let i = 0; i < this.count; i++) {
      const state = bytes[at++]
      if (state === undefined || state > STATE_ERASED) throw invalid('a state is not known')
      this.bodyStart[i] = -1
      this.bodyEnd[i] = 0
      this.isErased[i] = state === STATE_ERASED ? 1 : 0
      if (state !== STATE_PRESENT) continue
      const bodyBytes = this.#u32(at)
      if (bodyBytes > BODY_BYTES_MAX) throw invalid('a body is too long')
      at += 4 + bodyBytes
      if (at > bytes.length) throw invalid('a body is cut off')
      this.bodyStart[i] = at - bodyBytes
      this.bodyEnd[i] = at
      if (sent++ > 0) bodiesBytes += bodyBytes
    }
    if (at !== bytes.length) throw invalid('bytes behind the last entry')
    if (bodiesBytes > MESSAGE_BODIES_BYTES_MAX) throw invalid('too many bodies for one message')
  }

  #u16(at: number): number {
    const { bytes } = this
    if (at + 2 > bytes.length) throw invalid('it is cut off')
    return ((bytes[at] as number) << 8) | (bytes[at + 1] as number)
  }

  #u32(at: number): number {
    const { bytes } = this
    if (at + 4 > bytes.length) throw invalid('it is cut off')
    const high = ((bytes[at] as number) << 8) | (bytes[at + 1] as number)
    const low = ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number)
    return high * 65_536 + low
  }
}

function invalid(what: string): ProtocolError {
  return new ProtocolError('PROTOCOL_ERROR', `not a message with entries: ${what}`)
}
