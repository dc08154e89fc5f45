import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nearestWord } from './nearest.ts'

const WORDS = ['append', 'read', 'receipt', 'recover', 'restore', 'verify', 'id new']

test('CL7: the nearest word is at most two letters away, or begun by what was typed', () => {
  assert.equal(nearestWord('apend', WORDS), 'append')
  assert.equal(nearestWord('raed', WORDS), 'read')
  assert.equal(nearestWord('verfy', WORDS), 'verify')
  assert.equal(nearestWord('rest', WORDS), 'restore')
  assert.equal(nearestWord('idnew', WORDS), 'id new')
})

test('CL7: what resembles nothing has no nearest word', () => {
  assert.equal(nearestWord('xyzzy', WORDS), undefined)
  assert.equal(nearestWord('r', WORDS), undefined)
  assert.equal(nearestWord('', WORDS), undefined)
  assert.equal(nearestWord('a'.repeat(100_000), WORDS), undefined)
})
