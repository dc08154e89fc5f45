/**
 * What leaves the store with a mirrored capsule, and what stays: what this node has stated of it.
 *
 *     stated/<name hex>/<branch hex>     82 18 64 58 20 …     [size, root]
 *
 * An empty value says that the branch is whole again, or was never removed. Until then nothing is
 * stated of it: what comes instead must first be the tree that was stated. Rules MI28 and MI29 of
 * docs/spec/mirror.md.
 *
 * @module
 */
import {
  type BranchId,
  bytesEqual,
  type CapsuleName,
  decodeCbor,
  encodeCbor,
  type Fail,
  formatHex,
  HASH_BYTES,
  type Hash,
  isLongshoreError,
  MAIN_BRANCH,
  readBytes,
  readInteger,
  readTuple,
  UnavailableError,
} from '@longshore/capsule'
import { branchKey } from '../store/branch-key.ts'
import type { StoreOp, StoreReader } from '../store/store.ts'
import { readInstance } from '../writer/writer-notes.ts'
import { pendingImportOp } from './committed-head.ts'
import { decodeStatedHeads, originHash } from './head-log.ts'
import { createMirrorNote, readMirrorNote } from './mirror-note.ts'

/** A tree that this node has stated. */
export interface StatedTree {
  readonly size: number
  readonly root: Hash
}

/** Entries of the head log that are looked at together. */
const SCAN_COUNT = 256

/** Last stated of a branch that was removed and is not whole again. */
export function readStated(
  store: StoreReader,
  name: CapsuleName,
  branch: BranchId,
): StatedTree | undefined {
  const value = store.note(noteKey(name, branch))
  if (value === undefined || value.length === 0) return undefined
  const [size, root] = readTuple(decodeCbor(value, 1), 2, 'the note', fail)
  return {
    size: readInteger(size, 'the size', fail),
    root: readBytes(root, HASH_BYTES, 'the root', fail) as Hash,
  }
}

export function statedOp(
  name: CapsuleName,
  branch: BranchId,
  stated: StatedTree | undefined,
): StoreOp {
  const value = stated === undefined ? new Uint8Array(0) : encodeCbor([stated.size, stated.root], 1)
  return { type: 'note', key: noteKey(name, branch), value }
}

export interface Removal {
  /** The changes that remove a capsule and keep what this node has stated of it. */
  readonly ops: readonly StoreOp[]
  /** That, by branch. */
  readonly stated: ReadonlyMap<string, StatedTree>
}

/**
 * What it takes to remove a capsule.
 *
 * @throws {UnavailableError} `POLICY_REFUSED` if this home writes the capsule; `STORE_CORRUPT` if
 * nothing says any more what was stated.
 */
export function planRemoval(store: StoreReader, headLog: CapsuleName, name: CapsuleName): Removal {
  const all = new Map<string, StatedTree>()
  const ops: StoreOp[] = [{ type: 'remove', name }]
  const branches = store.branches(name)
  for (const branch of branches.length === 0 ? [MAIN_BRANCH] : branches) {
    if (readInstance(store, name, branch) !== undefined) {
      throw new UnavailableError('POLICY_REFUSED', 'this home writes the capsule itself')
    }
    const { timeS, size, heartbeat } = readMirrorNote(store, name, branch)
    // One may begin until these changes are made.
    ops.push(pendingImportOp(name, branch, undefined))
    ops.push(createMirrorNote(name, branch, { timeS, size, heartbeat, holes: [] }))
    if (size === 0) continue
    const stated = readStated(store, name, branch) ?? findStated(store, headLog, name, branch)
    if (stated?.size !== size) {
      throw new UnavailableError('STORE_CORRUPT', 'the head log does not say what was stated')
    }
    all.set(branchKey(name, branch), stated)
    ops.push(statedOp(name, branch, stated))
  }
  return { ops, stated: all }
}

/** The newest line of the head log about a branch: read from its end on. */
function findStated(
  store: StoreReader,
  headLog: CapsuleName,
  name: CapsuleName,
  branch: BranchId,
): StatedTree | undefined {
  const wanted = originHash(name, branch)
  for (let end = store.state(headLog, MAIN_BRANCH)?.size ?? 0; end > 0; end -= SCAN_COUNT) {
    const range = { start: Math.max(0, end - SCAN_COUNT), end }
    for (const { body } of [...store.scan(headLog, MAIN_BRANCH, range)].reverse()) {
      const found = linesOf(body).find((line) => bytesEqual(line.originHash, wanted))
      if (found !== undefined) return found
    }
  }
  return undefined
}

/** None in an entry of another kind: the writer of a head log may have been recovered. */
function linesOf(body: Uint8Array | undefined): ReturnType<typeof decodeStatedHeads> {
  try {
    return body === undefined ? [] : decodeStatedHeads(body)
  } catch (error) {
    if (isLongshoreError(error)) return []
    throw error
  }
}

function noteKey(name: CapsuleName, branch: BranchId): string {
  return `stated/${formatHex(name)}/${formatHex(branch)}`
}

const fail: Fail = (what) => {
  throw new UnavailableError('STORE_CORRUPT', `the note of what was stated is damaged: ${what}`)
}
