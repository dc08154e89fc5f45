import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import {
  ERROR_CODES,
  type ErrorCode,
  UnavailableError,
  UsageError,
  VerificationError,
} from '@longshore/capsule'
import { Output } from './output.ts'
import { exitCodeOf, reportError } from './report-error.ts'

function report(error: unknown, json = false): { code: number; text: string } {
  const stderr = new PassThrough()
  const out = new Output({ json, quiet: false }, { stdout: new PassThrough(), stderr, env: {} })
  const code = reportError(out, error)
  // One chunk after the other: newer versions of Node do not join them.
  let text = ''
  for (let chunk = stderr.read(); chunk !== null; chunk = stderr.read()) text += String(chunk)
  return { code, text }
}

test('CL11: every code has the exit code of those who must act', () => {
  const storage = Object.keys(ERROR_CODES).filter((code) => exitCodeOf(code as ErrorCode) === 4)
  assert.deepEqual(storage.sort(), [
    'ANCHOR_UNWRITABLE',
    'HOME_UNREADABLE',
    'KEY_UNREADABLE',
    'STORE_CORRUPT',
    'STORE_FAILED',
    'STORE_FULL',
    'STORE_IO',
  ])
  assert.equal(exitCodeOf('BAD_SIGNATURE'), 1)
  assert.equal(exitCodeOf('FRAME_INVALID'), 1)
  assert.equal(exitCodeOf('NAME_INVALID'), 2)
  assert.equal(exitCodeOf('LOCKED'), 3)
})

test('CL10: an error is a line with its code and a line with what to do', () => {
  const { code, text } = report(new UnavailableError('LOCKED', 'held by 7'))
  assert.equal(code, 3)
  assert.equal(text, `longshore: LOCKED: held by 7\n${ERROR_CODES.LOCKED.next}\n`)
})

test('CL10: with --json it is one object', () => {
  const error = new VerificationError('ROOT_MISMATCH', 'other\nroot', { index: 7 })
  const { code, text } = report(error, true)
  assert.equal(code, 1)
  assert.equal(text.endsWith('\n'), true)
  assert.deepEqual(JSON.parse(text), {
    code: 'ROOT_MISMATCH',
    message: 'other\nroot',
    next: ERROR_CODES.ROOT_MISMATCH.next,
    details: { index: 7 },
  })
})

test('CL14: an error cannot repaint the terminal', () => {
  const { text } = report(new UsageError('FILE_UNREADABLE', 'cannot read \x1b[2J\nx'))
  assert.match(text, /^longshore: FILE_UNREADABLE: cannot read \\x1b\[2J\\nx\n/)
})

test('CL11: a known error inside another one decides; an unknown one is a defect', () => {
  const known = new UsageError('NAME_INVALID', 'bad')
  assert.equal(report(new Error('wrapped', { cause: known })).code, 2)
  const closing = new SuppressedError(new Error('cannot close'), known)
  assert.equal(report(new SuppressedError(new Error('nor this'), closing)).code, 2)
  const system = Object.assign(new Error('disk'), { code: 'ENOSPC', syscall: 'write' })
  for (const code of ['ENOSPC', 'EDQUOT', 'EFBIG']) {
    const { text } = report(Object.assign(system, { code }), true)
    assert.match(text, /^\{"code":"STORE_FULL"/, code)
  }
  assert.equal(report(Object.assign(system, { code: 'EIO' })).code, 4)
  const defect = report(new TypeError('x is not a function'))
  assert.equal(defect.code, 70)
  assert.match(defect.text, /^longshore: DEFECT: .*x is not a function\n.*\nTypeError/s)
  assert.equal(JSON.parse(report('thrown text', true).text).code, 'DEFECT')
})
