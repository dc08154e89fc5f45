/**
 * CBOR for the generators: `cborg` for everything that is well formed, and a few primitives to
 * write what a correct encoder refuses to write.
 */
import { encode as cborgEncode } from 'cborg'
import { bigEndian, concat, utf8 } from './bytes.mjs'

/** Deterministic CBOR (for text keys RFC 8949 4.2.1 and DAG-CBOR agree). */
export function encode(value) {
  return new Uint8Array(cborgEncode(value))
}

const INFO_OF_WIDTH = { 1: 24, 2: 25, 4: 26, 8: 27 }

/** A CBOR head. `width` forces 1, 2, 4 or 8 bytes for the argument, needed or not. */
export function head(major, argument, width = shortestWidth(argument)) {
  if (width === 0) return Uint8Array.of((major << 5) | Number(argument))
  return concat(Uint8Array.of((major << 5) | INFO_OF_WIDTH[width]), bigEndian(argument, width))
}

function shortestWidth(argument) {
  const value = BigInt(argument)
  if (value < 24n) return 0
  if (value < 0x100n) return 1
  if (value < 0x10000n) return 2
  return value < 0x100000000n ? 4 : 8
}

export const uint = (value, width) => head(0, value, width)
export const negative = (value, width) => head(1, -1n - BigInt(value), width)
export const bytesItem = (bytes, width) => concat(head(2, bytes.length, width), bytes)
export const textItem = (text, width) => concat(head(3, utf8(text).length, width), utf8(text))
/** Items are CBOR bytes, written as they are. */
export const arrayItem = (items, width) => concat(head(4, items.length, width), ...items)
/** Pairs of CBOR bytes, in the order given: unsorted and repeated keys are possible. */
export const mapItem = (pairs, width) => concat(head(5, pairs.length, width), ...pairs.flat())
export const tagItem = (tag, item) => concat(head(6, tag), item)

export const NULL = Uint8Array.of(0xf6)
export const TRUE = Uint8Array.of(0xf5)
export const FALSE = Uint8Array.of(0xf4)
export const UNDEFINED = Uint8Array.of(0xf7)
export const FLOAT16_ZERO = Uint8Array.of(0xf9, 0x00, 0x00)
export const FLOAT64_ONE = Uint8Array.of(0xfb, 0x3f, 0xf0, 0, 0, 0, 0, 0, 0)

/** `[[[...inner...]]]`, `depth` arrays around one item. */
export function nested(depth, inner) {
  return concat(new Uint8Array(depth).fill(0x81), inner)
}

/** A JSON description of a value that every language can read; map pairs in encoded order. */
export function describe(value) {
  if (value === null || typeof value === 'boolean') return value
  if (typeof value === 'number') return { uint: value }
  if (typeof value === 'string') return { text: value }
  if (value instanceof Uint8Array) return { bytes: value }
  if (Array.isArray(value)) return { array: value.map(describe) }
  const pairs = value instanceof Map ? [...value] : Object.entries(value)
  return { map: pairs.sort(byKey).map(([key, inner]) => [key, describe(inner)]) }
}

function byKey([a], [b]) {
  const [first, second] = [utf8(a), utf8(b)]
  return first.length - second.length || Buffer.compare(first, second)
}
