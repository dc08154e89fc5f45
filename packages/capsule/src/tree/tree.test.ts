import assert from 'node:assert/strict'
import { test } from 'node:test'
import { backend } from '#crypto'
import type { Hash } from '../bytes/brands.ts'
import { concatBytes } from '../bytes/bytes.ts'
import { formatHex, parseHex } from '../bytes/hex.ts'
import { EMPTY_ROOT, hashLeaf, hashLeafInto, hashNode } from './hash.ts'
import { RightEdge } from './right-edge.ts'
import { rootFromTiles } from './root-from-tiles.ts'
import { subtreeRoot } from './subtree-root.ts'
import {
  createRandom,
  flat,
  leafHash,
  leafHashes,
  merkleRoot,
  ReferenceTiles,
} from './testing/reference-tree.ts'
import type { FullTile, TileSource } from './tile.ts'
import { TILES_PER_PROOF_MAX, TreeNodes } from './tree-nodes.ts'
import { fullTileCount, largestPowerOfTwoBelow, tileWidth } from './tree-shape.ts'

const SIZE_MAX = Number.MAX_SAFE_INTEGER
const BIG_SIZES = [255, 256, 257, 511, 512, 513, 65535, 65536, 65537, 66000]
const ALL_LEAVES = leafHashes(0, 66_000)

/** Counts the hashes that `action` computes, one by one or many in one call. */
function countHashes(action: () => void): number {
  const { sha256Into, many } = backend
  assert.ok(many !== undefined)
  let count = 0
  backend.sha256Into = (...args) => {
    count++
    sha256Into(...args)
  }
  backend.many = () => ({
    ranges: (input, ranges, messageCount, out) => {
      count += messageCount
      many().ranges(input, ranges, messageCount, out)
    },
    pairs: (out, outOffset, hashes, offset, pairCount) => {
      count += pairCount
      many().pairs(out, outOffset, hashes, offset, pairCount)
    },
  })
  try {
    action()
  } finally {
    Object.assign(backend, { sha256Into, many })
  }
  return count
}

const bitCount = (n: number): number => n.toString(2).replaceAll('0', '').length

test('TR1 TR3: the eight leaves of the Certificate Transparency test suite', () => {
  const leaves = [
    '',
    '00',
    '10',
    '2021',
    '3031',
    '40414243',
    '5051525354555657',
    '606162636465666768696a6b6c6d6e6f',
  ].map((hex) => hashLeaf(parseHex(hex) as Uint8Array))
  const roots = [
    'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
    'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
    'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
    'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
    '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
    'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
    '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
  ]
  for (const [size, root] of roots.entries()) {
    assert.equal(formatHex(subtreeRoot(flat(leaves.slice(0, size)))), root)
  }
})

test('TR1 TR2: a leaf hash of any length, and the root of no entries', () => {
  for (const byteLength of [0, 1, 64, 16_384, 16_385, 65_535]) {
    const header = new Uint8Array(byteLength).fill(7)
    const expected = merkleRootOfRaw(header)
    assert.deepEqual(hashLeaf(header), expected)
    const out = new Uint8Array(40)
    hashLeafInto(out, 5, header)
    assert.deepEqual(out.slice(5, 37), expected)
    assert.deepEqual([...out.slice(0, 5), ...out.slice(37)], [0, 0, 0, 0, 0, 0, 0, 0])
  }
  assert.deepEqual(EMPTY_ROOT, merkleRoot([]))
  assert.deepEqual(RightEdge.empty().root(), EMPTY_ROOT)
})

function merkleRootOfRaw(header: Uint8Array): Uint8Array {
  const out = new Uint8Array(32)
  backend.sha256Into(out, 0, concatBytes(Uint8Array.of(0), header), 0, header.length + 1)
  return out
}

test('TR2: a node joins two hashes of 32 bytes, nothing else', () => {
  const short = new Uint8Array(31) as Uint8Array as Hash
  assert.throws(() => hashNode(short, EMPTY_ROOT), { name: 'AssertionFailure' })
  assert.throws(() => hashNode(EMPTY_ROOT, short), { name: 'AssertionFailure' })
})

