/**
 * Control extensions: what an entry says about its own capsule instead of carrying a payload.
 *
 *     branch   [parent branch, epoch, size, root, reason]      where a branch leaves its parent
 *     merge    [continuing branch, [head pointer, …]]          which branch goes on, which end
 *     erase    [[[start, end], …], reason]                     whose payloads are to be erased
 *     recover  [anchor size or null, anchor root or null, reason]  the writer went on after a loss
 *     writer   bytes                                           certificate of the next writer key
 *
 * Rules EN6, EN7 and EN10 of docs/spec/entry.md.
 *
 * @module
 */
import type { BranchId, Hash } from '../bytes/brands.ts'
import { bytesEqual, compareBytes } from '../bytes/bytes.ts'
import type { CborValue } from '../cbor/cbor.ts'
import {
  checkAscending,
  type Fail,
  readArray,
  readBytes,
  readInteger,
  readText,
  readTuple,
} from '../cbor/read-value.ts'
import {
  ERASE_RANGES_MAX,
  HASH_BYTES,
  MERGE_HEADS_MAX,
  REASON_BYTES_MAX,
  WRITER_CERT_BYTES_MAX,
} from '../limits.ts'
import {
  type HeadPointer,
  headPointerValue,
  readBranch,
  readHeadPointer,
  readHeadPointerFields,
} from './pointer.ts'

/** Entry 0 of a branch other than the main one. */
export interface BranchStart {
  readonly type: 'branch'
  /** Where the branch leaves its parent; `parent.branch` is the parent. */
  readonly parent: HeadPointer
  readonly reason: string
}

/** `sealed` branches end at these heads; whatever a writer signs beyond one is flagged. */
export interface Merge {
  readonly type: 'merge'
  readonly continuing: BranchId
  /** 1 to 64, sorted by branch, without `continuing`. */
  readonly sealed: readonly HeadPointer[]
}

/** Half-open: `start <= index < end`. */
export interface EraseRange {
  readonly start: number
  readonly end: number
}

export interface Erase {
  readonly type: 'erase'
  /** 1 to 1024, ascending, neither overlapping nor touching. */
  readonly ranges: readonly EraseRange[]
  readonly reason: string
}

/** The operator stated that this is the only copy (F20). */
export interface Recover {
  readonly type: 'recover'
  /** What the anchor said; null if there was none. */
  readonly anchor: { readonly size: number; readonly root: Hash } | null
  readonly reason: string
}

export interface WriterChange {
  readonly type: 'writer'
  /** Opaque in version 1; at most 8 KiB. */
  readonly cert: Uint8Array
}

export type Control = BranchStart | Merge | Erase | Recover | WriterChange
export type ControlType = Control['type']

export const CONTROL_TYPES: readonly ControlType[] = Object.freeze([
  'branch',
  'erase',
  'merge',
  'recover',
  'writer',
])

export function controlValue(control: Control): CborValue {
  switch (control.type) {
    case 'branch': {
      const { branch, epoch, size, root } = control.parent
      return [branch, epoch, size, root, control.reason]
    }
    case 'merge':
      return [control.continuing, control.sealed.map(headPointerValue)]
    case 'erase':
      return [control.ranges.map(({ start, end }) => [start, end]), control.reason]
    case 'recover':
      return [control.anchor?.size ?? null, control.anchor?.root ?? null, control.reason]
    case 'writer':
      return control.cert
  }
}

export function readControl(type: ControlType, value: CborValue, fail: Fail): Control {
  switch (type) {
    case 'branch':
      return readBranchStart(value, fail)
    case 'merge':
      return readMerge(value, fail)
    case 'erase':
      return readErase(value, fail)
    case 'recover':
      return readRecover(value, fail)
    case 'writer': {
      const cert = readBytes(value, undefined, 'writer', fail)
      if (cert.length === 0 || cert.length > WRITER_CERT_BYTES_MAX) {
        fail(`writer must have 1 to ${WRITER_CERT_BYTES_MAX} bytes`)
      }
      return { type, cert }
    }
  }
}

function readBranchStart(value: CborValue, fail: Fail): BranchStart {
  const [branch, epoch, size, root, reason] = readTuple(value, 5, 'branch', fail)
  return {
    type: 'branch',
    parent: readHeadPointerFields({ branch, epoch, size, root }, 'the parent', fail),
    reason: readReason(reason, fail),
  }
}

function readMerge(value: CborValue, fail: Fail): Merge {
  const [continuingValue, sealedValue] = readTuple(value, 2, 'merge', fail)
  const continuing = readBranch(continuingValue, 'the continuing branch', fail)
  const heads = readArray(sealedValue, MERGE_HEADS_MAX, 'the sealed heads', fail)
  if (heads.length === 0) fail('a merge must seal a branch')
  const sealed = heads.map((head) => readHeadPointer(head, 'a sealed head', fail))
  checkAscending(sealed, (a, b) => compareBytes(a.branch, b.branch), 'the sealed heads', fail)
  if (sealed.some(({ branch }) => bytesEqual(branch, continuing))) {
    fail('a merge must not seal the branch that continues')
  }
  return { type: 'merge', continuing, sealed }
}

function readErase(value: CborValue, fail: Fail): Erase {
  const [rangesValue, reason] = readTuple(value, 2, 'erase', fail)
  const pairs = readArray(rangesValue, ERASE_RANGES_MAX, 'the erased ranges', fail)
  if (pairs.length === 0) fail('an erase entry must name a range')
  const ranges: EraseRange[] = []
  let previousEnd = -1
  for (const pair of pairs) {
    const fields = readTuple(pair, 2, 'an erased range', fail)
    const start = readInteger(fields[0], 'the start of an erased range', fail)
    const end = readInteger(fields[1], 'the end of an erased range', fail)
    if (end <= start) fail('an erased range must not be empty')
    if (start <= previousEnd) fail('erased ranges must ascend and must not touch')
    ranges.push({ start, end })
    previousEnd = end
  }
  return { type: 'erase', ranges, reason: readReason(reason, fail) }
}

function readRecover(value: CborValue, fail: Fail): Recover {
  const [size, root, reason] = readTuple(value, 3, 'recover', fail)
  if ((size === null) !== (root === null)) fail('the anchor must have both size and root')
  const anchor =
    size === null
      ? null
      : {
          size: readInteger(size, 'the size of the anchor', fail),
          root: readBytes(root, HASH_BYTES, 'the root of the anchor', fail) as Hash,
        }
  return { type: 'recover', anchor, reason: readReason(reason, fail) }
}

function readReason(value: CborValue | undefined, fail: Fail): string {
  return readText(value, REASON_BYTES_MAX, 'the reason', fail)
}
