/**
 * One verdict (F3): every back end against the same keys, signatures and hashes. What they are
 * asked lies in vectors/ed25519.json, which was made without any of them.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { concatBytes } from '../bytes/bytes.ts'
import { parseHex } from '../bytes/hex.ts'
import { encodeUtf8 } from '../bytes/utf8.ts'
import { isLongshoreError } from '../errors.ts'
import { backend as browserBackend } from '../platform/browser/crypto.ts'
import { backend as nodeBackend } from '../platform/node/crypto.ts'
import { opensslBackend } from '../platform/node/openssl-crypto.ts'
import { hashPairsInto } from '../tree/hash.ts'
import { verifySignatureWith } from './ed25519.ts'
import { isAcceptablePoint, isCanonicalScalar } from './ed25519-encoding.ts'
import { sha256Ranges } from './sha256.ts'

const BACKENDS = [nodeBackend, opensslBackend, browserBackend]

interface SignatureCase {
  readonly id: string
  readonly valid: boolean
  readonly code?: string
  readonly kind: 'key' | 'signature'
  readonly key: string
  readonly message: string
  readonly signature: string
}

const vectors = new URL('../../../../vectors/ed25519.json', import.meta.url)
const SIGNATURES = (JSON.parse(readFileSync(vectors, 'utf8')).cases as SignatureCase[]).filter(
  ({ kind }) => kind === 'signature',
)

const bytesOf = (hex: string): Uint8Array => parseHex(hex) as Uint8Array

function verdictOf(crypto: (typeof BACKENDS)[number], vector: SignatureCase): string {
  const { key, message, signature } = vector
  try {
    verifySignatureWith(crypto, bytesOf(key), bytesOf(message), bytesOf(signature))
    return 'accepted'
  } catch (error) {
    if (isLongshoreError(error)) return error.code
    throw error
  }
}

test('SG1 SG2 SG3 SG4 SG5 SG6: three back ends give the verdict of every vector', () => {
  assert.equal(new Set(BACKENDS.map(({ name }) => name)).size, 3)
  assert.ok(SIGNATURES.some(({ id }) => id === 'mixed-r-cofactor'))
  for (const crypto of BACKENDS) {
    for (const vector of SIGNATURES) {
      const expected = vector.valid ? 'accepted' : vector.code
      assert.equal(verdictOf(crypto, vector), expected, `${crypto.name}: ${vector.id}`)
    }
  }
})

test('SG1: what the bytes do not decide, every back end decides alike without failing', () => {
  const [sample] = SIGNATURES.filter(({ valid }) => valid)
  assert.ok(sample !== undefined)
  const [key, message] = [bytesOf(sample.key), bytesOf(sample.message)]
  let asked = 0
  for (let y = 2; y < 40; y++) {
    // Small y: about half of them are on the curve, the others on none of its points.
    const point = new Uint8Array(32)
    point[0] = y
    if (!isAcceptablePoint(point)) continue
    for (const s of [0, 1]) {
      const signature = new Uint8Array(64)
      signature.set(point)
      signature[32] = s
      assert.ok(isCanonicalScalar(signature))
      for (const crypto of BACKENDS) {
        assert.equal(crypto.isSignatureBy(key, message, signature), false, `${crypto.name} R ${y}`)
        const underIt = crypto.isSignatureBy(point, message, bytesOf(sample.signature))
        assert.equal(underIt, false, `${crypto.name} A ${y}`)
        asked++
      }
    }
  }
  assert.ok(asked > 200)
})

test('SG1: every back end makes the same keys and signatures', () => {
  for (let round = 0; round < 20; round++) {
    const seed = new Uint8Array(32).fill(round * 11)
    const message = encodeUtf8('m'.repeat(round * 13))
    const keys = BACKENDS.map((crypto) => crypto.createSigningKey(seed))
    const [first] = keys
    assert.ok(first !== undefined)
    const signature = first.sign(message)
    for (const key of keys) {
      assert.deepEqual([...key.publicKey], [...first.publicKey])
      assert.deepEqual([...key.sign(message)], [...signature])
    }
    for (const crypto of BACKENDS) verifySignatureWith(crypto, first.publicKey, message, signature)
  }
})

test('SG1: a signing key keeps its own copy of the seed', () => {
  for (const crypto of BACKENDS) {
    const seed = new Uint8Array(32).fill(5)
    const key = crypto.createSigningKey(seed)
    const before = key.sign(encodeUtf8('x'))
    seed.fill(0)
    assert.deepEqual(key.sign(encodeUtf8('x')), before, crypto.name)
  }
})

test('TR1: every back end hashes alike at every length around a block and a change of library', () => {
  const input = Uint8Array.from({ length: 5000 }, (_, i) => (i * 31 + (i >> 8)) & 255)
  const lengths = [0, 1, 55, 56, 63, 64, 65, 100, 127, 128, 255, 319, 320, 321, 1000, 4096]
  for (const length of lengths) {
    for (const start of [0, 1, 33]) {
      const hashes = BACKENDS.map((crypto) => {
        const out = new Uint8Array(40)
        crypto.sha256Into(out, 3, input, start, start + length)
        return out
      })
      for (const out of hashes) {
        assert.deepEqual(out, hashes[0], `${length} bytes from ${start}`)
        assert.deepEqual([out[2], out[35]], [0, 0])
      }
    }
  }
})

test('TR1: the output of a hash may overwrite its input', () => {
  for (const crypto of BACKENDS) {
    for (const length of [64, 1000]) {
      const apart = new Uint8Array(32)
      const same = Uint8Array.from({ length }, (_, i) => i & 255)
      crypto.sha256Into(apart, 0, same, 0, length)
      crypto.sha256Into(same, 8, same, 0, length)
      assert.deepEqual(same.slice(8, 40), apart, crypto.name)
    }
  }
})

/** What `sha256Ranges` is to give, one by one, from another library. */
function assertRanges(input: Uint8Array, lengths: readonly number[], gap: number): void {
  const ranges = new Uint32Array(3 * lengths.length)
  let start = 0
  for (const [i, length] of lengths.entries()) {
    ranges.set([start, start + length, 1 + 32 * (lengths.length - 1 - i)], 3 * i)
    start += length + gap
  }
  const out = new Uint8Array(2 + 32 * lengths.length)
  const expected = new Uint8Array(out.length)
  for (let i = 0; i < ranges.length; i += 3) {
    const [from, end, to] = ranges.subarray(i, i + 3) as unknown as [number, number, number]
    opensslBackend.sha256Into(expected, to, input, from, end)
  }
  sha256Ranges(input, ranges, lengths.length, out)
  assert.deepEqual(out, expected, `${lengths.length} messages, the first of ${lengths[0]} bytes`)
}

