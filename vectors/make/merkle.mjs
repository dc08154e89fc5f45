/**
 * RFC 9162 section 2.1, written as the recursive definitions of the text: slow and plain.
 *
 * A tree is a function `range(start, end) -> hash of D[start:end]`, so that the same proof code
 * serves a list of leaf hashes and a sparse tree, whose leaves are nearly all alike and whose
 * size can therefore be 2^53 - 1.
 */
import { sha256, unhex } from './bytes.mjs'

export const EMPTY_ROOT = sha256(new Uint8Array(0))

export function leafHash(entry) {
  return sha256(unhex('00'), entry)
}

export function nodeHash(left, right) {
  return sha256(unhex('01'), left, right)
}

/** Largest power of two smaller than `n`; `n` is at least 2. */
function split(n) {
  let k = 1
  while (k * 2 < n) k *= 2
  return k
}

/** MTH over a list of leaf hashes. */
export function listTree(leafHashes) {
  const known = new Map()
  function range(start, end) {
    if (end === start) return EMPTY_ROOT
    if (end - start === 1) return leafHashes[start]
    const key = `${start} ${end}`
    let hash = known.get(key)
    if (hash === undefined) {
      const k = split(end - start)
      hash = nodeHash(range(start, start + k), range(start + k, end))
      known.set(key, hash)
    }
    return hash
  }
  return range
}

/**
 * A tree of any size up to 2^53 - 1 in which all leaves are alike except the marked ones, so that
 * its root still depends on where those are.
 */
export function sparseTree(leaf, marks) {
  const uniform = new Map([[1, leaf]])
  function ofSize(n) {
    let hash = uniform.get(n)
    if (hash === undefined) {
      const k = split(n)
      hash = nodeHash(ofSize(k), ofSize(n - k))
      uniform.set(n, hash)
    }
    return hash
  }
  const indices = [...marks.keys()]
  return function range(start, end) {
    if (end === start) return EMPTY_ROOT
    if (!indices.some((index) => start <= index && index < end)) return ofSize(end - start)
    if (end - start === 1) return marks.get(start)
    const k = split(end - start)
    return nodeHash(range(start, start + k), range(start + k, end))
  }
}

/** PATH(m, D[start:end]) of RFC 9162 2.1.3.1; `m` counts from `start`. */
export function inclusionPath(tree, m, start, end) {
  const n = end - start
  if (n === 1) return []
  const k = split(n)
  return m < k
    ? [...inclusionPath(tree, m, start, start + k), tree(start + k, end)]
    : [...inclusionPath(tree, m - k, start + k, end), tree(start, start + k)]
}

/** PROOF(m, D[0:n]) of RFC 9162 2.1.4.1, for 0 < m <= n. */
export function consistencyPath(tree, m, n) {
  return subtreePath(tree, 0, m, n)
}

/** SUBTREE_PROOF(start, end, D[0:n]) of draft-ietf-plants-merkle-tree-certs. */
export function subtreePath(tree, start, end, n) {
  function subproof(from, to, base, size, known) {
    if (from === 0 && to === size) return known ? [] : [tree(base, base + size)]
    const k = split(size)
    if (to <= k) {
      return [...subproof(from, to, base, k, known), tree(base + k, base + size)]
    }
    if (k <= from) {
      return [...subproof(from - k, to - k, base + k, size - k, known), tree(base, base + k)]
    }
    return [...subproof(0, to - k, base + k, size - k, false), tree(base, base + k)]
  }
  return subproof(start, end, 0, n, true)
}
