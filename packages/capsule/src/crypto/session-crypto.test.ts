/**
 * What sessions are made of: X25519, HKDF and ChaCha20-Poly1305, alike on every back end. The
 * expected bytes are those of RFC 7748, RFC 5869 and RFC 8439.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { createHmac, hkdfSync } from 'node:crypto'
import { test } from 'node:test'
import { formatHex, parseHex } from '../bytes/hex.ts'
import { encodeUtf8 } from '../bytes/utf8.ts'
import { AEAD_TAG_BYTES } from '../limits.ts'
import { sessionBackend as browserBackend } from '../platform/browser/session-crypto.ts'
import { opensslSessionBackend } from '../platform/node/openssl-session-crypto.ts'
import { sessionBackend as nodeBackend } from '../platform/node/session-crypto.ts'
import { isOpenedInPlace, sealInPlace } from './aead.ts'
import { hkdfSha256, hmacSha256 } from './hkdf.ts'
import { x25519, x25519PublicKey } from './x25519.ts'

const BACKENDS = [nodeBackend, opensslSessionBackend, browserBackend]
const bytesOf = (hex: string): Uint8Array => parseHex(hex) as Uint8Array

/** RFC 7748 section 6.1. */
const ALICE = bytesOf('77076d0a7318a57d3c16c17251b26645df4c8a5f5e9f0a7ad5fd0c4ce6a5b2d6')
const SMALL_ORDER = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
]

test('SN5: X25519 gives what RFC 7748 says, on every back end', () => {
  const secret = bytesOf('a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4')
  const point = bytesOf('e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c')
  const expected = 'c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552'
  for (const crypto of BACKENDS) {
    const shared = crypto.x25519(secret, point)
    assert.ok(shared !== undefined)
    assert.equal(formatHex(shared), expected, crypto.name)
    assert.deepEqual(crypto.x25519PublicKey(ALICE), nodeBackend.x25519PublicKey(ALICE), crypto.name)
  }
})

test('SN5: both ends compute the same bytes, also with a key whose top bit is set', () => {
  for (let round = 1; round < 20; round++) {
    const [a, b] = [new Uint8Array(32).fill(round), new Uint8Array(32).fill(round * 7)]
    const shared = x25519(a, x25519PublicKey(b))
    assert.deepEqual(shared, x25519(b, x25519PublicKey(a)))
    const unmasked = x25519PublicKey(b)
    unmasked[31] = (unmasked[31] as number) | 0x80
    for (const crypto of BACKENDS) assert.deepEqual(crypto.x25519(a, unmasked), shared, crypto.name)
  }
})

test('SN5: a key of small order is refused, on every back end', () => {
  for (const hex of SMALL_ORDER) {
    for (const crypto of BACKENDS) {
      assert.equal(crypto.x25519(ALICE, bytesOf(hex)), undefined, `${crypto.name} ${hex}`)
    }
    assert.throws(() => x25519(ALICE, bytesOf(hex)), { code: 'BAD_KEY' })
  }
  assert.throws(() => x25519(ALICE, new Uint8Array(31)), { code: 'BAD_KEY' })
})

test('SN6: HKDF gives what RFC 5869 says, and what node:crypto says at every length', () => {
  const out = hkdfSha256(
    bytesOf('000102030405060708090a0b0c'),
    new Uint8Array(22).fill(0x0b),
    bytesOf('f0f1f2f3f4f5f6f7f8f9'),
    42,
  )
  const expected =
    '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865'
  assert.equal(formatHex(out), expected)
  for (const byteLength of [1, 31, 32, 33, 63, 64, 65, 96, 200]) {
    const [salt, secret, info] = [32, byteLength, 5].map((n) => new Uint8Array(n).fill(n)) as [
      Uint8Array,
      Uint8Array,
      Uint8Array,
    ]
    const theirs = new Uint8Array(hkdfSync('sha256', secret, salt, info, byteLength))
    assert.deepEqual(hkdfSha256(salt, secret, info, byteLength), theirs)
    const mac = createHmac('sha256', secret).update(info).digest()
    assert.equal(formatHex(hmacSha256(secret, info)), mac.toString('hex'))
  }
})

test('SN10: ChaCha20-Poly1305 gives what RFC 8439 says, on every back end', () => {
  const key = Uint8Array.from({ length: 32 }, (_, i) => 0x80 + i)
  const nonce = bytesOf('070000004041424344454647')
  const associated = bytesOf('50515253c0c1c2c3c4c5c6c7')
  const text =
    "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it."
  const plain = encodeUtf8(text)
  for (const crypto of BACKENDS) {
    const bytes = new Uint8Array(3 + plain.length + AEAD_TAG_BYTES + 2)
    bytes.set(plain, 3)
    const end = 3 + plain.length
    crypto.seal(key, nonce, associated, bytes, 3, end)
    assert.equal(formatHex(bytes.subarray(3, 11)), 'd31a8d34648e60db', crypto.name)
    assert.equal(
      formatHex(bytes.subarray(end, end + AEAD_TAG_BYTES)),
      '1ae10b594f09e26a7e902ecbd0600691',
      crypto.name,
    )
    assert.deepEqual([...bytes.subarray(0, 3), ...bytes.subarray(-2)], [0, 0, 0, 0, 0])
    assert.ok(crypto.isOpened(key, nonce, associated, bytes, 3, end + AEAD_TAG_BYTES))
    assert.deepEqual(bytes.subarray(3, end), plain, crypto.name)
  }
})

test('SN10: every back end seals alike at every length and refuses every changed bit', () => {
  const key = new Uint8Array(32).fill(9)
  const nonce = new Uint8Array(12).fill(3)
  const associated = new Uint8Array(77).fill(5)
  for (const length of [0, 1, 15, 16, 17, 63, 64, 65, 100, 1000]) {
    const sealed = BACKENDS.map((crypto) => {
      const bytes = new Uint8Array(length + AEAD_TAG_BYTES).fill(7, 0, length)
      crypto.seal(key, nonce, associated, bytes, 0, length)
      return bytes
    })
    const [first] = sealed
    assert.ok(first !== undefined)
    for (const bytes of sealed) assert.deepEqual(bytes, first)
    for (const crypto of BACKENDS) {
      for (let at = 0; at < first.length; at += 7) {
        const changed = first.slice()
        changed[at] = (changed[at] as number) ^ 1
        assert.equal(crypto.isOpened(key, nonce, associated, changed, 0, changed.length), false)
      }
      const other = associated.slice(1)
      assert.equal(crypto.isOpened(key, nonce, other, first.slice(), 0, first.length), false)
    }
  }
})

test('SN10: the nonce is the counter, little-endian, also beyond 32 bits', () => {
  const key = new Uint8Array(32).fill(1)
  const associated = new Uint8Array(0)
  for (const counter of [0, 1, 255, 256, 0xffffffff, 0x1_0000_0000, 0x1234_5678_9abc]) {
    const bytes = new Uint8Array(20)
    sealInPlace(key, counter, associated, bytes, 0, 4)
    const nonce = new Uint8Array(12)
    new DataView(nonce.buffer).setBigUint64(4, BigInt(counter), true)
    assert.ok(opensslSessionBackend.isOpened(key, nonce, associated, bytes.slice(), 0, 20))
    assert.ok(isOpenedInPlace(key, counter, associated, bytes.slice(), 0, 20))
    assert.ok(!isOpenedInPlace(key, counter + 1, associated, bytes.slice(), 0, 20))
    assert.ok(!isOpenedInPlace(key, counter, associated, bytes, 0, AEAD_TAG_BYTES - 1))
  }
})
