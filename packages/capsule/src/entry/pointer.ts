/**
 * Pointers to other entries and to heads of branches.
 *
 * A leaf hash alone proves nothing (F9): what identifies an entry is (capsule, branch, index).
 *
 *     pointer       [capsule (32 bytes) or null, branch (0 or 16 bytes), index, leaf hash]
 *     head pointer  [branch, epoch, size, root]
 *
 * Rule EN2 of docs/spec/entry.md.
 *
 * @module
 */
import type { BranchId, CapsuleName, Hash } from '../bytes/brands.ts'
import { bytesEqual } from '../bytes/bytes.ts'
import type { CborValue } from '../cbor/cbor.ts'
import { type Fail, readBytes, readInteger, readTuple } from '../cbor/read-value.ts'
import { sha256 } from '../crypto/sha256.ts'
import { BRANCH_ID_BYTES, EPOCH_MAX, HASH_BYTES, INTEGER_MAX } from '../limits.ts'

export interface Pointer {
  /** null: the capsule that the pointing entry is in. */
  readonly capsule: CapsuleName | null
  readonly branch: BranchId
  readonly index: number
  readonly leafHash: Hash
}

export interface HeadPointer {
  readonly branch: BranchId
  /** Counts writer keys: 0 for the key in the manifest. */
  readonly epoch: number
  readonly size: number
  readonly root: Hash
}

/** SHA-256 of nothing: the hash of an empty body, and the root of an empty tree. */
export const EMPTY_HASH: Hash = sha256(new Uint8Array(0))

export function pointerValue(pointer: Pointer): CborValue {
  return [pointer.capsule, pointer.branch, pointer.index, pointer.leafHash]
}

export function readPointer(value: CborValue, what: string, fail: Fail): Pointer {
  const [capsule, branch, index, leafHash] = readTuple(value, 4, what, fail)
  return {
    capsule:
      capsule === null
        ? null
        : (readBytes(capsule, HASH_BYTES, `the capsule of ${what}`, fail) as CapsuleName),
    branch: readBranch(branch, `the branch of ${what}`, fail),
    index: readInteger(index, `the index of ${what}`, fail, INTEGER_MAX - 1),
    leafHash: readBytes(leafHash, HASH_BYTES, `the leaf hash of ${what}`, fail) as Hash,
  }
}

export function headPointerValue(head: HeadPointer): CborValue {
  return [head.branch, head.epoch, head.size, head.root]
}

export function readHeadPointer(value: CborValue, what: string, fail: Fail): HeadPointer {
  const [branch, epoch, size, root] = readTuple(value, 4, what, fail)
  return readHeadPointerFields({ branch, epoch, size, root }, what, fail)
}

/** For the formats that hold a head pointer's fields beside others. */
export function readHeadPointerFields(
  fields: { [TField in keyof HeadPointer]: CborValue | undefined },
  what: string,
  fail: Fail,
): HeadPointer {
  const head = {
    branch: readBranch(fields.branch, `the branch of ${what}`, fail),
    epoch: readInteger(fields.epoch, `the epoch of ${what}`, fail, EPOCH_MAX),
    size: readInteger(fields.size, `the size of ${what}`, fail),
    root: readBytes(fields.root, HASH_BYTES, `the root of ${what}`, fail) as Hash,
  }
  if (head.size === 0 && !bytesEqual(head.root, EMPTY_HASH)) {
    fail(`the root of ${what} must be that of the empty tree`)
  }
  return head
}

/** A branch id: no bytes for the main branch, 16 for another. */
export function readBranch(value: CborValue | undefined, what: string, fail: Fail): BranchId {
  const bytes = readBytes(value, undefined, what, fail)
  if (bytes.length !== 0 && bytes.length !== BRANCH_ID_BYTES) {
    fail(`${what} must have 0 or ${BRANCH_ID_BYTES} bytes`)
  }
  return bytes as BranchId
}
