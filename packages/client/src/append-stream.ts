/**
 * Appends what a source yields, and acknowledges while it is still open.
 *
 * Items that the source has ready in one turn of the event loop go into one call. At most
 * IN_FLIGHT_BYTES_MAX are appended and not acknowledged; beyond that the source is not asked for
 * more. Rules HM33-HM34 of docs/spec/home.md.
 *
 * @module
 */
import type { Ack } from './capsule.ts'
import { aborted } from './commit-signal.ts'

/** Enough for several large commits; more would only be memory. */
const IN_FLIGHT_BYTES_MAX = 16_777_216
/** One call: about a quarter of a commit. */
const CALL_BYTES_MAX = 1_048_576
const CALL_COUNT_MAX = 4096
/** What an entry costs beside its payload. */
const ENTRY_BYTES = 128

export interface StreamTarget {
  /** Checks one item. */
  check(item: Uint8Array | string): Uint8Array
  append(payloads: readonly Uint8Array[]): Promise<Ack>
  /** Runs `action` in a later turn of the event loop. */
  defer(action: () => void): void
}

export type StreamSource = AsyncIterable<Uint8Array | string> | Iterable<Uint8Array | string>

/** See `Capsule.appendStream`. */
export async function* appendStream(
  target: StreamTarget,
  source: StreamSource,
  signal?: AbortSignal,
): AsyncGenerator<Ack, void, undefined> {
  const stream = new OpenStream(target, source)
  const abort = (): void => stream.fail(aborted(signal))
  if (signal?.aborted) abort()
  signal?.addEventListener('abort', abort, { once: true })
  try {
    void stream.pump()
    while (await stream.moved()) yield* stream.takeAcks()
  } finally {
    signal?.removeEventListener('abort', abort)
    stream.stop()
  }
}

class OpenStream {
  readonly #target: StreamTarget
  readonly #source: AsyncIterator<Uint8Array | string> | Iterator<Uint8Array | string>
  #items: Uint8Array[] = []
  #itemsBytes = 0
  #isSendDeferred = false
  #inFlightBytes = 0
  #inFlightCalls = 0
  #acks: Ack[] = []
  /** An append failed, or the signal was aborted: thrown at once. */
  #failure: { readonly error: unknown } | undefined
  /** The source failed: thrown after what it had yielded before is acknowledged. */
  #sourceFailure: { readonly error: unknown } | undefined
  #isSourceDone = false
  /** The source has ended by itself, or is being asked and may fail. */
  #isExhausted = false
  #isStopped = false
  /** Whoever waits for an acknowledgement or the end. */
  #wake: (() => void) | undefined
  /** The pump, waiting for room. */
  #resume: (() => void) | undefined

  constructor(target: StreamTarget, source: StreamSource) {
    this.#target = target
    this.#source =
      Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]()
  }

  /** Takes items until the source ends or the stream is stopped. Never rejects. */
  async pump(): Promise<void> {
    try {
      while (!this.#isStopped) {
        this.#isExhausted = true
        const next = await this.#source.next()
        if (next.done) break
        this.#isExhausted = false
        if (this.#isStopped) break
        this.#add(this.#target.check(next.value))
        while (this.#inFlightBytes >= IN_FLIGHT_BYTES_MAX && !this.#isStopped) {
          await new Promise<void>((resolve) => (this.#resume = resolve))
        }
      }
    } catch (error) {
      this.#sourceFailure = { error }
    }
    if (!this.#isStopped) this.#send()
    this.#isSourceDone = true
    this.#wake?.()
  }

  /** Resolves with true when there are acknowledgements, with false at the end. */
  async moved(): Promise<boolean> {
    while (this.#acks.length === 0) {
      if (this.#failure !== undefined) throw this.#failure.error
      if (this.#isSourceDone && this.#inFlightCalls === 0) {
        if (this.#sourceFailure !== undefined) throw this.#sourceFailure.error
        return false
      }
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
    return true
  }

  /** One acknowledgement per commit: calls that became durable together are one. */
  takeAcks(): Ack[] {
    const merged: Ack[] = []
    for (const ack of this.#acks) {
      const last = merged.at(-1)
      if (last === undefined || last.size !== ack.size) merged.push(ack)
      else merged[merged.length - 1] = { ...last, count: last.count + ack.count }
    }
    this.#acks = []
    return merged
  }

  fail(error: unknown): void {
    this.#failure ??= { error }
    this.#wake?.()
  }

  /** Takes nothing more from the source and lets go of it. */
  stop(): void {
    if (this.#isStopped) return
    this.#isStopped = true
    this.#items = []
    this.#resume?.()
    if (this.#isSourceDone && this.#isExhausted) return
    // The source may be waiting for ever; nobody waits for it here.
    void Promise.resolve(this.#source.return?.()).catch(() => {})
  }

  #add(item: Uint8Array): void {
    this.#items.push(item)
    this.#itemsBytes += item.byteLength + ENTRY_BYTES
    if (this.#itemsBytes >= CALL_BYTES_MAX || this.#items.length >= CALL_COUNT_MAX) {
      this.#send()
    } else if (!this.#isSendDeferred) {
      this.#isSendDeferred = true
      this.#target.defer(() => {
        this.#isSendDeferred = false
        this.#send()
      })
    }
  }

  #send(): void {
    if (this.#items.length === 0) return
    const [items, bytes] = [this.#items, this.#itemsBytes]
    this.#items = []
    this.#itemsBytes = 0
    this.#inFlightBytes += bytes
    this.#inFlightCalls++
    this.#target.append(items).then(
      (ack) => this.#settle(bytes, () => this.#acks.push(ack)),
      (error: unknown) => this.#settle(bytes, () => this.fail(error)),
    )
  }

  #settle(bytes: number, note: () => void): void {
    this.#inFlightBytes -= bytes
    this.#inFlightCalls--
    note()
    this.#wake?.()
    if (this.#inFlightBytes < IN_FLIGHT_BYTES_MAX) this.#resume?.()
  }
}