test('TR3 TR4 TR5: the root at every size up to 600, appended one by one', () => {
  const edge = RightEdge.empty()
  for (let size = 1; size <= 600; size++) {
    edge.append(leafHash(size - 1))
    assert.equal(edge.size, size)
    const root = merkleRoot(ALL_LEAVES.slice(0, size))
    assert.deepEqual(edge.root(), root, `size ${size}`)
    if (size <= 70) assert.deepEqual(subtreeRoot(flat(ALL_LEAVES.slice(0, size))), root)
  }
})

test('TR5 TR6 TR8: chunks of any length give the same root and each full tile once', () => {
  const random = createRandom(5)
  const reference = new ReferenceTiles(ALL_LEAVES)
  const edge = RightEdge.empty()
  const tiles: FullTile[] = []
  while (edge.size < ALL_LEAVES.length) {
    const count = Math.min(ALL_LEAVES.length - edge.size, 1 + random(3000))
    const full = edge.append(flat(ALL_LEAVES.slice(edge.size, edge.size + count)))
    const levels = full.map((tile) => tile.level)
    assert.deepEqual(levels, levels.toSorted(), 'lower levels first')
    tiles.push(...full)
  }
  assert.deepEqual(edge.root(), merkleRoot(ALL_LEAVES))
  assert.equal(tiles.length, 257 + 1)
  for (const level of [0, 1]) {
    const ofLevel = tiles.filter((tile) => tile.level === level)
    assert.deepEqual(
      ofLevel.map((tile) => tile.n),
      ofLevel.map((_, n) => n),
    )
    for (const { n, bytes, root } of ofLevel) {
      assert.deepEqual(bytes, reference.tile(level, n, 256))
      const above = reference.tile(level + 1, Math.floor(n / 256), (n % 256) + 1)
      assert.deepEqual(root, above.slice(-32))
    }
  }
  assert.deepEqual(edge.partialTile(0), reference.tile(0, 257, 66_000 % 256))
  assert.deepEqual(edge.partialTile(1), reference.tile(1, 1, 1))
  assert.deepEqual(edge.partialTile(2), reference.tile(2, 0, 1))
  assert.deepEqual(edge.partialTile(3), new Uint8Array(0))
})

test('TR8: appending k leaves costs one node hash each, less what is still open', () => {
  for (const size of [1, 2, 255, 256, 257, 5000]) {
    const leaves = flat(ALL_LEAVES.slice(0, size))
    const edge = RightEdge.empty()
    const appended = countHashes(() => void edge.append(leaves))
    assert.equal(appended, size - bitCount(size))
    assert.equal(
      countHashes(() => void edge.root()),
      bitCount(size) - 1,
    )
  }
})

test('TR9: opening reads the right-most tile of each level and nothing else', () => {
  const reference = new ReferenceTiles(ALL_LEAVES)
  for (const size of [0, 1, 2, 3, 70, ...BIG_SIZES]) {
    reference.reads = 0
    const edge = RightEdge.open(reference, size)
    const levels = size === 0 ? 0 : Math.max(1, Math.ceil(Math.log2(size + 1) / 8))
    assert.ok(reference.reads <= levels, `${reference.reads} reads at size ${size}`)
    assert.equal(edge.size, size)
    assert.deepEqual(edge.root(), merkleRoot(ALL_LEAVES.slice(0, size)))
    assert.deepEqual(rootFromTiles(reference, size), edge.root())
  }
})

test('TR5 TR9: an opened edge grows like one that was never closed', () => {
  const reference = new ReferenceTiles(ALL_LEAVES)
  for (const size of [...BIG_SIZES, 65_279, 65_280, 65_281].filter((size) => size < 65_900)) {
    const opened = RightEdge.open(reference, size)
    const grown = RightEdge.empty()
    grown.append(flat(ALL_LEAVES.slice(0, size)))
    const more = flat(ALL_LEAVES.slice(size, size + 600))
    assert.deepEqual(opened.append(more), grown.append(more))
    assert.deepEqual(opened.root(), grown.root())
    for (let level = 0; level < 4; level++) {
      assert.deepEqual(opened.partialTile(level), grown.partialTile(level))
    }
  }
})

