/**
 * A guest's line to the process that holds the home: every change is asked for over the socket.
 *
 * Answers come in any order. A holder that closes in order says which requests it has looked at;
 * the others end with {@link HolderClosed} and are repeated by the caller with whoever holds the
 * home then. A holder that is killed says nothing: every open request ends with HOLDER_LOST,
 * because nobody knows what became of it.
 *
 * Rules HM40-HM46 of docs/spec/home.md.
 *
 * @module
 */
import net from 'node:net'
import {
  type CapsuleName,
  type CborMap,
  type CborValue,
  UnavailableError,
} from '@longshore/capsule'
import type { AppendTerms } from '../../append-request.ts'
import type { Ack } from '../../capsule.ts'
import { aborted } from '../../commit-signal.ts'
import { countFitting } from '../../forward/append-message.ts'
import { decodeError } from '../../forward/error-message.ts'
import { Fields, invalid } from '../../forward/fields.ts'
import { encodeFrame, FrameReader } from '../../forward/frame.ts'
import * as requests from '../../forward/requests.ts'
import type {
  BackupReport,
  CompactReport,
  CreateOptions,
  FsckReport,
  IdentityInfo,
  IdentityOptions,
  ImportReport,
} from '../../home.ts'
import type { BranchAddress, HomeWriter } from '../../home-writer.ts'

/** Sent and not answered; beyond it an append waits. */
const UNANSWERED_BYTES_MAX = 8_388_608

/** The holder closed in order before it looked at the request: ask whoever holds the home now. */
export class HolderClosed extends Error {
  override readonly name = 'HolderClosed'
  /** Payloads of an append that were acknowledged before, and where the first of them is. */
  acknowledged = 0
  firstIndex: number | undefined

  constructor() {
    super('the holder of the home has closed')
  }
}

interface OpenRequest {
  readonly byteLength: number
  readonly resolve: (answer: CborMap) => void
  readonly reject: (error: unknown) => void
}

export class HolderConnection implements HomeWriter {
  readonly #socket: net.Socket
  readonly #frames = new FrameReader()
  readonly #open = new Map<number, OpenRequest>()
  #lastId = 0
  #unansweredBytes = 0
  #roomWaiters: (() => void)[] = []
  /** Why nothing more can be asked. */
  #end: Error | undefined

