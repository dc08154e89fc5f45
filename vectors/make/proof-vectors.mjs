/** Inclusion, consistency and subtree proofs, true ones and ones with one thing changed. */
import { derived, flipBit } from './bytes.mjs'
import {
  consistencyPath,
  EMPTY_ROOT,
  inclusionPath,
  leafHash,
  nodeHash,
  sparseTree,
  subtreePath,
} from './merkle.mjs'
import { NUMBERED_LEAVES, numberedTree } from './tree-vectors.mjs'
import { VectorFile } from './vector-file.mjs'

const BIG = [2147483648, 4294967295, 4294967296, 4294967301, 1099511627777, 9007199254740991]
const SHAPE = 'PROOF_SHAPE'
const MISMATCH = 'ROOT_MISMATCH'
const COMMON_LEAF = leafHash(derived('common leaf', 8))

function pathLength(index, size) {
  return inclusionPath(() => EMPTY_ROOT, index, 0, size).length
}

/** Every proof with a path can be spoiled in these ways. [id, comment, path, same length?] */
function spoiledPaths(path) {
  const extra = derived('extra hash', 32)
  const last = path.length - 1
  const places = path.length > 6 ? [0, last >> 1, last] : [...path.keys()]
  const cases = places.map((at) => [
    `flip-${at}`,
    'one bit of a hash',
    path.with(at, flipBit(path[at], 31, 7)),
    true,
  ])
  cases.push(['longer', 'a hash more at the end', [...path, extra], false])
  cases.push(['longer-front', 'a hash more at the start', [extra, ...path], false])
  if (path.length > 0) {
    cases.push(['shorter', 'the last hash missing', path.slice(0, -1), false])
    cases.push(['shorter-front', 'the first hash missing', path.slice(1), false])
    cases.push(['empty', 'no hashes', [], false])
  }
  if (path.length > 1) {
    cases.push(['reversed', 'the hashes in reverse order', path.toReversed(), true])
    cases.push([
      'folded',
      'the first two hashes made one',
      [nodeHash(path[0], path[1]), ...path.slice(2)],
      false,
    ])
  }
  if (path.length === 2) {
    cases.push(['sixty-five', 'more hashes than any tree has levels', Array(65).fill(extra), false])
  }
  return cases
}

function spoilInclusion(file, id, proof) {
  const refuse = (what, comment, code, changes) =>
    file.invalid(`bad-${id}-${what}`, comment, code, { ...proof, ...changes })
  for (const [what, comment, path, sameLength] of spoiledPaths(proof.path)) {
    refuse(what, comment, sameLength ? MISMATCH : SHAPE, { path })
  }
  refuse('leaf', 'a bit of the leaf hash', MISMATCH, { leafHash: flipBit(proof.leafHash, 0) })
  refuse('root', 'a bit of the root', MISMATCH, { root: flipBit(proof.root, 31) })
  refuse('index-is-size', 'an index beyond the tree', SHAPE, { index: proof.size })
  for (const index of [proof.index - 1, proof.index + 1, proof.index ^ 2]) {
    if (index < 0 || index >= proof.size || index === proof.index) continue
    const code = pathLength(index, proof.size) === proof.path.length ? MISMATCH : SHAPE
    refuse(`index-${index}`, 'the index of another entry', code, { index })
  }
  for (const size of [proof.size - 1, proof.size + 1]) {
    if (size <= proof.index || size > Number.MAX_SAFE_INTEGER) continue
    const sameLength = pathLength(proof.index, size) === proof.path.length
    const sameShape = sameLength && sameDirections(proof.index, proof.size, size)
    if (sameShape) continue
    refuse(`size-${size}`, 'another size of the tree', sameLength ? MISMATCH : SHAPE, { size })
  }
}

/**
 * A path that goes left and right alike in trees of both sizes gives the same root for both:
 * sizes that a path cannot tell apart are told apart by the checkpoint, which signs the size.
 */
function sameDirections(index, first, second) {
  return directions(index, first) === directions(index, second)
}

function directions(index, size) {
  if (size === 1) return ''
  let k = 1
  while (k * 2 < size) k *= 2
  return index < k ? `${directions(index, k)}r` : `${directions(index - k, size - k)}l`
}

