/**
 * CBOR values as the vector files write them: typed, so that every language can read them.
 *
 * @module
 */
import type { CborValue } from '@longshore/capsule'
import { hexOf } from './read-vectors.ts'

/** The typed values of the vector files; see `describe` in make/cbor.mjs. */
export type Described =
  | null
  | boolean
  | { uint: number }
  | { text: string }
  | { bytes: string }
  | { array: Described[] }
  | { map: [string, Described][] }

export function describeCbor(value: CborValue): Described {
  if (value === null || typeof value === 'boolean') return value
  if (typeof value === 'number') return { uint: value }
  if (typeof value === 'string') return { text: value }
  if (value instanceof Uint8Array) return { bytes: hexOf(value) }
  if (value instanceof Map) {
    const pairs = [...value] as [string, CborValue][]
    return { map: pairs.map(([key, inner]) => [key, describeCbor(inner)]) }
  }
  return { array: (value as CborValue[]).map(describeCbor) }
}
