import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AssertionFailure } from '../assert.ts'
import { parseHex } from '../bytes/hex.ts'
import { encodeUtf8 } from '../bytes/utf8.ts'
import { backend as browserBackend } from '../platform/browser/crypto.ts'
import { decodePublicKey, verifySignature } from './ed25519.ts'
import { isAcceptablePoint, isCanonicalScalar } from './ed25519-encoding.ts'
import { sha256, sha256Into } from './sha256.ts'
import { createSigner, type Signer } from './signer.ts'

/** The same bytes as another kind of array; each is legal where a Uint8Array is asked for. */
const KINDS: Readonly<Record<string, (bytes: Uint8Array) => Uint8Array>> = {
  Uint8Array: (bytes) => bytes.slice(),
  Buffer: (bytes) => Buffer.from(bytes),
  'view into a larger array': (bytes) => Uint8Array.of(9, ...bytes, 9).subarray(1, -1),
  'shared memory': (bytes) => {
    const shared = new Uint8Array(new SharedArrayBuffer(bytes.length))
    shared.set(bytes)
    return shared
  },
}

/** First bytes of the small-order points: only these are looked at closely. */
const SMALL_ORDER_FIRST = [0x00, 0x01, 0xec, 0x26, 0xc7]

function looksSmallAndNegative(point: Uint8Array): boolean {
  return SMALL_ORDER_FIRST.includes(point[0] as number) && (point[31] as number) >= 0x80
}

/** The first of many signers, or messages, whose point begins like one of small order. */
function findSigner(): Signer {
  for (let i = 0; i < 10_000; i++) {
    const signer = createSigner(sha256(encodeUtf8(`seed ${i}`)))
    if (looksSmallAndNegative(signer.publicKey)) return signer
  }
  return assert.fail('one key in a hundred is of this kind')
}

test('SG1 SG3 SG5: a verdict depends on the bytes, not on the array, and changes neither', () => {
  const signer = findSigner()
  const messages = Array.from({ length: 2000 }, (_, i) => encodeUtf8(`longshore/${i}`))
  const message = messages.find((text) => looksSmallAndNegative(signer.sign(text)))
  assert.ok(message !== undefined)
  const signature = signer.sign(message)
  for (const [kind, make] of Object.entries(KINDS)) {
    const given = [signer.publicKey, message, signature].map(make) as [Uint8Array, ...Uint8Array[]]
    const [key, text, signed] = given as unknown as [
      typeof signer.publicKey,
      Uint8Array,
      Uint8Array,
    ]
    verifySignature(key, text, signed)
    assert.deepEqual([...key], [...signer.publicKey], kind)
    assert.deepEqual([...signed], [...signature], kind)
    const other = make(signature)
    other[31] = (other[31] as number) ^ 0x80
    assert.throws(() => verifySignature(key, text, other), { code: 'BAD_SIGNATURE' }, kind)
  }
})

test('SG2 SG9: a key that was decoded is a copy', () => {
  const { publicKey } = createSigner(new Uint8Array(32).fill(4))
  for (const [kind, make] of Object.entries(KINDS)) {
    const bytes = make(publicKey)
    const key = decodePublicKey(bytes)
    bytes.fill(0)
    assert.deepEqual(key, publicKey, kind)
  }
})

/** Little-endian, 32 bytes. */
function littleEndian(value: bigint): Uint8Array {
  return Uint8Array.from({ length: 32 }, (_, i) => Number((value >> BigInt(8 * i)) & 255n))
}

test('SG2: a y coordinate is one exactly below p, whichever byte decides', () => {
  const p = 2n ** 255n - 19n
  const sign = 2n ** 255n
  const below = [2n, p - 2n, ...Array.from({ length: 31 }, (_, i) => p - 2n ** BigInt(8 * i + 8))]
  const from = Array.from({ length: 19 }, (_, i) => p + BigInt(i))
  for (const y of below.filter((value) => value > 0n)) {
    assert.ok(isAcceptablePoint(littleEndian(y)), String(y))
    assert.ok(isAcceptablePoint(littleEndian(y + sign)), String(y))
  }
  for (const y of from) {
    assert.ok(!isAcceptablePoint(littleEndian(y)), String(y))
    assert.ok(!isAcceptablePoint(littleEndian(y + sign)), String(y))
  }
})

test('SG3 SG5: no point of small order, and what differs from one in a single byte is another', () => {
  const eight = parseHex('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05')
  assert.ok(eight !== undefined)
  const p = 2n ** 255n - 19n
  const y = eight.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n)
  for (const small of [0n, 1n, p - 1n, y, p - y]) {
    const point = littleEndian(small)
    assert.ok(!isAcceptablePoint(point))
    assert.ok(!isAcceptablePoint(point.with(31, (point[31] as number) | 0x80)))
    for (let i = 0; i < 32; i++) {
      const other = point.with(i, (point[i] as number) ^ 0x02)
      const value = other.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n)
      if (value < p) assert.ok(isAcceptablePoint(other), `byte ${i}`)
    }
  }
})

test('SG4: S is exactly below the order of the group, whichever byte decides', () => {
  const order = 2n ** 252n + 27742317777372353535851937790883648493n
  const withS = (s: bigint): Uint8Array => Uint8Array.of(...new Uint8Array(32), ...littleEndian(s))
  for (const s of [0n, 1n, order - 1n]) assert.ok(isCanonicalScalar(withS(s)))
  for (const s of [order, order + 1n, 2n ** 253n, 2n ** 256n - 1n]) {
    assert.ok(!isCanonicalScalar(withS(s)))
  }
  for (let bit = 0n; bit < 252n; bit++) {
    assert.ok(isCanonicalScalar(withS(order - 2n ** bit)), `below by 2^${bit}`)
    assert.ok(!isCanonicalScalar(withS(order + 2n ** bit)), `above by 2^${bit}`)
  }
})

test('SG1: a signer in a browser keeps its own copy of the seed, also of a Buffer', () => {
  const seed = Buffer.alloc(32, 6)
  const key = browserBackend.createSigningKey(seed)
  const before = key.sign(encodeUtf8('x'))
  seed.fill(0)
  assert.deepEqual(key.sign(encodeUtf8('x')), before)
})

test('TR1: a hash of bytes that are not there, or into no room, is a defect of the caller', () => {
  const input = new Uint8Array(10)
  const wrong: readonly (readonly [outOffset: number, start: number, end: number])[] = [
    [0, 0, 11],
    [0, 6, 5],
    [0, -1, 5],
    [0, 0, Number.NaN],
    [9, 0, 10],
    [-1, 0, 10],
  ]
  for (const [outOffset, start, end] of wrong) {
    const hash = (): void => sha256Into(new Uint8Array(40), outOffset, input, start, end)
    assert.throws(hash, AssertionFailure, `${outOffset} ${start} ${end}`)
  }
  sha256Into(new Uint8Array(40), 8, input, 10, 10)
})
