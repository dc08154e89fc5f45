/**
 * A second tree for the tests, written from the recursive definitions of RFC 9162 and
 * draft-ietf-plants-merkle-tree-certs: slow, obvious, and sharing no code with the real one.
 *
 * @module
 */
import { hash } from 'node:crypto'
import type { Hash } from '../../bytes/brands.ts'
import type { TileSource } from '../tile.ts'

function sha256(...parts: Uint8Array[]): Hash {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let end = 0
  for (const part of parts) {
    bytes.set(part, end)
    end += part.length
  }
  return new Uint8Array(hash('sha256', bytes, 'buffer')) as Uint8Array as Hash
}

/** Largest power of two smaller than `n`. */
function split(n: number): number {
  return n <= 2 ? 1 : 2 * split(Math.ceil(n / 2))
}

/** Leaf hash of the text `entry i`. */
export function leafHash(i: number): Hash {
  return sha256(Uint8Array.of(0), new TextEncoder().encode(`entry ${i}`))
}

export function leafHashes(start: number, end: number): Hash[] {
  return Array.from({ length: end - start }, (_, i) => leafHash(start + i))
}

/** Hashes of 32 bytes, one after the other. */
export function flat(hashes: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(32 * hashes.length)
  for (const [i, hash] of hashes.entries()) bytes.set(hash, 32 * i)
  return bytes
}

interface KnownRoot {
  readonly leaves: readonly Hash[]
  readonly root: Hash
}

/** Roots of up to so many leaves are kept: exhaustive tests ask for the same ones very often. */
const KNOWN_LEAVES_MAX = 128
/** By the first leaf, then by the number of leaves. */
const knownRoots = new WeakMap<Hash, KnownRoot[]>()

/** MTH. */
export function merkleRoot(leaves: readonly Hash[]): Hash {
  const [first] = leaves
  if (first === undefined) return sha256()
  if (leaves.length === 1) return first
  const known = knownRoots.get(first) ?? []
  const same = known[leaves.length]
  if (same?.leaves.every((leaf, i) => leaf === leaves[i])) return same.root
  const k = split(leaves.length)
  const root = sha256(Uint8Array.of(1), merkleRoot(leaves.slice(0, k)), merkleRoot(leaves.slice(k)))
  if (leaves.length <= KNOWN_LEAVES_MAX) known[leaves.length] = { leaves, root }
  knownRoots.set(first, known)
  return root
}

/** PATH(m, D_n) of RFC 9162 section 2.1.3.1. */
export function inclusionPath(m: number, leaves: readonly Hash[]): Hash[] {
  const n = leaves.length
  if (n === 1) return []
  const k = split(n)
  const [left, right] = [leaves.slice(0, k), leaves.slice(k)]
  if (m < k) return [...inclusionPath(m, left), merkleRoot(right)]
  return [...inclusionPath(m - k, right), merkleRoot(left)]
}

/** PROOF(m, D_n) of RFC 9162 section 2.1.4.1, by its own SUBPROOF. */
export function consistencyPath(m: number, leaves: readonly Hash[], known = true): Hash[] {
  const n = leaves.length
  if (m === n) return known ? [] : [merkleRoot(leaves)]
  const k = split(n)
  const [left, right] = [leaves.slice(0, k), leaves.slice(k)]
  if (m <= k) return [...consistencyPath(m, left, known), merkleRoot(right)]
  return [...consistencyPath(m - k, right, false), merkleRoot(left)]
}

/** SUBTREE_SUBPROOF(start, end, D_n, known). */
export function subtreePath(
  start: number,
  end: number,
  leaves: readonly Hash[],
  known = true,
): Hash[] {
  const n = leaves.length
  if (start === 0 && end === n) return known ? [] : [merkleRoot(leaves)]
  const k = split(n)
  const [left, right] = [leaves.slice(0, k), leaves.slice(k)]
  if (end <= k) return [...subtreePath(start, end, left, known), merkleRoot(right)]
  if (k <= start) return [...subtreePath(start - k, end - k, right, known), merkleRoot(left)]
  return [...subtreePath(0, end - k, right, false), merkleRoot(left)]
}

/** All subtrees [start, end) of a tree of `size` entries, by the definition. */
export function* subtrees(size: number): Generator<[start: number, end: number]> {
  for (let start = 0; start < size; start++) {
    for (let end = start + 1; end <= size; end++) {
      const span = end - start === 1 ? 1 : 2 * split(end - start)
      if (start % span === 0) yield [start, end]
    }
  }
}

/** Tiles of a tree in memory, and how often they were read. */
export class ReferenceTiles implements TileSource {
  /** levels[l][i] is the root over the entries [i * 256^l, (i + 1) * 256^l). */
  readonly #levels: Hash[][]
  reads = 0
  hashesRead = 0

  constructor(leaves: readonly Hash[]) {
    this.#levels = [[...leaves]]
    for (;;) {
      const below = this.#levels.at(-1) as Hash[]
      const level: Hash[] = []
      for (let i = 256; i <= below.length; i += 256) level.push(merkleRoot(below.slice(i - 256, i)))
      if (level.length === 0) return
      this.#levels.push(level)
    }
  }

  tile(level: number, n: number, width: number): Uint8Array {
    const hashes = this.#levels[level]?.slice(256 * n, 256 * n + width) ?? []
    if (width < 1 || hashes.length !== width) throw new Error(`no tile ${level}/${n}.p/${width}`)
    this.reads++
    this.hashesRead += width
    return flat(hashes)
  }
}

/** Numbers that look random and are the same in every run (mulberry32); each below `bound`. */
export function createRandom(seed: number): (bound: number) => number {
  let state = seed
  return (bound) => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) % bound
  }
}
