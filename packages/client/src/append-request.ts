/**
 * One call of `append`, checked before any of it is appended.
 *
 * @module
 */
import {
  type CborValue,
  encodeUtf8,
  INTEGER_MAX,
  PAYLOAD_BYTES_MAX,
  type Pointer,
  UnavailableError,
  UsageError,
} from '@longshore/capsule'
import type { AppendOptions, Level } from './capsule.ts'

/** What is said once for all payloads of a call. Undefined: decided where they are appended. */
export interface AppendTerms {
  /** Where the appending home answers. */
  readonly level: 'buffered' | 'stored'
  /** How many mirrors must hold it before the caller is answered. */
  readonly copies: number
  readonly timeUs: number | undefined
  readonly kind: 0 | 1 | undefined
  readonly pointers: readonly Pointer[] | undefined
  readonly ext: ReadonlyMap<string, CborValue> | undefined
}

export const DEFAULT_TERMS: AppendTerms = Object.freeze({
  level: 'stored',
  copies: 0,
  timeUs: undefined,
  kind: undefined,
  pointers: undefined,
  ext: undefined,
})

/**
 * @throws {UsageError} `TIME_INVALID`, `USAGE`
 * @throws {UnavailableError} `LEVEL_UNSUPPORTED`
 */
export function checkTerms(options: AppendOptions | undefined): AppendTerms {
  if (options === undefined) return DEFAULT_TERMS
  const { timeUs, kind, pointers, ext } = options
  const { level, copies } = checkLevel(options.level ?? 'stored')
  if (timeUs !== undefined && !(Number.isSafeInteger(timeUs) && timeUs >= 0)) {
    throw new UsageError('TIME_INVALID', 'a time is an integer from 0 to 2^53 - 1 microseconds', {
      timeUs: String(timeUs),
      timeUsMax: INTEGER_MAX,
    })
  }
  if (kind !== undefined && kind !== 0 && kind !== 1) {
    throw new UsageError('USAGE', 'the kind of a payload is 0 or 1')
  }
  return {
    level,
    copies,
    timeUs,
    kind,
    pointers: pointers !== undefined && pointers.length > 0 ? pointers : undefined,
    ext:
      ext !== undefined && Object.keys(ext).length > 0 ? new Map(Object.entries(ext)) : undefined,
  }
}

/** @throws {UnavailableError} `LEVEL_UNSUPPORTED` */
function checkLevel(level: Level): Pick<AppendTerms, 'level' | 'copies'> {
  if (level === 'stored' || level === 'buffered') return { level, copies: 0 }
  const [, copies] = /^replicated:([1-9][0-9]?)$/.exec(String(level)) ?? []
  if (copies !== undefined) return { level: 'stored', copies: Number(copies) }
  const message = `the level ${String(level)} is not offered here`
  throw new UnavailableError('LEVEL_UNSUPPORTED', message)
}

/**
 * A payload as bytes.
 *
 * @throws {UsageError} `PAYLOAD_TOO_LARGE`
 */
export function checkPayload(payload: Uint8Array | string): Uint8Array {
  const bytes = typeof payload === 'string' ? encodeText(payload) : payload
  if (!(bytes instanceof Uint8Array)) {
    throw new UsageError('USAGE', 'a payload is a Uint8Array or a string')
  }
  if (bytes.byteLength > PAYLOAD_BYTES_MAX) {
    throw new UsageError(
      'PAYLOAD_TOO_LARGE',
      `a payload of ${bytes.byteLength} bytes; at most ${PAYLOAD_BYTES_MAX} fit in one entry`,
      { payloadBytes: bytes.byteLength, payloadBytesMax: PAYLOAD_BYTES_MAX },
    )
  }
  return bytes
}

function encodeText(text: string): Uint8Array {
  if (text.isWellFormed()) return encodeUtf8(text)
  throw new UsageError('USAGE', 'the text has half a surrogate pair, which UTF-8 cannot hold')
}
