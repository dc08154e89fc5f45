import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AssertionFailure } from '../assert.ts'
import type { Hash } from '../bytes/brands.ts'
import { bytesEqual } from '../bytes/bytes.ts'
import { EMPTY_ROOT } from '../tree/hash.ts'
import {
  consistencyPath,
  createRandom,
  flat,
  inclusionPath,
  leafHash,
  leafHashes,
  merkleRoot,
  ReferenceTiles,
  subtreePath,
  subtrees,
} from '../tree/testing/reference-tree.ts'
import type { TileSource } from '../tree/tile.ts'
import { TILES_PER_PROOF_MAX, TreeNodes } from '../tree/tree-nodes.ts'
import { prefixRoot } from './prefix-root.ts'
import { proveConsistency, proveInclusion, proveInconsistency, proveSubtree } from './prove.ts'
import { computePathRoots, isNodeOfTree } from './subtree-path.ts'
import { type ConsistencyProof, verifyConsistency } from './verify-consistency.ts'
import { verifyInclusion } from './verify-inclusion.ts'
import { verifySubtree } from './verify-subtree.ts'

const SIZE_EXHAUSTIVE = 70
const SIZE_MUTATED = 24
const ALL_LEAVES = leafHashes(0, 66_000)
const ROOTS = Array.from({ length: SIZE_EXHAUSTIVE + 1 }, (_, size) => rootOf(0, size))
const TILES = new ReferenceTiles(ALL_LEAVES)
const FOREIGN = leafHash(-1)

function rootOf(start: number, end: number): Hash {
  return merkleRoot(ALL_LEAVES.slice(start, end))
}

const REFUSED = { name: 'VerificationError', code: /^(PROOF_SHAPE|ROOT_MISMATCH)$/ }

function flipBit(hash: Hash, bit: number): Hash {
  const flipped = hash.slice()
  flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7))
  return flipped as Hash
}

/** Every path that differs from `path` by one flipped, lost, added, doubled or exchanged hash. */
function* mutatePath(path: readonly Hash[], bit: number): Generator<Hash[]> {
  for (let i = 0; i <= path.length; i++) {
    yield path.toSpliced(i, 0, FOREIGN)
    if (i === path.length) return
    const hash = path[i] as Hash
    yield path.with(i, flipBit(hash, (bit * 7 + i * 31) % 256))
    yield path.toSpliced(i, 1)
    yield path.toSpliced(i, 0, hash)
    const next = path[i + 1]
    if (next !== undefined) yield path.with(i, next).with(i + 1, hash)
  }
}

test('PR1 PR5 PR6: every inclusion proof of every tree up to 70 entries', () => {
  let count = 0
  for (let size = 1; size <= SIZE_EXHAUSTIVE; size++) {
    const leaves = ALL_LEAVES.slice(0, size)
    for (let index = 0; index < size; index++) {
      const path = proveInclusion(TILES, index, size)
      assert.deepEqual(path, inclusionPath(index, leaves))
      verifyInclusion(leafHash(index), { index, size, path }, ROOTS[size] as Hash)
      count++
    }
  }
  assert.equal(count, 2485)
})

test('PR2 PR5 PR6: every consistency proof of every tree up to 70 entries', () => {
  for (let newSize = 1; newSize <= SIZE_EXHAUSTIVE; newSize++) {
    const leaves = ALL_LEAVES.slice(0, newSize)
    for (let oldSize = 1; oldSize <= newSize; oldSize++) {
      const path = proveConsistency(TILES, oldSize, newSize)
      assert.deepEqual(path, consistencyPath(oldSize, leaves))
      const [oldRoot, newRoot] = [ROOTS[oldSize] as Hash, ROOTS[newSize] as Hash]
      verifyConsistency({ oldSize, oldRoot, newSize, newRoot, path })
    }
  }
})

test('PR3 PR5 PR6: every subtree proof of every tree up to 70 entries', () => {
  for (let size = 1; size <= SIZE_EXHAUSTIVE; size++) {
    const leaves = ALL_LEAVES.slice(0, size)
    for (const [start, end] of subtrees(size)) {
      const path = proveSubtree(TILES, start, end, size)
      assert.deepEqual(path, subtreePath(start, end, leaves))
      verifySubtree({ start, end, size, path }, rootOf(start, end), ROOTS[size] as Hash)
    }
  }
})

