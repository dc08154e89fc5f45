/**
 * Ways to change something that was signed: by bits, by lines, by values.
 *
 * Every generator yields the changed thing and a few words that say what was done, enough to do it
 * again. Nothing is random: the same original gives the same mutants.
 *
 * @module
 */
import type { CborMap, CborValue } from '@longshore/capsule'

export interface Mutant<TValue> {
  readonly what: string
  readonly value: TValue
}

/** Flips the given bits of every byte, cuts the bytes everywhere, drops, doubles and adds bytes. */
export function* mutateBytes(
  bytes: Uint8Array,
  bits: readonly number[],
): Generator<Mutant<Uint8Array>> {
  for (let at = 0; at < bytes.length; at += 1) {
    for (const bit of bits) {
      yield { what: `byte ${at}, bit ${bit}`, value: bytes.with(at, bytes[at]! ^ (1 << bit)) }
    }
    yield { what: `cut after ${at} bytes`, value: bytes.slice(0, at) }
    const [before, after] = [bytes.subarray(0, at), bytes.subarray(at + 1)]
    yield { what: `byte ${at} dropped`, value: join(before, after) }
    yield { what: `byte ${at} twice`, value: join(bytes.subarray(0, at + 1), bytes.subarray(at)) }
  }
  yield { what: 'a zero behind', value: join(bytes, Uint8Array.of(0)) }
  yield { what: 'a line end behind', value: join(bytes, Uint8Array.of(0x0a)) }
  yield { what: 'a byte order mark before', value: join(Uint8Array.of(0xef, 0xbb, 0xbf), bytes) }
  yield { what: 'everything twice', value: join(bytes, bytes) }
  yield { what: 'all zeros', value: new Uint8Array(bytes.length) }
}

function join(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts))
}

/** Drops, doubles, empties, exchanges and pads every line; other line ends. */
export function* mutateLines(text: string): Generator<Mutant<string>> {
  const lines = text.split('\n')
  for (const [at, line] of lines.entries()) {
    const change = (what: string, ...changed: string[]): Mutant<string> => {
      return { what: `line ${at} ${what}`, value: lines.toSpliced(at, 1, ...changed).join('\n') }
    }
    yield change('dropped')
    yield change('twice', line, line)
    if (line !== '') yield change('emptied', '')
    yield change('with a space behind', `${line} `)
    yield change('with a space before', ` ${line}`)
    yield change('in upper case', line.toUpperCase())
    const next = lines[at + 1]
    if (next === undefined || next === line) continue
    const exchanged = lines.toSpliced(at, 2, next, line).join('\n')
    yield { what: `lines ${at} and ${at + 1} exchanged`, value: exchanged }
  }
  yield { what: 'line ends of DOS', value: text.replaceAll('\n', '\r\n') }
  yield { what: 'lines in reverse order', value: lines.toReversed().join('\n') }
}

/** What may stand in the place of any value: something of every type, and the edges of numbers. */
const STRANGERS: readonly CborValue[] = [
  ...[null, true, false, 0, 1, Number.MAX_SAFE_INTEGER, '', 'x', [], new Map()],
  ...[new Uint8Array(0), new Uint8Array(16), new Uint8Array(32), new Uint8Array(64)],
]

/** Replaces every value in a CBOR structure, and changes every array and map in it. */
export function* mutateValue(value: CborValue, path = 'value'): Generator<Mutant<CborValue>> {
  for (const [at, stranger] of STRANGERS.entries()) {
    if (!isEqual(stranger, value)) yield { what: `${path} replaced (${at})`, value: stranger }
  }
  if (typeof value === 'number') yield* mutateNumber(value, path)
  else if (typeof value === 'string') yield { what: `${path} longer`, value: `${value}x` }
  else if (value instanceof Uint8Array) yield* mutateByteString(value, path)
  else if (Array.isArray(value)) yield* mutateArray(value, path)
  else if (value instanceof Map) yield* mutateMap(value, path)
}

function* mutateNumber(value: number, path: string): Generator<Mutant<CborValue>> {
  for (const other of [value - 1, value + 1, value * 2, value + 2 ** 32]) {
    const isAllowed = Number.isSafeInteger(other) && other >= 0 && other !== value
    if (isAllowed) yield { what: `${path} = ${other}`, value: other }
  }
}

function* mutateByteString(value: Uint8Array, path: string): Generator<Mutant<CborValue>> {
  const middle = value.length >> 1
  for (const at of new Set([0, middle, value.length - 1])) {
    if (at < 0 || at >= value.length) continue
    yield { what: `${path}, byte ${at}`, value: value.with(at, value[at]! ^ 1) }
  }
  if (value.length > 0) yield { what: `${path} shorter`, value: value.slice(0, -1) }
  yield { what: `${path} longer`, value: join(value, Uint8Array.of(0)) }
}

function* mutateArray(items: readonly CborValue[], path: string): Generator<Mutant<CborValue>> {
  for (const [at, item] of items.entries()) {
    yield { what: `${path}[${at}] dropped`, value: items.toSpliced(at, 1) }
    yield { what: `${path}[${at}] twice`, value: items.toSpliced(at, 0, item) }
    for (const { what, value } of mutateValue(item, `${path}[${at}]`)) {
      yield { what, value: items.with(at, value) }
    }
  }
  yield { what: `${path} with null behind`, value: [...items, null] }
  if (items.length > 1) yield { what: `${path} reversed`, value: items.toReversed() }
}

function* mutateMap(map: CborMap, path: string): Generator<Mutant<CborValue>> {
  for (const [key, item] of map) {
    const others = [...map].filter(([other]) => other !== key)
    yield { what: `${path}.${key} dropped`, value: new Map(others) }
    yield { what: `${path}.${key} renamed`, value: new Map([...others, [`${key}x`, item]]) }
    for (const { what, value } of mutateValue(item, `${path}.${key}`)) {
      yield { what, value: new Map([...map, [key, value]]) }
    }
  }
  yield { what: `${path} with a key more`, value: new Map([...map, ['zz', null]]) }
}

function isEqual(a: CborValue, b: CborValue): boolean {
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b) === 0
  if (Array.isArray(a) && Array.isArray(b)) return a.length + b.length === 0
  if (a instanceof Map && b instanceof Map) return a.size + b.size === 0
  return a === b
}
