/**
 * Headers that the writer makes besides the plain ones of the hot path, and the checks before.
 *
 * Rules WR12 and WR14 of docs/spec/writer.md.
 *
 * @module
 */
import {
  type CborMap,
  type Control,
  createControlHeader,
  encodeHeader,
  INTEGER_MAX,
  PAYLOAD_BYTES_MAX,
  type Pointer,
  sha256,
  UsageError,
} from '@longshore/capsule'

/** An entry that points or carries application keys. */
export interface ExtendedEntry {
  readonly kind: 0 | 1 | 2
  readonly timeUs: number
  readonly payloadBytes: number
  readonly body: Uint8Array
  readonly pointers: readonly Pointer[] | undefined
  readonly app: CborMap | undefined
}

/** @throws {UsageError} `USAGE` for pointers and keys that a header cannot have. */
export function encodeExtendedHeader(entry: ExtendedEntry): Uint8Array {
  const { kind, timeUs, payloadBytes, body, pointers = [], app = new Map() } = entry
  const payloadHash = sha256(body)
  const ext = { control: null, app }
  return encodeHeader({ kind, timeUs, payloadBytes, payloadHash, pointers, ext })
}

/** @throws {UsageError} `TIME_INVALID`, or `USAGE` for a reason that is too long. */
export function encodeControlHeader(timeUs: number, control: Control): Uint8Array {
  checkTime(timeUs)
  return encodeHeader(createControlHeader(timeUs, control))
}

/** @throws {UsageError} `TIME_INVALID` */
export function checkTime(timeUs: number): void {
  if (Number.isSafeInteger(timeUs) && timeUs >= 0) return
  const details = { timeUs, timeUsMax: INTEGER_MAX }
  const message = 'a time is an integer from 0 to 2^53 - 1 microseconds'
  throw new UsageError('TIME_INVALID', message, details)
}

/** @throws {UsageError} `PAYLOAD_TOO_LARGE` */
export function checkPayload(payload: Uint8Array): void {
  if (payload.length <= PAYLOAD_BYTES_MAX) return
  const details = { payloadBytes: payload.length, payloadBytesMax: PAYLOAD_BYTES_MAX }
  throw new UsageError('PAYLOAD_TOO_LARGE', 'the payload is too large for one entry', details)
}
