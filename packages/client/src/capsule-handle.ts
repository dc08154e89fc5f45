/**
 * The class behind `Capsule`: verified reading on one side, a writer (here or in another
 * process) on the other. Decides nothing about bytes; holds no resources but listeners.
 *
 * Rules HM20-HM39 of docs/spec/home.md.
 *
 * @module
 */
import {
  type BranchId,
  type CapsuleName,
  createReceipt,
  formatCheckpoint,
  formatName,
  type Head,
  isLongshoreError,
  MAIN_BRANCH,
  type Manifest,
  manifestKey,
  proveInclusion,
  RECEIPT_BODY_BYTES_MAX,
  type RoleKey,
  type SignedManifest,
  UnavailableError,
  UsageError,
} from '@longshore/capsule'
import type { MirrorReceipt, StoreReader } from '@longshore/engine'
import { type AppendTerms, checkPayload, checkTerms } from './append-request.ts'
import { appendStream, type StreamSource } from './append-stream.ts'
import type {
  Ack,
  AppendOptions,
  Capsule,
  Entry,
  ExportReport,
  ReadOptions,
  VerifyReport,
} from './capsule.ts'
import { type CommitSignal, checkNotAborted } from './commit-signal.ts'
import { checkEraseRanges } from './erase-request.ts'
import type { HomeWriter } from './home-writer.ts'
import type { CosignedHead } from './network/stated-heads.ts'
import { resolveStart } from './read-range.ts'
import { VerifiedBranch } from './verified-branch.ts'
import type { VerifiedEntry } from './verified-entry.ts'
import { verifyCapsule } from './verify-capsule.ts'

/** What a handle needs of the home that it belongs to. */
export interface CapsuleContext {
  readonly reader: StoreReader
  readonly commits: CommitSignal
  /** Looks whether another process has committed something. */
  refresh(): void
  /** Whoever may write now; asked anew for every call. */
  writer(): Promise<HomeWriter>
  /** The same if it is at hand, to save the hot path a turn. */
  writerNow(): HomeWriter | undefined
  hasKey(name: CapsuleName): boolean
  /** Runs `action` in a later turn of the event loop. */
  defer(action: () => void): void
  /** The home's dealings with mirrors. */
  readonly network: HandleNetwork
  exportTiles(
    capsule: CapsuleHandle,
    directory: string,
    signal: AbortSignal | undefined,
  ): Promise<ExportReport>
}

/** What a handle needs of the network of its home. */
export interface HandleNetwork {
  /** @throws {VerificationError} `EQUIVOCATION` */
  checkNotConvicted(name: CapsuleName): void
  hasMirrors(name: CapsuleName): boolean
  checkLevel(name: CapsuleName, copies: number): Promise<void>
  replicate(
    name: CapsuleName,
    size: number,
    options: { copies: number; timeoutMs?: number; signal?: AbortSignal },
  ): Promise<readonly MirrorReceipt[]>
  /** The head above `index`, if it is of this tree, that most mirrors have stated. */
  cosigned(name: CapsuleName, index: number, isOfTree: (head: Head) => boolean): CosignedHead
  /** Mirrors hear of a heartbeat that was made, as a checkpoint. */
  tellHeartbeat(name: CapsuleName, checkpoint: string): Promise<void>
  catchUp(name: CapsuleName, options: { timeoutMs?: number; signal?: AbortSignal }): Promise<string>
}

/** Entries verified in one go: the event loop has its turn between. */
const CHUNK_COUNT_MAX = 256
const CHUNK_BYTES_MAX = 1_048_576

export class CapsuleHandle implements Capsule {
  readonly name: CapsuleName
  readonly text: string
  readonly manifest: Manifest
  readonly signedManifest: Uint8Array
  readonly branch: BranchId = MAIN_BRANCH
  readonly verified: VerifiedBranch
  readonly #context: CapsuleContext
  readonly #writerKey: RoleKey
  /** Changes that do not go straight to a writer in this process. */
  readonly #forwarded = new Set<Promise<unknown>>()
  #isClosed = false
  #hasMirrors: boolean | undefined
  #isSound = false
  #catchingUp: Promise<void> | undefined