test('TR1: many messages in one call have the digests that they have one by one', () => {
  const input = Uint8Array.from({ length: 700_000 }, (_, i) => (i * 31 + (i >> 8)) & 255)
  // Every length up to far beyond the longest that is hashed four at once, in a lane of its own,
  // beside shorter and longer ones.
  for (let length = 0; length < 500; length++) {
    const neighbours = [length, (length * 7) % 248, (length * 13) % 248, 247 - (length % 248)]
    assertRanges(input, neighbours, 3)
  }
  for (const count of [0, 1, 2, 3, 5, 511, 512, 513, 2000]) {
    assertRanges(input, Array<number>(count).fill(100), 1)
  }
  assertRanges(input, [10, 300_000, 20, 30, 200_000, 5], 0)
})

test('TR1: digests may be written between the messages', () => {
  const input = Uint8Array.from({ length: 10 * 100 }, (_, i) => i & 255)
  const before = input.slice()
  const ranges = Uint32Array.from(
    { length: 30 },
    (_, i) => 100 * Math.floor(i / 3) + [40, 100, 5][i % 3]!,
  )
  sha256Ranges(input, ranges, 10, input)
  for (let at = 0; at < input.length; at += 100) {
    opensslBackend.sha256Into(before, at + 5, before, at + 40, at + 100)
  }
  assert.deepEqual(input, before)
})

test('TR1: ranges that cross, or leave their arrays, are the mistake of the caller', () => {
  const input = new Uint8Array(100)
  const out = new Uint8Array(64)
  for (const ranges of [
    [0, 50, 0, 40, 90, 32],
    [0, 101, 0],
    [0, 50, 33],
    [50, 40, 0],
  ]) {
    const call = (): void => sha256Ranges(input, Uint32Array.from(ranges), ranges.length / 3, out)
    assert.throws(call, { name: 'AssertionFailure' })
  }
})

test('TR2: many nodes in one call are those that each pair gives, also over their own input', () => {
  for (const count of [1, 2, 3, 4, 5, 100, 511, 512, 513, 1500]) {
    const hashes = Uint8Array.from({ length: 32 + 64 * count }, (_, i) => (i * 7 + (i >> 8)) & 255)
    const expected = new Uint8Array(32 * count)
    for (let i = 0; i < count; i++) {
      const node = concatBytes(Uint8Array.of(1), hashes.subarray(32 + 64 * i, 96 + 64 * i))
      opensslBackend.sha256Into(expected, 32 * i, node, 0, 65)
    }
    const apart = new Uint8Array(5 + 32 * count)
    hashPairsInto(apart, 5, hashes, 32, count)
    assert.deepEqual(apart.slice(5), expected)
    for (const outOffset of [0, 32]) {
      const same = hashes.slice()
      hashPairsInto(same, outOffset, same, 32, count)
      assert.deepEqual(same.slice(outOffset, outOffset + 32 * count), expected, `${count} pairs`)
    }
  }
})
