/** Which licences pass. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { refuseLicence } from './licence.ts'

function isAllowed(licence: string | undefined, isTool = false): boolean {
  return refuseLicence({ name: 'a', licence, isTool }) === undefined
}

test('permissive licences pass, unknown and missing ones do not', () => {
  for (const licence of ['MIT', 'Apache-2.0', 'BSD-3-Clause', '0BSD']) assert.ok(isAllowed(licence))
  for (const licence of ['GPL-3.0', 'SEE LICENSE IN x', 'UNLICENSED', '', undefined]) {
    assert.ok(!isAllowed(licence), licence)
  }
})

test('of a choice one must pass, of a combination all', () => {
  assert.ok(isAllowed('(MIT OR GPL-3.0)'))
  assert.ok(isAllowed('Apache-2.0 OR MIT'))
  assert.ok(!isAllowed('MIT AND GPL-3.0'))
  assert.ok(isAllowed('MIT AND ISC'))
  assert.ok(!isAllowed('GPL-2.0 OR GPL-3.0'))
})

test('a licence for tools does not pass for what users install', () => {
  assert.ok(isAllowed('MPL-2.0', true))
  assert.ok(!isAllowed('MPL-2.0'))
})
