/**
 * Writes the one encoding of a value: shortest numbers, keys in the order of their encodings.
 *
 * Refuses whatever `strict-decoder.ts` would not give back. Rules CB1, CB2 and CB5 of
 * docs/spec/cbor.md.
 *
 * @module
 */
import { compareBytes } from '../bytes/bytes.ts'
import { encodeUtf8 } from '../bytes/utf8.ts'
import { UsageError } from '../errors.ts'
import type { CborMap, CborValue } from './cbor.ts'

/** Major types in the place that they have in an item's first byte (RFC 8949 section 3.1). */
const UNSIGNED = 0 << 5
const BYTES = 2 << 5
const TEXT = 3 << 5
const ARRAY = 4 << 5
const MAP = 5 << 5

const SIMPLE_FALSE = 0xf4
const SIMPLE_TRUE = 0xf5
const SIMPLE_NULL = 0xf6

/** From here on a number does not fit into the first byte. */
const ARGUMENT_DIRECT_END = 24
const TWO_TO_32 = 2 ** 32
/** Most values are shorter; the others double it. */
const FIRST_BYTES = 256

export class StrictEncoder {
  #bytes: Uint8Array = new Uint8Array(FIRST_BYTES)
  #end = 0

  /** @throws {UsageError} `USAGE` for a value that the formats cannot hold */
  encode(value: CborValue, depthMax: number): Uint8Array {
    this.#item(value, depthMax)
    return this.#bytes.slice(0, this.#end)
  }

  /** Recursion is bounded by `depthLeft`. */
  #item(value: CborValue, depthLeft: number): void {
    if (value instanceof Uint8Array) {
      this.#string(BYTES, value)
    } else if (typeof value === 'number') {
      if (!Number.isSafeInteger(value) || value < 0) {
        throw cannotEncode('a number that is not an integer from 0 to 2^53 - 1')
      }
      this.#argument(UNSIGNED, value)
    } else if (typeof value === 'string') {
      this.#text(value)
    } else if (value === null || typeof value === 'boolean') {
      this.#reserve(1)
      this.#bytes[this.#end++] = value === null ? SIMPLE_NULL : value ? SIMPLE_TRUE : SIMPLE_FALSE
    } else {
      this.#container(value, depthLeft)
    }
  }

  #container(value: readonly CborValue[] | CborMap, depthLeft: number): void {
    const isMap = value instanceof Map
    if (!isMap && !Array.isArray(value)) throw cannotEncode('a value that is no CBOR type of ours')
    if (depthLeft === 0) throw cannotEncode('arrays and maps nested too deep')
    if (isMap) {
      this.#map(value, depthLeft)
      return
    }
    this.#argument(ARRAY, value.length)
    for (const item of value) this.#item(item, depthLeft - 1)
  }

  #map(value: CborMap, depthLeft: number): void {
    const keys: string[] = []
    for (const key of value.keys()) {
      if (typeof key !== 'string' || !key.isWellFormed())
        throw cannotEncode('a key that is no text')
      keys.push(key)
    }
    this.#argument(MAP, keys.length)
    for (const key of keys.sort(compareKeys)) {
      this.#text(key)
      this.#item(value.get(key) as CborValue, depthLeft - 1)
    }
  }

  #text(text: string): void {
    if (!isAscii(text)) {
      if (!text.isWellFormed()) throw cannotEncode('text with a lone surrogate')
      this.#string(TEXT, encodeUtf8(text))
      return
    }
    this.#argument(TEXT, text.length)
    this.#reserve(text.length)
    for (let i = 0; i < text.length; i++) this.#bytes[this.#end++] = text.charCodeAt(i)
  }

  #string(major: number, content: Uint8Array): void {
    this.#argument(major, content.length)
    this.#reserve(content.length)
    this.#bytes.set(content, this.#end)
    this.#end += content.length
  }

  /** The first bytes of an item, in the shortest form of their number. */
  #argument(major: number, value: number): void {
    this.#reserve(9)
    if (value < ARGUMENT_DIRECT_END) {
      this.#bytes[this.#end++] = major | value
      return
    }
    const widthLog = value < 0x100 ? 0 : value < 0x1_0000 ? 1 : value < TWO_TO_32 ? 2 : 3
    this.#bytes[this.#end++] = major | (ARGUMENT_DIRECT_END + widthLog)
    this.#end += 1 << widthLog
    let rest = value
    for (let i = 1; i <= 1 << widthLog; i++) {
      this.#bytes[this.#end - i] = rest
      rest = Math.floor(rest / 0x100)
    }
  }

  #reserve(byteLength: number): void {
    const needed = this.#end + byteLength
    if (needed <= this.#bytes.length) return
    const grown = new Uint8Array(Math.max(needed, 2 * this.#bytes.length))
    grown.set(this.#bytes.subarray(0, this.#end))
    this.#bytes = grown
  }
}

/** The length stands in front of a key, so shorter keys come first. */
function compareKeys(a: string, b: string): number {
  if (isAscii(a) && isAscii(b)) return a.length - b.length || (a < b ? -1 : 1)
  const [left, right] = [encodeUtf8(a), encodeUtf8(b)]
  return left.length - right.length || compareBytes(left, right)
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false
  return true
}

function cannotEncode(what: string): UsageError {
  return new UsageError('USAGE', `the formats cannot hold ${what}`)
}