test('PR12: a subtree proof tells the root of what comes before, up to its end', () => {
  for (let size = 1; size <= SIZE_MUTATED; size++) {
    for (const [start, end] of subtrees(size)) {
      const path = proveSubtree(TILES, start, end, size)
      const proof = { start, end, size, path }
      verifySubtree(proof, rootOf(start, end), ROOTS[size] as Hash)
      assert.deepEqual(prefixRoot(proof, undefined), ROOTS[start])
      for (let k = 1; k <= end - start; k++) {
        assert.deepEqual(prefixRoot(proof, rootOf(start, start + k)), ROOTS[start + k])
      }
    }
  }
})

test('PR6 PR7: no altered inclusion or subtree proof is accepted', () => {
  let refused = 0
  for (let size = 1; size <= SIZE_MUTATED; size++) {
    const root = ROOTS[size] as Hash
    for (const [start, end] of subtrees(size)) {
      const path = proveSubtree(TILES, start, end, size)
      const [proof, hash] = [{ start, end, size, path }, rootOf(start, end)]
      const refuse = (altered: typeof proof, entries = hash, tree = root): void => {
        assert.throws(() => verifySubtree(altered, entries, tree), REFUSED)
        refused++
      }
      for (const altered of mutatePath(path, start + end)) refuse({ ...proof, path: altered })
      for (const [otherStart, otherEnd] of subtrees(size)) {
        if (otherStart === start && otherEnd === end) continue
        refuse({ ...proof, start: otherStart, end: otherEnd })
      }
      refuse(proof, flipBit(hash, (size * 5) % 256))
      refuse(proof, hash, flipBit(root, (size * 3) % 256))
      if (path.length > 0) refuse(proof, root)
      for (let other = 0; other <= SIZE_MUTATED; other++) {
        if (other !== size) refuse(proof, hash, ROOTS[other])
      }
    }
  }
  assert.ok(refused > 80_000, `${refused} mutants`)
})

test('PR6 PR7 PR8: no altered consistency proof is accepted', () => {
  for (let newSize = 1; newSize <= SIZE_MUTATED; newSize++) {
    for (let oldSize = 1; oldSize <= newSize; oldSize++) {
      const path = proveConsistency(TILES, oldSize, newSize)
      const [oldRoot, newRoot] = [ROOTS[oldSize] as Hash, ROOTS[newSize] as Hash]
      const proof: ConsistencyProof = { oldSize, oldRoot, newSize, newRoot, path }
      const refuse = (change: Partial<ConsistencyProof>): void => {
        assert.throws(() => verifyConsistency({ ...proof, ...change }), REFUSED)
      }
      for (const altered of mutatePath(path, oldSize)) refuse({ path: altered })
      refuse({ oldRoot: flipBit(oldRoot, 1) })
      refuse({ newRoot: flipBit(newRoot, 1) })
      if (oldSize < newSize) refuse({ oldRoot: newRoot })
      if (oldSize < newSize) refuse({ newRoot: oldRoot })
      if (oldSize < newSize) refuse({ oldSize: newSize, oldRoot: newRoot, newSize: oldSize })
      if (oldSize < newSize) refuse({ path: [] })
      refuse({ oldSize: newSize + 1 })
    }
  }
})

test('PR7: ranges that are no subtree of the tree', () => {
  const root = ROOTS[8] as Hash
  for (const [start, end, size] of [
    [0, 0, 8],
    [3, 2, 8],
    [1, 3, 8],
    [2, 5, 8],
    [4, 9, 8],
    [8, 9, 8],
    [0, 1, 0],
  ] as const) {
    const proof = { start, end, size, path: [] }
    assert.throws(() => verifySubtree(proof, root, root), { code: 'PROOF_SHAPE' })
    const why = { code: 'INDEX_OUT_OF_RANGE' }
    assert.throws(() => proveSubtree(TILES, start, end, size), why)
  }
  assert.throws(() => proveInclusion(TILES, 8, 8), { code: 'INDEX_OUT_OF_RANGE' })
  assert.throws(() => proveInclusion(TILES, -1, 8), { code: 'INDEX_OUT_OF_RANGE' })
  assert.throws(() => proveInclusion(TILES, 0.5, 8), { code: 'INDEX_OUT_OF_RANGE' })
  assert.throws(() => proveConsistency(TILES, 9, 8), { code: 'INDEX_OUT_OF_RANGE' })
  assert.throws(() => proveInconsistency(TILES, 8, 8), { code: 'INDEX_OUT_OF_RANGE' })
})

test('PR4 PR7: the largest index is beyond the largest tree, not a number too large to think of', () => {
  const size = Number.MAX_SAFE_INTEGER
  for (const index of [size, size - 1, size - 2]) {
    const verify = (): void => verifyInclusion(FOREIGN, { index, size, path: [] }, FOREIGN)
    assert.throws(verify, { code: 'PROOF_SHAPE' })
  }
})

