/**
 * The entries of an export that was verified, read again one by one.
 *
 * Every header is compared with the verified tree once more, so files that change meanwhile do no
 * harm. Rule EX18 of docs/spec/export.md.
 *
 * @module
 */
import {
  bytesEqual,
  decodeHeader,
  HASH_BYTES,
  type Header,
  hashLeaf,
  VerificationError,
} from '@longshore/capsule'
import type { OtherCopy, ShownEntry } from '@longshore/engine'
import { openBodyOf } from '../../verified-entry.ts'
import { VerifiedTiles } from '../../verified-tiles.ts'
import { invalid } from './tile-directory.ts'
import type { VerifiedDirectory } from './verify-directory.ts'

const TILE_WIDTH = 256
const TILE_CACHE_BYTES = 4_194_304

export class ExportedEntries implements OtherCopy {
  readonly #verified: VerifiedDirectory
  /** Authenticated again as they are used. */
  readonly #tiles: VerifiedTiles
  #lastBundle: { readonly n: number; readonly headers: readonly Uint8Array[] } | undefined

  constructor(verified: VerifiedDirectory) {
    this.#verified = verified
    this.#tiles = new VerifiedTiles(verified.directory, TILE_CACHE_BYTES)
    this.#tiles.believe(verified.edge)
  }

  get size(): number {
    return this.#verified.directory.size
  }

  entry(index: number): ShownEntry | undefined {
    if (index >= this.size) return undefined
    const header = this.header(index)
    const body = this.body(decodeHeader(header), index)
    return { header, body, isErased: body === undefined }
  }

  /** A header of the signed tree, or an error. */
  header(index: number): Uint8Array {
    const n = Math.floor(index / TILE_WIDTH)
    const at = index - n * TILE_WIDTH
    const bytes = this.#bundle(n)[at]
    const expected = this.#tiles.wholeTile(0, n).subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES)
    if (bytes === undefined || !bytesEqual(hashLeaf(bytes), expected)) {
      const message = 'an entry changed while it was imported'
      throw new VerificationError('ROOT_MISMATCH', message, { index })
    }
    return bytes
  }

  /** Undefined if it was erased. */
  body(header: Header, index: number): Uint8Array | undefined {
    if (this.#verified.erased.has(index)) return undefined
    const body = this.#verified.directory.body(header.payloadHash)
    if (body === undefined) throw invalid(`the payload of entry ${index} is missing`, 'payload')
    openBodyOf(index, header, body)
    return body
  }

  #bundle(n: number): readonly Uint8Array[] {
    if (this.#lastBundle?.n !== n) {
      this.#lastBundle = { n, headers: this.#verified.directory.headers(n) }
    }
    return this.#lastBundle.headers
  }
}
