/**
 * Bringing an export into this home.
 *
 * Everything in the directory is verified before anything is stored. Then it must fit what is
 * here: one of the two histories must be the beginning of the other, else the writer signed two,
 * and the evidence is in the error (import-fit.ts). Entries are stored in steps of a few MiB;
 * only the last step has a head that the writer signed, so until then a note keeps the head from
 * before in force (committed-head.ts), and an import that was interrupted goes on where it
 * stopped.
 *
 * The second pass reads the files again and compares every header with the tree that was
 * verified, so files that change meanwhile do no harm. Rules EX14-EX18 of docs/spec/export.md.
 *
 * @module
 */
import {
  asSignature,
  bytesEqual,
  decodeHeader,
  ERASE_RANGES_MAX,
  formatName,
  HASH_BYTES,
  type Head,
  type Header,
  hashLeaf,
  MAIN_BRANCH,
  type RightEdge,
  SIGNATURE_BYTES,
  VerificationError,
} from '@longshore/capsule'
import {
  createGiveUpNote,
  EntryBatchBuilder,
  type IndexRange,
  pendingImportOp,
  type StoreOp,
  type StoreReader,
} from '@longshore/engine'
import { checkNotAborted } from '../../commit-signal.ts'
import type { ImportReport } from '../../home.ts'
import { openBodyOf } from '../../verified-entry.ts'
import { VerifiedTiles } from '../../verified-tiles.ts'
import type { WriteDriver } from '../../write-driver.ts'
import { checkImportFits, type ImportBase } from './import-fit.ts'
import { invalid } from './tile-directory.ts'
import type { VerifiedDirectory } from './verify-directory.ts'

const TILE_WIDTH = 256
/** One transaction of the import. */
const STEP_BYTES_MAX = 4_194_304
const TILE_CACHE_BYTES = 4_194_304

/** Stands where a head is needed that nobody signed; never shown to anybody. */
const NO_SIGNATURE = asSignature(new Uint8Array(SIGNATURE_BYTES))

export interface ImportContext {
  readonly store: StoreReader
  readonly driver: WriteDriver
  /** The capsule's writer is this home's own: its state changes under it. */
  readonly isOwn: boolean
}

/**
 * Stores what this home lacks. There must be no writer of the capsule at work.
 *
 * @throws {VerificationError} `EQUIVOCATION` with `details.evidence`, and what
 * `verifyTileDirectory` throws.
 */
export async function importVerified(
  verified: VerifiedDirectory,
  context: ImportContext,
  signal?: AbortSignal,
): Promise<ImportReport> {
  const base = checkImportFits(context.store, verified)
  const importer = new Importer(verified, context, base)
  const entriesAdded = await importer.addEntries(signal)
  const payloadsAdded = await importer.fillHoles(signal)
  if (entriesAdded === 0) await importer.applyErasures()
  const { name } = verified.directory.signed
  return {
    name,
    text: formatName(name),
    size: Math.max(base.size, verified.directory.size),
    entriesAdded,
    payloadsAdded,
    erased: verified.erased.count,
  }
}

class Importer {
  readonly #verified: VerifiedDirectory
  readonly #context: ImportContext
  readonly #base: ImportBase
  /** Of the directory, authenticated again as they are used. */
  readonly #tiles: VerifiedTiles
  #lastBundle: { readonly n: number; readonly headers: readonly Uint8Array[] } | undefined

  constructor(verified: VerifiedDirectory, context: ImportContext, base: ImportBase) {
    this.#verified = verified
    this.#context = context
    this.#base = base
    this.#tiles = new VerifiedTiles(verified.directory, TILE_CACHE_BYTES)
    this.#tiles.believe(verified.edge)
  }

