/**
 * Names, branch ids and origins against vectors/name.json.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  asBranchId,
  asCapsuleName,
  formatBranch,
  formatName,
  formatOrigin,
  parseBranch,
  parseName,
  parseOrigin,
} from '@longshore/capsule'
import { bytesOf, checkCases, hexOf, readVectors } from './read-vectors.ts'
import { assertRefused } from './refusals.ts'

interface NameFields {
  readonly kind: 'name' | 'branch' | 'origin'
  readonly text: string
  readonly bytes: string
  readonly name: string
  readonly branch: string
}

const cases = readVectors<NameFields>('name')
const ofKind = (kind: NameFields['kind'], valid: boolean) =>
  cases.filter((vector) => vector.kind === kind && vector.valid === valid)

test('NM1 NM2: names have one text form', () => {
  checkCases(ofKind('name', true), ({ bytes, text }) => {
    assert.equal(formatName(asCapsuleName(bytesOf(bytes))), text)
    assert.equal(hexOf(parseName(text)), bytes)
  })
})

test('NM3: every other spelling of a name is refused', () => {
  checkCases(ofKind('name', false), (vector) => {
    assertRefused(vector, () => parseName(vector.text))
    assertRefused(vector, () => parseOrigin(`longshore/${vector.text}`))
  })
})

test('NM4: branch ids have one text form, other spellings are refused', () => {
  checkCases(ofKind('branch', true), ({ bytes, text }) => {
    assert.equal(formatBranch(asBranchId(bytesOf(bytes))), text)
    assert.equal(hexOf(parseBranch(text)), bytes)
  })
  checkCases(ofKind('branch', false), (vector) => {
    assertRefused(vector, () => parseBranch(vector.text))
  })
})

test('NM5: an origin is built from the bytes of name and branch', () => {
  checkCases(ofKind('origin', true), ({ name, branch, text }) => {
    assert.equal(formatOrigin(asCapsuleName(bytesOf(name)), asBranchId(bytesOf(branch))), text)
    const parsed = parseOrigin(text)
    assert.equal(hexOf(parsed.name), name)
    assert.equal(hexOf(parsed.branch), branch)
  })
})
