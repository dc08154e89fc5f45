/**
 * The tree alone: growing it, making proofs, verifying them. One core, no disk.
 *
 * @module
 */
import {
  asCapsuleName,
  createSigner,
  type Hash,
  hashLeaf,
  MAIN_BRANCH,
  proveConsistency,
  proveInclusion,
  RightEdge,
  signHead,
  TreeNodes,
  verifyConsistency,
  verifyHead,
  verifyInclusion,
} from '@longshore/capsule'
import { MemoryTiles } from '../contenders/memory-tiles.ts'
import { tightRateOf } from '../frame/measure.ts'
import type { Contender, Row } from '../frame/row.ts'

const SIZE = 1_000_000
const OLD_SIZE = 654_321
const APPENDED = 1000
/** As many as the tree has, so that every row of every tile is kept after one round. */
const TILES_KEPT = 5000

interface Grown {
  readonly tiles: MemoryTiles
  readonly root: Hash
  readonly oldRoot: Hash
  readonly leaf: Hash
}

let grown: Grown | undefined

/** One tree of a million equal leaves, made once for all rows. */
function grow(): Grown {
  if (grown !== undefined) return grown
  const tiles = new MemoryTiles()
  const edge = RightEdge.empty()
  const leaf = hashLeaf(new Uint8Array(50))
  let oldRoot = edge.root()
  for (let size = 1; size <= SIZE; size++) {
    tiles.keep(edge.append(leaf))
    if (size === OLD_SIZE) oldRoot = edge.root()
  }
  tiles.keepPartial(edge)
  grown = { tiles, root: edge.root(), oldRoot, leaf }
  return grown
}

/** Every row has one contender: how fast ours is, in calls per second. */
function row(title: string, unit: string, prepare: () => () => void, operations = 1): Row {
  const contender = (work: () => void): Contender => ({
    ...{ name: 'longshore', role: 'longshore', durability: 'no disk' },
    measure: (windowMs) => operations * tightRateOf(windowMs, 16, work),
  })
  return { title, unit, better: 'more', contenders: async () => [contender(prepare())] }
}

export const proofRows: readonly Row[] = [
  row(
    `grow a tree, ${APPENDED} leaves a call`,
    'leaves/s',
    () => {
      const edge = RightEdge.empty()
      const leaves = new Uint8Array(32 * APPENDED)
      return () => void edge.append(leaves)
    },
    APPENDED,
  ),
  row('inclusion proof of one in a million, made from tiles alone', 'proofs/s', () => {
    const { tiles } = grow()
    let index = 0
    return () => void proveInclusion(tiles, (index = (index + 7919) % SIZE), SIZE)
  }),
  row(
    'inclusion proof of one in a million, made from tiles whose nodes are kept',
    'proofs/s',
    () => {
      const nodes = new TreeNodes(grow().tiles, TILES_KEPT)
      for (let index = 0; index < SIZE; index += 256) proveInclusion(nodes, index, SIZE)
      let index = 0
      return () => void proveInclusion(nodes, (index = (index + 7919) % SIZE), SIZE)
    },
  ),
  row('inclusion proof of one in a million, verified', 'proofs/s', () => {
    const { tiles, leaf, root } = grow()
    const proof = { index: 77_777, size: SIZE, path: proveInclusion(tiles, 77_777, SIZE) }
    return () => verifyInclusion(leaf, proof, root)
  }),
  row('consistency proof of a million entries, made', 'proofs/s', () => {
    const { tiles } = grow()
    return () => void proveConsistency(tiles, OLD_SIZE, SIZE)
  }),
  row('consistency proof of a million entries, verified', 'proofs/s', () => {
    const { tiles, root, oldRoot } = grow()
    const path = proveConsistency(tiles, OLD_SIZE, SIZE)
    const proof = { oldSize: OLD_SIZE, oldRoot, newSize: SIZE, newRoot: root, path }
    return () => verifyConsistency(proof)
  }),
  row('sign a head', 'signatures/s', () => {
    const signer = createSigner(new Uint8Array(32).fill(1))
    return () => void signHead(createHead(), signer)
  }),
  row('verify the signature of a head', 'signatures/s', () => {
    const signer = createSigner(new Uint8Array(32).fill(1))
    const unsigned = createHead()
    const head = signHead(unsigned, signer)
    return () => verifyHead(unsigned.name, head, signer.key)
  }),
]

function createHead() {
  const name = asCapsuleName(new Uint8Array(32).fill(2))
  return { name, branch: MAIN_BRANCH, epoch: 0, size: SIZE, root: grow().root }
}
