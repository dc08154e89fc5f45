/**
 * Roles with two keys against vectors/post-quantum.json, and ML-DSA-44 by itself against
 * vectors/ml-dsa-44.json, on the back ends that we ship: OpenSSL's in Node, noble's in browsers.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { openPostQuantum, type PostQuantumFields, writeCheckpoint } from './post-quantum-case.ts'
import { checkCases, readVectors, type VectorCase } from './read-vectors.ts'

const roles = readVectors<PostQuantumFields>('post-quantum')
const signatures = readVectors('ml-dsa-44')

test('MF10 CP20 CP22 RC15 EV1: what two keys signed opens to what it says', () => {
  checkCases(
    roles.filter(({ valid }) => valid),
    (vector) => {
      const found = openPostQuantum(vector)
      const stated = Object.entries(vector).filter(([field]) => field in found)
      assert.deepEqual(found, Object.fromEntries(stated))
    },
  )
})

test('CP20: our checkpoint of a head with two signatures is the note of the vectors', () => {
  checkCases(
    roles.filter(({ id }) => id === 'checkpoint-head'),
    (vector) => assert.equal(writeCheckpoint(vector), vector.note),
  )
})

/** Verdict by case, from a process in which the package resolves for `conditions`. */
function verdicts(conditions: readonly string[]): Record<string, string> {
  const options = conditions.map((condition) => `--conditions=${condition}`)
  const script = join(import.meta.dirname, 'post-quantum-verdicts.ts')
  return JSON.parse(execFileSync(process.execPath, [...options, script], { encoding: 'utf8' }))
}

for (const [where, conditions] of [
  ['Node', []],
  ['browsers', ['browser']],
] as const) {
  test(`SG14 SG16 SG17 SG18 SG19 MF6 MF10 CP20 CP21 CP22 RC15 EV1: the verdict of ${where}`, () => {
    const found = verdicts(conditions)
    assert.equal(found['backend'], where === 'Node' ? 'node:crypto' : 'noble')
    const judge =
      (file: string) =>
      ({ id, code }: VectorCase): void =>
        assert.equal(found[`${file} ${id}`], code ?? 'accepted')
    checkCases(signatures, judge('ml-dsa-44'))
    checkCases(roles, judge('post-quantum'))
  })
}