test('PR6: a path as long as memory allows is refused after the first hash too many', () => {
  const path = Array.from({ length: 100_000 }, () => FOREIGN)
  for (const size of [1, 8, 2 ** 40, Number.MAX_SAFE_INTEGER]) {
    const proof = { index: 0, size, path }
    assert.throws(() => verifyInclusion(leafHash(0), proof, FOREIGN), { code: 'PROOF_SHAPE' })
  }
})

test('PR3: the examples in a tree of 7 leaves', () => {
  const expected: [start: number, end: number, path: [number, number][]][] = [
    [
      2,
      3,
      [
        [3, 4],
        [0, 2],
        [4, 7],
      ],
    ],
    [
      0,
      3,
      [
        [2, 3],
        [3, 4],
        [0, 2],
        [4, 7],
      ],
    ],
    [
      4,
      6,
      [
        [6, 7],
        [0, 4],
      ],
    ],
    [4, 7, [[0, 4]]],
    [0, 4, [[4, 7]]],
  ]
  for (const [start, end, ranges] of expected) {
    const path = ranges.map(([from, to]) => rootOf(from, to))
    assert.deepEqual(proveSubtree(TILES, start, end, 7), path)
  }
})

test('PR11: a path does not bind the size; the signed head does', () => {
  const path = proveInclusion(TILES, 0, 3)
  verifyInclusion(leafHash(0), { index: 0, size: 3, path }, ROOTS[3] as Hash)
  verifyInclusion(leafHash(0), { index: 0, size: 4, path }, ROOTS[3] as Hash)
  const ofFour = { index: 0, size: 3, path: proveInclusion(TILES, 0, 4) }
  assert.throws(() => verifyInclusion(leafHash(0), ofFour, ROOTS[3] as Hash), REFUSED)
})

test('PR8: the empty tree is the beginning of every tree, with an empty path', () => {
  const newRoot = ROOTS[5] as Hash
  const proof: ConsistencyProof = { oldSize: 0, oldRoot: EMPTY_ROOT, newSize: 5, newRoot, path: [] }
  assert.deepEqual(proveConsistency(TILES, 0, 5), [])
  verifyConsistency(proof)
  verifyConsistency({ ...proof, newSize: 0, newRoot: EMPTY_ROOT })
  assert.throws(() => verifyConsistency({ ...proof, path: [newRoot] }), { code: 'PROOF_SHAPE' })
  assert.throws(() => verifyConsistency({ ...proof, oldRoot: newRoot }), { code: 'ROOT_MISMATCH' })
  assert.throws(() => verifyConsistency({ ...proof, newSize: 0 }), { code: 'ROOT_MISMATCH' })
  const shrunk = { ...proof, oldSize: 5, oldRoot: newRoot, newSize: 0, newRoot: EMPTY_ROOT }
  assert.throws(() => verifyConsistency(shrunk), { code: 'PROOF_SHAPE' })
})

test('PR4 PR8: sizes that are no sizes are a defect of the caller, never a proof', () => {
  const sizes = { oldSize: 0, oldRoot: EMPTY_ROOT, newSize: 5, newRoot: leafHash(0), path: [] }
  verifyConsistency(sizes)
  for (const wrong of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]) {
    assert.throws(() => verifyConsistency({ ...sizes, oldSize: wrong }), AssertionFailure)
    assert.throws(() => verifyConsistency({ ...sizes, newSize: wrong }), AssertionFailure)
  }
})

test('PR9: an inconsistency path leads to both true roots and begins with a true node', () => {
  for (let newSize = 2; newSize <= SIZE_EXHAUSTIVE; newSize++) {
    for (let oldSize = 1; oldSize < newSize; oldSize++) {
      const nodes = proveInconsistency(TILES, oldSize, newSize)
      const roots = computePathRoots({ start: 0, end: oldSize, size: newSize }, nodes)
      assert.deepEqual(roots.subtree, ROOTS[oldSize])
      assert.deepEqual(roots.tree, ROOTS[newSize])
      const isNode = isNodeOfTree({ start: 0, end: oldSize, size: newSize })
      assert.equal(bytesEqual(nodes[0] as Hash, ROOTS[oldSize] as Hash), isNode)
    }
  }
})

