/**
 * The class behind `Capsule` for a capsule that is not in this home: the same methods, and every
 * byte verified, but from mirrors. It is read only; `pull` makes a copy that can do the rest.
 *
 * Rules NW7-NW14 of docs/spec/network.md.
 *
 * @module
 */
import {
  type BranchId,
  type CapsuleName,
  decodeHeader,
  EMPTY_ROOT,
  formatCheckpoint,
  formatName,
  type Head,
  MAIN_BRANCH,
  type Manifest,
  manifestKey,
  type SignedManifest,
  UnavailableError,
  UsageError,
} from '@longshore/capsule'
import { RangeSet } from '@longshore/engine'
import type { Ack, Capsule, Entry, ExportReport, ReadOptions, VerifyReport } from '../capsule.ts'
import { HeaderAudit } from '../header-audit.ts'
import { resolveStart } from '../read-range.ts'
import { openBodyOf } from '../verified-entry.ts'
import type { RemoteBranch } from './remote-branch.ts'
import type { RemoteEntries } from './remote-channel.ts'
import { storedEntries, verifiedEntries } from './remote-entry.ts'
import { createRemoteReceipt } from './remote-receipt.ts'

export class RemoteCapsule implements Capsule {
  readonly name: CapsuleName
  readonly text: string
  readonly manifest: Manifest
  readonly signedManifest: Uint8Array
  readonly branch: BranchId = MAIN_BRANCH
  readonly writable: boolean = false
  readonly remote: RemoteBranch
  readonly #signed: SignedManifest
  #isClosed = false

  /** `remote` is ready. */
  constructor(remote: RemoteBranch, signed: SignedManifest) {
    this.remote = remote
    this.#signed = signed
    this.name = signed.name
    this.text = formatName(signed.name)
    this.manifest = signed.manifest
    this.signedManifest = signed.signed
  }

  get size(): number {
    return this.remote.head?.size ?? 0
  }

  get head(): Head | undefined {
    return this.remote.head
  }

