/**
 * Ed25519 at its edges against vectors/ed25519.json, on the back ends that we ship (F3).
 *
 * @module
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { checkCases, readVectors } from './read-vectors.ts'

const cases = readVectors<{ kind: 'key' | 'signature' }>('ed25519')

/** Verdict by case id, from a process in which the package resolves for `conditions`. */
function verdicts(conditions: readonly string[]): Record<string, string> {
  const options = conditions.map((condition) => `--conditions=${condition}`)
  const script = join(import.meta.dirname, 'ed25519-verdicts.ts')
  return JSON.parse(execFileSync(process.execPath, [...options, script], { encoding: 'utf8' }))
}

for (const [where, conditions] of [
  ['Node', []],
  ['browsers', ['browser']],
] as const) {
  test(`SG1 SG2 SG3 SG4 SG5 SG6: the back end of ${where} gives the one verdict`, () => {
    const found = verdicts(conditions)
    assert.equal(found['backend'], where === 'Node' ? 'sodium-native' : 'noble')
    checkCases(cases, ({ id, code }) => assert.equal(found[id], code ?? 'accepted'))
  })
}
