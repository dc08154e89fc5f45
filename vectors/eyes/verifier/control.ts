/**
 * Commands in the extension of a header: what an entry says about its own capsule.
 *
 * @module
 */
import { asArray, asBytes, asNumber, asText, type Value } from './cbor.ts'
import { refuse, require } from './refuse.ts'
import { same, sha256 } from './tree.ts'

export interface Control {
  readonly type: string
  /** Half-open ranges that an erasure names; empty for every other command. */
  readonly erased: readonly (readonly [start: number, end: number])[]
  /** Which branch a branch start leaves. */
  readonly parent?: Uint8Array
  /** Which branch goes on after a merge. */
  readonly continuing?: Uint8Array
}

const EPOCH_MAX = 2 ** 32 - 1

export function readControl(type: string, value: Value): Control {
  switch (type) {
    case 'branch': {
      const fields = readTuple(value, 5)
      const parent = readHeadPointer(fields.slice(0, 4))
      checkReason(fields[4])
      return { type, erased: [], parent }
    }
    case 'merge':
      return { type, erased: [], continuing: readMerge(value) }
    case 'erase':
      return { type, erased: readErasure(value) }
    case 'recover': {
      const [size, root, reason] = readTuple(value, 3)
      require((size === null) === (root === null), 'an anchor has size and root')
      if (size !== null) asNumber(size)
      if (root !== null) asBytes(root, 32)
      checkReason(reason)
      break
    }
    case 'writer': {
      const { length } = asBytes(value)
      require(length >= 1 && length <= 8192, 'a certificate has 1 to 8192 bytes')
      break
    }
    default:
      return refuse('an unknown key in the extension')
  }
  return { type, erased: [] }
}

function readTuple(value: Value | undefined, length: number): Value[] {
  const items = asArray(value)
  require(items.length === length, `not ${length} fields`)
  return items
}

function checkReason(value: Value | undefined): void {
  require(Buffer.byteLength(asText(value)) <= 1024, 'a reason has at most 1024 bytes')
}

export function readBranch(value: Value | undefined): Uint8Array {
  const branch = asBytes(value)
  require(branch.length === 0 || branch.length === 16, 'a branch has 0 or 16 bytes')
  return branch
}

/** [branch, epoch, size, root]; gives the branch. */
function readHeadPointer(value: Value): Uint8Array {
  const [branch, epoch, size, root] = readTuple(value, 4)
  asNumber(epoch, EPOCH_MAX)
  const hash = asBytes(root, 32)
  require(asNumber(size) > 0 || same(hash, sha256()), 'an empty tree with a root')
  return readBranch(branch)
}

/** The branch that goes on. */
function readMerge(value: Value): Uint8Array {
  const [continuing, sealed] = readTuple(value, 2)
  const own = readBranch(continuing)
  const branches = asArray(sealed).map(readHeadPointer)
  require(branches.length >= 1 && branches.length <= 64, '1 to 64 sealed heads')
  for (const [at, branch] of branches.entries()) {
    const isSorted = at === 0 || Buffer.compare(branches[at - 1]!, branch) < 0
    require(isSorted && !same(branch, own), 'sealed heads sorted, without the one that goes on')
  }
  return own
}

function readErasure(value: Value): (readonly [number, number])[] {
  const [ranges, reason] = readTuple(value, 2)
  checkReason(reason)
  const pairs = asArray(ranges)
  require(pairs.length >= 1 && pairs.length <= 1024, '1 to 1024 ranges')
  let previousEnd = -1
  return pairs.map((pair) => {
    const [start, end] = readTuple(pair, 2).map((bound) => asNumber(bound)) as [number, number]
    require(previousEnd < start && start < end, 'ranges ascend and do not touch')
    previousEnd = end
    return [start, end]
  })
}

/**
 * Branch starts are the first entries of branches and leave another one, merges stand on the
 * branch that goes on, and erasures name earlier entries only.
 */
export function checkControlPlace(
  control: Control | undefined,
  branch: Uint8Array,
  index: number,
): void {
  const opensBranch = branch.length > 0 && index === 0
  require(opensBranch === (control?.type === 'branch'), 'a branch start at the wrong place')
  const { parent, continuing = branch } = control ?? {}
  require(parent === undefined || !same(parent, branch), 'a branch that is its own parent')
  require(same(continuing, branch), 'a merge on a branch that does not go on')
  const isLater = control?.erased.some(([, end]) => end > index) ?? false
  require(!isLater, 'an erasure of an entry that is not older')
}
