import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decode, encode } from 'cborg'
import { parseHex } from '../bytes/hex.ts'
import { CBOR_DEPTH_MAX } from '../limits.ts'
import { type CborValue, decodeCbor, encodeCbor } from './cbor.ts'

const refuses = (bytes: Uint8Array): void =>
  assert.throws(() => decodeCbor(bytes), { code: 'CBOR_INVALID' })

test('CB5: a bomb of nested containers is refused without recursion', () => {
  refuses(new Uint8Array(16_384).fill(0x81))
  refuses(new Uint8Array(1_000_000).fill(0x81))
  const maps = new Uint8Array(30_000)
  for (let i = 0; i < maps.length; i += 3) maps.set([0xa1, 0x61, 0x61], i)
  refuses(maps)
})

test('CB5: a count that the bytes cannot hold is refused before anything is allocated', () => {
  for (const initial of [0x9b, 0xbb, 0x5b, 0x7b]) {
    refuses(new Uint8Array([initial, 0, 0x1f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]))
    refuses(new Uint8Array([initial - 1, 0xff, 0xff, 0xff, 0xff]))
  }
})

test('CB5: nesting is allowed up to its limit and not beyond', () => {
  const nested = (depth: number): CborValue => (depth === 0 ? 1 : [nested(depth - 1)])
  assert.deepEqual(decodeCbor(encodeCbor(nested(CBOR_DEPTH_MAX))), nested(CBOR_DEPTH_MAX))
  assert.throws(() => encodeCbor(nested(CBOR_DEPTH_MAX + 1)), { code: 'USAGE' })
  refuses(new Uint8Array([...new Uint8Array(CBOR_DEPTH_MAX + 1).fill(0x81), 0x01]))
})

test('CB5: more items than the caller allows are refused where they are announced', () => {
  const value: CborValue = [1, [2, 3], new Map([['a', [4]]])]
  const bytes = encodeCbor(value)
  assert.deepEqual(decodeCbor(bytes, 3, 8), value)
  assert.throws(() => decodeCbor(bytes, 3, 7), { code: 'CBOR_INVALID', details: { offset: 8 } })
  const many = new Uint8Array(1_000_005).fill(0xa0)
  many.set([0x9a, 0x00, 0x0f, 0x42, 0x40])
  assert.throws(() => decodeCbor(many, 6, 8192), { code: 'CBOR_INVALID', details: { offset: 0 } })
})

test('CB1: keys that a plain object would swallow are ordinary keys', () => {
  const value = new Map<string, CborValue>([
    ['__proto__', 1],
    ['constructor', new Uint8Array([2])],
  ])
  assert.deepEqual(decodeCbor(encodeCbor(value)), value)
})

test('CB2 CB3: every value that is encoded decodes, and a longer spelling does not', () => {
  for (const value of [0, 23, 24, 255, 256, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1]) {
    const bytes = encodeCbor(value)
    assert.equal(decodeCbor(bytes), value)
    const long = new Uint8Array(9)
    new DataView(long.buffer).setBigUint64(1, BigInt(value))
    long[0] = 0x1b
    if (bytes.length < 9) refuses(long)
  }
})

test('CB3 CB4: a refusal does not repeat what the input says', () => {
  const escaped = [0x62, 0x1b, 0x5b]
  for (const bytes of [
    [0xa2, ...escaped, 0x01, ...escaped, 0x02],
    [0xa2, ...escaped, 0x01, 0x61, 0x61, 0x02],
    [0x82, ...escaped],
    [...escaped, 0x00],
  ]) {
    assert.throws(
      () => decodeCbor(Uint8Array.from(bytes)),
      (error: Error) => !error.message.includes('\u001b'),
    )
    refuses(Uint8Array.from(bytes))
  }
})

