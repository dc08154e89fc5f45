/**
 * Builds entry batches in place: the hot path of every append.
 *
 * Each entry is laid down once, as the frame that the journal will write (`entry-batch.ts`), and
 * hashed where it lies: the payload into its header, the header into its leaf hash. Hashing waits
 * until there are many, because one call for many costs a quarter of a call for each; it does not
 * wait for the end of the batch, so that it fills the time of the sync before. Nothing is
 * allocated per entry.
 *
 * The builder trusts its caller with limits (payload size, time) and with encoded headers; the
 * writer and the replication code have checked them.
 *
 * Rule ST19 of docs/spec/store.md.
 *
 * @module
 */
import {
  assert,
  HASH_BYTES,
  HEADER_BYTES_MAX,
  hotHeaderBytes,
  SALT_BYTES,
  sha256Ranges,
  writeHotHeader,
} from '@longshore/capsule'
import type { SpareMemory } from '../runtime/spare-memory.ts'
import { type EntryBatch, FRAME_PREFIX_BYTES } from './entry-batch.ts'
import { Slab } from './slab.ts'
import { SpareSlab } from './spare-slab.ts'

/** Frames of several commits; above a few hundred KiB a larger slab is no faster. */
const FRAME_SLAB_BYTES = 1_048_576
const HASH_SLAB_BYTES = 131_072
const OFFSET_SLAB_COUNT = 4096

/** Offsets are 32 bits wide, and a batch is one journal record: cut long before this. */
const BATCH_BYTES_MAX = 1_073_741_824

/** Entries that are hashed together, and how far apart they may begin and end. */
const UNHASHED_COUNT_MAX = 256
const UNHASHED_BYTES_MAX = 65_536

const STATE_ABSENT = 0
const STATE_PRESENT = 1
const NO_SALT: Uint8Array = new Uint8Array(0)

/** Entries that lie in one array, in order: their ranges in it. */
export interface VerifiedRun {
  readonly bytes: Uint8Array
  readonly count: number
  readonly headerStart: Uint32Array
  readonly headerEnd: Uint32Array
  /** -1 makes a hole. */
  readonly bodyStart: Int32Array
  readonly bodyEnd: Uint32Array
}

export class EntryBatchBuilder {
  readonly #frames: SpareSlab | Slab<Uint8Array>
  readonly #hashes = new Slab((size) => new Uint8Array(size), HASH_SLAB_BYTES)
  readonly #offsets = new Slab((size) => new Uint32Array(size), OFFSET_SLAB_COUNT)
  #count = 0
  #timeUsMax = 0
  /** Three numbers each, as `sha256Ranges` wants them, but from the beginning of the batch. */
  readonly #payloads = new Uint32Array(3 * UNHASHED_COUNT_MAX)
  readonly #leaves = new Uint32Array(3 * UNHASHED_COUNT_MAX)
  #payloadCount = 0
  #leafCount = 0
  /** Bytes of the frames whose hashes are there. */
  #hashedBytes = 0

  /** Frames lie in memory of their own, or in that of the whole node. */
  constructor(spares?: SpareMemory) {
    this.#frames =
      spares === undefined
        ? new Slab((size) => new Uint8Array(size), FRAME_SLAB_BYTES)
        : new SpareSlab(spares)
  }

  /** Entries in the batch that is being built. */
  get count(): number {
    return this.#count
  }

  /** Bytes of its frames. */
  get framesBytes(): number {
    return this.#frames.end - this.#frames.start
  }

  /**
   * Adds an entry with a header of four elements. `salt` (16 bytes) is given for kind 1 and only
   * then. The payload is copied.
   */
  add(kind: 0 | 1 | 2, timeUs: number, payload: Uint8Array, salt: Uint8Array = NO_SALT): void {
    assert(salt.length === (kind === 1 ? SALT_BYTES : 0), 'kind 1 has a salt of 16 bytes')
    const headerBytes = hotHeaderBytes(timeUs, payload.length)
    const header = this.#beginFrame(headerBytes, salt.length + payload.length, STATE_PRESENT)
    const frames = this.#frames.array
    const body = header + headerBytes
    const end = body + salt.length + payload.length
    if (salt.length > 0) frames.set(salt, body)
    frames.set(payload, body + salt.length)
    // The hash is the last element of the header: it is computed into its place.
    const hash = body - HASH_BYTES
    writeHotHeader(frames, header, kind, timeUs, payload.length, frames, hash)
    const { start } = this.#frames
    const at = 3 * this.#payloadCount++
    this.#payloads[at] = body - start
    this.#payloads[at + 1] = end - start
    this.#payloads[at + 2] = hash - start
    this.#endFrame(header, body, end, timeUs)
  }

  /**
   * Adds an entry whose header is encoded already: with pointers or extension, or received.
   * `timeUs` is the time in that header; `body` undefined makes a hole.
   */
  addEncoded(header: Uint8Array, timeUs: number, body: Uint8Array | undefined): void {
    assert(header.length <= HEADER_BYTES_MAX, 'a header has at most 16 KiB')
    const state = body === undefined ? STATE_ABSENT : STATE_PRESENT
    const at = this.#beginFrame(header.length, body?.length ?? 0, state)
    const bodyAt = at + header.length
    this.#frames.array.set(header, at)
    if (body !== undefined) this.#frames.array.set(body, bodyAt)
    this.#endFrame(at, bodyAt, bodyAt + (body?.length ?? 0), timeUs)
  }