  private constructor(socket: net.Socket) {
    this.#socket = socket
    socket.on('data', (chunk) => this.#read(chunk))
    socket.on('error', (error) => this.#fail(lost(error)))
    socket.on('close', () => this.#fail(lost()))
    // Only an open request keeps the process running.
    socket.unref()
  }

  /** Undefined if nobody listens there. */
  static open(path: string): Promise<HolderConnection | undefined> {
    return new Promise((resolve) => {
      const socket = net.connect(path)
      socket.once('error', () => resolve(undefined))
      socket.once('connect', () => {
        socket.removeAllListeners('error')
        resolve(new HolderConnection(socket))
      })
    })
  }

  get isOpen(): boolean {
    return this.#end === undefined
  }

  /** Requests that wait for an answer. */
  get unansweredCount(): number {
    return this.#open.size
  }

  /** Resolves when every open request is answered, or can no longer be. */
  async drain(): Promise<void> {
    while (this.#open.size > 0) {
      await new Promise<void>((resolve) => this.#roomWaiters.push(resolve))
    }
  }

  close(): void {
    this.#end ??= new UnavailableError('CLOSED', 'the home was closed')
    this.#socket.destroy()
  }

  async append(
    at: BranchAddress,
    payloads: readonly Uint8Array[],
    terms: AppendTerms,
    signal?: AbortSignal,
  ): Promise<Ack> {
    let acknowledged = 0
    let first: Ack | undefined
    let last: Ack | undefined
    try {
      const answers: Promise<Ack>[] = []
      for (let start = 0; start < payloads.length; ) {
        const end = start + countFitting(payloads, start)
        await this.#room()
        const part = { at, payloads: payloads.slice(start, end), terms }
        const answer = this.#ask(requests.APPEND, part, signal)
        answers.push(answer)
        answer.catch(() => {})
        start = end
      }
      for (const answer of answers) {
        last = await answer
        first ??= last
        acknowledged += last.count
      }
    } catch (error) {
      if (error instanceof HolderClosed) {
        error.acknowledged = acknowledged
        error.firstIndex = first?.index
      }
      throw isLost(error) ? lostAppend(acknowledged, payloads.length) : error
    }
    const end = last as Ack
    return { ...end, index: (first as Ack).index, count: acknowledged }
  }

  erase(
    at: BranchAddress,
    ranges: readonly { readonly start: number; readonly end: number }[],
    reason: string,
  ): Promise<Ack> {
    return this.#ask(requests.ERASE, { at, ranges, reason })
  }

  recover(at: BranchAddress, reason: string): Promise<Ack> {
    return this.#ask(requests.RECOVER, { at, reason })
  }

  resume(at: BranchAddress, record: string): Promise<void> {
    return this.#ask(requests.RESUME, { at, record })
  }

  heartbeat(at: BranchAddress): Promise<string> {
    return this.#ask(requests.HEARTBEAT, at)
  }

  settle(at: BranchAddress): Promise<void> {
    return this.#ask(requests.SETTLE, at)
  }

  create(options: CreateOptions): Promise<CapsuleName> {
    return this.#ask(requests.CREATE, options)
  }

  createIdentity(options: IdentityOptions): Promise<IdentityInfo> {
    return this.#ask(requests.CREATE_IDENTITY, options)
  }

  importTiles(directory: string, signal?: AbortSignal): Promise<ImportReport> {
    return this.#ask(requests.IMPORT_TILES, { directory }, signal)
  }

  takeIn(signedManifest: Uint8Array, file: string): Promise<void> {
    return this.#ask(requests.TAKE_IN, { signedManifest, file })
  }

  mend(signedManifest: Uint8Array, file: string): Promise<void> {
    return this.#ask(requests.MEND, { signedManifest, file })
  }

  backup(file: string): Promise<BackupReport> {
    return this.#ask(requests.BACK_UP, { file })
  }

  compact(): Promise<CompactReport> {
    return this.#ask(requests.COMPACT_STORE, {})
  }

  fsck(repair: boolean): Promise<FsckReport> {
    return this.#ask(requests.CHECK_STORE, { repair })
  }

  remember(key: string, value: Uint8Array): Promise<void> {
    return this.#ask(requests.REMEMBER, { key, value })
  }

  async #ask<TArgs, TResult>(
    operation: requests.Operation<TArgs, TResult>,
    args: TArgs,
    signal?: AbortSignal,
  ): Promise<TResult> {
    if (this.#end !== undefined) throw new HolderClosed()
    const id = ++this.#lastId
    const frame = encodeFrame(
      new Map<string, CborValue>([
        ['args', operation.encode(args)],
        ['id', id],
        ['op', operation.op],
      ]),
    )
    let abort: (() => void) | undefined
    try {
      const answer = await new Promise<CborMap>((resolve, reject) => {
        this.#open.set(id, { byteLength: frame.byteLength, resolve, reject })
        this.#unansweredBytes += frame.byteLength
        this.#socket.ref()
        this.#socket.write(frame)
        abort = () => reject(aborted(signal))
        signal?.addEventListener('abort', abort, { once: true })
      })
      return operation.result.decode(new Fields(answer))
    } finally {
      if (abort !== undefined) signal?.removeEventListener('abort', abort)
    }
  }

  async #room(): Promise<void> {
    while (this.#unansweredBytes > UNANSWERED_BYTES_MAX && this.#end === undefined) {
      await new Promise<void>((resolve) => this.#roomWaiters.push(resolve))
    }
  }

  #read(chunk: Uint8Array): void {
    try {
      for (const { message } of this.#frames.push(chunk)) this.#take(new Fields(message))
    } catch (error) {
      this.#fail(error instanceof Error ? error : lost())
      this.#socket.destroy()
    }
  }

  #take(fields: Fields): void {
    if (fields.has('bye')) {
      this.#closeAfter(fields.uint('bye'))
    } else if (fields.has('id')) {
      const request = this.#forget(fields.uint('id'))
      if (fields.has('error')) request.reject(decodeError(fields.map('error')))
      else request.resolve(fields.map('ok'))
    } else {
      throw decodeError(fields.map('error'))
    }
    fields.end()
  }

  #forget(id: number): OpenRequest {
    const request = this.#open.get(id)
    if (request === undefined) throw invalid('an answer to nothing')
    this.#open.delete(id)
    this.#unansweredBytes -= request.byteLength
    if (this.#open.size === 0) this.#socket.unref()
    for (const resolve of this.#roomWaiters.splice(0)) resolve()
    return request
  }

  /** What the holder looked at is answered already, so only what it did not look at is open. */
  #closeAfter(lastId: number): void {
    this.#end = new HolderClosed()
    for (const id of [...this.#open.keys()]) {
      if (id > lastId) this.#forget(id).reject(new HolderClosed())
    }
    this.#socket.end()
  }

  #fail(error: Error): void {
    this.#end ??= error
    for (const id of [...this.#open.keys()]) this.#forget(id).reject(error)
    for (const resolve of this.#roomWaiters.splice(0)) resolve()
  }
}

function isLost(error: unknown): boolean {
  return error instanceof UnavailableError && error.code === 'HOLDER_LOST'
}

function lost(cause?: unknown): UnavailableError {
  const message = 'the process that was writing ended before it answered'
  return new UnavailableError('HOLDER_LOST', message, undefined, { cause })
}

function lostAppend(acknowledged: number, count: number): UnavailableError {
  const message = `the process that was writing ended: ${acknowledged} of ${count} entries were acknowledged`
  return new UnavailableError('HOLDER_LOST', message, { acknowledged, count })
}
