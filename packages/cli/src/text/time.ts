/**
 * Times as people write and read them. Inside, a time is an integer of microseconds since 1970.
 *
 * Rules CL16, CL24 and CL30 of docs/spec/cli.md.
 *
 * @module
 */
import { UsageError } from '@longshore/capsule'

/** The largest time of the format, in the year 2255. */
const TIME_US_MAX = Number.MAX_SAFE_INTEGER

const DATE = '(\\d{4})-(\\d{2})-(\\d{2})'
const CLOCK = '(\\d{2}):(\\d{2}):(\\d{2})(?:\\.(\\d{1,9}))?'
const ZONE = '(?:[Zz]|([+-])(\\d{2}):(\\d{2}))'
const RFC_3339 = new RegExp(`^${DATE}[Tt]${CLOCK}${ZONE}$`)

const SECONDS = /^(?:0|[1-9][0-9]{0,10})(?:\.[0-9]{1,6})?$/
const AGE = /^([1-9][0-9]{0,8})([smhd])$/
const AGE_UNITS_US: Readonly<Record<string, number>> = {
  s: 1_000_000,
  m: 60_000_000,
  h: 3_600_000_000,
  d: 86_400_000_000,
}

export type NumberUnit = 's' | 'ms' | 'us'
const NUMBER_UNITS_US: Readonly<Record<NumberUnit, number>> = { s: 1_000_000, ms: 1000, us: 1 }

/** `2026-11-21T03:17:43.123456Z`: always UTC, always six digits. */
export function formatTime(timeUs: number): string {
  const micros = timeUs % 1_000_000
  const whole = new Date((timeUs - micros) / 1000).toISOString().slice(0, 19)
  return `${whole}.${String(micros).padStart(6, '0')}Z`
}

/** `42 s`, `5 min`, `3 h`, `12 d`: whole, rounded down, and never below 0. */
export function formatAge(ageUs: number): string {
  const seconds = Math.max(0, Math.floor(ageUs / 1_000_000))
  if (seconds < 120) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 120) return `${minutes} min`
  const hours = Math.floor(minutes / 60)
  return hours < 48 ? `${hours} h` : `${Math.floor(hours / 24)} d`
}

/**
 * RFC 3339 to microseconds; digits beyond the sixth are cut off. Undefined if it is anything else,
 * a day that does not exist, a leap second, before 1970 or after 2255.
 */
export function parseRfc3339(text: string): number | undefined {
  const match = RFC_3339.exec(text)
  if (match === null) return undefined
  const [, year, month, day, hour, minute, second, fraction, sign, offsetHours, offsetMinutes] =
    match
  const utc = `${year}-${month}-${day}T${hour}:${minute}:${second}Z`
  const ms = Date.parse(utc)
  // Date.parse accepts 24:00:00 and turns February 30 into March 2: compare what it understood.
  if (Number.isNaN(ms) || new Date(ms).toISOString().slice(0, 19) !== utc.slice(0, 19)) {
    return undefined
  }
  if (Number(offsetHours ?? 0) > 23 || Number(offsetMinutes ?? 0) > 59) return undefined
  const offsetMs = (Number(offsetHours ?? 0) * 60 + Number(offsetMinutes ?? 0)) * 60_000
  const micros = Number((fraction ?? '').slice(0, 6).padEnd(6, '0'))
  const timeUs = (ms - (sign === '-' ? -offsetMs : offsetMs)) * 1000 + micros
  return isTime(timeUs) ? timeUs : undefined
}

/**
 * The argument of `--since`: RFC 3339, an age such as `90s`, `10m`, `2h`, `1d`, or seconds since
 * 1970.
 *
 * @throws {UsageError} `TIME_INVALID`
 */
export function parseSince(text: string, nowUs: number): number {
  const age = AGE.exec(text)
  if (age !== null) return Math.max(0, nowUs - Number(age[1]) * AGE_UNITS_US[age[2]!]!)
  const timeUs = SECONDS.test(text) ? parseTimeField(Number(text), 's') : parseRfc3339(text)
  if (timeUs !== undefined) return timeUs
  throw new UsageError(
    'TIME_INVALID',
    `${JSON.stringify(text)} is not a time, nor an age like 90s, 10m, 2h or 1d`,
  )
}

/**
 * The argument of `--until`: RFC 3339, seconds since 1970, or a time from now such as `12h`, `90d`.
 *
 * @throws {UsageError} `TIME_INVALID`
 */
export function parseUntil(text: string, nowUs: number): number {
  const wait = AGE.exec(text)
  if (wait !== null) return nowUs + Number(wait[1]) * AGE_UNITS_US[wait[2]!]!
  return parseSince(text, nowUs)
}

/** The value of a time field: RFC 3339 text, or a number that counts `unit` since 1970. */
export function parseTimeField(value: unknown, unit: NumberUnit): number | undefined {
  if (typeof value === 'string') return parseRfc3339(value)
  if (typeof value !== 'number') return undefined
  const timeUs = Math.round(value * NUMBER_UNITS_US[unit])
  return isTime(timeUs) ? timeUs : undefined
}

function isTime(timeUs: number): boolean {
  return Number.isSafeInteger(timeUs) && timeUs >= 0 && timeUs <= TIME_US_MAX
}
