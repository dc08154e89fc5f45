/**
 * The anchor: what a writer has signed last, kept outside its home (decision F20).
 *
 * A home can be copied, restored and moved by people who know nothing of signatures. The anchor
 * stays where it is, and tells a writer that opens a home whether that home is the one that it
 * wrote last. 128 bytes, in one sector, so that no write of it is ever torn:
 *
 *     0    8  "LSANCHR1"
 *     8   16  instance: random, new with every adoption of the branch
 *     24  32  capsule name
 *     56   1  length of the branch id, 0 or 16
 *     57  16  branch id, or zeros
 *     73   3  zeros
 *     76   4  epoch, big-endian
 *     80   8  size, big-endian
 *     88  32  root
 *     120  8  first bytes of SHA-256 over the 120 bytes before
 *
 * Why the rule in `checkAnchor` is safe, and what it cannot notice: docs/design/0002-anchor.md.
 * Rules WR6 to WR8 of docs/spec/writer.md.
 *
 * @module
 */
import {
  asBranchId,
  asCapsuleName,
  asHash,
  assert,
  type BranchId,
  bytesEqual,
  type CapsuleName,
  encodeUtf8,
  type Hash,
  INTEGER_MAX,
  sha256,
} from '@longshore/capsule'

export const ANCHOR_BYTES = 128
export const INSTANCE_BYTES = 16

const MAGIC: Uint8Array = encodeUtf8('LSANCHR1')
const INSTANCE_AT = 8
const NAME_AT = 24
const BRANCH_LENGTH_AT = 56
const BRANCH_AT = 57
const EPOCH_AT = 76
const SIZE_AT = 80
const ROOT_AT = 88
const CHECK_AT = 120

const BRANCH_BYTES = 16
const HASH_BYTES = 32

export interface Anchor {
  /** Who wrote it: an adoption of this branch by one home. 16 bytes. */
  readonly instance: Uint8Array
  readonly name: CapsuleName
  readonly branch: BranchId
  readonly epoch: number
  /** Entries under the last head that may have left the writer; 0 before the first. */
  readonly size: number
  readonly root: Hash
}

/** What the home says about itself. */
export interface AnchorHome {
  readonly name: CapsuleName
  readonly branch: BranchId
  /** Undefined if no writer of this home has adopted the branch. */
  readonly instance: Uint8Array | undefined
  readonly epoch: number
  readonly size: number
  /** Root of the first `size` entries that the home holds. */
  rootAt(size: number): Hash
}

/** Why a writer cannot know what it has signed. */
export type AnchorDoubt = 'missing' | 'other-instance' | 'ahead' | 'diverged'

export type AnchorVerdict = 'clean' | { readonly unknown: AnchorDoubt }

export function encodeAnchor(anchor: Anchor): Uint8Array {
  const { instance, name, branch, epoch, size, root } = anchor
  assert(instance.length === INSTANCE_BYTES, 'an instance id has 16 bytes')
  assert(size >= 0 && size <= INTEGER_MAX, 'a size is a safe integer')
  const bytes = new Uint8Array(ANCHOR_BYTES)
  const view = new DataView(bytes.buffer)
  bytes.set(MAGIC)
  bytes.set(instance, INSTANCE_AT)
  bytes.set(name, NAME_AT)
  bytes[BRANCH_LENGTH_AT] = branch.length
  bytes.set(branch, BRANCH_AT)
  view.setUint32(EPOCH_AT, epoch)
  view.setBigUint64(SIZE_AT, BigInt(size))
  bytes.set(root, ROOT_AT)
  bytes.set(checkBytes(bytes), CHECK_AT)
  return bytes
}

/**
 * The anchor in `bytes`, or undefined for anything that `encodeAnchor` would not give.
 *
 * It does not throw, because a damaged anchor is no error: it tells as little as a missing one,
 * and is answered in the same way.
 */
export function decodeAnchor(bytes: Uint8Array): Anchor | undefined {
  if (bytes.length !== ANCHOR_BYTES) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const branchBytes = bytes[BRANCH_LENGTH_AT]
  if (branchBytes !== 0 && branchBytes !== BRANCH_BYTES) return undefined
  const size = view.getBigUint64(SIZE_AT)
  if (size > BigInt(INTEGER_MAX)) return undefined
  const anchor: Anchor = {
    instance: bytes.slice(INSTANCE_AT, INSTANCE_AT + INSTANCE_BYTES),
    name: asCapsuleName(bytes.slice(NAME_AT, BRANCH_LENGTH_AT)),
    branch: asBranchId(bytes.slice(BRANCH_AT, BRANCH_AT + branchBytes)),
    epoch: view.getUint32(EPOCH_AT),
    size: Number(size),
    root: asHash(bytes.slice(ROOT_AT, ROOT_AT + HASH_BYTES)),
  }
  // One spelling: magic, zeros and check bytes are right exactly if encoding gives the same.
  return bytesEqual(encodeAnchor(anchor), bytes) ? anchor : undefined
}

/**
 * Decides whether this home is the one that its writer left, possibly by crashing.
 *
 * `clean` also covers an anchor that is behind, if the same instance wrote it and the home
 * contains what it says: a crash between making entries durable and writing the anchor leaves
 * exactly this. Everything else is unknown.
 */
export function checkAnchor(anchor: Anchor | undefined, home: AnchorHome): AnchorVerdict {
  if (anchor === undefined || !isOfBranch(anchor, home)) return { unknown: 'missing' }
  const { instance } = home
  if (instance === undefined || !bytesEqual(anchor.instance, instance)) {
    return { unknown: 'other-instance' }
  }
  if (anchor.epoch > home.epoch || anchor.size > home.size) return { unknown: 'ahead' }
  if (!bytesEqual(home.rootAt(anchor.size), anchor.root)) return { unknown: 'diverged' }
  return 'clean'
}

/**
 * True if the home holds exactly what the anchor says, whoever brought it there. Then nothing that
 * this machine has signed is missing, and a new instance may go on from here.
 */
export function isCaughtUp(anchor: Anchor | undefined, home: AnchorHome): boolean {
  if (anchor === undefined || !isOfBranch(anchor, home)) return false
  if (anchor.epoch !== home.epoch || anchor.size !== home.size) return false
  return bytesEqual(home.rootAt(home.size), anchor.root)
}

/**
 * True if everything that the anchor says was signed is in the home: then this machine knows of
 * nothing that is missing. It may have been signed elsewhere.
 */
export function isCovered(anchor: Anchor | undefined, home: AnchorHome): boolean {
  if (anchor === undefined || !isOfBranch(anchor, home)) return true
  if (anchor.epoch > home.epoch || anchor.size > home.size) return false
  return bytesEqual(home.rootAt(anchor.size), anchor.root)
}

/** An anchor of another capsule or branch says nothing about this one. */
export function isOfBranch(
  anchor: Anchor,
  { name, branch }: Pick<AnchorHome, 'name' | 'branch'>,
): boolean {
  return bytesEqual(anchor.name, name) && bytesEqual(anchor.branch, branch)
}

function checkBytes(bytes: Uint8Array): Uint8Array {
  return sha256(bytes.subarray(0, CHECK_AT)).subarray(0, ANCHOR_BYTES - CHECK_AT)
}