test('TR5: hashes in a Buffer give the same roots and stay as they are', () => {
  const tiles = new ReferenceTiles(ALL_LEAVES)
  const buffers = new TreeNodes({ tile: (...at) => Buffer.from(tiles.tile(...at)) })
  const plain = new TreeNodes(tiles)
  for (const [start, end] of [
    [0, 4],
    [4, 8],
    [0, 256],
    [256, 512],
    [0, 65_536],
  ] as const) {
    for (const _ of [1, 2]) {
      const root = buffers.rangeRoot(start, end, 66_000)
      assert.deepEqual(root, plain.rangeRoot(start, end, 66_000), `[${start}, ${end})`)
      assert.ok(!Buffer.isBuffer(root))
      root.fill(0)
    }
  }
  const row = Buffer.from(flat(ALL_LEAVES.slice(0, 5)))
  const before = Buffer.from(row.toString('hex'), 'hex')
  assert.deepEqual(subtreeRoot(row), merkleRoot(ALL_LEAVES.slice(0, 5)))
  assert.deepEqual(row, before)
})

test('TR5 TR6 TR8: a tile whose root is known is appended like its leaves', () => {
  const [byTile, byLeaf] = [RightEdge.empty(), RightEdge.empty()]
  // 257 tiles complete one of level 1; what follows shows that nothing was left behind.
  for (let n = 0; n < 257; n++) {
    const leaves = flat(ALL_LEAVES.slice(n * 256, (n + 1) * 256))
    assert.deepEqual(byTile.appendTile(leaves, subtreeRoot(leaves)), byLeaf.append(leaves))
  }
  assert.equal(byTile.size, byLeaf.size)
  assert.deepEqual(byTile.root(), byLeaf.root())
  const more = flat(ALL_LEAVES.slice(0, 300))
  assert.deepEqual(byTile.append(more), byLeaf.append(more))
  assert.deepEqual(byTile.root(), byLeaf.root())
  const tile = flat(ALL_LEAVES.slice(0, 256))
  assert.throws(() => byTile.appendTile(tile, subtreeRoot(tile)), { name: 'AssertionFailure' })
})

test('TR5: a clone and its original go their own ways', () => {
  const edge = RightEdge.empty()
  edge.append(flat(ALL_LEAVES.slice(0, 300)))
  const copy = edge.clone()
  const [full] = edge.append(flat(ALL_LEAVES.slice(300, 700)))
  copy.append(flat(ALL_LEAVES.slice(1000, 1003)))
  const copied = [...ALL_LEAVES.slice(0, 300), ...ALL_LEAVES.slice(1000, 1003)]
  assert.deepEqual(edge.root(), merkleRoot(ALL_LEAVES.slice(0, 700)))
  assert.deepEqual(copy.root(), merkleRoot(copied))
  const tile = ALL_LEAVES.slice(256, 512)
  assert.deepEqual(full, { level: 0, n: 1, bytes: flat(tile), root: merkleRoot(tile) })
  assert.deepEqual(copy.partialTile(0), flat(copied.slice(256)))
  assert.deepEqual(edge.partialTile(0), flat(ALL_LEAVES.slice(512, 700)))
})

/** A tree too large to exist: every hash of a tile says where it is. */
const endless: TileSource = {
  tile(level, n, width) {
    return flat(Array.from({ length: width }, (_, i) => leafHash(level * 1e15 + n * 256 + i)))
  },
}

