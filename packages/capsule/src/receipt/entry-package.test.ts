import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Hash } from '../bytes/brands.ts'
import { formatHex } from '../bytes/hex.ts'
import { encodeUtf8 } from '../bytes/utf8.ts'
import { PACKAGE_BYTES_MAX } from '../limits.ts'
import {
  flat,
  leafHash,
  leafHashes,
  merkleRoot,
  ReferenceTiles,
} from '../tree/testing/reference-tree.ts'
import {
  decodePackage,
  encodePackage,
  type PackageRange,
  packageAlignedStart,
  packageRanges,
  provePackage,
  verifyPackage,
} from './entry-package.ts'

const ALL_LEAVES = leafHashes(0, 1300)
const TILES = new ReferenceTiles(ALL_LEAVES)

/** The leaf whose hash is `leafHash(index)`. */
const headerOf = (index: number): Uint8Array => encodeUtf8(`entry ${index}`)

function rootOf(size: number): Hash {
  return merkleRoot(ALL_LEAVES.slice(0, size))
}

function packageOf({ start, end }: PackageRange, size: number): Uint8Array {
  const headers = Array.from({ length: end - start }, (_, i) => headerOf(start + i))
  return encodePackage({ headers, path: provePackage(TILES, { start, end }, size) })
}

function priorOf(start: number): Uint8Array {
  return flat(leafHashes(packageAlignedStart(start), start))
}

const REFUSED = {
  name: 'VerificationError',
  code: /^(PACKAGE_INVALID|PROOF_SHAPE|ROOT_MISMATCH)$/,
}

test('PK1: a package, byte by byte', () => {
  const bytes = packageOf({ start: 256, end: 258 }, 258)
  const [first, second] = [headerOf(256), headerOf(257)].map(formatHex)
  const left = formatHex(merkleRoot(ALL_LEAVES.slice(0, 256)))
  assert.equal(formatHex(bytes), `0009${first}0009${second}01${left}`)
})

test('PK2: the canonical sequence of a range', () => {
  const ranges = (start: number, end: number): number[][] =>
    Array.from(packageRanges(start, end), (range) => [range.start, range.end])
  assert.deepEqual(ranges(0, 0), [])
  assert.deepEqual(ranges(700, 700), [])
  assert.deepEqual(ranges(0, 1), [[0, 1]])
  assert.deepEqual(ranges(0, 256), [[0, 256]])
  assert.deepEqual(ranges(255, 257), [
    [255, 256],
    [256, 257],
  ])
  assert.deepEqual(ranges(300, 1300), [
    [300, 512],
    [512, 768],
    [768, 1024],
    [1024, 1280],
    [1280, 1300],
  ])
  const last = Number.MAX_SAFE_INTEGER
  assert.deepEqual(ranges(last - 1, last), [[last - 1, last]])
})

test('PK3 PK4: every package from every start, against several sizes', () => {
  for (const size of [1, 2, 255, 256, 257, 513, 1300]) {
    const root = rootOf(size)
    for (const start of [0, 1, 200, 255, 256, 300, 511, 512, 1024, 1299]) {
      if (start >= size) continue
      for (const range of packageRanges(start, size)) {
        const target = { ...range, size, root }
        const bytes = packageOf(range, size)
        const verified = verifyPackage(target, bytes, priorOf(range.start))
        assert.equal(verified.headers.length, range.end - range.start)
        assert.deepEqual(verified.headers[0], headerOf(range.start))
        assert.deepEqual(verified.leafHashes, flat(leafHashes(range.start, range.end)))
      }
    }
  }
})

test('PK4: wrong hashes before the start, a wrong root, another place', () => {
  const range = { start: 300, end: 512 }
  const [size, bytes, prior] = [600, packageOf(range, 600), priorOf(300)]
  const target = { ...range, size, root: rootOf(size) }
  verifyPackage(target, bytes, prior)
  const wrongPrior = flat(leafHashes(255, 299))
  assert.throws(() => verifyPackage(target, bytes, wrongPrior), { code: 'ROOT_MISMATCH' })
  const root = rootOf(599)
  assert.throws(() => verifyPackage({ ...target, root }, bytes, prior), { code: 'ROOT_MISMATCH' })
  const moved = { ...target, start: 44, end: 256 }
  assert.throws(() => verifyPackage(moved, bytes, prior), REFUSED)
  assert.throws(() => verifyPackage(target, bytes, new Uint8Array(0)), { name: 'AssertionFailure' })
})

