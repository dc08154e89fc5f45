import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { ERROR_CODES, type ErrorCode } from './error-codes.ts'
import {
  isLongshoreError,
  ProtocolError,
  UnavailableError,
  UsageError,
  VerificationError,
} from './errors.ts'

const document = readFileSync(new URL('../../../docs/spec/errors.md', import.meta.url), 'utf8')

test('ER1 ER3: the document lists every code with its class and advice, and no other', () => {
  const rows = [...document.matchAll(/^\| `([A-Z_]+)` \| (\w+) \| (.+) \|$/gm)]
  const listed = rows.map(([, code, errorClass, next]) => [code, { class: errorClass, next }])
  const known = Object.entries(ERROR_CODES).map(([code, info]) => [code, { ...info }])
  assert.deepEqual(Object.fromEntries(listed), Object.fromEntries(known))
  assert.equal(listed.length, known.length)
})

test('ER2: the advice is one sentence', () => {
  for (const [code, { next }] of Object.entries(ERROR_CODES)) {
    assert.match(next, /^[A-Z`].*\.$/, code)
    assert.ok(!next.includes('\n'), code)
  }
})

test('ER4: an error carries code, details and advice', () => {
  const error = new UnavailableError('NOT_FOUND', 'no such capsule', { name: 'x' })
  assert.equal(error.code, 'NOT_FOUND')
  assert.equal(error.next, ERROR_CODES.NOT_FOUND.next)
  assert.deepEqual(error.details, { name: 'x' })
  assert.equal(error.name, 'UnavailableError')
})

test('ER5: errors of another copy of the package are recognised, others are not', () => {
  const foreign = Object.assign(new Error('x'), { name: 'UsageError', code: 'USAGE' })
  assert.ok(isLongshoreError(foreign))
  const all = [
    new VerificationError('BAD_KEY', 'x'),
    new ProtocolError('FRAME_INVALID', 'x'),
    new UnavailableError('LOCKED', 'x'),
    new UsageError('USAGE', 'x'),
  ]
  for (const error of all) assert.ok(isLongshoreError(error))
  const wrongClass = Object.assign(new Error('x'), { name: 'UsageError', code: 'LOCKED' })
  const unknown = Object.assign(new Error('x'), {
    name: 'UsageError',
    code: 'toString' as ErrorCode,
  })
  for (const other of [wrongClass, unknown, new Error('x'), null, 'USAGE', { code: 'USAGE' }]) {
    assert.ok(!isLongshoreError(other))
  }
})
