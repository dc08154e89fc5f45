/**
 * What the file system says about a file outside the store, as an error with a stable code.
 *
 * @module
 */
import { isLongshoreError, UnavailableError, UsageError } from '@longshore/capsule'
import { DiskError } from '@longshore/engine'

/** No room: on the disk, in a quota, or in what one file may hold. */
const FULL: ReadonlySet<unknown> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG', 'FULL'])

export function isFullError(error: unknown): boolean {
  return error instanceof Error && 'code' in error && FULL.has(error.code)
}

/**
 * Runs `action`. A full disk becomes `STORE_FULL`, any other failure of the file system
 * `FILE_UNREADABLE`; errors that are ours already stay what they are.
 */
export async function withFile<T>(path: string, action: () => T | Promise<T>): Promise<T> {
  try {
    return await action()
  } catch (error) {
    throw toFileError(path, error)
  }
}

export function toFileError(path: string, cause: unknown): unknown {
  const isSystemError = cause instanceof DiskError || (cause instanceof Error && 'syscall' in cause)
  if (isLongshoreError(cause) || !isSystemError) return cause
  const reason = (cause as Error).message
  if (isFullError(cause)) return new UnavailableError('STORE_FULL', reason, { path }, { cause })
  return new UsageError('FILE_UNREADABLE', reason, { path }, { cause })
}
