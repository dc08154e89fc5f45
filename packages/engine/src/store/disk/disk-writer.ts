/**
 * The writing store: which transactions form the next group, what is in flight, who is answered
 * what.
 *
 * How a group is written is in `journal-writer.ts`, what opening does in `recovery.ts`.
 *
 * Invariants:
 * 1. A group is written only while no sync is in flight, so at most one group is not durable.
 * 2. The committed state changes only in `#commit`, after the sync of the group (ST2).
 * 3. `#pending` is submitted and not written, `#inFlight` is written and not synced.
 * 4. After a failed sync or write nothing is written any more (JR10).
 *
 * Rules ST1 to ST7 and ST16 to ST18 of docs/spec/store.md, JR6 to JR10 of docs/spec/journal.md.
 *
 * @module
 */
import {
  assert,
  type CapsuleName,
  isLongshoreError,
  UnavailableError,
  UsageError,
} from '@longshore/capsule'
import { DiskError } from '../../runtime/disk.ts'
import { nameKey } from '../branch-key.ts'
import { runSlices, type Slices } from '../slices.ts'
import { StagedShape } from '../staged-shape.ts'
import type { Store, StoreEffect, StoreEvent, StoreOp } from '../store.ts'
import type { Branch } from './branch.ts'
import { type CompactReport, compactStore } from './compaction.ts'
import { DiskReads } from './disk-reads.ts'
import type { FsckReport } from './fsck-report.ts'
import type { JournalWriter, WrittenGroup } from './journal-writer.ts'
import { OpenedJournal } from './opened-journal.ts'
import { type PreparedRecord, preparedBytes, prepareRecords } from './prepared-record.ts'
import { RECORD_REMOVE } from './record.ts'
import { recover, type StoreParts } from './recovery.ts'
import { storeError } from './store-error.ts'
import { WatermarkFile } from './watermark.ts'

/** How far the index may fall behind if it cannot be written, in index flushes. */
const INDEX_LAG_MAX = 16
/** Signed manifests kept for deciding what fits. */
const MANIFESTS_MAX = 256

interface Transaction {
  readonly ticket: number
  readonly ops: readonly StoreOp[]
  readonly records: readonly PreparedRecord[]
  readonly byteLength: number
  /** Kept in memory until the transaction is answered. */
  readonly branches: readonly Branch[]
}

interface Group {
  readonly token: number
  readonly transactions: readonly Transaction[]
  readonly records: readonly PreparedRecord[]
  readonly written: WrittenGroup
}

export class DiskWriter extends DiskReads implements Store {
  readonly #parts: StoreParts
  readonly #watermark: WatermarkFile
  readonly #staged: StagedShape
  readonly #manifests = new Map<string, Uint8Array>()
  #journal: OpenedJournal
  #writer: JournalWriter
  #pending: Transaction[] = []
  #inFlight: Group | undefined
  #flushWanted = false
  #lastToken = 0
  /** Journal bytes that the index does not cover. */
  #unflushedBytes: number
  /** `#unflushedBytes` at which the index is written next. */
  #flushAt: number
  #ended: 'CLOSED' | 'STORE_FAILED' | undefined
  #compaction: Slices<CompactReport> | undefined
  /** Some places of a segment are those of its new file, others not yet. */
  #isMoving = false

  constructor(parts: StoreParts) {
    super()
    this.#parts = parts
    this.#watermark = new WatermarkFile(parts.disk, parts.runtime.bootId)
    const { files, state, writer, unflushedBytes } = recover(parts, this.#watermark)
    this.#journal = new OpenedJournal(files, state, writer.position)
    this.#writer = writer
    this.#unflushedBytes = unflushedBytes
    this.#flushAt = parts.limits.indexFlushBytes
    this.#staged = new StagedShape({
      manifest: (name) => this.#manifestOf(name),
      state: (name, branch) => this.state(name, branch),
    })
    if (unflushedBytes >= this.#flushAt) this.#flushIndex()
  }