test('TR4: sizes up to 2^53 - 1 are exact', () => {
  for (const size of [2 ** 31, 2 ** 31 + 1, 2 ** 32 - 1, 2 ** 32 + 5, 2 ** 48 + 255, SIZE_MAX]) {
    let reads = 0
    const counted: TileSource = {
      tile: (...args) => {
        reads++
        return endless.tile(...args)
      },
    }
    const edge = RightEdge.open(counted, size)
    assert.ok(reads <= 7)
    // Two ways to the root that share no arithmetic: a counter of hashes, and cutting ranges.
    const opened = new TreeNodes(endless).rangeRoot(0, size, size)
    assert.deepEqual(edge.root(), opened)
    if (size === SIZE_MAX) {
      assert.throws(() => edge.append(EMPTY_ROOT), { name: 'AssertionFailure' })
    } else {
      edge.append(EMPTY_ROOT)
      assert.equal(edge.size, size + 1)
      assert.notDeepEqual(edge.root(), opened)
    }
  }
})

test('TR4 TR6 TR7: shapes of the sizes around every power of two', () => {
  assert.equal(largestPowerOfTwoBelow(2), 1)
  for (let height = 1; height < 53; height++) {
    const power = 2 ** height
    if (height > 1) assert.equal(largestPowerOfTwoBelow(power), power / 2)
    assert.equal(largestPowerOfTwoBelow(power + 1), power)
    if (height > 1) assert.equal(largestPowerOfTwoBelow(power - 1), power / 2)
  }
  assert.equal(largestPowerOfTwoBelow(SIZE_MAX), 2 ** 52)
  // The example of C2SP tlog-tiles: 70,000 entries.
  assert.equal(fullTileCount(0, 70_000), 273)
  assert.equal(tileWidth(0, 272, 70_000), 256)
  assert.equal(tileWidth(0, 273, 70_000), 112)
  assert.equal(tileWidth(0, 274, 70_000), 0)
  assert.equal(fullTileCount(1, 70_000), 1)
  assert.equal(tileWidth(1, 1, 70_000), 17)
  assert.equal(tileWidth(2, 0, 70_000), 1)
  assert.equal(tileWidth(3, 0, 70_000), 0)
})

test('TR10: every subtree of the tiles, kept or not, with few hashes once kept', () => {
  const size = 66_000
  const reference = new ReferenceTiles(ALL_LEAVES)
  const nodes = new TreeNodes(reference, 300)
  const random = createRandom(10)
  for (let round = 0; round < 60; round++) {
    const height = random(16)
    const span = 2 ** height
    const start = random(Math.floor(size / span)) * span
    const expected = merkleRoot(ALL_LEAVES.slice(start, start + span))
    assert.deepEqual(nodes.rangeRoot(start, start + span, size), expected)
    const again = countHashes(() => void nodes.rangeRoot(start, start + span, size))
    assert.ok(again <= 3, `${again} hashes for a node of height ${height}`)
  }
})

test('TR10: a tile that grew is read again, an older size is served from what is kept', () => {
  const reference = new ReferenceTiles(ALL_LEAVES)
  const nodes = new TreeNodes(reference)
  for (const size of [300, 511, 512, 513, 400, 300, 1]) {
    assert.deepEqual(nodes.rangeRoot(0, size, size), merkleRoot(ALL_LEAVES.slice(0, size)))
  }
})

test('TR10: no more tiles are kept than allowed, and used ones longer than others', () => {
  const reference = new ReferenceTiles(ALL_LEAVES)
  const nodes = new TreeNodes(reference, TILES_PER_PROOF_MAX)
  const readsFor = (n: number): number => {
    const before = reference.reads
    nodes.rangeRoot(n * 256, n * 256 + 128, 66_000)
    return reference.reads - before
  }
  for (let n = 0; n < TILES_PER_PROOF_MAX; n++) assert.equal(readsFor(n), 1)
  assert.equal(readsFor(0), 0)
  assert.equal(readsFor(TILES_PER_PROOF_MAX), 1)
  assert.equal(readsFor(0), 0, 'the tile that was used again stays')
  assert.equal(readsFor(1), 1, 'the oldest of the others goes')
  assert.throws(() => new TreeNodes(reference, 1), { name: 'AssertionFailure' })
})
