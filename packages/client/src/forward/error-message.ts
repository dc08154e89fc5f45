/**
 * An error on its way back to the process that asked: class and code survive, so the caller can
 * branch on them as if it had written by itself.
 *
 * @module
 */
import {
  type CborMap,
  type CborValue,
  createError,
  ERROR_CODES,
  type ErrorCode,
  type ErrorDetails,
  isLongshoreError,
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
