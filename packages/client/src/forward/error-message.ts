/**
 * An error on its way back to the process that asked: class and code survive, so the caller can
 * branch on them as if it had written by itself.
 *
 * @module
 */
import {
  type CborMap,
  type CborValue,
  ERROR_CODES,
  type ErrorCode,
  type ErrorDetails,
  isLongshoreError,
  type ProtocolCode,
  ProtocolError,
  type UnavailableCode,
  UnavailableError,
  type UsageCode,
  UsageError,
  type VerificationCode,
  VerificationError,
} from '@longshore/capsule'
import { Fields, invalid } from './fields.ts'

/** Longer texts are cut: an error is no way to fill a frame. */
const TEXT_CHARS_MAX = 65_536

export function encodeError(error: unknown): CborMap {
  if (!isLongshoreError(error)) {
    const reason = error instanceof Error ? error.message : String(error)
    return createMap('STORE_FAILED', `the holder failed: ${reason}`, {})
  }
  return createMap(error.code, error.message, error.details)
}

/** @throws {ProtocolError} `FRAME_INVALID` */
export function decodeError(map: CborMap): Error {
  const fields = new Fields(map)
  const code = fields.text('code')
  const message = fields.text('message')
  const details: Record<string, string | number> = {}
  for (const [key, value] of fields.map('details')) {
    if (typeof value !== 'string' && typeof value !== 'number') throw invalid('a detail')
    details[key] = value
  }
  fields.end()
  if (!Object.hasOwn(ERROR_CODES, code)) throw invalid('the error code is not known')
  return createError(code as ErrorCode, message, details)
}

function createMap(code: string, message: string, details: ErrorDetails): CborMap {
  const safe = Object.entries(details).map(([key, value]): [string, CborValue] => {
    const isUint = typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
    return [key, isUint ? value : String(value).slice(0, TEXT_CHARS_MAX).toWellFormed()]
  })
  return new Map<string, CborValue>([
    ['code', code],
    ['details', new Map(safe)],
    ['message', message.slice(0, TEXT_CHARS_MAX).toWellFormed()],
  ])
}

function createError(code: ErrorCode, message: string, details: ErrorDetails): Error {
  switch (ERROR_CODES[code].class) {
    case 'VerificationError':
      return new VerificationError(code as VerificationCode, message, details)
    case 'ProtocolError':
      return new ProtocolError(code as ProtocolCode, message, details)
    case 'UnavailableError':
      return new UnavailableError(code as UnavailableCode, message, details)
    case 'UsageError':
      return new UsageError(code as UsageCode, message, details)
  }
}
