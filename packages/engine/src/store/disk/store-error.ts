/**
 * Failures of the disk as errors that a person can act on.
 *
 * @module
 */
import { UnavailableError } from '@longshore/capsule'
import { DiskError } from '../../runtime/disk.ts'

/** `error` itself unless the disk threw it. */
export function storeError(error: unknown): unknown {
  if (!(error instanceof DiskError)) return error
  const details = { path: error.path, disk: error.code }
  const options = { cause: error }
  if (error.code === 'FULL') {
    return new UnavailableError('STORE_FULL', 'the disk is full', details, options)
  }
  if (error.code === 'NOT_FOUND') {
    return new UnavailableError('STORE_CORRUPT', 'a journal file is missing', details, options)
  }
  return new UnavailableError('STORE_IO', 'the disk refused an operation', details, options)
}
