/**
 * The fields of a header. Bytes and their rules are in `header.ts` and `hot-header.ts`.
 *
 * @module
 */
import type { Hash } from '../bytes/brands.ts'
import type { CborMap } from '../cbor/cbor.ts'
import type { Control } from './control.ts'
import { EMPTY_HASH, type Pointer } from './pointer.ts'

/** What `payloadHash` covers. */
export const KIND_PLAIN = 0
/** 16 random bytes, then the payload: the hash of an erased payload cannot be guessed. */
export const KIND_BLINDED = 1
/** The envelope of an encrypted payload. */
export const KIND_ENCRYPTED = 2
export type HeaderKind = typeof KIND_PLAIN | typeof KIND_BLINDED | typeof KIND_ENCRYPTED

export interface HeaderExtension {
  /** What the entry says about its capsule; null in an entry that carries a payload. */
  readonly control: Control | null
  /** Application keys, each with a "/" in it ("example.com/lang"). */
  readonly app: CborMap
}

export interface Header {
  readonly kind: HeaderKind
  /** The writer's claim, microseconds since 1970-01-01T00:00:00Z. May go backwards (F11). */
  readonly timeUs: number
  /** Length of the payload, without the salt of kind 1. */
  readonly payloadBytes: number
  /** SHA-256 of the body: what is stored, with the salt of kind 1. */
  readonly payloadHash: Hash
  readonly pointers: readonly Pointer[]
  readonly ext: HeaderExtension
}

export const NO_POINTERS: readonly Pointer[] = Object.freeze([])
export const NO_EXTENSION: HeaderExtension = Object.freeze({ control: null, app: new Map() })

/** The header of an entry that says something about its capsule and carries no payload. */
export function createControlHeader(timeUs: number, control: Control): Header {
  return {
    kind: KIND_PLAIN,
    timeUs,
    payloadBytes: 0,
    payloadHash: EMPTY_HASH,
    pointers: NO_POINTERS,
    ext: { control, app: new Map() },
  }
}
