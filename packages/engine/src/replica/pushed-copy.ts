/**
 * A peer shows that it holds what is damaged here, by sending all of it: from the first entry on,
 * every payload that is not erased, under heads that the writer signed. Nothing of it is stored.
 *
 * Where no other mirror is, this is what lets a damaged copy be given up: afterwards the same peer
 * fills it again. Rule MI31 of docs/spec/mirror.md.
 *
 * @module
 */
import {
  type BranchId,
  bytesEqual,
  manifestKey,
  ProtocolError,
  packageAlignedStart,
  RightEdge,
  type SignedManifest,
  UnavailableError,
  VerificationError,
} from '@longshore/capsule'
import type { IndexRange } from '../store/store.ts'
import { RangeSet } from './range-set.ts'
import type { StatedTree } from './removal.ts'
import { type EntriesVerifier, HeadVerifier } from './verify-entries.ts'

export interface WantedCopy {
  /** Entries that it must have at least. */
  readonly size: number
  /** The tree that was stated last. */
  readonly stated: StatedTree | undefined
  /** Payloads that are missing here too. */
  readonly holes: readonly IndexRange[]
}

export class PushedCopy {
  readonly #branch: BranchId
  readonly #wanted: WantedCopy
  readonly #heads: HeadVerifier
  readonly #edge = RightEdge.empty()
  /** Edge of the tile that the next entry goes to. */
  #tile: RightEdge = RightEdge.empty()
  readonly #holes = new RangeSet()
  readonly #erased = new RangeSet()
  #isWhole = false

  constructor({ name, manifest }: SignedManifest, branch: BranchId, wanted: WantedCopy) {
    this.#branch = branch
    this.#wanted = wanted
    this.#heads = new HeadVerifier(name, branch, manifestKey(manifest, 'writer'))
  }

  /** Everything that is wanted has come. */
  get isWhole(): boolean {
    return this.#isWhole
  }

  /**
   * The message in the verifier's frame.
   *
   * @throws {VerificationError} what the verifiers throw; `ROOT_MISMATCH` for another history than
   * the one that was stated here
   * @throws {ProtocolError} `PROTOCOL_ERROR` for entries that leave a gap
   * @throws {UnavailableError} `PAYLOAD_ABSENT` if the last entry of the peer has come, and a
   * payload has not
   */
  accept(verifier: EntriesVerifier): void {
    const head = this.#heads.open(verifier.frame.head)
    const { start, end } = verifier.frame
    const { size } = this.#edge
    if (start !== size) {
      throw new ProtocolError('PROTOCOL_ERROR', 'entries were left out', { start, size })
    }
    const isAligned = start === packageAlignedStart(start)
    const { erasures, holes } = verifier.verify(
      this.#branch,
      head,
      isAligned ? RightEdge.empty() : this.#tile,
    )
    this.#checkRoot(verifier, size, this.#edge.root())
    const { stated } = this.#wanted
    if (stated !== undefined && start <= stated.size && stated.size <= end) {
      this.#checkRoot(verifier, stated.size, stated.root)
    }
    this.#edge.append(verifier.leafHashesFrom(start))
    this.#tile = verifier.tileEdge
    for (const range of holes) this.#holes.add(range.start, range.end)
    for (const range of erasures) this.#erased.add(range.start, range.end)
    if (this.#edge.size >= this.#wanted.size) this.#checkPayloads(this.#edge.size >= head.size)
  }

  #checkRoot(verifier: EntriesVerifier, size: number, root: Uint8Array): void {
    if (size === 0 || bytesEqual(verifier.rootBefore(size), root)) return
    const message = 'the head does not continue what was stated here'
    throw new VerificationError('ROOT_MISMATCH', message, { size })
  }

  /** What is missing may be erased by an entry that is still to come, if there are any. */
  #checkPayloads(isLast: boolean): void {
    for (const { start, end } of this.#erased.ranges) this.#holes.remove(start, end)
    for (const { start, end } of this.#wanted.holes) this.#holes.remove(start, end)
    const index = this.#holes.first
    this.#isWhole = index === undefined
    if (index === undefined || !isLast) return
    const message = `the payload of entry ${index} is missing there, too`
    throw new UnavailableError('PAYLOAD_ABSENT', message, { index })
  }
}
