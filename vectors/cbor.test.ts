/**
 * Our CBOR codec against vectors/cbor.json.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeCbor, encodeCbor } from '@longshore/capsule'
import { type Described, describeCbor } from './describe-cbor.ts'
import { bytesOf, checkCases, hexOf, readVectors } from './read-vectors.ts'
import { assertRefused } from './refusals.ts'

const cases = readVectors<{ bytes: string; value: Described }>('cbor')

test('CB1 CB2: every value of the vectors decodes, and encodes back to the same bytes', () => {
  checkCases(
    cases.filter(({ valid }) => valid),
    ({ bytes, value }) => {
      const decoded = decodeCbor(bytesOf(bytes))
      assert.deepEqual(describeCbor(decoded), value)
      assert.equal(hexOf(encodeCbor(decoded)), bytes)
    },
  )
})

test('CB3 CB4 CB5: every other encoding of the vectors is refused', () => {
  checkCases(
    cases.filter(({ valid }) => !valid),
    (vector) => assertRefused(vector, () => decodeCbor(bytesOf(vector.bytes))),
  )
})
