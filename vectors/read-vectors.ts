/**
 * Reading the vector files, for the tests in this directory.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface VectorCase {
  readonly id: string
  readonly comment: string
  readonly valid: boolean
  /** Error code; present if not valid. */
  readonly code?: string
}

/** The cases of `vectors/<topic>.json`; `TFields` are the fields that the file's `about` names. */
export function readVectors<TFields>(topic: string): readonly (VectorCase & TFields)[] {
  const text = readFileSync(join(import.meta.dirname, `${topic}.json`), 'utf8')
  const cases = JSON.parse(text).cases as (VectorCase & TFields)[]
  assert.ok(cases.some(({ valid }) => valid) && cases.some(({ valid }) => !valid))
  return cases
}

export function bytesOf(hex: string): Uint8Array {
  assert.match(hex, /^([0-9a-f]{2})*$/)
  return new Uint8Array(Buffer.from(hex, 'hex'))
}

/** Lower-case hex; what the vector files hold. */
export function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

/** Runs `check` on every case and reports all that fail, not only the first. */
export function checkCases<TCase extends VectorCase>(
  cases: readonly TCase[],
  check: (vector: TCase) => void,
): void {
  assert.ok(cases.length > 0, 'there are cases to check')
  const failures: string[] = []
  for (const vector of cases) {
    try {
      check(vector)
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      failures.push(`${vector.id} (${vector.comment}): ${reason}`)
    }
  }
  assert.deepEqual(failures, [])
}
