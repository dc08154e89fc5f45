/**
 * The CBOR of all Longshore formats: RFC 8949 with one encoding per value.
 *
 * Allowed are null, booleans, integers from 0 to 2^53 - 1, byte strings, UTF-8 text, arrays, and
 * maps with text keys. Everything else is refused, and so is any encoding but the one that
 * `encodeCbor` would choose (RFC 8949 section 4.2.1, which for these values is DAG-CBOR).
 *
 *     a2 61 61 01 62 62 62 41 ff      {"a": 1, "bb": h'ff'}
 *
 * `strict-decoder.ts` and `strict-encoder.ts` know nothing but this subset; the tests hold them
 * against cborg. Rules CB1 to CB5 of docs/spec/cbor.md.
 *
 * @module
 */
import { CBOR_DEPTH_MAX } from '../limits.ts'
import { StrictDecoder } from './strict-decoder.ts'
import { StrictEncoder } from './strict-encoder.ts'

export type CborValue =
  | null
  | boolean
  | number
  | string
  | Uint8Array
  | readonly CborValue[]
  | CborMap

/** A Map and not an object: keys come from outside, and `__proto__` is a legal one. */
export type CborMap = ReadonlyMap<string, CborValue>

/**
 * The value of `bytes`. Byte strings in it are copies. The caller has limited the length.
 *
 * @param depthMax How many arrays and maps may lie inside each other, the outermost included.
 * @param itemsMax How many items may lie in all of them together, keys included: an item of one
 * byte takes a hundred times as much memory.
 * @throws {VerificationError} `CBOR_INVALID` for anything but the one encoding of an allowed
 * value; `details.offset` is where reading stopped.
 */
export function decodeCbor(
  bytes: Uint8Array,
  depthMax: number = CBOR_DEPTH_MAX,
  itemsMax: number = Number.POSITIVE_INFINITY,
): CborValue {
  return new StrictDecoder(bytes, itemsMax).decode(depthMax)
}

/**
 * The one encoding of `value`. Accepts exactly what `decodeCbor` can give back.
 *
 * @throws {UsageError} `USAGE` for a value that the formats cannot hold: a float, a negative
 * number, text with a lone surrogate, `undefined`, an object that is not a Map, or deeper nesting
 * than `depthMax`.
 */
export function encodeCbor(value: CborValue, depthMax: number = CBOR_DEPTH_MAX): Uint8Array {
  return new StrictEncoder().encode(value, depthMax)
}