test('PR1 PR2 PR3 PR10: proofs around the edges of tiles, reading few tiles', () => {
  const sizes = [255, 256, 257, 511, 513, 65_535, 65_536, 65_537, 66_000]
  const roots = new Map(sizes.map((size) => [size, rootOf(0, size)]))
  for (const [size, root] of roots) {
    for (const index of [0, 1, 255, 256, 511, 65_535, 65_536, size - 1]) {
      if (index >= size) continue
      TILES.reads = 0
      const path = proveInclusion(TILES, index, size)
      const levels = Math.ceil(Math.log2(size + 1) / 8)
      assert.ok(TILES.reads <= 2 * levels, `${TILES.reads} tiles for ${index} in ${size}`)
      assert.ok(path.length <= Math.ceil(Math.log2(size)))
      verifyInclusion(leafHash(index), { index, size, path }, root)
    }
    for (const [oldSize, oldRoot] of roots) {
      if (oldSize > size) continue
      TILES.reads = 0
      const path = proveConsistency(TILES, oldSize, size)
      assert.ok(TILES.reads <= 6, `${TILES.reads} tiles for ${oldSize} in ${size}`)
      verifyConsistency({ oldSize, oldRoot, newSize: size, newRoot: root, path })
    }
    for (const start of [0, 256, 65_280, 65_536]) {
      const end = Math.min(start + 256, size)
      if (start >= end) continue
      const path = proveSubtree(TILES, start, end, size)
      verifySubtree({ start, end, size, path }, rootOf(start, end), root)
    }
  }
  const leaves = ALL_LEAVES.slice(0, 65_537)
  assert.deepEqual(proveInclusion(TILES, 65_279, 65_537), inclusionPath(65_279, leaves))
  assert.deepEqual(proveConsistency(TILES, 65_535, 65_537), consistencyPath(65_535, leaves))
  assert.deepEqual(proveSubtree(TILES, 65_280, 65_500, 65_537), subtreePath(65_280, 65_500, leaves))
})

/** Tiles of a tree of any size whose leaves are all equal, except for the one at `index`. */
function lonelyLeaf(index: number, leaf: Hash): TileSource & { reads: number } {
  const usual: Hash[] = [leafHash(0)]
  const lonely: Hash[] = [leaf]
  const places: number[] = [index]
  const tileOf = (level: number, n: number, width: number): Hash[] => {
    const hashes: Hash[] = Array.from({ length: width }, () => usual[level] as Hash)
    const place = (places[level] as number) - n * 256
    return place >= 0 && place < width ? hashes.with(place, lonely[level] as Hash) : hashes
  }
  for (let level = 0; level < 6; level++) {
    const n = Math.floor((places[level] as number) / 256)
    lonely.push(merkleRoot(tileOf(level, n, 256)))
    usual.push(merkleRoot(tileOf(level, n + 1, 256)))
    places.push(n)
  }
  return {
    reads: 0,
    tile(level, n, width) {
      this.reads++
      return flat(tileOf(level, n, width))
    },
  }
}

test('PR4 PR10: proofs in trees beyond 2^32 entries read at most fourteen tiles', () => {
  const random = createRandom(4)
  const sizes = [2 ** 31 + 7, 2 ** 32, 2 ** 40 + 2 ** 31 + 1, Number.MAX_SAFE_INTEGER]
  for (const size of sizes) {
    for (let round = 0; round < 10; round++) {
      const index = round === 0 ? size - 1 : Math.floor((random(2 ** 32) / 2 ** 32) * size)
      const source = lonelyLeaf(index, FOREIGN)
      const root = new TreeNodes(source).rangeRoot(0, size, size)
      source.reads = 0
      const path = proveInclusion(source, index, size)
      assert.ok(source.reads <= TILES_PER_PROOF_MAX, `${source.reads} tiles`)
      verifyInclusion(FOREIGN, { index, size, path }, root)
      assert.throws(() => verifyInclusion(FOREIGN, { index: index - 1, size, path }, root), REFUSED)

      const oldSize = index + 1
      const oldRoot = new TreeNodes(source).rangeRoot(0, oldSize, oldSize)
      source.reads = 0
      const consistency = proveConsistency(source, oldSize, size)
      assert.ok(source.reads <= TILES_PER_PROOF_MAX, `${source.reads} tiles`)
      const proof = { oldSize, oldRoot, newSize: size, newRoot: root, path: consistency }
      verifyConsistency(proof)
      assert.throws(() => verifyConsistency({ ...proof, oldRoot: FOREIGN }), REFUSED)
      assert.throws(() => verifyConsistency({ ...proof, newRoot: FOREIGN }), REFUSED)
    }
  }
})
