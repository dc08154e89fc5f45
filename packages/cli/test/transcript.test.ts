import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { findSchemaProblems } from './json-schema.ts'
import { runTranscript } from './transcript.ts'

const directory = mkdtempSync(join(tmpdir(), 'longshore-'))
after(() => rmSync(directory, { recursive: true }))

async function passes(text: string): Promise<boolean> {
  const path = join(directory, 'transcript.txt')
  writeFileSync(path, text)
  return (await runTranscript(path)) === undefined
}

test('a transcript passes if every command does what it says', async () => {
  assert.ok(await passes('# title\n\n$ echo a; echo b >&2; exit 3\na\n2> b\n[exit 3]\n\n$ true\n'))
  assert.ok(await passes('$ seq 1 9\n1\n...\n8\n9\n'))
  assert.ok(await passes('$ seq 1 9\n...\n'))
  assert.ok(await passes('$ echo 12 x\n<number:n> x\n$ echo "$n"\n<n>\n'))
  assert.ok(await passes('$ cat <<END\n> a b\n> END\na b\n'))
})

test('a transcript fails for any other output, stream or exit code', async () => {
  for (const text of [
    '$ echo a\n',
    '$ echo a\nb\n',
    '$ echo a\na\nb\n',
    '$ echo a >&2\na\n',
    '$ exit 3\n',
    '$ true\n[exit 1]\n',
    '$ seq 1 9\n...\n8\n',
    '$ echo x\n<number>\n',
    '$ echo 1\n<number:n>\n$ echo 2\n<n>\n',
    '$ echo abc\na.c\n',
  ]) {
    assert.equal(await passes(text), false, text)
  }
})

test('the schema checker finds what does not fit and refuses keywords that it does not know', () => {
  const schema = {
    type: 'object',
    required: ['a'],
    additionalProperties: false,
    properties: { a: { type: 'integer', minimum: 0 }, b: { type: 'array', items: { const: 1 } } },
  }
  assert.deepEqual(findSchemaProblems(schema, { a: 1, b: [1, 1] }), [])
  for (const value of [null, [], {}, { a: -1 }, { a: 1.5 }, { a: 1, c: 1 }, { a: 1, b: [2] }]) {
    assert.notDeepEqual(findSchemaProblems(schema, value), [], JSON.stringify(value))
  }
  const oneOf = { oneOf: [{ type: 'string', pattern: '^a' }, { enum: ['ab', 'x'] }] }
  assert.deepEqual(findSchemaProblems(oneOf, 'ac'), [])
  assert.deepEqual(findSchemaProblems(oneOf, 'x'), [])
  assert.notDeepEqual(findSchemaProblems(oneOf, 'ab'), [])
  assert.notDeepEqual(findSchemaProblems(oneOf, 'b'), [])
  assert.throws(() => findSchemaProblems({ maximum: 1 }, 1), /maximum/)
})
