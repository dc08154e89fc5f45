/**
 * One stretch of a remote branch, verified message by message, from whichever mirror answers.
 *
 * The tree is pinned when the reading begins: a head that the reader goes by. A stretch that begins
 * within a tile needs the leaf hashes before it: they are asked for first, without payloads, and
 * verified in the same way. Rules RR7-RR9 of docs/spec/mirror.md.
 *
 * @module
 */
import {
  assert,
  type BranchId,
  bytesEqual,
  HASH_BYTES,
  type Hash,
  type Head,
  ProtocolError,
  packageAlignedStart,
  RightEdge,
  VerificationError,
} from '@longshore/capsule'
import type { EntryBatch } from '../store/entry-batch.ts'
import { EntryBatchBuilder } from '../store/entry-batch-builder.ts'
import type { IndexRange } from '../store/store.ts'
import type { EntriesVerifier } from './verify-entries.ts'

/** Verified entries, in order and without gaps. */
export interface ReadEntries {
  readonly start: number
  readonly entries: EntryBatch
}

export interface Stretch extends IndexRange {
  readonly wantsBodies: boolean
}

export class RemoteRead {
  readonly #branch: BranchId
  readonly #tree: Head
  readonly #end: number
  readonly #wantsBodies: boolean
  readonly #builder = new EntryBatchBuilder()
  #at: number
  /** Edge of the tile that `#at` lies in; undefined: to be asked for. */
  #prior: RightEdge | undefined
  /** Root of the first `#at` entries, once some were read. */
  #root: Hash | undefined

  /** `prior` is the edge of the tile that `start` lies in, if it is known. */
  constructor(
    branch: BranchId,
    tree: Head,
    { start, end, wantsBodies }: Stretch,
    prior?: RightEdge,
  ) {
    this.#branch = branch
    this.#tree = tree
    this.#at = start
    this.#end = end
    this.#wantsBodies = wantsBodies
    this.#prior = packageAlignedStart(start) === start ? RightEdge.empty() : prior
  }

  get tree(): Head {
    return this.#tree
  }

  get isDone(): boolean {
    return this.#at >= this.#end && this.#prior !== undefined
  }

  /** What to ask for next. */
  get question(): Stretch {
    if (this.#prior === undefined) {
      return { start: packageAlignedStart(this.#at), end: this.#at, wantsBodies: false }
    }
    return { start: this.#at, end: this.#end, wantsBodies: this.#wantsBodies }
  }

  /**
   * The message in the verifier's frame, in answer to `question`. Undefined if it brought what had
   * to be known before.
   *
   * @throws {VerificationError} what the verifier throws
   * @throws {ProtocolError} `PROTOCOL_ERROR` for other entries than those that were asked for
   */
  take(verifier: EntriesVerifier): ReadEntries | undefined {
    const { start, end } = verifier.frame
    const question = this.question
    if (start !== question.start || end > question.end) {
      throw new ProtocolError('PROTOCOL_ERROR', 'entries that nobody asked for', { start, end })
    }
    if (this.#prior === undefined) {
      verifier.verify(this.#branch, this.#tree, RightEdge.empty())
      if (end === this.#at) this.#prior = verifier.tileEdge
      return undefined
    }
    verifier.verify(this.#branch, this.#tree, this.#prior)
    this.#prior = verifier.tileEdge
    this.#root = verifier.rootBefore(end)
    this.#at = end
    verifier.addTo(this.#builder, start)
    return { start, entries: this.#builder.build() }
  }

  /** Where a follow goes on: what was read last, and the edge that a proof will need. */
  get position(): FollowPosition | undefined {
    const root = this.#root ?? (this.#at === this.#tree.size ? this.#tree.root : undefined)
    if (root === undefined || this.#prior === undefined) return undefined
    return { size: this.#at, root, prior: this.#prior, head: this.#tree }
  }
}

/** A place from which entries can be followed: everything before it is verified. */
export interface FollowPosition {
  readonly size: number
  readonly root: Hash
  /** Edge of the tile that it lies in. */
  readonly prior: RightEdge
  /** The signed head under which it was read. */
  readonly head: Head
}

/**
 * Verifies the message in the verifier's frame as the continuation of `position`; returns the
 * position behind it. It may begin before the position, not behind it, and ends behind it. The
 * signature of `head` has been verified. `known` is the head in force, which the position may not
 * have reached yet: what passes its size must pass its root.
 *
 * @throws {VerificationError} what the verifier throws; `ROOT_MISMATCH` if the tree of the head
 * does not begin with what was read, or is not that of the head in force.
 * @throws {ProtocolError} `PROTOCOL_ERROR` for a gap
 */
export function continueFollow(
  verifier: EntriesVerifier,
  branch: BranchId,
  head: Head,
  { size, root, prior }: FollowPosition,
  known: Head | undefined,
): FollowPosition {
  const { start, end } = verifier.frame
  assert(end > size, 'it brings something')
  if (start > size) {
    throw new ProtocolError('PROTOCOL_ERROR', 'a gap in a follow', { start, size })
  }
  verifier.verify(branch, head, start === size ? prior : beginningOf(prior, start))
  const isPassed = known !== undefined && known.size > size && known.size <= end
  const isOther = isPassed
    ? !bytesEqual(verifier.rootBefore(known.size), known.root)
    : known?.size === head.size && !bytesEqual(known.root, head.root)
  if (isOther || !bytesEqual(verifier.rootBefore(size), root)) {
    const message = 'a head that does not continue what was read'
    throw new VerificationError('ROOT_MISMATCH', message, { size, headSize: head.size })
  }
  return { size: end, root: verifier.rootBefore(end), prior: verifier.tileEdge, head }
}

/** The edge of the same tile when it ended at `size`. */
function beginningOf(prior: RightEdge, size: number): RightEdge {
  const edge = RightEdge.empty()
  const count = size - packageAlignedStart(size)
  edge.append(prior.partialTile(0).subarray(0, count * HASH_BYTES))
  return edge
}
