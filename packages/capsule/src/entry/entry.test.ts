import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AssertionFailure } from '../assert.ts'
import { asBranchId, asHash, type BranchId, type Hash, MAIN_BRANCH } from '../bytes/brands.ts'
import { formatHex, parseHex } from '../bytes/hex.ts'
import { sha256 } from '../crypto/sha256.ts'
import { PAYLOAD_BYTES_MAX } from '../limits.ts'
import { bodyBytes, createBody, openBody } from './body.ts'
import { type Control, controlValue } from './control.ts'
import { decodeGeneralHeader, decodeHeader, encodeHeader } from './header.ts'
import {
  createControlHeader,
  type Header,
  type HeaderKind,
  NO_EXTENSION,
  NO_POINTERS,
} from './header-form.ts'
import { checkHeaderPosition } from './header-position.ts'
import { hotHeaderBytes, writeHotHeader } from './hot-header.ts'
import { EMPTY_HASH } from './pointer.ts'

const hash = asHash(sha256(new Uint8Array([1, 2, 3])))
const branch = asBranchId(new Uint8Array(16).fill(9))

function plainHeader(timeUs: number, payloadBytes: number, kind: 0 | 1 | 2 = 0): Header {
  return { kind, timeUs, payloadBytes, payloadHash: hash, pointers: NO_POINTERS, ext: NO_EXTENSION }
}

/** The verdict of a decoder: the header, or the code of its refusal. */
function verdict(decode: (bytes: Uint8Array) => Header, bytes: Uint8Array): unknown {
  try {
    return decode(bytes)
  } catch (error) {
    return (error as { code?: string }).code ?? error
  }
}

test('EN1: the example of the document is a header', () => {
  const bytes = parseHex(`84001b00064e1f0a2b3c4d18645820${'11'.repeat(32)}`)
  assert.ok(bytes !== undefined)
  const header = decodeHeader(bytes)
  assert.deepEqual([header.kind, header.timeUs, header.payloadBytes], [0, 0x64e1f0a2b3c4d, 100])
  assert.deepEqual(encodeHeader(header), bytes)
})

test('EN3 EN4: both codecs agree at every width of every integer', () => {
  const edges = [0, 1, 23, 24, 255, 256, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1]
  const sizes = edges.filter((edge) => edge <= PAYLOAD_BYTES_MAX).concat(PAYLOAD_BYTES_MAX)
  for (const timeUs of edges) {
    for (const payloadBytes of sizes) {
      const general = encodeHeader(plainHeader(timeUs, payloadBytes, 2))
      const hot = new Uint8Array(hotHeaderBytes(timeUs, payloadBytes))
      assert.equal(writeHotHeader(hot, 0, 2, timeUs, payloadBytes, hash, 0), hot.length)
      assert.deepEqual(hot, general)
      assert.deepEqual(decodeHeader(hot), decodeGeneralHeader(hot))
    }
  }
})

test('EN1 EN4: the hot codec writes no header that the general one would not', () => {
  const out = new Uint8Array(64)
  const wrong = [
    [1.5, 0],
    [-1, 0],
    [2 ** 53, 0],
    [Number.NaN, 0],
    [0, 0.5],
    [0, -1],
    [0, PAYLOAD_BYTES_MAX + 1],
  ] as const
  for (const [timeUs, payloadBytes] of wrong) {
    assert.throws(() => writeHotHeader(out, 0, 0, timeUs, payloadBytes, hash, 0), AssertionFailure)
    assert.throws(() => encodeHeader(plainHeader(timeUs, payloadBytes)), { code: 'USAGE' })
  }
  assert.throws(() => writeHotHeader(out, 30, 0, 5, 5, hash, 0), AssertionFailure)
  assert.throws(() => writeHotHeader(out, 0, 0, 5, 5, hash, 1), AssertionFailure)
  assert.throws(() => writeHotHeader(out, 0, 0, 5, 5, hash, -1), AssertionFailure)
  for (const kind of [3, -1, 0.5, Number.NaN] as HeaderKind[]) {
    assert.throws(() => writeHotHeader(out, 0, kind, 5, 5, hash, 0), AssertionFailure)
    assert.throws(() => encodeHeader({ ...plainHeader(5, 5), kind }), { code: 'USAGE' })
  }
})

