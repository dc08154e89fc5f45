import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { COMMANDS } from './command-table.ts'
import { formatReference } from './reference.ts'
import { COMMAND_MODULES } from './run.ts'

const specDirectory = new URL('../../../docs/spec/', import.meta.url)
const BEGIN = '<!-- reference -->\n'
const END = '\n<!-- /reference -->\n'

test('CL1: the reference in the specification is that of the command table', () => {
  const path = new URL('cli.md', specDirectory)
  const text = readFileSync(path, 'utf8')
  const [before = '', rest = ''] = text.split(BEGIN)
  const after = rest.slice(rest.indexOf(END.trimStart()) + END.trimStart().length)
  const expected = `${before}${BEGIN}\n${formatReference()}\n${END}${after}`
  if (process.env['LONGSHORE_UPDATE'] === '1') writeFileSync(path, expected)
  assert.equal(readFileSync(path, 'utf8'), expected)
})

test('CL1: every command of the table has code, and the other way round', () => {
  assert.deepEqual(Object.keys(COMMAND_MODULES).sort(), COMMANDS.map(({ name }) => name).sort())
})

test('CL9: every command that the table gives a schema has one that parses', () => {
  const schemas = COMMANDS.flatMap(({ schema }) => (schema === undefined ? [] : [schema]))
  assert.ok(schemas.length > 10)
  for (const schema of schemas) {
    const text = readFileSync(new URL(`cli/${schema}.schema.json`, specDirectory), 'utf8')
    assert.equal(typeof JSON.parse(text).title, 'string')
  }
})