  append(): Promise<Ack> {
    return Promise.reject(this.#notHere())
  }

  appendMany(): Promise<Ack> {
    return this.append()
  }

  appendStream(): AsyncIterable<Ack> {
    throw this.#notHere()
  }

  erase(): Promise<Ack> {
    return this.append()
  }

  recover(): Promise<Ack> {
    return this.append()
  }

  heartbeat(): Promise<string> {
    return Promise.reject(this.#notHere())
  }

  exportTiles(): Promise<ExportReport> {
    const message = 'the capsule is not in this home: pull it, then export it'
    return Promise.reject(new UsageError('USAGE', message, { name: this.text }))
  }

  async get(index: number): Promise<Entry> {
    await this.#checkIndex(index)
    for await (const entry of this.#entries(index, index + 1, undefined)) return entry
    throw new UnavailableError('NO_MIRROR', 'the mirrors do not send the entry', { index })
  }

  async *read(options: ReadOptions = {}): AsyncGenerator<Entry, void, undefined> {
    this.#checkOpen()
    const { signal, sinceUs } = options
    const start = resolveStart(options, this.size, () => 0) ?? 0
    const end = Math.min(options.to ?? Number.POSITIVE_INFINITY, this.size)
    if (start >= end) return
    yield* since(this.#entries(start, end, signal), sinceUs)
  }

  async *follow(options: ReadOptions = {}): AsyncGenerator<Entry, void, undefined> {
    this.#checkOpen()
    const { signal, sinceUs } = options
    const start = resolveStart(options, this.size, () => 0) ?? 0
    const end = options.to ?? Number.POSITIVE_INFINITY
    if (start >= end) return
    for await (const entry of since(flatten(this.remote.follow(start, signal)), sinceUs)) {
      if (entry.index >= end) return
      yield entry
      if (entry.index + 1 >= end) return
    }
  }

  async receipt(index: number): Promise<string> {
    await this.#checkIndex(index)
    return createRemoteReceipt(this.remote, this.#signed, index, undefined)
  }

  checkpoint(): string {
    this.#checkOpen()
    const { head } = this
    if (head === undefined) {
      const message = 'the capsule has no entry yet, so nothing is signed'
      throw new UnavailableError('NOT_FOUND', message)
    }
    return formatCheckpoint(this.name, head, manifestKey(this.manifest, 'writer'))
  }

  /** Reads everything that the mirrors have of it. */
  async verify({ signal }: { readonly signal?: AbortSignal } = {}): Promise<VerifyReport> {
    this.#checkOpen()
    const { name, text, manifest, head } = this
    const owner = manifestKey(manifest, 'owner')
    const report = { kind: 'capsule' as const, name, text, owner }
    if (head === undefined) {
      const counts = { size: 0, present: 0, absent: 0, erased: 0 }
      return { ...report, ...counts, root: EMPTY_ROOT, checks: ['manifest'] }
    }
    const audit = new HeaderAudit(this.branch)
    const missing = new RangeSet()
    const range = { start: 0, end: head.size, wantsBodies: true }
    for await (const arrived of this.remote.read(range, signal)) {
      for (const { index, header, body } of storedEntries(arrived)) {
        audit.add(header)
        if (body === undefined) missing.add(index, index + 1)
        else openBodyOf(index, decodeHeader(header), body)
      }
    }
    // A mirror that still sends an erased payload breaks no proof: it is counted as present.
    const erased = missing.ranges.reduce((sum, { start, end }) => {
      let count = 0
      for (let index = start; index < end; index++) if (audit.erased.has(index)) count++
      return sum + count
    }, 0)
    return {
      ...report,
      size: head.size,
      root: head.root,
      checks: ['manifest', 'checkpoint', 'tree', 'headers', 'payloads', 'erasures'],
      present: head.size - missing.count,
      absent: missing.count - erased,
      erased,
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.remote.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #entries(
    start: number,
    end: number,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<Entry, void, undefined> {
    return flatten(this.remote.read({ start, end, wantsBodies: true }, signal))
  }

  async #checkIndex(index: number): Promise<void> {
    this.#checkOpen()
    if (Number.isSafeInteger(index) && index >= 0 && index < this.size) return
    const details = { index, size: this.size }
    throw new UsageError('INDEX_OUT_OF_RANGE', `the capsule has ${this.size} entries`, details)
  }

  #notHere(): UsageError {
    const message = 'the capsule is not in this home, nor the key of its writer'
    return new UsageError('NOT_A_WRITER', message, { name: this.text })
  }

  #checkOpen(): void {
    if (this.#isClosed) throw new UnavailableError('CLOSED', 'this capsule handle was closed')
  }
}

/** What mirrors have shown; must be that of a capsule. */
export function openCapsuleManifest(branch: RemoteBranch, name: CapsuleName): SignedManifest {
  const { signed } = branch
  if (signed === undefined) {
    throw new UnavailableError('NO_MIRROR', 'no mirror has shown the manifest of the capsule')
  }
  if (signed.manifest.type === 'capsule') return signed
  const details = { name: formatName(name), type: signed.manifest.type }
  throw new UsageError('USAGE', `this is the name of a ${details.type}, not of a capsule`, details)
}

async function* flatten(
  messages: AsyncIterable<RemoteEntries>,
): AsyncGenerator<Entry, void, undefined> {
  for await (const arrived of messages) yield* verifiedEntries(arrived)
}

/** From the first entry on that reaches the time. There is no index of times: all are read. */
async function* since(
  entries: AsyncIterable<Entry>,
  sinceUs: number | undefined,
): AsyncGenerator<Entry, void, undefined> {
  let isReached = sinceUs === undefined
  for await (const entry of entries) {
    isReached ||= entry.timeUs >= (sinceUs as number)
    if (isReached) yield entry
  }
}
