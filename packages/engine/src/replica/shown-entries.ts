/**
 * Entries of a branch that somebody else has shown, each verified under a head that the writer
 * signed. They are kept in memory until a damaged copy is written anew with them.
 *
 * Rule HM62 of docs/spec/home.md.
 *
 * @module
 */
import {
  type BranchId,
  type Head,
  manifestKey,
  ProtocolError,
  packageAlignedStart,
  RightEdge,
  type SignedManifest,
} from '@longshore/capsule'
import { EntriesVerifier, HeadVerifier } from './verify-entries.ts'

export interface ShownEntry {
  readonly header: Uint8Array
  /** Undefined if it was not shown. */
  readonly body: Uint8Array | undefined
  /** Whoever has shown it says that its payload was erased. */
  readonly isErased: boolean
}

/** Another copy of a branch, or a part of one. Everything in it is verified. */
export interface OtherCopy {
  /** Entries that are elsewhere, from the first one on. */
  readonly size: number
  /** Undefined if it was not shown. */
  entry(index: number): ShownEntry | undefined
}

export class ShownEntries implements OtherCopy {
  readonly #branch: BranchId
  readonly #heads: HeadVerifier
  readonly #verifier = new EntriesVerifier()
  readonly #entries = new Map<number, ShownEntry>()
  /** Where the message before ended, and the edge of the tile that it ended in. */
  #end = 0
  #edge: RightEdge = RightEdge.empty()
  #size = 0

  constructor({ name, manifest }: SignedManifest, branch: BranchId) {
    this.#branch = branch
    this.#heads = new HeadVerifier(name, branch, manifestKey(manifest, 'writer'))
  }

  get size(): number {
    return this.#size
  }

  /**
   * A message with entries, at the beginning of a tile or behind the message before. Its bytes are
   * kept.
   *
   * @throws {VerificationError} what the verifier throws
   * @throws {ProtocolError} `PROTOCOL_ERROR`, `FRAME_INVALID`
   */
  add(tree: Head, message: Uint8Array): void {
    const { frame } = this.#verifier
    frame.read(message)
    const { start, end } = frame
    const isAligned = start === packageAlignedStart(start)
    if (!isAligned && start !== this.#end) {
      throw new ProtocolError('PROTOCOL_ERROR', 'entries were left out', { start })
    }
    this.#heads.check(tree)
    this.#verifier.verify(this.#branch, tree, isAligned ? RightEdge.empty() : this.#edge)
    this.#edge = this.#verifier.tileEdge
    this.#end = end
    this.#size = Math.max(this.#size, tree.size)
    const { bytes, headerStart, headerEnd, bodyStart, bodyEnd, isErased } = frame
    for (let index = start; index < end; index++) {
      const i = index - start
      const header = bytes.subarray(headerStart[i], headerEnd[i])
      const from = bodyStart[i] as number
      const body = from === -1 ? this.#entries.get(index)?.body : bytes.subarray(from, bodyEnd[i])
      this.#entries.set(index, { header, body, isErased: isErased[i] === 1 })
    }
  }

  entry(index: number): ShownEntry | undefined {
    return this.#entries.get(index)
  }
}