test('PK2 PK7: ranges that no package has', () => {
  const bytes = packageOf({ start: 0, end: 256 }, 600)
  for (const [start, end] of [
    [0, 0],
    [0, 255],
    [0, 257],
    [0, 512],
    [255, 257],
    [256, 255],
    [512, 601],
    [600, 600],
  ] as const) {
    const target = { start, end, size: 600, root: rootOf(600) }
    const verify = (): unknown => verifyPackage(target, bytes, priorOf(start))
    assert.throws(verify, { code: 'PACKAGE_INVALID' }, `[${start}, ${end})`)
  }
})

test('PK2 PK7: a package that is true but not aligned', () => {
  const root = rootOf(600)
  for (const [start, end] of [
    [0, 255],
    [255, 257],
    [256, 511],
    [512, 599],
  ] as const) {
    const bytes = packageOf({ start, end }, 600)
    const target = { start, end, size: 600, root }
    const verify = (): unknown => verifyPackage(target, bytes, priorOf(start))
    assert.throws(verify, { code: 'PACKAGE_INVALID' }, `[${start}, ${end})`)
  }
})

test('PK5: 256 of the largest headers and 63 hashes fit, nothing more', () => {
  const largest = new Uint8Array(16_384).fill(1)
  const hash = leafHash(0)
  const headers = Array.from({ length: 256 }, () => largest)
  const path = Array.from({ length: 63 }, () => hash)
  const bytes = encodePackage({ headers, path })
  assert.equal(bytes.length, PACKAGE_BYTES_MAX)
  const decoded = decodePackage(bytes, 256)
  assert.equal(decoded.headers.length, 256)
  assert.equal(decoded.path.length, 63)
  const code = 'PACKAGE_INVALID'
  assert.throws(() => decodePackage(new Uint8Array(PACKAGE_BYTES_MAX + 1), 256), { code })
  const tooLong = new Uint8Array(2 + 16_385 + 1)
  tooLong.set([0x40, 0x01])
  assert.throws(() => decodePackage(tooLong, 1), { code })
  const tooMany = new Uint8Array(3 + 64 * 32)
  tooMany[2] = 64
  assert.throws(() => decodePackage(tooMany, 1), { code })
})

test('PK6: bytes that are cut off or follow, at every length', () => {
  const bytes = packageOf({ start: 256, end: 258 }, 258)
  for (let length = 0; length < bytes.length; length++) {
    const decode = (): unknown => decodePackage(bytes.slice(0, length), 2)
    assert.throws(decode, { code: 'PACKAGE_INVALID' }, `${length} bytes`)
  }
  const longer = new Uint8Array(bytes.length + 1)
  longer.set(bytes)
  assert.throws(() => decodePackage(longer, 2), { code: 'PACKAGE_INVALID' })
  assert.throws(() => decodePackage(bytes, 1), { code: 'PACKAGE_INVALID' })
  assert.throws(() => decodePackage(bytes, 3), { code: 'PACKAGE_INVALID' })
})

test('PK6: hashes that were read are copies, also from a Buffer', () => {
  const hash = leafHashes(0, 1)[0]!
  const bytes = Buffer.from(encodePackage({ headers: [new Uint8Array(3)], path: [hash] }))
  const { path } = decodePackage(bytes, 1)
  bytes.fill(0)
  assert.deepEqual(path, [hash])
})

test('PK7: one flipped bit anywhere in a package', () => {
  const range = { start: 510, end: 512 }
  const [size, bytes, prior] = [600, packageOf(range, 600), priorOf(510)]
  const target = { ...range, size, root: rootOf(size) }
  verifyPackage(target, bytes, prior)
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const at = bit >> 3
    const flipped = bytes.with(at, (bytes[at] as number) ^ (1 << (bit & 7)))
    assert.throws(() => verifyPackage(target, flipped, prior), REFUSED, `bit ${bit}`)
  }
})
