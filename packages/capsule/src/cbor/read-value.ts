/**
 * Reading the shape of a decoded value: this map has exactly these keys, this item is 32 bytes.
 *
 * Every format that is CBOR uses these, each with its own error: `fail` says what was expected
 * and throws it.
 *
 * @module
 */
import { INTEGER_MAX } from '../limits.ts'
import type { CborMap, CborValue } from './cbor.ts'

/** Throws the error of the format that is being read. `what` names the place and the rule. */
export type Fail = (what: string) => never

export function readMap(value: CborValue | undefined, what: string, fail: Fail): CborMap {
  if (!(value instanceof Map)) fail(`${what} must be a map`)
  return value
}

/** A map that has all of `keys` and no other. */
export function readExactMap(
  value: CborValue | undefined,
  keys: readonly string[],
  what: string,
  fail: Fail,
): CborMap {
  const map = readMap(value, what, fail)
  for (const key of keys) if (!map.has(key)) fail(`${what} lacks the key ${key}`)
  if (map.size !== keys.length) fail(`${what} has a key that it must not have`)
  return map
}

export function readArray(
  value: CborValue | undefined,
  countMax: number,
  what: string,
  fail: Fail,
): readonly CborValue[] {
  if (!Array.isArray(value)) fail(`${what} must be an array`)
  if (value.length > countMax) fail(`${what} has more than ${countMax} items`)
  return value
}

/** An array of exactly `count` items. */
export function readTuple(
  value: CborValue | undefined,
  count: number,
  what: string,
  fail: Fail,
): readonly CborValue[] {
  if (!Array.isArray(value) || value.length !== count) fail(`${what} must be an array of ${count}`)
  return value
}

/** A byte string; of exactly `byteLength` bytes if that is given. */
export function readBytes(
  value: CborValue | undefined,
  byteLength: number | undefined,
  what: string,
  fail: Fail,
): Uint8Array {
  if (!(value instanceof Uint8Array)) fail(`${what} must be a byte string`)
  if (byteLength !== undefined && value.length !== byteLength) {
    fail(`${what} must have ${byteLength} bytes`)
  }
  return value
}

/** An integer from 0 to `max`. */
export function readInteger(
  value: CborValue | undefined,
  what: string,
  fail: Fail,
  max: number = INTEGER_MAX,
): number {
  if (typeof value !== 'number' || value > max) fail(`${what} must be an integer up to ${max}`)
  return value
}

/** Text of at most `utf8BytesMax` bytes in UTF-8. */
export function readText(
  value: CborValue | undefined,
  utf8BytesMax: number,
  what: string,
  fail: Fail,
): string {
  if (typeof value !== 'string') fail(`${what} must be text`)
  if (utf8ByteLength(value) > utf8BytesMax) fail(`${what} has more than ${utf8BytesMax} bytes`)
  return value
}

export function readBoolean(value: CborValue | undefined, what: string, fail: Fail): boolean {
  if (typeof value !== 'boolean') fail(`${what} must be true or false`)
  return value
}

/** Text that is one of `words`. */
export function readWord<TWord extends string>(
  value: CborValue | undefined,
  words: readonly TWord[],
  what: string,
  fail: Fail,
): TWord {
  const word = words.find((candidate) => candidate === value)
  if (word === undefined) fail(`${what} must be one of ${words.join(', ')}`)
  return word
}

/** Fails unless each item comes after the one before it: sorted and unique. */
export function checkAscending<TItem>(
  items: readonly TItem[],
  compare: (a: TItem, b: TItem) => number,
  what: string,
  fail: Fail,
): void {
  for (let i = 1; i < items.length; i++) {
    if (compare(items[i - 1] as TItem, items[i] as TItem) >= 0) {
      fail(`${what} must be sorted and without repetition`)
    }
  }
}

/** Length of well-formed text in UTF-8, without making the bytes. */
function utf8ByteLength(text: string): number {
  let byteLength = 0
  for (const character of text) {
    const code = character.codePointAt(0) as number
    byteLength += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4
  }
  return byteLength
}
