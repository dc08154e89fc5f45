/**
 * The CBOR of all Longshore formats: RFC 8949 with one encoding per value.
 *
 * Allowed are null, booleans, integers from 0 to 2^53 - 1, byte strings, UTF-8 text, arrays, and
 * maps with text keys. Everything else is refused, and so is any encoding but the one that
 * `encodeCbor` would choose (RFC 8949 section 4.2.1, which for these values is DAG-CBOR).
 *
 *     a2 61 61 01 62 62 62 41 ff      {"a": 1, "bb": h'ff'}
 *
 * cborg does the work; `strict-tokenizer.ts` refuses what cborg alone would let through.
 * Rules CB1 to CB5 of docs/spec/cbor.md.
 *
 * @module
 */
import { decode, encode } from 'cborg'
import { bytesEqual, copyBytes } from '../bytes/bytes.ts'
import { UsageError, VerificationError } from '../errors.ts'
import { CBOR_DEPTH_MAX } from '../limits.ts'
import { StrictTokenizer } from './strict-tokenizer.ts'

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
 * @throws {VerificationError} `CBOR_INVALID` for anything but the one encoding of an allowed
 * value; `details.offset` is where reading stopped.
 */
export function decodeCbor(bytes: Uint8Array, depthMax: number = CBOR_DEPTH_MAX): CborValue {
  const tokenizer = new StrictTokenizer(bytes, depthMax)
  let value: CborValue
  try {
    value = decode(bytes, {
      tokenizer,
      strict: true,
      useMaps: true,
      rejectDuplicateMapKeys: true,
      allowIndefinite: false,
      allowUndefined: false,
      allowBigInt: false,
    })
  } catch (cause) {
    if (cause instanceof VerificationError) throw cause
    // Not cborg's message, which may quote the input: this one is shown on terminals.
    const details = { offset: tokenizer.pos() }
    throw new VerificationError('CBOR_INVALID', 'the bytes are not one canonical value', details, {
      cause,
    })
  }
  const canonical = encode(value)
  if (!bytesEqual(canonical, bytes)) {
    throw new VerificationError('CBOR_INVALID', 'the bytes are not the one encoding of the value', {
      offset: firstDifference(canonical, bytes),
    })
  }
  return value
}

/**
 * The one encoding of `value`. Accepts exactly what `decodeCbor` can give back.
 *
 * @throws {UsageError} `USAGE` for a value that the formats cannot hold: a float, a negative
 * number, text with a lone surrogate, `undefined`, an object that is not a Map, or deeper nesting
 * than `depthMax`.
 */
export function encodeCbor(value: CborValue, depthMax: number = CBOR_DEPTH_MAX): Uint8Array {
  checkCborValue(value, depthMax)
  const bytes = encode(value)
  // In Node, cborg may give a view of the pool in which all small Buffers of the process lie: who
  // clones the array would clone that, too.
  return bytes.length === bytes.buffer.byteLength ? bytes : copyBytes(bytes)
}

/** Recursion is bounded by `depthLeft`. */
function checkCborValue(value: CborValue, depthLeft: number): void {
  if (value === null || typeof value === 'boolean' || value instanceof Uint8Array) return
  if (typeof value === 'number') {
    if (Number.isSafeInteger(value) && value >= 0) return
    throw cannotEncode('a number that is not an integer from 0 to 2^53 - 1')
  }
  if (typeof value === 'string') {
    if (value.isWellFormed()) return
    throw cannotEncode('text with a lone surrogate')
  }
  const isMap = value instanceof Map
  if (!isMap && !Array.isArray(value)) throw cannotEncode('a value that is no CBOR type of ours')
  if (depthLeft === 0) throw cannotEncode('arrays and maps nested too deep')
  if (!isMap) {
    for (const item of value) checkCborValue(item, depthLeft - 1)
    return
  }
  for (const [key, item] of value) {
    if (typeof key !== 'string' || !key.isWellFormed()) throw cannotEncode('a key that is no text')
    checkCborValue(item, depthLeft - 1)
  }
}

function cannotEncode(what: string): UsageError {
  return new UsageError('USAGE', `the formats cannot hold ${what}`)
}

function firstDifference(a: Uint8Array, b: Uint8Array): number {
  let offset = 0
  while (offset < a.length && offset < b.length && a[offset] === b[offset]) offset++
  return offset
}
