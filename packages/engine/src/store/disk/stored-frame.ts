/**
 * Frames as they lie in the journal: those of an entry batch (`../entry-batch.ts`), and the state
 * 2 that compaction gives to an erased entry.
 *
 *     u16 header length | u8 state (0 absent, 1 present, 2 erased) | 0x00 | header | body
 *
 * The length of the body is not stored: it follows from the header. Only as much of the header is
 * looked at as that takes; whoever stored it has verified it, and whoever reads it verifies it
 * again.
 *
 * @module
 */
import { HEADER_BYTES_MAX, PAYLOAD_BYTES_MAX, SALT_BYTES } from '@longshore/capsule'
import { FRAME_PREFIX_BYTES } from '../entry-batch.ts'
import { readUint16, readUint32, readUint64 } from './big-endian.ts'

export const FRAME_ABSENT = 0
export const FRAME_PRESENT = 1
export const FRAME_ERASED = 2

/** Longest frame that can exist. */
export const FRAME_BYTES_MAX: number =
  FRAME_PREFIX_BYTES + HEADER_BYTES_MAX + SALT_BYTES + PAYLOAD_BYTES_MAX

/** [kind, time, payload size, payload hash]: one byte each, and 34 for the hash. */
const HEADER_BYTES_MIN = 38
const FRAME_BYTES_MIN: number = FRAME_PREFIX_BYTES + HEADER_BYTES_MIN
/** The payload hash as a CBOR byte string of 32 bytes. */
const HASH_ITEM_BYTES = 34
const KIND_BLINDED = 1

/** Reads one frame after the other without allocating. The fields describe the last one read. */
export class FrameCursor {
  /** Where things are in the array that was read. */
  headerAt = 0
  bodyAt = 0
  end = 0
  state = 0
  timeUs = 0
  #value = 0

  get headerBytes(): number {
    return this.bodyAt - this.headerAt
  }

  /**
   * Looks at the frame that begins at `at`. False if no frame can begin there. `end` may lie
   * behind `limit`, where the array stops: then the body, or the rest of the header, is missing.
   */
  read(bytes: Uint8Array, at: number, limit: number): boolean {
    if (at + FRAME_BYTES_MIN > limit) return false
    const headerBytes = readUint16(bytes, at)
    this.state = bytes[at + 2] as number
    if (this.state > FRAME_ERASED || bytes[at + 3] !== 0) return false
    if (headerBytes < HEADER_BYTES_MIN || headerBytes > HEADER_BYTES_MAX) return false
    this.headerAt = at + FRAME_PREFIX_BYTES
    this.bodyAt = this.headerAt + headerBytes
    return this.#readHeader(bytes, headerBytes)
  }

  #readHeader(bytes: Uint8Array, headerBytes: number): boolean {
    const first = bytes[this.headerAt] as number
    if (first < 0x84 || first > 0x86) return false
    let at = this.#readUint(bytes, this.headerAt + 1)
    const kind = this.#value
    at = this.#readUint(bytes, at)
    this.timeUs = this.#value
    at = this.#readUint(bytes, at)
    const payloadBytes = this.#value
    if (kind > 2 || !Number.isSafeInteger(this.timeUs)) return false
    if (payloadBytes > PAYLOAD_BYTES_MAX) return false
    if (bytes[at] !== 0x58 || bytes[at + 1] !== 0x20) return false
    const fixedBytes = at + HASH_ITEM_BYTES - this.headerAt
    if (first === 0x84 ? fixedBytes !== headerBytes : fixedBytes >= headerBytes) return false
    const bodyBytes = payloadBytes + (kind === KIND_BLINDED ? SALT_BYTES : 0)
    this.end = this.bodyAt + (this.state === FRAME_PRESENT ? bodyBytes : 0)
    return true
  }

  /** A CBOR unsigned integer into `#value`; returns where the next item begins. */
  #readUint(bytes: Uint8Array, at: number): number {
    const first = bytes[at] as number
    if (first < 24) {
      this.#value = first
      return at + 1
    }
    if (first === 0x18) {
      this.#value = bytes[at + 1] as number
      return at + 2
    }
    if (first === 0x19) {
      this.#value = readUint16(bytes, at + 1)
      return at + 3
    }
    if (first === 0x1a) {
      this.#value = readUint32(bytes, at + 1)
      return at + 5
    }
    // Not an integer: larger than every bound that the caller checks.
    this.#value = first === 0x1b ? readUint64(bytes, at + 1) : Number.POSITIVE_INFINITY
    return at + 9
  }
}
