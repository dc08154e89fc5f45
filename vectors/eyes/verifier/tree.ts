/**
 * RFC 9162: section 2.1.1 (hashes), 2.1.3.2 (verifying inclusion) and 2.1.4.2 (verifying
 * consistency), step by step as the text has them. BigInt, so that shifts are exact.
 *
 * @module
 */
import { createHash } from 'node:crypto'
import { require } from './refuse.ts'

export function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return new Uint8Array(hash.digest())
}

export const leafHash = (entry: Uint8Array): Uint8Array => sha256(Uint8Array.of(0), entry)
const nodeHash = (left: Uint8Array, right: Uint8Array): Uint8Array =>
  sha256(Uint8Array.of(1), left, right)
export const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0

/** MTH(D[n]) from the leaf hashes, with the stack of RFC 9162 section 2.1.2. */
export function rootOf(leaves: readonly Uint8Array[]): Uint8Array {
  const stack: Uint8Array[] = []
  const merge = (): void => {
    const [left, right] = stack.splice(-2) as [Uint8Array, Uint8Array]
    stack.push(nodeHash(left, right))
  }
  for (const [index, leaf] of leaves.entries()) {
    stack.push(leaf)
    for (let rest = index; rest % 2 === 1; rest = (rest - 1) / 2) merge()
  }
  while (stack.length > 1) merge()
  return stack[0] ?? sha256()
}

export function checkInclusion(
  hash: Uint8Array,
  leafIndex: number,
  treeSize: number,
  path: readonly Uint8Array[],
  rootHash: Uint8Array,
): void {
  require(leafIndex < treeSize, 'the index is beyond the tree')
  let [fn, sn, r] = [BigInt(leafIndex), BigInt(treeSize) - 1n, hash]
  for (const p of path) {
    require(sn !== 0n, 'the path is too long')
    if ((fn & 1n) === 1n || fn === sn) {
      r = nodeHash(p, r)
      while ((fn & 1n) === 0n && fn !== 0n) {
        fn >>= 1n
        sn >>= 1n
      }
    } else {
      r = nodeHash(r, p)
    }
    fn >>= 1n
    sn >>= 1n
  }
  require(sn === 0n, 'the path is too short')
  require(same(r, rootHash), 'the path leads to another root')
}

export function checkConsistency(
  first: number,
  firstHash: Uint8Array,
  second: number,
  secondHash: Uint8Array,
  proof: readonly Uint8Array[],
): void {
  if (first === 0 || first === second) {
    require(first <= second && proof.length === 0, 'no path is needed here')
    const known = first === 0 ? sha256() : secondHash
    require(same(firstHash, known), 'two roots for one tree')
    require(second !== 0 || same(secondHash, sha256()), 'an empty tree with a root')
    return
  }
  require(first < second && proof.length > 0, 'sizes and path do not fit')
  const isPowerOfTwo = (BigInt(first) & (BigInt(first) - 1n)) === 0n
  const path = isPowerOfTwo ? [firstHash, ...proof] : proof
  let [fn, sn] = [BigInt(first) - 1n, BigInt(second) - 1n]
  while ((fn & 1n) === 1n) {
    fn >>= 1n
    sn >>= 1n
  }
  let [fr, sr] = [path[0] as Uint8Array, path[0] as Uint8Array]
  for (const c of path.slice(1)) {
    require(sn !== 0n, 'the path is too long')
    if ((fn & 1n) === 1n || fn === sn) {
      fr = nodeHash(c, fr)
      sr = nodeHash(c, sr)
      while ((fn & 1n) === 0n && fn !== 0n) {
        fn >>= 1n
        sn >>= 1n
      }
    } else {
      sr = nodeHash(sr, c)
    }
    fn >>= 1n
    sn >>= 1n
  }
  require(same(fr, firstHash) && same(sr, secondHash), 'the path leads to other roots')
  require(sn === 0n, 'the path is too short')
}
