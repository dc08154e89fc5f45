/**
 * Looks at all headers of a branch, in order: may each stand where it stands, and which payloads
 * do they erase? That they belong to the signed tree has been verified before.
 *
 * Rules HM37-HM38 of docs/spec/home.md; EX8-EX9 of docs/spec/export.md.
 *
 * @module
 */
import { type BranchId, checkHeaderPosition, decodeHeader, type Header } from '@longshore/capsule'
import { RangeSet } from '@longshore/engine'

export class HeaderAudit {
  /** Named by an erase entry of the branch. */
  readonly erased: RangeSet = new RangeSet()
  readonly #branch: BranchId
  #size = 0

  constructor(branch: BranchId) {
    this.#branch = branch
  }

  /** Headers seen. */
  get size(): number {
    return this.#size
  }

  /**
   * The next header.
   *
   * @throws {VerificationError} `HEADER_INVALID`
   */
  add(bytes: Uint8Array): Header {
    const header = decodeHeader(bytes)
    checkHeaderPosition(header, this.#branch, this.#size)
    this.#size++
    const { control } = header.ext
    if (control?.type === 'erase') {
      for (const { start, end } of control.ranges) this.erased.add(start, end)
    }
    return header
  }
}
