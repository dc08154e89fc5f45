/**
 * How the tests ask our packages to refuse something.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { decodeUtf8, isLongshoreError, VerificationError } from '@longshore/capsule'
import { bytesOf, type VectorCase } from './read-vectors.ts'

/** Passes if `run` throws one of our errors with the code that the case names. */
export function assertRefused(vector: VectorCase, run: () => unknown): void {
  let result: unknown
  try {
    result = run()
  } catch (error) {
    if (!isLongshoreError(error)) throw error
    assert.equal(error.code, vector.code, `refused with ${error.code}: ${error.message}`)
    return
  }
  assert.fail(`accepted: ${String(result).slice(0, 100)}`)
}

/** `text`, or the text that `bytes` should be; throws NOTE_INVALID where they are not UTF-8. */
export function textOf(text: string | undefined, bytes: string | undefined): string {
  if (text !== undefined) return text
  const decoded = decodeUtf8(bytesOf(bytes ?? ''))
  if (decoded === undefined) throw new VerificationError('NOTE_INVALID', 'not UTF-8')
  return decoded
}