  /** `signed` was verified. */
  constructor(context: CapsuleContext, signed: SignedManifest) {
    this.#context = context
    this.name = signed.name
    this.text = formatName(signed.name)
    this.manifest = signed.manifest
    this.signedManifest = signed.signed
    this.#writerKey = manifestKey(signed.manifest, 'writer')
    this.verified = new VerifiedBranch(context.reader, this.name, this.branch, this.#writerKey)
  }

  get size(): number {
    this.#advance()
    return this.verified.size
  }

  get head(): Head | undefined {
    this.#advance()
    return this.verified.head
  }

  get writable(): boolean {
    return this.#context.hasKey(this.name)
  }

  append(payload: Uint8Array | string, options?: AppendOptions): Promise<Ack> {
    return this.appendMany([payload], options)
  }

  appendMany(payloads: readonly (Uint8Array | string)[], options?: AppendOptions): Promise<Ack> {
    try {
      this.#checkOpen()
      checkNotAborted(options?.signal)
      if (payloads.length === 0) throw new UsageError('USAGE', 'there is nothing to append')
      return this.#append(payloads.map(checkPayload), options)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  appendStream(source: StreamSource, options: AppendOptions = {}): AsyncIterable<Ack> {
    const { signal, ...terms } = options
    const target = {
      check: checkPayload,
      append: async (payloads: readonly Uint8Array[]) => {
        this.#checkOpen()
        return this.#append(payloads, terms)
      },
      defer: (action: () => void) => this.#context.defer(action),
    }
    return appendStream(target, source, signal)
  }

  async get(index: number): Promise<Entry> {
    this.#checkOpen()
    if (index >= this.verified.size) this.#context.refresh()
    return this.verified.entry(index)
  }

  async *read(options: ReadOptions = {}): AsyncGenerator<Entry, void, undefined> {
    this.#checkOpen()
    this.#advance()
    const start = resolveStart(options, this.verified.size, (us) => this.#indexAtTime(us))
    const end = Math.min(options.to ?? Number.POSITIVE_INFINITY, this.verified.size)
    for (let at = start ?? end; at < end; ) {
      await this.#turn()
      const chunk = this.#chunk(at, end, options.signal)
      yield* chunk
      at += chunk.length
    }
  }

  async *follow(options: ReadOptions = {}): AsyncGenerator<Entry, void, undefined> {
    this.#checkOpen()
    const { commits } = this.#context
    const end = options.to ?? Number.POSITIVE_INFINITY
    const stop = commits.follow()
    try {
      let at: number | undefined
      for (;;) {
        const seen = commits.version
        this.#advance()
        at ??= resolveStart(options, this.verified.size, (us) => this.#indexAtTime(us))
        while (at !== undefined && at < Math.min(end, this.verified.size)) {
          await this.#turn()
          const chunk = this.#chunk(at, Math.min(end, this.verified.size), options.signal)
          yield* chunk
          at += chunk.length
        }
        if (at !== undefined && at >= end) return
        await commits.changed(seen, options.signal)
        this.#checkOpen()
      }
    } finally {
      stop()
    }
  }

  async receipt(index: number): Promise<string> {
    this.#checkOpen()
    this.#advance()
    const { header, body } = this.verified.stored(index)
    const newest = this.#requireHead()
    const isOfTree = ({ size, root }: Head): boolean => this.verified.isOfTree(size, root)
    const { network } = this.#context
    const { head = newest, mirrors } = network.cosigned(this.name, index, isOfTree)
    return createReceipt({
      manifest: this.signedManifest,
      header,
      ...(body !== undefined && body.byteLength <= RECEIPT_BODY_BYTES_MAX ? { body } : {}),
      index,
      head,
      path: proveInclusion(this.verified.nodes, index, head.size),
      writerKey: this.#writerKey,
      mirrors,
    })
  }

  checkpoint(): string {
    this.#checkOpen()
    this.#advance()
    return formatCheckpoint(this.name, this.#requireHead(), this.#writerKey)
  }

  async heartbeat(): Promise<string> {
    const checkpoint = await this.#write((writer) => writer.heartbeat(this))
    await this.#context.network.tellHeartbeat(this.name, checkpoint)
    return checkpoint
  }

  async erase(
    ranges: readonly (number | { readonly start: number; readonly end: number })[],
    reason = '',
  ): Promise<Ack> {
    const checked = checkEraseRanges(ranges)
    return this.#write((writer) => writer.erase(this, checked, reason))
  }

  async recover(options: { readonly assumeOnlyCopy: true; readonly reason: string }): Promise<Ack> {
    if (options.assumeOnlyCopy !== true) {
      throw new UsageError('USAGE', 'recover needs the statement assumeOnlyCopy')
    }
    return this.#write((writer) => writer.recover(this, options.reason))
  }

  async verify(options: { readonly signal?: AbortSignal } = {}): Promise<VerifyReport> {
    this.#checkOpen()
    this.#advance()
    return verifyCapsule(this, {
      reader: this.#context.reader,
      turn: () => this.#turn(),
      signal: options.signal,
    })
  }

  async exportTiles(
    directory: string,
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<ExportReport> {
    this.#checkOpen()
    this.#advance()
    return this.#context.exportTiles(this, directory, options.signal)
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    await this.#context.writerNow()?.settle(this)
    await Promise.allSettled(this.#forwarded)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #append(payloads: readonly Uint8Array[], options: AppendOptions | undefined): Promise<Ack> {
    const terms = checkTerms(options)
    if (!this.#isSound) this.#context.network.checkNotConvicted(this.name)
    this.#isSound = true
    if (terms.copies > 0) return this.#replicate(payloads, terms, options ?? {})
    const ack = this.#store(payloads, terms, options?.signal)
    this.#hasMirrors ??= this.#context.network.hasMirrors(this.name)
    if (!this.#hasMirrors) return ack
    return ack.catch((error) => this.#storeAgain(error, payloads, terms, options ?? {}))
  }

  #store(
    payloads: readonly Uint8Array[],
    terms: AppendTerms,
    signal: AbortSignal | undefined,
  ): Promise<Ack> {
    const writer = this.#context.writerNow()
    if (writer !== undefined) return writer.append(this, payloads, terms, signal)
    return this.#write((late) => late.append(this, payloads, terms, signal))
  }

  /** Stored first, so that nothing is lost, whatever becomes of the mirrors. */
  async #replicate(
    payloads: readonly Uint8Array[],
    terms: AppendTerms,
    options: AppendOptions,
  ): Promise<Ack> {
    const { signal, timeoutMs } = options
    const { network } = this.#context
    const { copies } = terms
    await network.checkLevel(this.name, copies)
    const ack = await this.#store(payloads, terms, signal).catch((error) =>
      this.#storeAgain(error, payloads, terms, options),
    )
    try {
      const receipts = await network.replicate(this.name, ack.size, {
        copies,
        ...(timeoutMs === undefined ? {} : { timeoutMs }),
        ...(signal === undefined ? {} : { signal }),
      })
      return { ...ack, level: `replicated:${copies}`, receipts }
    } catch (error) {
      throw storedOnly(error, ack)
    }
  }

  /**
   * If it is not known what this writer has signed last, its mirrors know (F20): one question for
   * all appends that wait, then each is tried once more.
   */
  async #storeAgain(
    error: unknown,
    payloads: readonly Uint8Array[],
    terms: AppendTerms,
    options: AppendOptions,
  ): Promise<Ack> {
    if (!isLongshoreError(error) || error.code !== 'WRITER_STATE_UNKNOWN') throw error
    this.#catchingUp ??= this.#catchUp(options).finally(() => {
      this.#catchingUp = undefined
    })
    await this.#catchingUp
    return this.#store(payloads, terms, options.signal)
  }

  async #catchUp({ timeoutMs, signal }: AppendOptions): Promise<void> {
    const record = await this.#context.network.catchUp(this.name, {
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
      ...(signal === undefined ? {} : { signal }),
    })
    await this.#write((writer) => writer.resume(this, record))
  }

  async #write<T>(action: (writer: HomeWriter) => Promise<T>): Promise<T> {
    this.#checkOpen()
    const answer = this.#context.writer().then(action)
    this.#forwarded.add(answer)
    try {
      return await answer
    } finally {
      this.#forwarded.delete(answer)
    }
  }

