/**
 * From an error to what the person reads and to the exit code. Rules CL10, CL11 and CL14 of
 * docs/spec/cli.md.
 *
 * @module
 */
import {
  ERROR_CODES,
  type ErrorCode,
  isLongshoreError,
  type LongshoreError,
  UnavailableError,
} from '@longshore/capsule'
import { adviceFor } from './advice.ts'
import type { Output } from './output.ts'
import { formatPrintable } from './text/printable.ts'

export const EXIT = {
  ok: 0,
  verification: 1,
  usage: 2,
  unavailable: 3,
  storage: 4,
  /** A bug in Longshore; the number of sysexits.h for "software". */
  defect: 70,
} as const

/** Unavailable because of this machine's disk, keys or permissions: somebody has to repair it. */
const STORAGE_CODES: ReadonlySet<ErrorCode> = new Set([
  'STORE_FULL',
  'STORE_IO',
  'STORE_CORRUPT',
  'STORE_FAILED',
  'KEY_UNREADABLE',
  'ANCHOR_UNWRITABLE',
  'HOME_UNREADABLE',
])

/** No room: on the disk, in a quota, or in what one file may hold. */
const FULL_CODES: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG'])

/** What is printed about an error; docs/spec/cli/error.schema.json. */
export interface ErrorReport {
  readonly code: string
  readonly message: string
  readonly next: string
  readonly details: Readonly<Record<string, string | number>>
}

export function exitCodeOf(code: ErrorCode): number {
  if (STORAGE_CODES.has(code)) return EXIT.storage
  const owner = ERROR_CODES[code].class
  if (owner === 'UsageError') return EXIT.usage
  if (owner === 'UnavailableError') return EXIT.unavailable
  return EXIT.verification
}

/** Prints the error and returns the exit code. */
export function reportError(out: Output, thrown: unknown): number {
  const error = firstError(thrown)
  const known = asLongshoreError(error)
  if (known !== undefined) {
    const { code, message, details } = known
    printReport(out, { code, message, next: adviceFor(known), details })
    return exitCodeOf(known.code)
  }
  const message = error instanceof Error ? error.message : String(error)
  printReport(out, {
    code: 'DEFECT',
    message: `this should not happen: ${message}`,
    next: 'Nothing acknowledged is lost. Please report it with what you did and the stack.',
    details: {},
  })
  if (!out.json && error instanceof Error) {
    for (const line of (error.stack ?? '').split('\n')) out.note(formatPrintable(line))
  }
  return EXIT.defect
}

/** The work was given up because somebody asked for it. */
export function isAborted(thrown: unknown): boolean {
  const error = firstError(thrown)
  return isLongshoreError(error) && error.code === 'ABORTED'
}

export function printReport(out: Output, report: ErrorReport): void {
  out.draw('')
  if (out.json) {
    out.note(JSON.stringify(report))
    return
  }
  const code = out.bad(report.code, 'stderr')
  out.note(
    `longshore: ${code}: ${formatPrintable(report.message)}\n${formatPrintable(report.next)}`,
  )
}

/** What went wrong first, where closing something went wrong after it. */
function firstError(thrown: unknown): unknown {
  let error = thrown
  while (error instanceof SuppressedError) error = error.suppressed
  return error
}

/** Also one among the causes, and failures of the system that nobody has named yet. */
function asLongshoreError(error: unknown): LongshoreError | undefined {
  for (let depth = 0, at = error; depth < 4 && at instanceof Error; depth++, at = at.cause) {
    if (isLongshoreError(at)) return at
    if ('syscall' in at) return asStorageError(at as NodeJS.ErrnoException)
  }
  return undefined
}

function asStorageError(error: NodeJS.ErrnoException): LongshoreError {
  const { code = 'UNKNOWN', message, path } = error
  const full = FULL_CODES.has(code)
  const details = { systemCode: code, ...(path === undefined ? {} : { path }) }
  return new UnavailableError(full ? 'STORE_FULL' : 'STORE_IO', message, details, { cause: error })
}
