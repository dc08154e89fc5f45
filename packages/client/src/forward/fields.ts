/**
 * Reads the fields of a message, strictly: wrong type, missing or unknown field is FRAME_INVALID.
 *
 * @module
 */
import {
  asHash,
  type CborMap,
  type CborValue,
  HASH_BYTES,
  type Hash,
  ProtocolError,
} from '@longshore/capsule'

export class Fields {
  readonly #map: CborMap
  readonly #read = new Set<string>()

  constructor(value: CborValue | undefined) {
    if (!(value instanceof Map)) throw invalid('a map is missing')
    this.#map = value as CborMap
  }

  uint(key: string): number {
    const value = this.#take(key)
    return typeof value === 'number' ? value : this.#wrong(key)
  }

  text(key: string): string {
    const value = this.#take(key)
    return typeof value === 'string' ? value : this.#wrong(key)
  }

  boolean(key: string): boolean {
    const value = this.#take(key)
    return typeof value === 'boolean' ? value : this.#wrong(key)
  }

  /** Of exactly `byteLength` bytes, if given. */
  bytes(key: string, byteLength?: number): Uint8Array {
    const value = this.#take(key)
    if (!(value instanceof Uint8Array)) return this.#wrong(key)
    if (byteLength !== undefined && value.byteLength !== byteLength) return this.#wrong(key)
    return value
  }

  hash(key: string): Hash {
    return asHash(this.bytes(key, HASH_BYTES))
  }

  array(key: string): readonly CborValue[] {
    const value = this.#take(key)
    return Array.isArray(value) ? value : this.#wrong(key)
  }

  map(key: string): CborMap {
    const value = this.#take(key)
    return value instanceof Map ? (value as CborMap) : this.#wrong(key)
  }

  /** True if the field is there and not null; a null one counts as read. */
  has(key: string): boolean {
    const value = this.#map.get(key)
    if (value === null) this.#read.add(key)
    return value !== undefined && value !== null
  }

  /** After the last field: there must be no other. */
  end(): void {
    for (const key of this.#map.keys()) {
      if (!this.#read.has(key)) throw invalid(`the field ${key.slice(0, 32)} is not known here`)
    }
  }

  #take(key: string): CborValue {
    this.#read.add(key)
    const value = this.#map.get(key)
    if (value === undefined) throw invalid(`the field ${key} is missing`)
    return value
  }

  #wrong(key: string): never {
    throw invalid(`the field ${key} has the wrong type`)
  }
}

/** A map of text to text, such as labels. */
export function textMap(map: CborMap): Record<string, string> {
  const entries = [...map].map(([key, value]) => {
    if (typeof value !== 'string') throw invalid('a text is missing')
    return [key, value] as const
  })
  return Object.fromEntries(entries)
}

export function invalid(what: string): ProtocolError {
  return new ProtocolError('FRAME_INVALID', what)
}
