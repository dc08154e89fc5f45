import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  asCapsuleName,
  type CborMap,
  type CborValue,
  MAIN_BRANCH,
  UnavailableError,
  VerificationError,
} from '@longshore/capsule'
import { DEFAULT_TERMS } from '../append-request.ts'
import {
  countFitting,
  decodeAppend,
  encodeAppend,
  MESSAGE_PAYLOADS_BYTES_MAX,
} from './append-message.ts'
import { decodeError, encodeError } from './error-message.ts'
import { Fields } from './fields.ts'
import { encodeFrame, FRAME_BYTES_MAX, FrameReader } from './frame.ts'
import { ACK, FSCK, IDENTITY } from './report.ts'
import { OPERATIONS } from './requests.ts'

const NAME = asCapsuleName(new Uint8Array(32).fill(7))
const AT = { name: NAME, branch: MAIN_BRANCH }

function map(object: Record<string, CborValue>): CborMap {
  return new Map(Object.entries(object))
}

test('HM40: frames come out whole, however the stream was cut', () => {
  const messages = [map({ a: 1 }), map({ b: new Uint8Array(5000) }), map({ c: 'x' })]
  const stream = Buffer.concat(messages.map(encodeFrame))
  for (const step of [1, 3, 7, 1000, stream.length]) {
    const reader = new FrameReader()
    const received: CborMap[] = []
    for (let at = 0; at < stream.length; at += step) {
      for (const { message } of reader.push(stream.subarray(at, at + step))) received.push(message)
    }
    assert.deepEqual(received, messages)
  }
})

test('HM41: garbage is FRAME_INVALID before it costs memory', () => {
  const cases: Record<string, number[]> = {
    'too long': [0xff, 0xff, 0xff, 0xff],
    'one too long': [0, 0x20, 0, 1],
    empty: [0, 0, 0, 0],
    'not CBOR': [0, 0, 0, 1, 0xff],
    'no map': [0, 0, 0, 1, 0x01],
    'a map in another spelling': [0, 0, 0, 4, 0xb8, 0x01, 0x61, 0x61],
    'text HTTP': [...new TextEncoder().encode('GET / HTTP/1.1\r\n\r\n')],
  }
  for (const [what, bytes] of Object.entries(cases)) {
    assert.throws(
      () => [...new FrameReader().push(Uint8Array.from(bytes))],
      { code: 'FRAME_INVALID' },
      what,
    )
  }
  assert.throws(() => encodeFrame(map({ a: new Uint8Array(FRAME_BYTES_MAX) })), {
    code: 'FRAME_INVALID',
  })
})

test('HM42: an append arrives as it was sent', () => {
  const message = {
    at: AT,
    payloads: [new Uint8Array(0), new Uint8Array([1, 2, 3]), new Uint8Array(1_048_576)],
    terms: {
      level: 'buffered' as const,
    copies: 0,
      timeUs: 17,
      kind: 1 as const,
      pointers: [
        { capsule: null, branch: MAIN_BRANCH, index: 4, leafHash: new Uint8Array(32) as never },
        { capsule: NAME, branch: MAIN_BRANCH, index: 0, leafHash: new Uint8Array(32) as never },
      ],
      ext: new Map<string, CborValue>([['example.com/lang', 'en']]),
    },
  }
  assert.deepEqual(decodeAppend(new Fields(encodeAppend(message))), message)
  const plain = { at: AT, payloads: [new Uint8Array([9])], terms: DEFAULT_TERMS }
  assert.deepEqual(decodeAppend(new Fields(encodeAppend(plain))), plain)
})

test('HM42: payloads are cut into messages that fit into frames', () => {
  const payloads = Array.from({ length: 9 }, () => new Uint8Array(500_000))
  assert.equal(countFitting(payloads, 0), 4)
  assert.equal(countFitting(payloads, 8), 1)
  assert.equal(countFitting([new Uint8Array(MESSAGE_PAYLOADS_BYTES_MAX + 1)], 0), 1)
  const largest = { at: AT, payloads: payloads.slice(0, 4), terms: DEFAULT_TERMS }
  const request = map({ args: encodeAppend(largest), id: 1, op: 'append' })
  assert.ok(encodeFrame(request).byteLength <= FRAME_BYTES_MAX)
})

test('HM41: requests with wrong, missing or unknown fields are FRAME_INVALID', () => {
  const good = encodeAppend({ at: AT, payloads: [new Uint8Array(3)], terms: DEFAULT_TERMS })
  const changes: Record<string, CborValue | undefined>[] = [
    { name: undefined },
    { name: new Uint8Array(31) },
    { branch: new Uint8Array(3) },
    { level: 'witnessed:3' },
    { payloads: new Uint8Array([0, 0, 0, 9, 1]) },
    { payloads: new Uint8Array([0, 0]) },
    { payloads: new Uint8Array(0) },
    { kind: 2 },
    { kind: 'plain' },
    { pointers: [1] },
    { pointers: [[null, new Uint8Array(0), 1]] },
    { ext: 1 },
    { surprise: 1 },
  ]
  for (const change of changes) {
    const changed = new Map(good)
    for (const [key, value] of Object.entries(change)) {
      if (value === undefined) changed.delete(key)
      else changed.set(key, value)
    }
    const decode = () => decodeAppend(new Fields(changed))
    assert.throws(decode, { code: 'FRAME_INVALID' }, JSON.stringify(Object.keys(change)))
  }
  for (const [op, operation] of OPERATIONS) {
    const decode = () => {
      const fields = new Fields(map({ surprise: 1 }))
      operation.decode(fields)
      fields.end()
    }
    assert.throws(decode, { code: 'FRAME_INVALID' }, op)
  }
})

test('HM43: errors keep class, code and details; what is not ours becomes STORE_FAILED', () => {
  const full = new UnavailableError('STORE_FULL', 'the disk is full', { freeBytes: 12, path: '/x' })
  const received = decodeError(encodeError(full))
  assert.ok(received instanceof UnavailableError)
  assert.equal(received.code, 'STORE_FULL')
  assert.deepEqual(received.details, { freeBytes: 12, path: '/x' })
  const bad = decodeError(encodeError(new VerificationError('EQUIVOCATION', 'two histories')))
  assert.ok(bad instanceof VerificationError)
  const foreign = decodeError(encodeError(new TypeError('x is undefined')))
  assert.ok(foreign instanceof UnavailableError && foreign.code === 'STORE_FAILED')
  const unknown = new Map(encodeError(full)).set('code', 'NO_SUCH_CODE')
  assert.throws(() => decodeError(unknown), { code: 'FRAME_INVALID' })
})

test('HM42: reports arrive as they were sent', () => {
  const ack = { index: 1, count: 2, size: 3, level: 'stored' as const }
  assert.deepEqual(ACK.decode(new Fields(ACK.encode(ack))), ack)
  const fsck = {
    problems: [{ code: 'STORE_CORRUPT', message: 'a segment' }],
    repaired: ['index'],
    capsuleCount: 4,
    entryCount: 5,
  }
  assert.deepEqual(FSCK.decode(new Fields(FSCK.encode(fsck))), fsck)
  const identity = {
    name: NAME,
    text: 'bafyreiahaqdqobyha4dqoby' + 'x',
    label: undefined,
    authority: NAME,
    timeUs: 6,
    isDefault: true,
  }
  const received = IDENTITY.decode(new Fields(IDENTITY.encode(identity)))
  assert.deepEqual({ ...received, text: '' }, { ...identity, text: '' })
})
