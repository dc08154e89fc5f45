/**
 * What the file system says about a file outside the store, as an error with a stable code.
 *
 * @module
 */
import { isLongshoreError, UnavailableError, UsageError } from '@longshore/capsule'
import { DiskError } from '@longshore/engine'

const FULL: ReadonlySet<unknown> = new Set(['ENOSPC', 'EDQUOT', 'FULL'])

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
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  const isSystemError = cause instanceof DiskError || (cause instanceof Error && 'syscall' in cause)
  if (isLongshoreError(cause) || !isSystemError) return cause
  const reason = (cause as Error).message
  if (FULL.has(code)) return new UnavailableError('STORE_FULL', reason, { path }, { cause })
  return new UsageError('FILE_UNREADABLE', reason, { path }, { cause })
}