  step(event: StoreEvent): StoreEffect[] {
    this.#checkOpen()
    switch (event.type) {
      case 'submit':
        return this.#submit(event.ticket, event.ops)
      case 'flush':
        if (this.#inFlight === undefined) return this.#beginGroup()
        this.#flushWanted = true
        return []
      case 'synced':
        return this.#commit(event.token)
      case 'sync-failed':
        this.#takeInFlight(event.token)
        return [this.#fail(event.error)]
      case 'refresh':
        return []
    }
  }

  close(): void {
    assert(this.#inFlight === undefined, 'no sync is in flight at close')
    if (this.#ended === undefined) {
      if (this.#unflushedBytes > 0 && !this.#isMoving) this.#flushIndex()
      this.#writer.trim()
    }
    if (this.#ended !== 'CLOSED') {
      this.#watermark.close()
      this.#journal.files.close()
    }
    this.#ended = 'CLOSED'
  }

  compact(): CompactReport {
    return runSlices(this.compactInSlices())
  }

  /** Rewrites sealed segments without what was erased. Nothing may be in flight at a slice. */
  *compactInSlices(): Slices<CompactReport> {
    const { files, state } = this.journal
    assert(this.#compaction === undefined, 'one compaction at a time')
    const work = compactStore({
      files,
      state,
      writer: this.#writer,
      runtime: this.#parts.runtime,
      sealed: () => this.#moveWatermark(),
      flushIndex: () => {
        const failure = this.#flushIndex()
        if (failure !== undefined) throw indexError(failure)
      },
      moving: (isMoving) => {
        this.#isMoving = isMoving
      },
      sliceBytes: this.#parts.limits.sliceBytes,
    })
    this.#compaction = work
    let isGivenUp = true
    try {
      for (;;) {
        this.#checkOpen()
        assert(this.#inFlight === undefined, 'compaction waits for the sync in flight')
        const slice = work.next()
        isGivenUp = slice.done !== true
        if (slice.done === true) return slice.value
        yield
      }
    } catch (error) {
      isGivenUp = false
      // What is half moved must never reach the index: opening the store again reads it anew.
      const isFatal = error instanceof DiskError && error.code !== 'FULL'
      if ((isFatal || this.#isMoving) && this.#ended === undefined) this.#fail(error)
      throw storeError(error)
    } finally {
      this.#compaction = undefined
      if (isGivenUp) this.#giveUp(work)
    }
  }

  /** What is half moved is moved first, if that can be done now. */
  #giveUp(work: Slices<CompactReport>): void {
    try {
      while (this.#isMoving && this.#inFlight === undefined && this.#ended === undefined) {
        work.next()
      }
    } catch (error) {
      if (this.#ended === undefined) this.#fail(error)
    }
    work.return(undefined as never)
    if (this.#isMoving && this.#ended === undefined) this.#fail('a compaction was given up')
  }

  /** Reads and verifies everything; with `repair` with an index that is built anew. */
  fsck(options: { readonly repair?: boolean } = {}): FsckReport {
    return runSlices(this.fsckInSlices(options))
  }

  *fsckInSlices(options: { readonly repair?: boolean } = {}): Slices<FsckReport> {
    assert(this.#compaction === undefined, 'fsck waits for the compaction under way')
    if (options.repair === true) this.attempt(() => this.#rebuildIndex())
    return yield* this.checkInSlices(this.#parts.limits.sliceBytes)
  }

  /** Forgets the index and reads the whole journal. */
  #rebuildIndex(): void {
    const { files } = this.journal
    assert(this.#inFlight === undefined, 'repair waits for the sync in flight')
    this.#writer.trim()
    files.close()
    this.#watermark.close()
    const recovered = recover(this.#parts, this.#watermark, true)
    this.#writer = recovered.writer
    this.#journal = new OpenedJournal(recovered.files, recovered.state, recovered.writer.position)
    this.#unflushedBytes = recovered.unflushedBytes
    this.#manifests.clear()
    this.#flushIndex()
    // What was prepared for the old state finds its branches in the new one when it is applied.
    this.#staged.reset(this.#pending.map(({ ops }) => ops))
  }

  protected override get sliceBytes(): number {
    return this.#parts.limits.sliceBytes
  }

  protected override get journal(): OpenedJournal {
    this.#checkOpen()
    return this.#journal
  }

  protected override lookAgain(): boolean {
    return false
  }

  #submit(ticket: number, ops: readonly StoreOp[]): StoreEffect[] {
    try {
      this.#checkAcceptable(ops)
      this.#staged.stage(ops)
    } catch (error) {
      return [refusal(ticket, error)]
    }
    try {
      this.#pending.push(this.#prepare(ticket, ops))
      return []
    } catch (error) {
      const waiting = [...(this.#inFlight?.transactions ?? []), ...this.#pending]
      this.#staged.reset(waiting.map((transaction) => transaction.ops))
      return [refusal(ticket, error)]
    }
  }

  /** What this engine refuses besides what does not fit. */
  #checkAcceptable(ops: readonly StoreOp[]): void {
    let byteLength = 0
    let removed: Set<string> | undefined
    for (const op of ops) {
      if (op.type === 'remove') removed = (removed ?? new Set()).add(nameKey(op.name))
      if (op.type === 'manifest') byteLength += op.signed.length
      if (op.type === 'payload') byteLength += op.body.length
      if (op.type !== 'append') continue
      byteLength += op.entries.frames.length
      if (this.#staged.isRemoved(op.name) || removed?.has(nameKey(op.name))) continue
      if (this.#journal.state.find(op.name, op.branch)?.isDamaged === true) {
        const message = 'a part of this branch was lost in damage, so nothing is appended to it'
        throw new UnavailableError('STORE_CORRUPT', message)
      }
    }
    const { transactionBytesMax } = this.#parts.limits
    if (byteLength <= transactionBytesMax) return
    const details = { byteLength, byteLengthMax: transactionBytesMax }
    throw new UsageError('USAGE', 'a transaction is too large for the journal', details)
  }

  #prepare(ticket: number, ops: readonly StoreOp[]): Transaction {
    const records: PreparedRecord[] = []
    const branches: Branch[] = []
    for (const op of ops) {
      if (!this.#isChange(op)) continue
      for (const record of prepareRecords(op)) records.push(record)
      if (op.type === 'manifest' || op.type === 'note' || op.type === 'remove') continue
      const branch = this.#journal.state.open(op.name, op.branch)
      if (op.type === 'append') branch.prepareAppend()
      branches.push(branch)
    }
    for (const branch of branches) branch.pins++
    return { ticket, ops, records, byteLength: preparedBytes(records), branches }
  }

  /** False for what is committed already (ST7, ST10). */
  #isChange(op: StoreOp): boolean {
    const { state, entries } = this.#journal
    if ((op.type === 'manifest' || op.type === 'payload') && this.#staged.isRemoved(op.name)) {
      return true
    }
    if (op.type === 'manifest') return !this.#hasManifest(op.name)
    if (op.type !== 'payload') return true
    const branch = state.find(op.name, op.branch)
    if (branch === undefined || op.index >= branch.size) return true
    return this.attempt(() => entries.payloadState(branch, op.index)) === 'absent'
  }

  /** False also for one that lies in damage: it is written again. */
  #hasManifest(name: CapsuleName): boolean {
    try {
      return this.manifest(name) !== undefined
    } catch (error) {
      if (error instanceof UnavailableError && error.code === 'STORE_CORRUPT') return false
      throw error
    }
  }

  #beginGroup(): StoreEffect[] {
    if (this.#pending.length === 0) return []
    const taken = this.#countForGroup()
    const transactions = this.#pending.slice(0, taken)
    const records = transactions.flatMap((transaction) => transaction.records)
    let written: WrittenGroup
    try {
      this.#checkIndexKeepsUp()
      if (records.some(({ type }) => type === RECORD_REMOVE)) this.#watermark.guard()
      written = this.#writer.write(records)
    } catch (error) {
      const isRefusal = error instanceof UnavailableError
      if (isRefusal || (error instanceof DiskError && error.code === 'FULL')) {
        // A new segment may have begun before the disk was full.
        this.#moveWatermark()
        return this.#refuseAll(storeError(error) as Error)
      }
      if (error instanceof DiskError) return [this.#fail(error)]
      throw error
    }
    this.#pending = this.#pending.slice(taken)
    // The rest of what this flush asked for follows without another one.
    this.#flushWanted = this.#pending.length > 0
    const token = ++this.#lastToken
    this.#inFlight = { token, transactions, records, written }
    return [{ type: 'sync', token, file: written.file }]
  }

  /** How many of the waiting transactions fit into one group: at least one. */
  #countForGroup(): number {
    let byteLength = 0
    for (const [i, transaction] of this.#pending.entries()) {
      byteLength += transaction.byteLength
      if (i > 0 && byteLength > this.#parts.limits.groupBytesMax) return i
    }
    return this.#pending.length
  }

  /** Those behind the first one were judged as if it had been written. */
  #refuseAll(error: Error): StoreEffect[] {
    const refused = this.#pending
    this.#pending = []
    this.#flushWanted = false
    this.#staged.reset([])
    for (const transaction of refused) unpin(transaction)
    return refused.map(({ ticket }) => ({ type: 'refused', ticket, error }))
  }

  #commit(token: number): StoreEffect[] {
    const { transactions, records, written } = this.#takeInFlight(token)
    const { segment, offset } = written.position
    records.forEach((record, i) => {
      const place = { segment, generation: 0, offset: written.offsets[i] as number }
      record.apply(this.#journal.state, place)
    })
    this.#unflushedBytes += offset - (written.offsets[0] ?? offset)
    this.#moveWatermark()
    for (const transaction of transactions) {
      unpin(transaction)
      for (const op of transaction.ops) {
        if (op.type === 'manifest') this.#keepManifest(op)
        if (op.type === 'remove') this.#manifests.delete(nameKey(op.name))
      }
    }
    this.#staged.reset(this.#pending.map(({ ops }) => ops))
    if (this.#unflushedBytes >= this.#flushAt && !this.#isMoving) this.#flushIndex()
    const tickets = transactions.map(({ ticket }) => ticket)
    const wanted = this.#flushWanted
    this.#flushWanted = false
    return [{ type: 'committed', tickets }, ...(wanted ? this.#beginGroup() : [])]
  }

  #takeInFlight(token: number): Group {
    const group = this.#inFlight
    assert(group?.token === token, 'a driver answers the sync that is in flight')
    this.#inFlight = undefined
    return group
  }

  /** Everything that was written is durable: says so to readers and to the next opening. */
  #moveWatermark(): void {
    this.#journal.position = this.#writer.position
    try {
      this.#watermark.write(this.#writer.position, this.#writer.segmentId)
    } catch (error) {
      if (!(error instanceof DiskError)) throw error
      // Nothing is lost: other processes see later what is durable now.
      this.#parts.runtime.log('warn', 'store.watermark-unwritable', { reason: error.message })
    }
  }

  /** Returns why it failed, if it did: then it is tried again after as much journal. */
  #flushIndex(): unknown {
    const { state, position } = this.#journal
    const failure = state.flush(position, this.#writer.segmentId)
    const { indexFlushBytes } = this.#parts.limits
    if (failure === undefined) this.#unflushedBytes = 0
    else this.#parts.runtime.log('warn', 'store.index-unwritable', { reason: String(failure) })
    this.#flushAt = this.#unflushedBytes + indexFlushBytes
    return failure
  }

  /** Changes wait in memory for the index, and memory is not endless. */
  #checkIndexKeepsUp(): void {
    if (this.#unflushedBytes < INDEX_LAG_MAX * this.#parts.limits.indexFlushBytes) return
    // Without another slice between: memory is not endless.
    while (this.#isMoving) this.#compaction?.next()
    const failure = this.#flushIndex()
    if (failure !== undefined) throw indexError(failure)
  }

  #manifestOf(name: CapsuleName): Uint8Array | undefined {
    const known = this.#manifests.get(nameKey(name))
    if (known !== undefined) return known
    const signed = this.manifest(name)
    if (signed !== undefined) this.#keepManifest({ name, signed })
    return signed
  }

  #keepManifest({ name, signed }: { name: CapsuleName; signed: Uint8Array }): void {
    if (this.#manifests.size >= MANIFESTS_MAX) this.#manifests.clear()
    this.#manifests.set(nameKey(name), signed)
  }

  #fail(cause: unknown): StoreEffect {
    this.#ended = 'STORE_FAILED'
    const message = 'a write could not be made durable'
    this.#parts.runtime.log('error', 'store.failed', { reason: String(cause) })
    const error = new UnavailableError('STORE_FAILED', message, undefined, { cause })
    return { type: 'failed', error }
  }

  #checkOpen(): void {
    if (this.#ended === 'CLOSED') throw new UnavailableError('CLOSED', 'the store is closed')
    if (this.#ended === 'STORE_FAILED') {
      throw new UnavailableError('STORE_FAILED', 'a write of this store could not be made durable')
    }
  }
}

function unpin(transaction: Transaction): void {
  for (const branch of transaction.branches) branch.pins--
}

function refusal(ticket: number, error: unknown): StoreEffect {
  if (!isLongshoreError(error)) throw error
  return { type: 'refused', ticket, error }
}

/** That there is no room is said as such: somebody can make some. */
function indexError(cause: unknown): UnavailableError {
  if (cause instanceof UnavailableError && cause.code === 'STORE_FULL') return cause
  const message = 'the index cannot be written'
  return new UnavailableError('STORE_IO', message, { reason: String(cause) }, { cause })
}