export function inclusionVectors() {
  const file = new VectorFile(
    'inclusion',
    'Inclusion proofs (RFC 9162 2.1.3): leafHash at index is in the tree of size with root. Sizes that give the same directions of the path cannot be told apart by a proof alone and are not listed as invalid.',
  )
  const add = (tree, leaf, index, size, spoil) => {
    const proof = {
      index,
      size,
      leafHash: leaf,
      path: inclusionPath(tree, index, 0, size),
      root: tree(0, size),
    }
    const id = `${index}-of-${size}`
    file.valid(id, 'an entry of the tree', proof)
    if (spoil) spoilInclusion(file, id, proof)
  }
  for (let size = 1; size <= 9; size += 1) {
    for (let index = 0; index < size; index += 1)
      add(numberedTree, NUMBERED_LEAVES[index], index, size, size > 6)
  }
  for (const index of [0, 255, 256, 65535, 65536, 69999]) {
    add(numberedTree, NUMBERED_LEAVES[index], index, 70000, index === 69999)
  }
  for (const size of BIG) {
    for (const index of [...new Set([0, 1, Math.floor(size / 2), size - 1])]) {
      const marked = derived(`marked leaf ${index}`, 32)
      const tree = sparseTree(COMMON_LEAF, new Map([[index, marked]]))
      add(tree, marked, index, size, index > 1 && index < size - 1)
    }
  }
  return file
}

function spoilConsistency(file, id, proof) {
  const refuse = (what, comment, code, changes) =>
    file.invalid(`bad-${id}-${what}`, comment, code, { ...proof, ...changes })
  for (const [what, comment, path, sameLength] of spoiledPaths(proof.path)) {
    refuse(what, comment, sameLength ? MISMATCH : SHAPE, { path })
  }
  refuse('old-root', 'a bit of the old root', MISMATCH, { oldRoot: flipBit(proof.oldRoot, 0) })
  refuse('new-root', 'a bit of the new root', MISMATCH, { newRoot: flipBit(proof.newRoot, 0) })
  refuse('exchanged', 'the new tree as the old one', SHAPE, {
    oldSize: proof.newSize,
    oldRoot: proof.newRoot,
    newSize: proof.oldSize,
    newRoot: proof.oldRoot,
  })
}

export function consistencyVectors() {
  const file = new VectorFile(
    'consistency',
    'Consistency proofs (RFC 9162 2.1.4): the tree of oldSize with oldRoot is a prefix of the tree of newSize with newRoot.',
  )
  const add = (tree, oldSize, newSize, spoil) => {
    const proof = {
      oldSize,
      oldRoot: tree(0, oldSize),
      newSize,
      newRoot: tree(0, newSize),
      path: consistencyPath(tree, oldSize, newSize),
    }
    const id = `${oldSize}-to-${newSize}`
    file.valid(id, 'the old tree is a prefix', proof)
    if (spoil) spoilConsistency(file, id, proof)
  }
  for (let newSize = 1; newSize <= 9; newSize += 1) {
    for (let oldSize = 1; oldSize < newSize; oldSize += 1) {
      add(numberedTree, oldSize, newSize, newSize > 7)
    }
  }
  for (const oldSize of [1, 255, 256, 65536, 65537, 69999]) {
    add(numberedTree, oldSize, 70000, oldSize === 65537)
  }
  for (const newSize of BIG) {
    const tree = sparseTree(COMMON_LEAF, new Map([[newSize - 1, derived('last leaf', 32)]]))
    for (const oldSize of [1, Math.floor(newSize / 2), newSize - 1]) {
      add(tree, oldSize, newSize, oldSize === newSize - 1)
    }
  }
  addTrivialConsistency(file, numberedTree)
  return file
}