  /** Entries from the base to the end of the directory, in steps. Returns how many. */
  async addEntries(signal: AbortSignal | undefined): Promise<number> {
    const { head, signed } = this.#verified.directory
    const { store, driver, isOwn } = this.#context
    const isKnown = store.manifest(signed.name) !== undefined
    let opening: StoreOp[] = isKnown
      ? []
      : [{ type: 'manifest', name: signed.name, signed: signed.signed }]
    if (this.#base.size >= head.size) {
      if (opening.length > 0) await driver.submit(opening)
      return 0
    }
    if (isOwn) opening.push(createGiveUpNote(signed.name, MAIN_BRANCH))
    const edge = this.#base.edge
    const builder = new EntryBatchBuilder()
    let isStepwise = this.#base.isPending
    for (let index = edge.size; index < head.size; index++) {
      if (index % TILE_WIDTH === 0) checkNotAborted(signal)
      this.#addEntry(builder, index)
      const isLast = index + 1 === head.size
      if (!isLast && builder.framesBytes < STEP_BYTES_MAX) continue
      const ops = [...opening, this.#step(builder, edge, isLast)]
      opening = []
      if (!isLast && !isStepwise) ops.unshift(this.#beginOp())
      if (isLast && isStepwise) ops.push(pendingImportOp(signed.name, MAIN_BRANCH, undefined))
      if (isLast) ops.push(...this.#eraseOps(this.#verified.erased.ranges))
      isStepwise = true
      await driver.submit(ops)
    }
    return head.size - this.#base.size
  }

  /** Payloads that this home lacked for entries that it had. Returns how many. */
  async fillHoles(signal: AbortSignal | undefined): Promise<number> {
    const end = Math.min(this.#base.size, this.#verified.directory.size)
    let count = 0
    for (let start = 0; start < end; start += TILE_WIDTH) {
      checkNotAborted(signal)
      const ops = this.#fillOps(start, Math.min(end, start + TILE_WIDTH))
      count += ops.length
      if (ops.length > 0) await this.#context.driver.submit(ops)
      else await new Promise((resolve) => setImmediate(resolve))
    }
    return count
  }

  /** For a home that had all entries: what they erase is erased here too. */
  async applyErasures(): Promise<void> {
    const { name } = this.#verified.directory.signed
    const { store, driver } = this.#context
    const open = this.#verified.erased.ranges.filter((range) => {
      for (const { state } of store.scan(name, MAIN_BRANCH, range)) {
        if (state !== 'erased') return true
      }
      return false
    })
    if (open.length > 0) await driver.submit(this.#eraseOps(open))
  }

  #eraseOps(ranges: readonly IndexRange[]): StoreOp[] {
    const { name } = this.#verified.directory.signed
    const ops: StoreOp[] = []
    for (let at = 0; at < ranges.length; at += ERASE_RANGES_MAX) {
      const part = ranges.slice(at, at + ERASE_RANGES_MAX)
      ops.push({ type: 'erase', name, branch: MAIN_BRANCH, ranges: part })
    }
    return ops
  }

  #beginOp(): StoreOp {
    const { name } = this.#verified.directory.signed
    const pending = { before: this.#base.head, target: this.#verified.directory.head }
    return pendingImportOp(name, MAIN_BRANCH, pending)
  }

  #step(builder: EntryBatchBuilder, edge: RightEdge, isLast: boolean): StoreOp {
    const { signed, head: target } = this.#verified.directory
    const start = edge.size
    const entries = builder.build()
    const tiles = edge.append(entries.leafHashes)
    const between = { branch: MAIN_BRANCH, epoch: target.epoch, signature: NO_SIGNATURE }
    const head: Head = isLast ? target : { ...between, size: edge.size, root: edge.root() }
    return { type: 'append', name: signed.name, branch: MAIN_BRANCH, start, entries, tiles, head }
  }

  #addEntry(builder: EntryBatchBuilder, index: number): void {
    const bytes = this.#headerBytes(index)
    const header = decodeHeader(bytes)
    const body = this.#verified.erased.has(index) ? undefined : this.#body(header, index)
    builder.addEncoded(bytes, header.timeUs, body)
  }

  /** A header of the signed tree, or an error. */
  #headerBytes(index: number): Uint8Array {
    const n = Math.floor(index / TILE_WIDTH)
    const at = index - n * TILE_WIDTH
    const bytes = this.#bundle(n)[at]
    const expected = this.#tiles.wholeTile(0, n).subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES)
    if (bytes === undefined || !bytesEqual(hashLeaf(bytes), expected)) {
      throw new VerificationError('ROOT_MISMATCH', 'an entry changed while it was imported', {
        index,
      })
    }
    return bytes
  }

  #bundle(n: number): readonly Uint8Array[] {
    if (this.#lastBundle?.n !== n) {
      this.#lastBundle = { n, headers: this.#verified.directory.headers(n) }
    }
    return this.#lastBundle.headers
  }

  #body(header: Header, index: number): Uint8Array {
    const body = this.#verified.directory.body(header.payloadHash)
    if (body === undefined) throw invalid(`the payload of entry ${index} is missing`, 'payload')
    openBodyOf(index, header, body)
    return body
  }

  #fillOps(start: number, end: number): StoreOp[] {
    const { name } = this.#verified.directory.signed
    const ops: StoreOp[] = []
    for (const stored of this.#context.store.scan(name, MAIN_BRANCH, { start, end })) {
      const { index, state } = stored
      if (state !== 'absent' || this.#verified.erased.has(index)) continue
      const body = this.#body(decodeHeader(this.#headerBytes(index)), index)
      ops.push({ type: 'payload', name, branch: MAIN_BRANCH, index, body })
    }
    return ops
  }
}