test('EN4 EN5: both decoders give the same verdict on every change of one byte, and on cuts', () => {
  let changes = 0
  for (const [timeUs, payloadBytes] of [
    [5, 100],
    [2 ** 40, 300],
    [70_000, 2 ** 20],
  ] as const) {
    const bytes = encodeHeader(plainHeader(timeUs, payloadBytes))
    for (let at = 0; at < bytes.length; at++) {
      for (let value = 0; value < 256; value++) {
        const changed = bytes.slice()
        changed[at] = value
        assert.deepEqual(verdict(decodeHeader, changed), verdict(decodeGeneralHeader, changed))
        changes++
      }
      const cut = bytes.subarray(0, at)
      assert.equal(verdict(decodeHeader, cut), 'HEADER_INVALID')
    }
    assert.equal(verdict(decodeHeader, new Uint8Array([...bytes, 0])), 'HEADER_INVALID')
  }
  assert.ok(changes > 30_000)
})

test('EN8 EN9: a body opens to its payload; another size, salt or byte is refused', () => {
  const payload = new TextEncoder().encode('temperature 21')
  const salt = new Uint8Array(16).fill(3)
  for (const kind of [0, 1] as const) {
    const body = createBody(kind, payload, kind === 1 ? salt : undefined)
    assert.equal(body.length, bodyBytes(kind, payload.length))
    const header = { ...plainHeader(1, payload.length, kind), payloadHash: sha256(body) }
    assert.deepEqual(openBody(header, body), payload)
    for (let at = 0; at < body.length; at++) {
      const changed = body.slice()
      changed[at]! ^= 1
      assert.throws(() => openBody(header, changed), { code: 'PAYLOAD_MISMATCH' })
    }
    for (const other of [body.slice(1), new Uint8Array([...body, 0]), new Uint8Array(0)]) {
      assert.throws(() => openBody(header, other), { code: 'PAYLOAD_MISMATCH' })
    }
  }
  assert.throws(() => createBody(0, new Uint8Array(PAYLOAD_BYTES_MAX + 1)), {
    code: 'PAYLOAD_TOO_LARGE',
  })
})

const parent = { branch: MAIN_BRANCH, epoch: 0, size: 4, root: hash }
const controls: readonly Control[] = [
  { type: 'branch', parent, reason: 'disk lost' },
  { type: 'merge', continuing: MAIN_BRANCH, sealed: [{ ...parent, branch }] },
  {
    type: 'erase',
    ranges: [
      { start: 0, end: 2 },
      { start: 3, end: 4 },
    ],
    reason: 'asked for',
  },
  { type: 'recover', anchor: null, reason: 'only copy' },
  { type: 'recover', anchor: { size: 9, root: hash }, reason: 'only copy' },
  { type: 'writer', cert: new Uint8Array([1]) },
]

test('EN6 EN7: control headers carry no payload and keep their fields', () => {
  for (const control of controls) {
    const header = createControlHeader(17, control)
    const bytes = encodeHeader(header)
    assert.deepEqual(decodeHeader(bytes), header)
    assert.throws(() => encodeHeader({ ...header, payloadBytes: 1 }), { code: 'USAGE' })
    assert.throws(() => encodeHeader({ ...header, payloadHash: hash }), { code: 'USAGE' })
    assert.throws(() => encodeHeader({ ...header, kind: 1 }), { code: 'USAGE' })
  }
  assert.equal(createControlHeader(0, controls[3]!).payloadHash, EMPTY_HASH)
})

test('EN3 EN4: an integer that is longer than needed takes no room from what follows it', () => {
  const hex = formatHex(hash)
  // Read carelessly, the second byte of the time is a payload size of its own.
  const forms = [
    `84001805 5820${hex}`,
    `8400190005 5820${hex}`,
    `8400 1805 1864 5820${hex}`,
    `8400 05 180a 5820${hex}`,
    `8400 1a00000005 01 5820${hex}`,
    `8400 1b0000000000000005 01 5820${hex}`,
    `8400 1c00000000000000000000000000000005 01 5820${hex}`,
    `8400 1b0020000000000000 01 5820${hex}`,
  ]
  for (const form of forms) {
    const bytes = parseHex(form.replaceAll(' ', '')) as Uint8Array
    assert.equal(verdict(decodeHeader, bytes), 'HEADER_INVALID', form)
    assert.equal(verdict(decodeGeneralHeader, bytes), 'HEADER_INVALID', form)
  }
})

