/**
 * Brings the calls of many callers to the one writer of a branch, and its answers back.
 *
 * Calls are taken in order. As long as the open batch has room a payload is copied into it at
 * once; what does not fit waits, and is taken in while the sync before it runs. A call is
 * answered when its last entry is committed.
 *
 * The writer is opened when the first change comes. If its state is unknown every change is
 * refused but `recover`; if an import has brought the home to exactly where the anchor is, the
 * writer takes over by itself first. After a refusal (a full disk) a new writer is opened from
 * what is committed.
 *
 * Rules HM28, HM32 and HM35 of docs/spec/home.md.
 *
 * @module
 */
import {
  assert,
  formatCheckpoint,
  heartbeatLines,
  type Manifest,
  manifestKey,
  UnavailableError,
} from '@longshore/capsule'
import {
  type BranchWriter,
  type EntryOptions,
  type IndexRange,
  pendingImport,
  type StoreReader,
} from '@longshore/engine'
import type { AppendTerms } from './append-request.ts'
import type { Ack } from './capsule.ts'
import { aborted } from './commit-signal.ts'
import type { BranchAddress } from './home-writer.ts'
import type { Transaction, TransactionSource, WriteDriver } from './write-driver.ts'

/** Entries in the open batch: enough that a sync is a small part of a commit. */
const BATCH_BYTES_MAX = 4_194_304

export interface AppenderContext {
  readonly store: StoreReader
  readonly driver: WriteDriver
  nowUs(): number
  /** The writer at the committed size. Throws where this home may not write. */
  openWriter(at: BranchAddress): BranchWriter
}

/** One call that waits for its answer. */
interface Call {
  readonly payloads: readonly Uint8Array[]
  readonly options: EntryOptions
  readonly level: AppendTerms['level']
  /** Next payload to take in. */
  next: number
  /** Of its first entry, once that is taken in. */
  index: number
  readonly resolve: (ack: Ack) => void
  readonly reject: (error: unknown) => void
}

export class BranchAppender implements TransactionSource {
  readonly #context: AppenderContext
  readonly #at: BranchAddress
  readonly #manifest: Manifest
  #writer: BranchWriter | undefined
  /** The writer is taking the branch over: it appends again when that is committed. */
  #isAdopting = false
  /** Taken in completely; answered with the next cut. */
  #taken: Call[] = []
  /** Not taken in, or only in part. */
  #waiting: Call[] = []
  #isSealed = false
  #settleWaiters: (() => void)[] = []

  constructor(context: AppenderContext, at: BranchAddress, manifest: Manifest) {
    this.#context = context
    this.#at = at
    this.#manifest = manifest
  }

  get hasBacklog(): boolean {
    return this.#waiting.length > 0 || (this.#writer?.pendingCount ?? 0) > 0
  }

  /** It takes nothing more; a new one has to be made. */
  get isSealed(): boolean {
    return this.#isSealed
  }

  /** Nothing waits and nothing is on its way: the appender may be forgotten. */
  get isIdle(): boolean {
    return !this.hasBacklog && this.#taken.length === 0 && (this.#writer?.cutsInFlight ?? 0) === 0
  }

  append(payloads: readonly Uint8Array[], terms: AppendTerms, signal?: AbortSignal): Promise<Ack> {
    return new Promise((resolve, reject) => {
      const { level, timeUs = this.#context.nowUs(), pointers, ext } = terms
      const kind = terms.kind ?? (this.#manifest.blind ? 1 : 0)
      const options: EntryOptions = {
        kind,
        timeUs,
        ...(pointers === undefined ? {} : { pointers }),
        ...(ext === undefined ? {} : { app: ext }),
      }
      const call: Call = { payloads, options, level, next: 0, index: -1, resolve, reject }
      this.#add(signal === undefined ? call : this.#abortable(call, signal))
    })
  }

  /** `ranges` are within the committed entries and name payloads only. */
  erase(ranges: readonly IndexRange[], reason: string): Promise<Ack> {
    return this.#control((writer) => writer.erase(0, ranges, reason))
  }

  recover(reason: string): Promise<Ack> {
    return this.#control((writer) => {
      const index = writer.recover(0, reason)
      this.#isAdopting = true
      return index
    }, true)
  }

