import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeUtf8 } from '@longshore/capsule'
import { Prng } from '../../testing/prng.ts'
import { crc32c } from './crc32c.ts'

/** Straight from the definition, a bit at a time. */
function slowCrc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0)
  }
  return ~crc >>> 0
}

test('JR3: CRC32C of the published examples (RFC 3720 B.4 and the nine digits)', () => {
  const ascending = Uint8Array.from({ length: 32 }, (_, i) => i)
  const cases: [Uint8Array, number][] = [
    [encodeUtf8('123456789'), 0xe3069283],
    [new Uint8Array(32), 0x8a9136aa],
    [new Uint8Array(32).fill(0xff), 0x62a8ab43],
    [ascending, 0x46dd794e],
    [ascending.toReversed(), 0x113fdb5c],
  ]
  for (const [bytes, crc] of cases) assert.equal(crc32c(0, bytes, 0, bytes.length), crc)
})

test('JR3: CRC32C agrees with its definition for every length, offset and cut', () => {
  const bytes = new Prng(1).bytes(300)
  for (let end = 0; end <= 80; end++) {
    for (let start = 0; start <= Math.min(end, 20); start++) {
      const expected = slowCrc32c(bytes.subarray(start, end))
      assert.equal(crc32c(0, bytes, start, end), expected)
      const cut = start + ((end * 7) % (end - start + 1))
      assert.equal(crc32c(crc32c(0, bytes, start, cut), bytes, cut, end), expected)
    }
  }
  assert.equal(crc32c(0, bytes, 3, 300), slowCrc32c(bytes.subarray(3)))
})

test('JR3: CRC32C of longer pieces, which are folded, wherever they begin and end', () => {
  const bytes = new Prng(2).bytes(70_000)
  const ends = [...Array.from({ length: 200 }, (_, i) => 500 + i), 33_793, 65_536, 66_600, 70_000]
  for (const start of [0, 1, 3, 17]) {
    for (const end of ends) {
      const expected = slowCrc32c(bytes.subarray(start, end))
      assert.equal(crc32c(0, bytes, start, end), expected, `[${start}, ${end})`)
      const cut = start + 400
      const pieces = crc32c(crc32c(0, bytes, start, cut), bytes, cut, end)
      assert.equal(pieces, expected, `[${start}, ${cut}, ${end})`)
    }
  }
})