test('EN6: a reason is measured in bytes', () => {
  for (const [character, count] of [
    ['a', 1024],
    ['é', 512],
    ['海', 341],
    ['🚢', 256],
  ] as const) {
    const recover = (reason: string): Header =>
      createControlHeader(1, { type: 'recover', anchor: null, reason })
    const longest = recover(character.repeat(count))
    assert.deepEqual(decodeHeader(encodeHeader(longest)), longest)
    assert.throws(() => encodeHeader(recover(character.repeat(count + 1))), { code: 'USAGE' })
  }
})

test('EN2: the root of an empty tree is that of the empty tree', () => {
  const start = (root: Hash): Header =>
    createControlHeader(1, {
      type: 'branch',
      parent: { branch: MAIN_BRANCH, epoch: 0, size: 0, root },
      reason: '',
    })
  assert.deepEqual(decodeHeader(encodeHeader(start(EMPTY_HASH))), start(EMPTY_HASH))
  assert.throws(() => encodeHeader(start(hash)), { code: 'USAGE' })
})

test('EN4: a header that was read is a copy, whichever codec read it', () => {
  for (const decode of [decodeHeader, decodeGeneralHeader]) {
    const bytes = Buffer.from(encodeHeader(plainHeader(5, 100)))
    const header = decode(bytes)
    bytes.fill(0)
    assert.deepEqual(header, plainHeader(5, 100))
  }
})

test('EN6: an application cannot write a control entry, whatever it calls its key', () => {
  const erase = controlValue(controls[2]!)
  for (const key of ['erase', 'branch', 'writer', 'other', '', '__proto__']) {
    const app = new Map([[key, erase]])
    for (const control of [null, controls[2]!]) {
      const header = { ...createControlHeader(17, controls[2]!), ext: { control, app } }
      assert.throws(() => encodeHeader(header), { code: 'USAGE' }, key)
    }
  }
  const app = new Map([
    ['/', 1],
    ['__proto__/a', 2],
    ['example.com/erase', 3],
  ])
  const header = { ...plainHeader(17, 0), ext: { control: null, app } }
  assert.deepEqual(decodeHeader(encodeHeader(header)), header)
})

test('EN10: control entries stand only where they may', () => {
  const check = (control: Control | null, at: BranchId, index: number) => () =>
    checkHeaderPosition({ ...plainHeader(0, 0), ext: { control, app: new Map() } }, at, index)
  const [start, merge, erase] = controls as [Control, Control, Control]
  check(start, branch, 0)()
  check(erase, MAIN_BRANCH, 4)()
  check(null, MAIN_BRANCH, 0)()
  check(merge, MAIN_BRANCH, 7)()
  check(null, branch, 1)()
  const refused = [
    check(merge, branch, 7),
    check(start, MAIN_BRANCH, 0),
    check(start, branch, 1),
    check({ type: 'branch', parent: { ...parent, branch }, reason: '' }, branch, 0),
    check(null, branch, 0),
    check(erase, branch, 0),
    check(erase, MAIN_BRANCH, 3),
  ]
  for (const wrong of refused) assert.throws(wrong, { code: 'HEADER_INVALID' })
})

test('EN11: times that go backwards are headers like any other', () => {
  for (const timeUs of [10, 5, 0])
    assert.equal(decodeHeader(encodeHeader(plainHeader(timeUs, 0))).timeUs, timeUs)
})

test('EN2: a pointer to this capsule has no name', () => {
  const pointers = [{ capsule: null, branch: MAIN_BRANCH, index: 3, leafHash: hash }]
  const header = { ...plainHeader(1, 0), pointers }
  const bytes = encodeHeader(header)
  assert.equal(bytes[0], 0x85)
  assert.deepEqual(decodeHeader(bytes), header)
})
