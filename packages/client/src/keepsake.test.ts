import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkKeepsakeKey, checkKeepsakeValue } from './keepsake.ts'

test('HM49: only notes under net/ can be kept for others, and only small ones', () => {
  for (const key of ['net/ticket/a', `net/${'x'.repeat(124)}`]) {
    assert.equal(checkKeepsakeKey(key), key)
  }
  for (const key of ['', 'ne', 'instance/a', 'import/net/', 'net/a b', `net/${'x'.repeat(125)}`]) {
    assert.throws(() => checkKeepsakeKey(key), { code: 'USAGE' }, key)
  }
  assert.equal(checkKeepsakeValue(new Uint8Array(4096)).byteLength, 4096)
  assert.throws(() => checkKeepsakeValue(new Uint8Array(4097)), { code: 'USAGE' })
})
