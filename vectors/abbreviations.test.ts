/**
 * Abbreviated vectors mean what their generators meant.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { expandCases } from './read-vectors.ts'

type Value = string | readonly string[]

interface Abbreviating {
  abbreviate(id: string, field: string, value: Value, mayBeLike: boolean): unknown
}

async function startAbbreviating(): Promise<Abbreviating> {
  // A generator: plain JavaScript, for which there are no types.
  const path = join(import.meta.dirname, 'make/abbreviate.mjs')
  const { Abbreviations } = (await import(path)) as { Abbreviations: new () => Abbreviating }
  return new Abbreviations()
}

const BASE = Array.from({ length: 300 }, (_, at) => ((at * at + 7 * at) % 251).toString(16)).join(
  '',
)
const PATH = Array.from({ length: 12 }, (_, at) => BASE.slice(at, at + 64))

const VALUES: readonly Value[] = [
  BASE,
  `${BASE}00`,
  `ff${BASE}`,
  `${BASE.slice(0, 200)}ff${BASE.slice(202)}`,
  `${BASE.slice(0, 40)}aaaaaaaa${BASE.slice(50, 300)}${BASE.slice(310)}bb`,
  BASE.slice(200) + BASE.slice(0, 200),
  BASE.repeat(2),
  BASE.slice(100),
  `84${'00'.repeat(4000)}f6`,
  'YWFh'.repeat(2000),
  'short',
  '',
  BASE.split('').reverse().join(''),
  PATH,
  PATH.toSpliced(3, 1),
  PATH.with(5, BASE.slice(70, 134)),
  [...PATH, 'x'],
  PATH.toReversed(),
  [],
]

test('what is abbreviated is written out again, and most of it is shorter', async () => {
  const abbreviations = await startAbbreviating()
  const written = VALUES.map((value, at) => {
    const field = typeof value === 'string' ? 'bytes' : 'path'
    return { id: `${at}`, [field]: abbreviations.abbreviate(`${at}`, field, value, true) }
  })
  const text = JSON.stringify(written)
  assert.ok(text.length < JSON.stringify(VALUES).length / 2)
  assert.ok(text.includes('"like"') && text.includes('"parts"'))
  const read = expandCases(JSON.parse(text)).map(({ bytes, path }) => bytes ?? path)
  assert.deepEqual(read, VALUES)
})

test('a sample is never like another case', async () => {
  const abbreviations = await startAbbreviating()
  assert.equal(abbreviations.abbreviate('a', 'bytes', BASE, true), BASE)
  assert.equal(abbreviations.abbreviate('b', 'bytes', `${BASE}00`, false), `${BASE}00`)
})

test('a case that is like none is an error', () => {
  const cases = [{ id: 'a', bytes: { like: 'b', edits: [[0, 0, '00']] } }]
  assert.throws(() => expandCases(cases), /a: b/)
})
