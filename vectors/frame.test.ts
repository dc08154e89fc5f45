/**
 * Frames of the overlay against vectors/frame.json.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeFrame, encodeFrame } from '@longshore/engine/testing'
import { bytesOf, checkCases, hexOf, readVectors } from './read-vectors.ts'
import { assertRefused } from './refusals.ts'

interface FrameFields {
  readonly bytes: string
  readonly type: string
  readonly fields: unknown
}

const cases = readVectors<FrameFields>('frame')

/** Bytes as hex, the way they stand in a vector file. */
function plain(value: unknown): unknown {
  const replace = (_key: string, item: unknown): unknown =>
    item instanceof Uint8Array ? hexOf(item) : item
  return JSON.parse(JSON.stringify(value, replace))
}

test('FR2 FR3 FR4 FR5 FR13 FR14 FR15 FR16 FR17 FR18 FR19: frames read as they are written', () => {
  checkCases(
    cases.filter(({ valid }) => valid),
    ({ bytes, type, fields }) => {
      const frame = decodeFrame(bytesOf(bytes))
      assert.equal(frame.type, type)
      assert.deepEqual(plain(frame.fields), fields)
      assert.equal(hexOf(encodeFrame(frame)), bytes)
    },
  )
})

test('FR1 FR2 FR3 FR12: every other frame is refused', () => {
  checkCases(
    cases.filter(({ valid }) => !valid),
    (vector) => assertRefused(vector, () => decodeFrame(bytesOf(vector.bytes))),
  )
})