  #advance(): void {
    this.#context.refresh()
    this.verified.advance()
  }

  /** Signals and timers come in between, however fast the caller takes entries. */
  #turn(): Promise<void> {
    return new Promise((resolve) => this.#context.defer(resolve))
  }

  #chunk(at: number, end: number, signal: AbortSignal | undefined): VerifiedEntry[] {
    this.#checkOpen()
    checkNotAborted(signal)
    const chunk: VerifiedEntry[] = []
    let bytes = 0
    for (const entry of this.verified.scan({
      start: at,
      end: Math.min(end, at + CHUNK_COUNT_MAX),
    })) {
      chunk.push(entry)
      bytes += entry.payload?.byteLength ?? 0
      if (bytes >= CHUNK_BYTES_MAX) break
    }
    return chunk
  }

  #indexAtTime(timeUs: number): number {
    return this.#context.reader.indexAtTime(this.name, this.branch, timeUs)
  }

  #requireHead(): Head {
    const { head } = this.verified
    if (head !== undefined) return head
    throw new UnavailableError('NOT_FOUND', 'the capsule has no entry yet, so nothing is signed')
  }

  #checkOpen(): void {
    if (this.#isClosed) throw new UnavailableError('CLOSED', 'this capsule handle was closed')
  }
}

/** The entries are here, and not where they were to be: they go there later. */
function storedOnly(error: unknown, { index, count, size }: Ack): unknown {
  if (!isLongshoreError(error) || error.code !== 'NO_MIRROR') return error
  const message = `stored here, and delivered later: ${error.message}`
  const details = { ...error.details, index, count, size, level: 'stored' }
  return new UnavailableError('NO_MIRROR', message, details, { cause: error })
}
