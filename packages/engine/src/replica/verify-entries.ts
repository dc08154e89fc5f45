/**
 * The one verifier of entries that come from elsewhere: pushed, asked for, or followed.
 *
 * A message is believed only as a whole: the head's signature holds, the package is under the root
 * of that head, every header may stand where it stands, and every body fits its header. Nothing of
 * it has been stored or shown before. Nothing is copied and nothing is allocated per entry of the
 * common form: what was verified goes from the message into a batch in one step.
 *
 * Rules MI1 and MI3 of docs/spec/mirror.md.
 *
 * @module
 */
import {
  assert,
  type BranchId,
  bodyBytes,
  bytesEqual,
  type CapsuleName,
  checkHeaderPosition,
  copyBytes,
  decodeHead,
  decodeHeader,
  EMPTY_HASH,
  HASH_BYTES,
  type Hash,
  type Head,
  type HotFields,
  isHotHeader,
  packageAlignedStart,
  prefixRoot,
  RightEdge,
  type RoleKey,
  readHotHeader,
  type SubtreeProof,
  sha256Ranges,
  subtreeRoot,
  TILE_WIDTH,
  VerificationError,
  verifyHead,
  verifySubtree,
} from '@longshore/capsule'
import type { EntryBatchBuilder } from '../store/entry-batch-builder.ts'
import type { IndexRange } from '../store/store.ts'
import { EntriesFrame } from './entries-message.ts'

/** RFC 9162 section 2.1.1. */
const LEAF_PREFIX = 0x00

/** 256 headers of the common form take a quarter of this. */
const LEAVES_BYTES_KEPT = 65_536

/** A tree that is trusted: that of a verified head. */
export interface TrustedTree {
  readonly size: number
  readonly root: Hash
}

/** Verifies the signature of each distinct head of one branch once. */
export class HeadVerifier {
  readonly #name: CapsuleName
  readonly #branch: BranchId
  readonly #writerKey: RoleKey
  #bytes: Uint8Array = new Uint8Array(0)
  #head: Head | undefined

  constructor(name: CapsuleName, branch: BranchId, writerKey: RoleKey) {
    this.#name = name
    this.#branch = branch
    this.#writerKey = writerKey
  }

