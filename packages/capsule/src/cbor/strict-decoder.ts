/**
 * Reads the one encoding of a value, and nothing else, in one pass.
 *
 * Each item is judged where it stands, before what it announces is read: its kind, the shortest
 * form of its number, counts against the bytes that are left, depth before a container is entered,
 * keys against the key before. So what is accepted is what `encodeCbor` would have written. Rules
 * CB1 to CB5 of docs/spec/cbor.md.
 *
 * @module
 */
import { copyBytes } from '../bytes/bytes.ts'
import { decodeUtf8 } from '../bytes/utf8.ts'
import { VerificationError } from '../errors.ts'
import type { CborMap, CborValue } from './cbor.ts'

/** Major types, the high three bits of an item's first byte (RFC 8949 section 3.1). */
const UNSIGNED = 0
const BYTES = 2
const TEXT = 3
const ARRAY = 4
const MAP = 5

const SIMPLE_FALSE = 0xf4
const SIMPLE_TRUE = 0xf5
const SIMPLE_NULL = 0xf6

/** Low five bits of the first byte: up to here the number itself, then 1, 2, 4 or 8 bytes of it. */
const ARGUMENT_DIRECT_MAX = 23
/** Longer text is not worth a look for anything but ASCII before it is decoded. */
const SHORT_TEXT_BYTES = 24

export class StrictDecoder {
  readonly #bytes: Uint8Array
  #at = 0
  #itemsLeft: number

  /** `itemsMax`: in all containers together, keys included. */
  constructor(bytes: Uint8Array, itemsMax: number) {
    this.#bytes = bytes
    this.#itemsLeft = itemsMax
  }

  /** The value that is all of the bytes. @throws {VerificationError} `CBOR_INVALID` */
  decode(depthMax: number): CborValue {
    const value = this.#item(depthMax)
    if (this.#at !== this.#bytes.length) throw invalid('bytes after the value', this.#at)
    return value
  }

  /** Recursion is bounded by `depthLeft`. */
  #item(depthLeft: number): CborValue {
    const offset = this.#at
    const initial = this.#bytes[offset]
    if (initial === undefined) throw invalid('the end of the bytes', offset)
    switch (initial >> 5) {
      case UNSIGNED:
        return this.#argument(initial, offset)
      case BYTES: {
        const end = this.#end(initial, offset)
        const start = this.#at
        this.#at = end
        return copyBytes(this.#bytes, start, end)
      }
      case TEXT:
        return this.#text(initial, offset)
      case ARRAY:
        return this.#array(initial, offset, depthLeft)
      case MAP:
        return this.#map(initial, offset, depthLeft)
      default:
        this.#at++
        return simpleValue(initial, offset)
    }
  }

  #array(initial: number, offset: number, depthLeft: number): CborValue[] {
    const count = this.#count(initial, offset, 1, depthLeft)
    const items: CborValue[] = []
    for (let i = 0; i < count; i++) items.push(this.#item(depthLeft - 1))
    return items
  }

  #map(initial: number, offset: number, depthLeft: number): CborMap {
    const count = this.#count(initial, offset, 2, depthLeft)
    const map = new Map<string, CborValue>()
    let before = -1
    for (let i = 0; i < count; i++) {
      const start = this.#at
      const first = this.#bytes[start]
      if (first === undefined) throw invalid('the end of the bytes', start)
      if (first >> 5 !== TEXT) throw invalid('a map key that is not text', start)
      const key = this.#text(first, start)
      if (before !== -1 && !this.#isAfter(before, start)) {
        throw invalid('a map key that is not after the one before', start)
      }
      before = start
      map.set(key, this.#item(depthLeft - 1))
    }
    return map
  }

  /**
   * Whether the key at `start`, which ends where reading goes on, follows the one at `before`. The
   * number in front of a key tells shorter from longer, so the comparison ends within both.
   */
  #isAfter(before: number, start: number): boolean {
    const bytes = this.#bytes
    for (let i = 0; start + i < this.#at; i++) {
      const [a, b] = [bytes[before + i] as number, bytes[start + i] as number]
      if (a !== b) return a < b
    }
    return false
  }

  /** Items of a container, each of at least one byte. */
  #count(initial: number, offset: number, perEntry: number, depthLeft: number): number {
    const count = this.#argument(initial, offset)
    if (count * perEntry > this.#bytes.length - this.#at) {
      throw invalid('more items than bytes', offset)
    }
    if (depthLeft === 0) throw invalid('nesting too deep', offset)
    this.#itemsLeft -= count * perEntry
    if (this.#itemsLeft < 0) throw invalid('more items than may be here', offset)
    return count
  }

  #text(initial: number, offset: number): string {
    const end = this.#end(initial, offset)
    const start = this.#at
    this.#at = end
    const short = end - start <= SHORT_TEXT_BYTES ? this.#ascii(start, end) : undefined
    const text = short ?? decodeUtf8(this.#bytes.subarray(start, end))
    if (text === undefined) throw invalid('text that is not UTF-8', offset)
    return text
  }

  #ascii(start: number, end: number): string | undefined {
    let text = ''
    for (let i = start; i < end; i++) {
      const byte = this.#bytes[i] as number
      if (byte > 0x7f) return undefined
      text += String.fromCharCode(byte)
    }
    return text
  }

  /** Where the content of a string ends that begins after its length. */
  #end(initial: number, offset: number): number {
    const byteLength = this.#argument(initial, offset)
    if (byteLength > this.#bytes.length - this.#at) throw invalid('a string cut short', offset)
    return this.#at + byteLength
  }

  /** The number in the first bytes of an item; reading goes on behind it. */
  #argument(initial: number, offset: number): number {
    const info = initial & 31
    if (info <= ARGUMENT_DIRECT_MAX) {
      this.#at = offset + 1
      return info
    }
    const width = info <= 27 ? 1 << (info - 24) : 0
    if (width === 0) throw invalid('an indefinite or reserved length', offset)
    this.#at = offset + 1 + width
    if (this.#at > this.#bytes.length) throw invalid('the end of the bytes', offset)
    let value = 0
    for (let i = offset + 1; i < this.#at; i++) value = value * 256 + (this.#bytes[i] as number)
    // What half of the bytes can hold has a shorter form.
    const least = width === 1 ? ARGUMENT_DIRECT_MAX + 1 : 2 ** (width * 4)
    if (value < least) throw invalid('a longer form than needed', offset)
    if (value > Number.MAX_SAFE_INTEGER) throw invalid('a number beyond 2^53 - 1', offset)
    return value
  }
}

function simpleValue(initial: number, offset: number): null | boolean {
  switch (initial) {
    case SIMPLE_FALSE:
      return false
    case SIMPLE_TRUE:
      return true
    case SIMPLE_NULL:
      return null
    default:
      throw invalid('a negative number, tag, float or simple value', offset)
  }
}

function invalid(what: string, offset: number): VerificationError {
  return new VerificationError('CBOR_INVALID', `found ${what}`, { offset })
}
