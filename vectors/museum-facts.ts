/**
 * What is known of an exhibit of the museum: `facts.json`, beside the exhibit itself.
 *
 * @module
 */
import { createHash } from 'node:crypto'
import { hexOf } from './read-vectors.ts'

export interface CapsuleFacts {
  readonly name: string
  readonly blind: boolean
  readonly labels: Readonly<Record<string, string>>
  /** Hex; null in a capsule without entries. */
  readonly root: string | null
  /** By index, see `payloadFact`; null where the payload was erased. */
  readonly payloads: readonly (string | null)[]
  /** By index. */
  readonly timesUs: readonly number[]
}

export interface ExhibitFacts {
  readonly capsules: readonly CapsuleFacts[]
  /** Name of the capsule in `export/`, as it was before its last entry. */
  readonly exported: string
  readonly receipts: readonly {
    readonly file: string
    readonly name: string
    readonly index: number
  }[]
}

/** A payload in hex, or the SHA-256 of a long one. */
export function payloadFact(payload: Uint8Array): string {
  if (payload.length <= 100) return hexOf(payload)
  return `sha256 ${createHash('sha256').update(payload).digest('hex')}`
}