  /**
   * The head in `bytes`, signed by the writer for this branch.
   *
   * @throws {VerificationError} `CHECKPOINT_INVALID`, `NAME_MISMATCH`, `BAD_SIGNATURE`
   */
  open(bytes: Uint8Array): Head {
    if (this.#head !== undefined && bytesEqual(bytes, this.#bytes)) return this.#head
    const head = decodeHead(bytes)
    this.check(head)
    this.#bytes = copyBytes(bytes)
    this.#head = head
    return head
  }

  /** @throws {VerificationError} as `open` */
  check(head: Head): void {
    if (!bytesEqual(head.branch, this.#branch)) {
      throw new VerificationError('NAME_MISMATCH', 'the head is of another branch')
    }
    verifyHead(this.#name, head, this.#writerKey)
  }
}

/** What a verified message says besides its entries. */
export interface VerifiedContent {
  /** Named by erase entries of the message. */
  readonly erasures: readonly IndexRange[]
  /** Ranges of entries whose payload did not come along. */
  readonly holes: readonly IndexRange[]
}

export class EntriesVerifier {
  readonly frame: EntriesFrame = new EntriesFrame()
  /** From the beginning of the tile that the message is in; those before it only if asked for. */
  readonly #leafHashes = new Uint8Array(TILE_WIDTH * HASH_BYTES)
  readonly #timesUs = new Float64Array(TILE_WIDTH)
  /** By position in the message; of bodies that are there. */
  readonly #bodyHashes = new Uint8Array(TILE_WIDTH * HASH_BYTES)
  /** As `sha256Ranges` wants them. */
  readonly #ranges = new Uint32Array(3 * TILE_WIDTH)
  /** The headers of a message, with the leaf prefix before each. */
  #leaves: Uint8Array = new Uint8Array(LEAVES_BYTES_KEPT)
  readonly #fields: HotFields = { kind: 0, timeUs: 0, payloadBytes: 0, hashAt: 0 }
  #proof: SubtreeProof | undefined
  /** Of the entries from the beginning of the tile to the start, and to the end, of the message. */
  #before: Hash | undefined
  #prior: RightEdge = RightEdge.empty()
  #root: Hash | undefined
  #tile: RightEdge = RightEdge.empty()

  /**
   * Verifies the message in `frame` against `tree`. `prior` is the edge of the tile that it begins
   * in, a tree of its own: what was verified from the beginning of the tile to the start. It is not
   * changed.
   *
   * @throws {VerificationError} `ROOT_MISMATCH`, `PROOF_SHAPE`, `HEADER_INVALID`,
   * `PAYLOAD_MISMATCH`
   */
  verify(branch: BranchId, tree: TrustedTree, prior: RightEdge): VerifiedContent {
    this.#verifyPackage(tree, prior)
    this.#hashBodies()
    const erasures: IndexRange[] = []
    const holes: { start: number; end: number }[] = []
    for (let i = 0; i < this.frame.count; i++) this.#verifyEntry(branch, i, erasures, holes)
    return { erasures, holes }
  }

  /**
   * What the tree of the verified message says about its first `size` entries. `size` lies between
   * the beginning of the message's tile and its end.
   */
  rootBefore(size: number): Hash {
    const proof = this.#proof
    assert(proof !== undefined, 'a message was verified')
    assert(size >= proof.start && size <= proof.end, 'within the tile of the message')
    return prefixRoot(proof, size === proof.start ? undefined : this.#rootOfFirst(size))
  }

  #rootOfFirst(size: number): Hash | undefined {
    const { start, end } = this.frame
    if (size === end) return this.#root
    if (size === start) return this.#before
    const count = size - packageAlignedStart(start)
    this.#leafHashes.set(this.#prior.partialTile(0))
    return subtreeRoot(this.#leafHashes.subarray(0, count * HASH_BYTES))
  }

  /** Root of the tile, if the verified message is all of it. */
  get tileRoot(): Hash | undefined {
    return this.frame.count === TILE_WIDTH ? this.#root : undefined
  }

  /** Leaf hashes of the verified entries from `index` on. */
  leafHashesFrom(index: number): Uint8Array {
    const aligned = packageAlignedStart(this.frame.start)
    const { end } = this.frame
    return this.#leafHashes.subarray((index - aligned) * HASH_BYTES, (end - aligned) * HASH_BYTES)
  }

  /** `prior` for the message that comes next. */
  get tileEdge(): RightEdge {
    return this.#tile.size === TILE_WIDTH ? RightEdge.empty() : this.#tile
  }

  /** Adds the verified entries from `index` on. */
  addTo(builder: EntryBatchBuilder, index: number): void {
    const { frame } = this
    const aligned = packageAlignedStart(frame.start)
    const leaves = (index - aligned) * HASH_BYTES
    const leafHashes = this.#leafHashes.subarray(leaves, (frame.end - aligned) * HASH_BYTES)
    builder.addVerified(frame, index - frame.start, this.#timesUs, leafHashes)
  }

  #verifyPackage(tree: TrustedTree, prior: RightEdge): void {
    const { frame } = this
    const { start, end, path } = frame
    this.#proof = undefined
    const aligned = packageAlignedStart(start)
    assert(prior.size === start - aligned, 'the hashes before are at hand')
    if (end > tree.size) {
      const details = { end, size: tree.size }
      throw new VerificationError('PROOF_SHAPE', 'entries beyond the tree', details)
    }
    const [from, to] = [(start - aligned) * HASH_BYTES, (end - aligned) * HASH_BYTES]
    this.#hashLeaves(from)
    const whole = prior.clone()
    whole.append(this.#leafHashes.subarray(from, to))
    const root = whole.root()
    const proof = { start: aligned, end, size: tree.size, path }
    verifySubtree(proof, root, tree.root)
    this.#before = prior.root()
    this.#prior = prior
    this.#root = root
    this.#tile = whole
    this.#proof = proof
  }

  /** Into `#leafHashes` from `at` on. */
  #hashLeaves(at: number): void {
    const { bytes, headerStart, headerEnd, count } = this.frame
    // The byte before each header is the end of its length: in a copy, it becomes the leaf prefix.
    const base = (headerStart[0] as number) - 1
    const end = headerEnd[count - 1] as number
    let leaves = this.#leaves
    if (end - base > leaves.length) leaves = new Uint8Array(end - base)
    leaves.set(bytes.subarray(base, end))
    const ranges = this.#ranges
    for (let i = 0; i < count; i++) {
      const leafStart = (headerStart[i] as number) - 1 - base
      leaves[leafStart] = LEAF_PREFIX
      ranges[3 * i] = leafStart
      ranges[3 * i + 1] = (headerEnd[i] as number) - base
      ranges[3 * i + 2] = at + i * HASH_BYTES
    }
    sha256Ranges(leaves, ranges, count, this.#leafHashes)
  }

  #hashBodies(): void {
    const { bytes, bodyStart, bodyEnd, count } = this.frame
    const ranges = this.#ranges
    let sent = 0
    for (let i = 0; i < count; i++) {
      if (bodyStart[i] === -1) continue
      const at = 3 * sent++
      ranges[at] = bodyStart[i] as number
      ranges[at + 1] = bodyEnd[i] as number
      ranges[at + 2] = i * HASH_BYTES
    }
    sha256Ranges(bytes, ranges, sent, this.#bodyHashes)
  }

  #verifyEntry(
    branch: BranchId,
    i: number,
    erasures: IndexRange[],
    holes: { start: number; end: number }[],
  ): void {
    const { frame } = this
    const { bytes } = frame
    const index = frame.start + i
    const [from, to] = [frame.headerStart[i] as number, frame.headerEnd[i] as number]
    // Entry 0 of a branch, and no other, needs an extension: checkHeaderPosition says so.
    const isPlain = isHotHeader(bytes, from) && (index > 0 || branch.length === 0)
    if (isPlain) {
      readHotHeader(bytes, from, to, this.#fields)
      this.#verifyBody(i, bytes)
    } else {
      const header = decodeHeader(bytes.subarray(from, to))
      checkHeaderPosition(header, branch, index)
      const { control } = header.ext
      if (control?.type === 'erase') erasures.push(...control.ranges)
      const { kind, timeUs, payloadBytes, payloadHash } = header
      Object.assign(this.#fields, { kind, timeUs, payloadBytes, hashAt: 0 })
      this.#verifyBody(i, payloadHash)
    }
    this.#timesUs[i] = this.#fields.timeUs
    if (frame.bodyStart[i] !== -1) return
    const last = holes.at(-1)
    if (last?.end === index) last.end++
    else holes.push({ start: index, end: index + 1 })
  }

  /** Against the fields read last; the payload hash lies in `hashes` at their `hashAt`. */
  #verifyBody(i: number, hashes: Uint8Array): void {
    const { frame } = this
    const { kind, payloadBytes, hashAt } = this.#fields
    const expectedBytes = bodyBytes(kind, payloadBytes)
    if (frame.bodyStart[i] === -1) {
      // A body of no bytes is never missing.
      if (expectedBytes > 0) return
      frame.bodyStart[i] = frame.bodyEnd[i] = 0
      this.#bodyHashes.set(EMPTY_HASH, i * HASH_BYTES)
    }
    const bytes = (frame.bodyEnd[i] as number) - (frame.bodyStart[i] as number)
    if (bytes !== expectedBytes) throw this.#mismatch(i, 'size')
    const bodyHash = i * HASH_BYTES
    for (let at = 0; at < HASH_BYTES; at++) {
      if (this.#bodyHashes[bodyHash + at] !== hashes[hashAt + at]) throw this.#mismatch(i, 'hash')
    }
  }

  #mismatch(i: number, what: string): VerificationError {
    const index = this.frame.start + i
    const message = `the payload of entry ${index} has another ${what}`
    return new VerificationError('PAYLOAD_MISMATCH', message, { index })
  }
}
