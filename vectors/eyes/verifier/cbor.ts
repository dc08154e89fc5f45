/**
 * Reads the CBOR subset: RFC 8949 section 4.2.1, text keys, integers up to 2^53 - 1, no floats,
 * no tags, no negative numbers. Every item must be in its shortest form, so nothing has to be
 * encoded again to be compared.
 *
 * @module
 */
import { refuse, require } from './refuse.ts'

export type Value = null | boolean | number | string | Uint8Array | Value[] | Map<string, Value>

/** Arrays and maps in each other, the outermost included. */
const DEPTH_MAX = 16

class Reader {
  readonly bytes: Uint8Array
  readonly depthMax: number
  at = 0

  constructor(bytes: Uint8Array, depthMax: number) {
    this.bytes = bytes
    this.depthMax = depthMax
  }

  take(count: number): Uint8Array {
    require(count <= this.bytes.length - this.at, 'CBOR ends too early')
    const part = this.bytes.subarray(this.at, this.at + count)
    this.at += count
    return part
  }

  /** Major type and argument of the next item. */
  head(): { major: number; argument: number } {
    const [first] = this.take(1) as unknown as [number]
    const [major, info] = [first >> 5, first & 31]
    if (info < 24) return { major, argument: info }
    require(info < 28, 'indefinite or reserved length')
    const width = 1 << (info - 24)
    const argument = this.take(width).reduce((sum, byte) => sum * 256 + byte, 0)
    const smallest = [24, 0x100, 0x10000, 0x100000000][info - 24] as number
    require(argument >= smallest, 'CBOR integer not in its shortest form')
    require(argument <= Number.MAX_SAFE_INTEGER, 'CBOR integer above 2^53 - 1')
    return { major, argument }
  }

  value(depth: number): Value {
    const start = this.at
    const { major, argument } = this.head()
    if (major === 0) return argument
    if (major === 2) return this.take(argument).slice()
    if (major === 3) return decodeText(this.take(argument))
    if (major === 4 || major === 5) {
      require(depth < this.depthMax, 'CBOR nested too deep')
      return major === 4 ? this.array(argument, depth + 1) : this.map(argument, depth + 1)
    }
    const simple = this.at === start + 1 ? this.bytes[start] : undefined
    if (simple === 0xf4) return false
    if (simple === 0xf5) return true
    return simple === 0xf6 ? null : refuse('a CBOR type that the formats do not have')
  }

  array(count: number, depth: number): Value[] {
    const items: Value[] = []
    for (let i = 0; i < count; i += 1) items.push(this.value(depth))
    return items
  }

  map(count: number, depth: number): Map<string, Value> {
    const map = new Map<string, Value>()
    let previous: Uint8Array | undefined
    for (let i = 0; i < count; i += 1) {
      const start = this.at
      const key = this.value(depth)
      if (typeof key !== 'string') return refuse('a map key that is no text')
      const encoded = this.bytes.subarray(start, this.at)
      const isSorted = previous === undefined || Buffer.compare(previous, encoded) < 0
      require(isSorted, 'map keys repeated or not sorted')
      previous = encoded
      map.set(key, this.value(depth))
    }
    return map
  }
}

export function decodeText(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return refuse('not UTF-8')
  }
}

/** The one item that `bytes` are. */
export function readCbor(bytes: Uint8Array, depthMax: number = DEPTH_MAX): Value {
  const reader = new Reader(bytes, depthMax)
  const value = reader.value(0)
  require(reader.at === bytes.length, 'bytes after the CBOR item')
  return value
}

export function asMap(value: Value | undefined, keys: readonly string[]): Map<string, Value> {
  if (!(value instanceof Map)) return refuse('not a map')
  require([...value.keys()].every((key) => keys.includes(key)), 'an unknown key')
  return value
}

export function asArray(value: Value | undefined): Value[] {
  return Array.isArray(value) ? value : refuse('not an array')
}

export function asBytes(value: Value | undefined, length?: number): Uint8Array {
  if (!(value instanceof Uint8Array)) return refuse('not a byte string')
  require(length === undefined || value.length === length, `not ${length} bytes`)
  return value
}

export function asNumber(value: Value | undefined, max: number = Number.MAX_SAFE_INTEGER): number {
  return typeof value === 'number' && value <= max ? value : refuse('not a number in range')
}

export function asText(value: Value | undefined): string {
  return typeof value === 'string' ? value : refuse('not text')
}