test('CB1 CB3: text keeps its byte order mark, and broken text is not repaired', () => {
  assert.equal(decodeCbor(encodeCbor('\ufeffship')), '\ufeffship')
  for (const text of [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80]]) {
    refuses(Uint8Array.from([0x60 + text.length, ...text]))
    refuses(Uint8Array.from([0xa1, 0x60 + text.length, ...text, 0x01]))
  }
})

test('CB5: what is refused is refused where it stands, before what follows is read', () => {
  const refused: readonly (readonly [hex: string, offset: number])[] = [
    ['9a0002000000000000', 0],
    ['8200ba00ffffff61610061620000', 2],
    ['83616162c3286161', 3],
  ]
  for (const [hex, offset] of refused) {
    const bytes = parseHex(hex) as Uint8Array
    assert.throws(() => decodeCbor(bytes), { code: 'CBOR_INVALID', details: { offset } }, hex)
  }
})

test('CB2: an encoding has its memory for itself, and shares none with the value', () => {
  for (const byteLength of [0, 30, 255, 256, 300, 2000, 70_000]) {
    const bytes = new Uint8Array(byteLength).fill(1)
    for (const value of [bytes, [bytes], new Map([['a', bytes]])]) {
      const encoded = encodeCbor(value)
      assert.equal(encoded.buffer.byteLength, encoded.length)
      const before = encoded.slice()
      bytes.fill(2)
      assert.deepEqual(encoded, before)
      bytes.fill(1)
    }
  }
})

test('CB1: byte strings that were read are copies, also from a Buffer', () => {
  const bytes = Buffer.from(encodeCbor([new Uint8Array([1, 2, 3])]))
  const [value] = decodeCbor(bytes) as [Uint8Array]
  bytes.fill(0)
  assert.deepEqual(value, new Uint8Array([1, 2, 3]))
})

test('CB1: values that the formats cannot hold are not encoded', () => {
  const wrong = [
    1.5,
    -1,
    2 ** 53,
    Number.NaN,
    undefined,
    {},
    '\ud800',
    new Map([[1, 2]]),
    new Map([['\ud800', 1]]),
    new Map([['a', [new Map([['b', -1]])]]]),
    [() => 1],
  ]
  for (const value of wrong) {
    assert.throws(() => encodeCbor(value as CborValue), { code: 'USAGE' })
  }
})

/** One of everything, each number at the edges of its forms. */
const SAMPLE: CborValue = new Map<string, CborValue>([
  ['z', [0, 23, 24, 255, 256, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1]],
  ['longer', [null, true, false, [], new Map()]],
  ['a', new Uint8Array(30).fill(7)],
  ['\u00e9\u{1f6a2}', 'ship \u{1f6a2}, and text that is longer than what is read at once'],
  ['k'.repeat(24), new Map([['b', new Map([['c', '\ufeff']])]])],
])

test('CB2: what is written is what cborg writes, and is read as cborg reads it', () => {
  const bytes = encodeCbor(SAMPLE)
  assert.deepEqual(bytes, new Uint8Array(encode(SAMPLE)))
  assert.deepEqual(decodeCbor(bytes), SAMPLE)
  const plain = encodeCbor([0, 2 ** 53 - 1, null, true, 'ship', new Uint8Array(30), [[]]])
  assert.deepEqual(decodeCbor(plain), decode(plain))
})

test('CB4: whatever byte is changed, what is still accepted has no other encoding', () => {
  const bytes = encodeCbor(SAMPLE)
  let accepted = 0
  for (let at = 0; at < bytes.length; at++) {
    for (let bit = 0; bit < 8; bit++) {
      const changed = bytes.slice()
      changed[at] = (changed[at] as number) ^ (1 << bit)
      let value: CborValue
      try {
        value = decodeCbor(changed)
      } catch (error) {
        assert.equal((error as { code?: string }).code, 'CBOR_INVALID')
        continue
      }
      accepted++
      assert.deepEqual(encodeCbor(value), changed)
    }
  }
  assert.ok(accepted > 100)
})
