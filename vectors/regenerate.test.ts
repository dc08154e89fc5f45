/**
 * The vector files are what their generators write, and the generators depend on nothing of ours.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

const HERE: string = import.meta.dirname
const MAKE: string = join(HERE, 'make')

test('running the generators again gives the same files, byte for byte', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'longshore-vectors-'))
  t.after(() => rmSync(directory, { recursive: true }))
  execFileSync(process.execPath, [join(MAKE, 'write.mjs'), directory])
  const written = readdirSync(directory).sort()
  const kept = readdirSync(HERE)
    .filter((file) => file.endsWith('.json'))
    .sort()
  assert.deepEqual(written, kept)
  for (const file of written) {
    const [again, before] = [join(directory, file), join(HERE, file)].map((path) => {
      return readFileSync(path)
    }) as [Buffer, Buffer]
    assert.ok(again.equals(before), `${file}: run node vectors/make/write.mjs and look at the diff`)
  }
})

const FOREIGN = [
  ...['cborg', '@noble/post-quantum/ml-dsa.js'],
  ...['node:crypto', 'node:fs', 'node:path'],
]

test('generators import cborg, noble, node and their own files only', () => {
  const generators = readdirSync(MAKE).filter((file) => file.endsWith('.mjs'))
  assert.ok(generators.length > 10)
  for (const file of generators) {
    const text = readFileSync(join(MAKE, file), 'utf8')
    for (const [, specifier] of text.matchAll(/(?<!\.)\b(?:from|import)\s*\(?\s*'([^']+)'/g)) {
      const isOwn = specifier?.startsWith('./') && specifier.endsWith('.mjs')
      assert.ok(isOwn || FOREIGN.includes(specifier ?? ''))
    }
  }
})