  /**
   * Goes on after everybody who may have been given a head was asked (F20): by itself where the
   * home is what the anchor says; else with an entry, if nothing is known to be missing.
   */
  async resume(record: string): Promise<void> {
    if (this.#isAdopting) return
    const writer = this.#openWriter()
    if (writer.doubt === undefined || writer.isCaughtUp) return
    if (!writer.isCovered) {
      // Looked at again with the next call: somebody may bring what is missing.
      this.#writer = undefined
      throw missing(writer)
    }
    await this.recover(record)
  }

  /** A checkpoint with the writer's cosignature of now. It leaves when its position is durable. */
  async heartbeat(): Promise<string> {
    const writer = this.#requireWriter()
    const { position, op } = writer.planHeartbeat()
    const { head } = writer
    assert(head !== undefined, 'a planned heartbeat has a head')
    await this.#context.driver.submit([op])
    const heartbeat = writer.signHeartbeat(position, head)
    const { name, branch } = this.#at
    const key = manifestKey(this.#manifest, 'writer')
    return formatCheckpoint(name, head, key, heartbeatLines(name, branch, heartbeat, key))
  }

  /** Waits until everything so far is answered, and takes nothing more. */
  async seal(): Promise<void> {
    this.#isSealed = true
    await this.settle()
    this.#writer = undefined
  }

  /** Resolves when everything so far is committed or has failed. */
  async settle(): Promise<void> {
    while (!this.isIdle) {
      await new Promise<void>((resolve) => this.#settleWaiters.push(resolve))
    }
  }

  cut(): Transaction | undefined {
    const writer = this.#writer
    const cut = writer?.cut()
    if (writer === undefined || cut === undefined) return undefined
    const calls = this.#taken
    this.#taken = []
    return {
      ops: cut.ops,
      durable: () => writer.durable(cut.size),
      committed: () => {
        writer.committed(cut.size)
        this.#isAdopting = false
        for (const call of calls) this.#answer(call, cut.size)
        this.#goOn()
      },
      failed: (error) => {
        this.#fail(calls, error)
        this.#goOn()
      },
    }
  }

  fill(): void {
    for (let call = this.#waiting[0]; call !== undefined; call = this.#waiting[0]) {
      try {
        if (!this.#takeIn(call)) return
      } catch (error) {
        // The call's own mistake is found with its first payload, before any is taken in.
        call.reject(error)
      }
      this.#waiting.shift()
    }
  }

  #goOn(): void {
    if (this.#waiting.length > 0) this.#context.driver.request(this)
    this.fill()
    if (!this.isIdle) return
    for (const resolve of this.#settleWaiters.splice(0)) resolve()
  }

  #add(call: Call): void {
    this.#context.driver.checkAlive()
    if (this.#isSealed) throw new UnavailableError('CLOSED', 'the capsule is being closed')
    this.#requireWriter()
    if (this.#waiting.length > 0 || !this.#takeIn(call)) this.#waiting.push(call)
    this.#context.driver.request(this)
  }

  /** Copies payloads into the open batch; false if it is full before the call is taken in. */
  #takeIn(call: Call): boolean {
    const writer = this.#requireWriter()
    if (this.#isAdopting) return false
    const { payloads, options } = call
    while (call.next < payloads.length) {
      if (writer.pendingBytes >= BATCH_BYTES_MAX) return false
      const index = writer.append(0, payloads[call.next]!, options)
      if (call.next === 0) call.index = index
      call.next++
    }
    if (call.level === 'stored') this.#taken.push(call)
    else this.#answer(call, writer.size)
    return true
  }

  #control(add: (writer: BranchWriter) => number, mayBeUnknown = false): Promise<Ack> {
    return new Promise((resolve, reject) => {
      this.#context.driver.checkAlive()
      if (this.#isSealed) throw new UnavailableError('CLOSED', 'the capsule is being closed')
      const index = add(mayBeUnknown ? this.#openWriter() : this.#requireWriter())
      const call = { payloads: [], options: {}, next: 0, index, resolve, reject }
      this.#taken.push({ ...call, level: 'stored' })
      this.#context.driver.request(this)
    })
  }

  #answer(call: Call, size: number): void {
    const count = Math.max(1, call.payloads.length)
    call.resolve({ index: call.index, count, size, level: call.level })
  }

  /** Nothing of the cut happened: nor can anything that was numbered after it. */
  #fail(calls: readonly Call[], error: Error): void {
    const begun = this.#waiting.filter((call) => call.next > 0)
    const lost = [...calls, ...this.#taken, ...begun]
    this.#taken = []
    this.#waiting = this.#waiting.filter((call) => call.next === 0)
    this.#writer = undefined
    this.#isAdopting = false
    for (const call of lost) call.reject(error)
    try {
      this.#context.driver.checkAlive()
    } catch (failure) {
      for (const call of this.#waiting.splice(0)) call.reject(failure)
    }
  }

  /** The same call, given up when the signal says so. */
  #abortable(call: Call, signal: AbortSignal): Call {
    const abort = (): void => {
      // Not begun: then it will never be appended.
      this.#waiting = this.#waiting.filter((other) => other !== watched || other.next > 0)
      call.reject(aborted(signal))
    }
    const forget = (): void => signal.removeEventListener('abort', abort)
    const watched: Call = {
      ...call,
      resolve: (ack) => {
        forget()
        call.resolve(ack)
      },
      reject: (error) => {
        forget()
        call.reject(error)
      },
    }
    signal.addEventListener('abort', abort, { once: true })
    return watched
  }

  #requireWriter(): BranchWriter {
    const writer = this.#openWriter()
    if (writer.doubt === undefined) return writer
    try {
      // Allowed only where the home is exactly what the anchor says; else it throws the doubt.
      writer.catchUp()
    } catch (error) {
      // Looked at again with the next call: an import may bring the newest state meanwhile.
      this.#writer = undefined
      throw error
    }
    this.#isAdopting = true
    this.#context.driver.request(this)
    return writer
  }

  #openWriter(): BranchWriter {
    const { name, branch } = this.#at
    if (this.#writer === undefined) {
      if (pendingImport(this.#context.store, name, branch) !== undefined) {
        const message = 'an import of this capsule was begun and not finished: run it again'
        throw new UnavailableError('WRITER_STATE_UNKNOWN', message, { doubt: 'import' })
      }
      this.#writer = this.#context.openWriter(this.#at)
    }
    return this.#writer
  }
}

/** This machine has signed more than was found. */
function missing({ doubt = 'ahead' }: BranchWriter): UnavailableError {
  const message = 'this machine has signed entries that neither this home nor its mirrors hold'
  return new UnavailableError('WRITER_STATE_UNKNOWN', message, { doubt })
}
