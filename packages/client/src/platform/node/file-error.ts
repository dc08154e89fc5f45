/**
 * What the file system says about a file that a person named, as an error with a stable code and
 * a reason in words.
 *
 * @module
 */
import { isLongshoreError, UnavailableError, UsageError } from '@longshore/capsule'
import { DiskError } from '@longshore/engine'

/** No room: on the disk, in a quota, or in what one file may hold. */
const FULL: ReadonlySet<unknown> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG', 'FULL', 'STORE_FULL'])

const REASONS: Readonly<Record<string, string>> = {
  ENOTDIR: 'a part of its path is no directory',
  NOT_A_FILE: 'a part of its path is no directory',
  EISDIR: 'it is a directory',
  EROFS: 'the file system is read-only',
  ELOOP: 'its symbolic links lead in a circle',
  ENAMETOOLONG: 'its name is too long',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
}
const READING_REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'your user may not read it',
  EPERM: 'your user may not read it',
}
const WRITING_REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'the directory for it does not exist',
  EACCES: 'your user may not write there',
  EPERM: 'your user may not write there',
}

/** @returns `FILE_UNREADABLE` with the reason, and `path` and `systemCode` in the details. */
export function fileUnreadable(path: string, cause: unknown): UsageError {
  const details = { path, systemCode: systemCodeOf(cause) }
  const message = `cannot read ${path}: ${reasonOf(cause, READING_REASONS)}`
  return new UsageError('FILE_UNREADABLE', message, details, { cause })
}

/** @returns `FILE_UNWRITABLE` with the reason, and `path` and `systemCode` in the details. */
export function fileUnwritable(path: string, cause: unknown): UsageError {
  const details = { path, systemCode: systemCodeOf(cause) }
  const message = `cannot write ${path}: ${reasonOf(cause, WRITING_REASONS)}`
  return new UsageError('FILE_UNWRITABLE', message, details, { cause })
}

/**
 * Runs `action`, which writes to `path`. A full disk becomes `STORE_FULL`, any other failure of
 * the file system `FILE_UNWRITABLE`; errors that are ours already stay what they are.
 */
export async function withWriting<T>(path: string, action: () => T | Promise<T>): Promise<T> {
  try {
    return await action()
  } catch (error) {
    throw toWritingError(path, error)
  }
}

export function toWritingError(path: string, cause: unknown): unknown {
  const isSystemError = cause instanceof DiskError || (cause instanceof Error && 'syscall' in cause)
  if (isLongshoreError(cause) || !isSystemError) return cause
  if (!isFullError(cause)) return fileUnwritable(path, cause)
  return new UnavailableError('STORE_FULL', (cause as Error).message, { path }, { cause })
}

export function isFullError(error: unknown): boolean {
  return error instanceof Error && 'code' in error && FULL.has(error.code)
}

function systemCodeOf(error: unknown): string {
  const { code } = error as { code?: unknown }
  return typeof code === 'string' ? code : 'UNKNOWN'
}

function reasonOf(error: unknown, reasons: Readonly<Record<string, string>>): string {
  const code = systemCodeOf(error)
  return reasons[code] ?? REASONS[code] ?? (error as Partial<Error>).message ?? code
}
