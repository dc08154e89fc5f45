/**
 * Another CBOR library, Python's cbor2, on our manifests and headers: it reads the values that the
 * vectors name, and its canonical encoder writes the same bytes.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { isMissing, runTool } from './foreign-tool.ts'
import { readVectors } from './read-vectors.ts'

/** Debian's Python, for which Debian packages cbor2. */
const PYTHON = '/usr/bin/python3'
const skip = isMissing('cbor2', PYTHON, ['-c', 'import cbor2'])

interface Line {
  readonly value: unknown
  /** What cbor2 makes of the value again, canonically. */
  readonly again: string
}

/** One line of JSON per hex line: the value described as in the vectors. */
function readWithPython(lines: readonly string[]): Line[] {
  const script = join(import.meta.dirname, 'eyes/describe_cbor.py')
  const { status, output } = runTool(PYTHON, [script], { input: lines.join('\n') })
  assert.equal(status, 0, output)
  return output
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Line)
}

function checkAll(cases: readonly { id: string; bytes: string; value?: unknown }[]): Line[] {
  assert.ok(cases.length > 5)
  const read = readWithPython(cases.map(({ bytes }) => bytes))
  for (const [at, { id, bytes, value }] of cases.entries()) {
    assert.equal(read[at]?.again, bytes, id)
    if (value !== undefined) assert.deepEqual(read[at]?.value, value, id)
  }
  return read
}

test('CB1 CB2: cbor2 reads and writes the values of the vectors alike', { skip }, () => {
  const cases = readVectors<{ bytes: string; value: unknown }>('cbor')
  checkAll(cases.filter(({ valid }) => valid))
})

test('EN3: cbor2 reads and writes headers alike', { skip }, () => {
  const cases = readVectors<{ bytes: string; header?: { timeUs: number } }>('header')
  const headers = cases.filter(({ valid, header }) => valid && header !== undefined)
  for (const [at, { value }] of checkAll(headers).entries()) {
    const { array } = value as { array: { uint: number }[] }
    assert.equal(array[1]?.uint, headers[at]?.header?.timeUs)
  }
})

test('MF4: cbor2 reads and writes manifests alike', { skip }, () => {
  const manifests = readVectors<{ body: string; manifest: { time: number } }>('manifest').filter(
    ({ valid }) => valid,
  )
  const read = checkAll(manifests.map(({ id, body }) => ({ id, bytes: body })))
  for (const [at, { value }] of read.entries()) {
    const { map } = value as { map: [string, { uint: number }][] }
    const time = map.find(([key]) => key === 'time')?.[1].uint
    assert.equal(time, manifests[at]?.manifest.time)
  }
})
