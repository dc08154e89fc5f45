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
 * The second pass reads the files again (exported-entries.ts). What has rotted here is mended first
 * (import-mending.ts). Rules EX14-EX18 of docs/spec/export.md.
 *
 * @module
 */
import {
  asSignature,
  decodeHeader,
  ERASE_RANGES_MAX,
  formatName,
  type Head,
  MAIN_BRANCH,
  type RightEdge,
  SIGNATURE_BYTES,
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
import type { WriteDriver } from '../../write-driver.ts'
import { ExportedEntries } from './exported-entries.ts'
import { checkImportFits, type ImportBase } from './import-fit.ts'
import { mendFromExport } from './import-mending.ts'
import type { VerifiedDirectory } from './verify-directory.ts'

const TILE_WIDTH = 256
/** One transaction of the import. */
const STEP_BYTES_MAX = 4_194_304

/** Stands where a head is needed that nobody signed; never shown to anybody. */
const NO_SIGNATURE = asSignature(new Uint8Array(SIGNATURE_BYTES))

export interface ImportContext {
  readonly store: StoreReader
  readonly driver: WriteDriver
  /** The capsule's writer is this home's own: its state changes under it. */
  readonly isOwn: boolean
  /** Something of the capsule has rotted here. */
  readonly isDamaged: () => Promise<boolean>
  /** Entries that this machine has signed, as far as it knows. */
  readonly signedSize: () => number
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
  const entries = new ExportedEntries(verified)
  const isDamaged = await context.isDamaged()
  const entriesMended = isDamaged ? await mendFromExport(verified, entries, context) : 0
  const base = checkImportFits(context.store, verified)
  const importer = new Importer(verified, entries, context, base)
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
    entriesMended,
    erased: verified.erased.count,
  }
}

class Importer {
  readonly #verified: VerifiedDirectory
  readonly #context: ImportContext
  readonly #base: ImportBase
  readonly #entries: ExportedEntries

  constructor(
    verified: VerifiedDirectory,
    entries: ExportedEntries,
    context: ImportContext,
    base: ImportBase,
  ) {
    this.#verified = verified
    this.#entries = entries
    this.#context = context
    this.#base = base
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
    const bytes = this.#entries.header(index)
    const header = decodeHeader(bytes)
    builder.addEncoded(bytes, header.timeUs, this.#entries.body(header, index))
  }

  #fillOps(start: number, end: number): StoreOp[] {
    const { name } = this.#verified.directory.signed
    const ops: StoreOp[] = []
    for (const stored of this.#context.store.scan(name, MAIN_BRANCH, { start, end })) {
      const { index, state } = stored
      if (state !== 'absent' || this.#verified.erased.has(index)) continue
      const body = this.#entries.entry(index)?.body
      if (body === undefined) continue
      ops.push({ type: 'payload', name, branch: MAIN_BRANCH, index, body })
    }
    return ops
  }
}
