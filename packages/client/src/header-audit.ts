/**
 * Checks a whole branch from its headers, in order: the tree they make, where each stands, and
 * which payloads they erase.
 *
 * Rules HM37-HM38 of docs/spec/home.md; EX8-EX9 of docs/spec/export.md.
 *
 * @module
 */
import {
  type BranchId,
  bytesEqual,
  checkHeaderPosition,
  decodeHeader,
  type FullTile,
  HASH_BYTES,
  type Head,
  type Header,
  hashLeafInto,
  RightEdge,
  VerificationError,
} from '@longshore/capsule'
import { RangeSet } from './range-set.ts'

const TILE_WIDTH = 256

export class HeaderAudit {
  /** Named by an erase entry of the branch. */
  readonly erased: RangeSet = new RangeSet()
  readonly #branch: BranchId
  readonly #edge: RightEdge = RightEdge.empty()
  readonly #onTiles: (full: readonly FullTile[]) => void
  readonly #hashes = new Uint8Array(TILE_WIDTH * HASH_BYTES)
  #hashCount = 0

  /** `onTiles` gets every full tile of the tree, when it is complete. */
  constructor(branch: BranchId, onTiles: (full: readonly FullTile[]) => void = () => {}) {
    this.#branch = branch
    this.#onTiles = onTiles
  }

  /** Headers seen. */
  get size(): number {
    return this.#edge.size + this.#hashCount
  }

  /**
   * The next header.
   *
   * @throws {VerificationError} `HEADER_INVALID`
   */
  add(bytes: Uint8Array): Header {
    const header = decodeHeader(bytes)
    const index = this.size
    checkHeaderPosition(header, this.#branch, index)
    const { control } = header.ext
    if (control?.type === 'erase') {
      for (const { start, end } of control.ranges) this.erased.add(start, end)
    }
    hashLeafInto(this.#hashes, this.#hashCount * HASH_BYTES, bytes)
    this.#hashCount++
    if (this.#hashCount === TILE_WIDTH) this.#flush()
    return header
  }

  /**
   * The finished tree, after the last header.
   *
   * @throws {VerificationError} `ROOT_MISMATCH` unless it is the tree of `head`.
   */
  finish(head: Head): RightEdge {
    this.#flush()
    const isEqual = this.#edge.size === head.size && bytesEqual(this.#edge.root(), head.root)
    if (isEqual) return this.#edge
    throw new VerificationError('ROOT_MISMATCH', 'the entries do not make the signed tree', {
      size: this.#edge.size,
      signedSize: head.size,
    })
  }

  #flush(): void {
    if (this.#hashCount === 0) return
    this.#onTiles(this.#edge.append(this.#hashes.subarray(0, this.#hashCount * HASH_BYTES)))
    this.#hashCount = 0
  }
}