  /**
   * Adds the entries of `run` from position `from` on, which were verified where they lay. Times
   * are by position; the leaf hashes are those of the entries that are added. Nothing is hashed
   * again.
   */
  addVerified(run: VerifiedRun, from: number, timesUs: Float64Array, leafHashes: Uint8Array): void {
    const { bytes, headerStart, headerEnd, bodyStart, bodyEnd, count } = run
    assert(leafHashes.length === (count - from) * HASH_BYTES, 'each entry has its leaf hash')
    for (let i = from; i < count; i++) {
      const [start, end] = [headerStart[i] as number, headerEnd[i] as number]
      const headerBytes = end - start
      const body = bodyStart[i] as number
      const isHole = body < 0
      const bodyBytes = isHole ? 0 : (bodyEnd[i] as number) - body
      const at = this.#beginFrame(headerBytes, bodyBytes, isHole ? STATE_ABSENT : STATE_PRESENT)
      const frames = this.#frames.array
      copyInto(frames, at, bytes, start, end)
      if (!isHole) copyInto(frames, at + headerBytes, bytes, body, body + bodyBytes)
      this.#closeFrame(at + headerBytes + bodyBytes, timesUs[i] as number)
    }
    // Leaf hashes lie in the order of the entries: those that wait come first.
    if (this.#leafCount > 0) this.#hash()
    const hashes = this.#hashes
    hashes.reserve(leafHashes.length)
    hashes.array.set(leafHashes, hashes.end)
    hashes.end += leafHashes.length
    this.#hashedBytes = this.framesBytes
  }

  /** The batch so far; the builder begins a new one. There must be an entry in it. */
  build(): EntryBatch {
    assert(this.#count > 0, 'a batch has an entry')
    this.#hash()
    this.#hashedBytes = 0
    const batch: EntryBatch = {
      count: this.#count,
      frames: this.#frames.take(),
      offsets: this.#offsets.take(),
      leafHashes: this.#hashes.take(),
      timeUsMax: this.#timeUsMax,
    }
    this.#count = 0
    this.#timeUsMax = 0
    return batch
  }

  /** The batch is committed: its frames may be overwritten. Not for one that was refused. */
  giveBack(frames: Uint8Array): void {
    this.#frames.giveBack(frames)
  }

  /** Makes room, writes the frame prefix, and returns where the header goes. */
  #beginFrame(headerBytes: number, bodyBytes: number, state: number): number {
    const frameBytes = FRAME_PREFIX_BYTES + headerBytes + bodyBytes
    assert(this.framesBytes + frameBytes <= BATCH_BYTES_MAX, 'the writer cuts in time')
    this.#frames.reserve(frameBytes)
    const { array, end } = this.#frames
    array[end] = headerBytes >>> 8
    array[end + 1] = headerBytes
    array[end + 2] = state
    array[end + 3] = 0
    return end + FRAME_PREFIX_BYTES
  }

  #endFrame(header: number, body: number, end: number, timeUs: number): void {
    const { start } = this.#frames
    const at = 3 * this.#leafCount++
    this.#leaves[at] = header - 1 - start
    this.#leaves[at + 1] = body - start
    this.#leaves[at + 2] = (at / 3) * HASH_BYTES
    this.#closeFrame(end, timeUs)
    const isFull = this.#leafCount === UNHASHED_COUNT_MAX
    if (isFull || this.framesBytes - this.#hashedBytes >= UNHASHED_BYTES_MAX) this.#hash()
  }

  #closeFrame(end: number, timeUs: number): void {
    const offsets = this.#offsets
    offsets.reserve(1)
    offsets.array[offsets.end++] = this.#frames.end - this.#frames.start
    this.#frames.end = end
    this.#count++
    if (timeUs > this.#timeUsMax) this.#timeUsMax = timeUs
  }

  /** Payload hashes into the headers, and then the leaf hashes of these. */
  #hash(): void {
    const { array, start, end } = this.#frames
    const frames = array.subarray(start, end)
    sha256Ranges(frames, this.#payloads, this.#payloadCount, frames)
    const hashes = this.#hashes
    const byteLength = this.#leafCount * HASH_BYTES
    hashes.reserve(byteLength)
    const leafHashes = hashes.array.subarray(hashes.end, hashes.end + byteLength)
    sha256Ranges(frames, this.#leaves, this.#leafCount, leafHashes)
    hashes.end += byteLength
    this.#payloadCount = 0
    this.#leafCount = 0
    this.#hashedBytes = frames.length
  }
}

/** Below this a loop is faster than `set`, which needs a view. */
const LOOP_BYTES_MAX = 128

function copyInto(to: Uint8Array, at: number, from: Uint8Array, start: number, end: number): void {
  if (end - start > LOOP_BYTES_MAX) to.set(from.subarray(start, end), at)
  else for (let i = start; i < end; i++) to[at + i - start] = from[i] as number
}
