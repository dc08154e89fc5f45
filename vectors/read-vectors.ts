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
  const cases = expandCases(JSON.parse(text).cases) as (VectorCase & TFields)[]
  assert.ok(cases.some(({ valid }) => valid) && cases.some(({ valid }) => !valid))
  return cases
}

type Fields = { readonly id: string; readonly [field: string]: unknown }

/** Writes out what is abbreviated, as vectors/README.md says. */
export function expandCases(cases: readonly Fields[]): readonly Fields[] {
  const byId = new Map(cases.map((one) => [one.id, one]))
  return cases.map((one) => {
    const fields = Object.entries(one).map(([field, value]) => {
      if (!isAbbreviated(value)) return [field, value]
      if ('parts' in value) return [field, value.parts.map(expandPart).join('')]
      const like = byId.get(value.like)?.[field]
      assert.ok(typeof like === 'string' || Array.isArray(like), `${one.id}: ${value.like}`)
      return [field, applyEdits(like, value.edits)]
    })
    return Object.fromEntries(fields) as Fields
  })
}

type Part = string | readonly [text: string, count: number]

type Edit = readonly [at: number, count: number, replacement: string | readonly string[]]

type Abbreviated =
  | { readonly parts: readonly Part[] }
  | { readonly like: string; readonly edits: readonly Edit[] }

function isAbbreviated(value: unknown): value is Abbreviated {
  return typeof value === 'object' && value !== null && ('parts' in value || 'like' in value)
}

function expandPart(part: Part): string {
  return typeof part === 'string' ? part : part[0].repeat(part[1])
}

function applyEdits(
  like: string | readonly string[],
  edits: readonly Edit[],
): string | readonly string[] {
  const pieces: (string | readonly string[])[] = []
  let end = 0
  for (const [at, count, replacement] of edits) {
    pieces.push(like.slice(end, at), replacement)
    end = at + count
  }
  pieces.push(like.slice(end))
  return typeof like === 'string' ? pieces.join('') : pieces.flat()
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
