/**
 * Trees and proofs against vectors/{tree,inclusion,consistency,subtree}.json.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import {
  asHash,
  type Hash,
  hashLeaf,
  parseTilePath,
  proveConsistency,
  proveInclusion,
  proveSubtree,
  RightEdge,
  rootFromTiles,
  type TileSource,
  tilePath,
  verifyConsistency,
  verifyInclusion,
  verifySubtree,
} from '@longshore/capsule'
import { bytesOf, checkCases, hexOf, readVectors } from './read-vectors.ts'
import { assertRefused } from './refusals.ts'

const hashOf = (hex: string): Hash => asHash(bytesOf(hex))
const pathOf = (path: readonly string[]): Hash[] => path.map(hashOf)

/** Leaf hash of entry `index` of the vectors' trees, the text "entry N". */
function numberedLeaf(index: number): Hash {
  return hashLeaf(new TextEncoder().encode(`entry ${index}`))
}

/** A tree of numbered entries whose tiles come from appending to a `RightEdge`. */
class GrownTree implements TileSource {
  readonly edge: RightEdge = RightEdge.empty()
  readonly #full = new Map<string, Uint8Array>()

  grow(size: number): void {
    const leaves = new Uint8Array(32 * (size - this.edge.size))
    for (let index = this.edge.size; index < size; index += 1) {
      leaves.set(numberedLeaf(index), 32 * (index - this.edge.size))
    }
    for (const { level, n, bytes } of this.edge.append(leaves)) {
      this.#full.set(`${level} ${n}`, bytes)
    }
  }

  tile(level: number, n: number, width: number): Uint8Array {
    const bytes = this.#full.get(`${level} ${n}`) ?? this.edge.partialTile(level)
    return bytes.subarray(0, 32 * width)
  }
}

interface TreeFields {
  readonly kind: 'root' | 'tiles' | 'path'
  readonly size: number
  readonly root: string
  readonly count: number
  readonly tiles: readonly (readonly [string, string])[]
  readonly digest: string
  readonly level: number | 'entries'
  readonly n: number
  readonly width: number
  readonly path: string
}

const treeCases = readVectors<TreeFields>('tree')
const treesOf = (kind: TreeFields['kind']) => treeCases.filter((vector) => vector.kind === kind)

test('TR1 TR2 TR3 TR5: appending numbered entries gives the roots of the vectors', () => {
  const tree = new GrownTree()
  checkCases(treesOf('root'), ({ size, root }) => {
    tree.grow(size)
    assert.equal(hexOf(tree.edge.root()), root)
    assert.equal(hexOf(rootFromTiles(tree, size)), root)
    assert.equal(hexOf(RightEdge.open(tree, size).root()), root)
  })
})

test('TR6 TR7: tiles hold the hashes that tlog-tiles defines', () => {
  const sha256 = (bytes: Uint8Array | string): string =>
    createHash('sha256').update(bytes).digest('hex')
  checkCases(treesOf('tiles'), ({ size, count, tiles, digest }) => {
    const tree = new GrownTree()
    tree.grow(size)
    const lines: string[] = []
    for (let level = 0, hashes = size; hashes > 0; level += 1) {
      for (let n = 0; n * 256 < hashes; n += 1) {
        const width = Math.min(256, hashes - n * 256)
        lines.push(`${tilePath(level, n, width)} ${sha256(tree.tile(level, n, width))}\n`)
      }
      hashes = Math.floor(hashes / 256)
    }
    assert.equal(lines.length, count)
    for (const [path, hash] of tiles) assert.ok(lines.includes(`${path} ${hash}\n`), path)
    assert.equal(sha256(lines.join('')), digest)
  })
})

test('TR11: a tile has one path', () => {
  checkCases(treesOf('path'), (vector) => {
    const { level, n, width, path } = vector
    if (!vector.valid) {
      assertRefused(vector, () => parseTilePath(path))
      return
    }
    assert.equal(tilePath(level, n, width), path)
    assert.deepEqual(parseTilePath(path), { level, n, width })
  })
})

interface InclusionFields {
  readonly index: number
  readonly size: number
  readonly leafHash: string
  readonly path: readonly string[]
  readonly root: string
}

const LARGEST_GROWN = 70000

test('PR1 PR5 PR6 PR7: inclusion proofs', () => {
  const tree = new GrownTree()
  tree.grow(LARGEST_GROWN)
  checkCases(readVectors<InclusionFields>('inclusion'), (vector) => {
    const { index, size, leafHash, path, root } = vector
    const proof = { index, size, path: pathOf(path) }
    const verify = () => verifyInclusion(hashOf(leafHash), proof, hashOf(root))
    if (!vector.valid) return assertRefused(vector, verify)
    verify()
    if (size <= LARGEST_GROWN) {
      assert.deepEqual(proveInclusion(tree, index, size).map(hexOf), path)
    }
  })
})

interface ConsistencyFields {
  readonly oldSize: number
  readonly oldRoot: string
  readonly newSize: number
  readonly newRoot: string
  readonly path: readonly string[]
}

test('PR2 PR5 PR6 PR7 PR8: consistency proofs', () => {
  const tree = new GrownTree()
  tree.grow(LARGEST_GROWN)
  checkCases(readVectors<ConsistencyFields>('consistency'), (vector) => {
    const { oldSize, oldRoot, newSize, newRoot, path } = vector
    const roots = { oldRoot: hashOf(oldRoot), newRoot: hashOf(newRoot) }
    const verify = () => verifyConsistency({ oldSize, newSize, ...roots, path: pathOf(path) })
    if (!vector.valid) return assertRefused(vector, verify)
    verify()
    if (newSize <= LARGEST_GROWN) {
      assert.deepEqual(proveConsistency(tree, oldSize, newSize).map(hexOf), path)
    }
  })
})

interface SubtreeFields {
  readonly start: number
  readonly end: number
  readonly size: number
  readonly hash: string
  readonly path: readonly string[]
  readonly root: string
}

test('PR3 PR5 PR6 PR7: subtree proofs', () => {
  const tree = new GrownTree()
  tree.grow(LARGEST_GROWN)
  checkCases(readVectors<SubtreeFields>('subtree'), (vector) => {
    const { start, end, size, hash, path, root } = vector
    const proof = { start, end, size, path: pathOf(path) }
    const verify = () => verifySubtree(proof, hashOf(hash), hashOf(root))
    if (!vector.valid) return assertRefused(vector, verify)
    verify()
    if (size <= LARGEST_GROWN) {
      assert.deepEqual(proveSubtree(tree, start, end, size).map(hexOf), path)
    }
  })
})
