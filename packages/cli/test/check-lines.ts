/**
 * Holds what a command printed with `--json` against its schema in docs/spec/cli.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { findSchemaProblems } from './json-schema.ts'

const directory = resolve(import.meta.dirname, '../../../docs/spec/cli')

/** The objects, one of each line; there is at least one. */
export function checkLines(schema: string, text: string): Record<string, unknown>[] {
  const rules = JSON.parse(readFileSync(join(directory, `${schema}.schema.json`), 'utf8'))
  const objects = text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))
  assert.ok(objects.length > 0, `${schema}: nothing was printed`)
  for (const object of objects) {
    assert.deepEqual(findSchemaProblems(rules, object), [], JSON.stringify(object))
  }
  return objects
}