function addTrivialConsistency(file, tree) {
  const root = tree(0, 5)
  const same = { oldSize: 5, oldRoot: root, newSize: 5, newRoot: root, path: [] }
  const empty = { oldSize: 0, oldRoot: EMPTY_ROOT, newSize: 5, newRoot: root, path: [] }
  const other = derived('another root', 32)
  file.valid('5-to-5', 'a tree is a prefix of itself, with an empty path', same)
  file.valid('0-to-5', 'the empty tree is a prefix of every tree, with an empty path', empty)
  file.valid('0-to-0', 'two empty trees', { ...empty, newSize: 0, newRoot: EMPTY_ROOT })
  file.invalid('bad-5-to-5-root', 'same size, another root', MISMATCH, { ...same, newRoot: other })
  file.invalid('bad-5-to-5-path', 'same size and a path', SHAPE, { ...same, path: [other] })
  file.invalid('bad-0-to-5-root', 'a root for the empty tree', MISMATCH, {
    ...empty,
    oldRoot: other,
  })
  file.invalid('bad-0-to-5-path', 'a path from the empty tree', SHAPE, { ...empty, path: [root] })
  file.invalid('bad-5-to-0', 'the new tree is empty', SHAPE, {
    ...same,
    newSize: 0,
    newRoot: EMPTY_ROOT,
  })
}

function spoilSubtree(file, id, proof) {
  const refuse = (what, comment, code, changes) =>
    file.invalid(`bad-${id}-${what}`, comment, code, { ...proof, ...changes })
  for (const [what, comment, path, sameLength] of spoiledPaths(proof.path)) {
    refuse(what, comment, sameLength ? MISMATCH : SHAPE, { path })
  }
  refuse('hash', 'a bit of the subtree hash', MISMATCH, { hash: flipBit(proof.hash, 0) })
  refuse('root', 'a bit of the root', MISMATCH, { root: flipBit(proof.root, 0) })
  refuse('empty-range', 'a subtree without entries', SHAPE, { end: proof.start })
  if (proof.size < Number.MAX_SAFE_INTEGER) {
    refuse('beyond', 'a subtree that ends beyond the tree', SHAPE, {
      end: proof.size + 1,
      start: 0,
    })
  }
}

export function subtreeVectors() {
  const file = new VectorFile(
    'subtree',
    'Subtree consistency proofs (draft-ietf-plants-merkle-tree-certs): the entries [start, end), start a multiple of the smallest power of two >= end - start, have the root hash, and are in the tree of size with root.',
  )
  const add = (tree, start, end, size, spoil) => {
    const proof = {
      start,
      end,
      size,
      hash: tree(start, end),
      path: subtreePath(tree, start, end, size),
      root: tree(0, size),
    }
    const id = `${start}-${end}-of-${size}`
    file.valid(id, 'a subtree of the tree', proof)
    if (spoil) spoilSubtree(file, id, proof)
  }
  for (let size = 1; size <= 9; size += 1) {
    for (const [start, end] of subtrees(size)) {
      add(numberedTree, start, end, size, size === 7)
    }
  }
  for (const [start, end] of [
    [0, 256],
    [256, 512],
    [69888, 70000],
    [65536, 65792],
    [69632, 69888],
    [0, 70000],
    [69999, 70000],
    [69888, 69900],
  ]) {
    add(numberedTree, start, end, 70000, end === 69900)
  }
  for (const size of BIG) {
    const start = Math.floor((size - 1) / 256) * 256
    const marks = new Map([[start, derived('marked', 32)]])
    const tree = sparseTree(COMMON_LEAF, marks)
    add(tree, start, size, size, false)
    add(tree, start - 256, start, size, true)
  }
  for (const [start, end] of [
    [1, 3],
    [2, 5],
    [4, 9],
    [3, 7],
    [6, 9],
  ]) {
    file.invalid(
      `bad-unaligned-${start}-${end}`,
      "start is not a multiple of the subtree's width",
      SHAPE,
      {
        start,
        end,
        size: 9,
        hash: numberedTree(start, end),
        path: [],
        root: numberedTree(0, 9),
      },
    )
  }
  return file
}

/** All valid [start, end) of a tree. */
function subtrees(size) {
  const ranges = []
  for (let start = 0; start < size; start += 1) {
    for (let end = start + 1; end <= size; end += 1) {
      let width = 1
      while (width < end - start) width *= 2
      if (start % width === 0) ranges.push([start, end])
    }
  }
  return ranges
}
