/**
 * What waits to be written to one connection, in the order in which it will go.
 *
 * Urgent frames overtake bulk. At most `WRITE_HIGH_WATER_BYTES` lie in the transport, so an urgent
 * frame waits behind no more than that. What waits here is bounded in bytes: a full queue drops
 * bulk first, then the newest, and counts it; sessions send again. So a slow peer costs itself, and
 * nobody else. Rules FR9 to FR11 of docs/spec/frame.md.
 *
 * Frames are not copied on the way through, and neighbors in a received piece leave as one piece.
 * Only a small frame that has to wait is copied, or it would keep the whole piece in memory.
 *
 * @module
 */
import { SpareMemory } from '../runtime/spare-memory.ts'
import { WRITE_HIGH_WATER_BYTES } from '../transport/transport.ts'
import { AT_FLAGS, AT_TYPE, FLAG_BULK, GAP, isDroppable, RETIRE } from './frame.ts'

export interface SendLimits {
  readonly queueBytesMax: number
  readonly controlBytesMax: number
}

/** A frame in one or two pieces. */
interface Waiting {
  readonly head: Uint8Array
  readonly tail: Uint8Array | undefined
  readonly byteLength: number
}

class Fifo {
  #items: (Waiting | undefined)[] = []
  #next = 0
  byteLength = 0

  push(item: Waiting): void {
    this.#items.push(item)
    this.byteLength += item.byteLength
  }

  peek(): Waiting | undefined {
    return this.#items[this.#next]
  }

  shift(): Waiting | undefined {
    const item = this.#items[this.#next]
    if (item === undefined) return undefined
    this.#items[this.#next++] = undefined
    this.byteLength -= item.byteLength
    if (this.#next === this.#items.length) {
      this.#items = []
      this.#next = 0
    } else if (this.#next > 1024 && this.#next * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#next)
      this.#next = 0
    }
    return item
  }

  /** Takes the newest that may be dropped, wherever it stands. */
  popDroppable(): Waiting | undefined {
    for (let at = this.#items.length - 1; at >= this.#next; at--) {
      const item = this.#items[at]
      if (item === undefined || !isDroppable(item.head[AT_TYPE] as number)) continue
      this.#items.splice(at, 1)
      this.byteLength -= item.byteLength
      return item
    }
    return undefined
  }
}

export class SendQueue {
  readonly #limits: SendLimits
  readonly #onDrop: (frame: Uint8Array) => void
  readonly #spares: SpareMemory
  readonly #urgent = new Fifo()
  readonly #bulk = new Fifo()
  /** Of the frames above that must not be dropped. */
  #controlBytes = 0
  /** Given to the transport, or about to be, since it last said `drained`. */
  #inTransport = 0
  #given: Uint8Array[][] = []
  /** Whole frames of this step, as stretches of received pieces or single pieces. */
  #fresh: Uint8Array[] = []
  /** The last stretch of `#fresh`, not cut out yet. */
  #run: Uint8Array | undefined
  #runStart = 0
  #runEnd = 0
  /** More control frames wait than any peer that reads could leave. */
  isOverrun = false
  droppedCount = 0
  droppedBytes = 0

  /** What has left goes back to `spares`, where it came from there. */
  constructor(
    limits: SendLimits,
    onDrop: (frame: Uint8Array) => void,
    spares: SpareMemory = new SpareMemory(),
  ) {
    this.#limits = limits
    this.#onDrop = onDrop
    this.#spares = spares
  }

  /** Bytes that wait here and not in the transport. */
  get waitingBytes(): number {
    return this.#urgent.byteLength + this.#bulk.byteLength
  }

  get isCongested(): boolean {
    return this.waitingBytes > 0 || this.#inTransport >= WRITE_HIGH_WATER_BYTES
  }

  /** A frame that lies in `bytes[start, end)`; nobody changes it any more. */
  sendWithin(bytes: Uint8Array, start: number, end: number): void {
    if (this.isCongested) {
      this.#enqueue(settled(bytes.subarray(start, end)), undefined)
      return
    }
    this.#inTransport += end - start
    if (this.#run === bytes && this.#runEnd === start) {
      this.#runEnd = end
      return
    }
    this.#cutRun()
    this.#run = bytes
    this.#runStart = start
    this.#runEnd = end
  }

  /** A frame in one piece, or in two where copying the second would cost more. */
  send(head: Uint8Array, tail?: Uint8Array): void {
    if (tail === undefined) {
      this.sendWithin(head, 0, head.length)
    } else if (this.isCongested) {
      this.#enqueue(head, tail)
    } else {
      this.#inTransport += head.length + tail.length
      this.#cutRun()
      this.#fresh.push(head, tail)
    }
  }

  /** What the transport may get now. Ends a step. */
  take(): Uint8Array[] {
    this.#cutRun()
    const chunks = this.#fresh
    this.#fresh = []
    while (this.#inTransport < WRITE_HIGH_WATER_BYTES) {
      const item = this.#urgent.shift() ?? this.#bulk.shift()
      if (item === undefined) break
      if (!isDroppable(item.head[AT_TYPE] as number)) this.#controlBytes -= item.byteLength
      chunks.push(item.head)
      if (item.tail !== undefined) chunks.push(item.tail)
      this.#inTransport += item.byteLength
    }
    if (chunks.length > 0) this.#given.push(chunks)
    return chunks
  }

  drained(): void {
    this.#inTransport = 0
    for (const chunks of this.#given) for (const chunk of chunks) this.#spares.giveBack(chunk)
    this.#given = []
  }

  #cutRun(): void {
    if (this.#run === undefined) return
    const { length } = this.#run
    const isWhole = this.#runStart === 0 && this.#runEnd === length
    this.#fresh.push(isWhole ? this.#run : this.#run.subarray(this.#runStart, this.#runEnd))
    this.#run = undefined
  }

  #enqueue(head: Uint8Array, tail: Uint8Array | undefined): void {
    const byteLength = head.length + (tail?.length ?? 0)
    const item: Waiting = { head, tail, byteLength }
    const type = head[AT_TYPE] as number
    if (!isDroppable(type)) {
      this.#controlBytes += byteLength
      if (this.#controlBytes > this.#limits.controlBytesMax) this.isOverrun = true
      // Behind everything sent before it, which is what retiring a label needs.
      if (isLast(type)) this.#bulk.push(item)
      else this.#urgent.push(item)
      return
    }
    const isBulk = ((head[AT_FLAGS] as number) & FLAG_BULK) !== 0
    while (this.waitingBytes + byteLength > this.#limits.queueBytesMax) {
      const victim = isBulk ? undefined : this.#bulk.popDroppable()
      this.#drop(victim ?? item)
      if (victim === undefined) return
    }
    if (isBulk) this.#bulk.push(item)
    else this.#urgent.push(item)
  }

  #drop(item: Waiting): void {
    this.droppedCount++
    this.droppedBytes += item.byteLength
    this.#onDrop(item.head)
  }
}

/** Frames that must not overtake bulk. */
function isLast(type: number): boolean {
  return type === RETIRE || type === GAP
}

/** A frame that has to wait must not keep a much larger piece in memory. */
function settled(frame: Uint8Array): Uint8Array {
  return frame.length * 2 < frame.buffer.byteLength ? new Uint8Array(frame) : frame
}
