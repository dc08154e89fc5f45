/**
 * The head log of a node: a capsule in which it writes what it is about to state (F19).
 *
 * One entry per group commit lists the heads whose cosignatures may leave after the sync. It is in
 * the same transaction as the data. Its payload is strict CBOR:
 *
 *     81 85 58 20 … 00 18 64 58 20 … 1a 68 …     [[origin hash, epoch, size, root, timeS], …]
 *
 * sorted by origin hash, which is SHA-256 of the origin line. The heads of the head log itself are
 * not in it. Rules MI8-MI10 of docs/spec/mirror.md.
 *
 * @module
 */
import {
  assert,
  type BranchId,
  type CapsuleName,
  type CborValue,
  checkAscending,
  compareBytes,
  decodeCbor,
  encodeCbor,
  encodeUtf8,
  type Fail,
  formatOrigin,
  HASH_BYTES,
  type Hash,
  type HeadPointer,
  readArray,
  readBytes,
  readInteger,
  readTuple,
  sha256,
  UnavailableError,
  VerificationError,
} from '@longshore/capsule'
import type { BranchWriter, Cut } from '../writer/branch-writer.ts'

/** One line of the head log. */
export interface StatedHead {
  readonly originHash: Hash
  readonly epoch: number
  readonly size: number
  readonly root: Hash
  /** Whole seconds since 1970: the time in the cosignature. */
  readonly timeS: number
}

/** Heads of one entry: keeps the payload well below 1 MiB. */
const STATED_HEADS_MAX = 8192
const DEPTH_MAX = 2

export function originHash(name: CapsuleName, branch: BranchId): Hash {
  return sha256(encodeUtf8(formatOrigin(name, branch)))
}

export function statedHead(name: CapsuleName, head: HeadPointer, timeS: number): StatedHead {
  const { epoch, size, root } = head
  return { originHash: originHash(name, head.branch), epoch, size, root, timeS }
}

/** The payload of one entry. `heads` has at most 8192 items, of different origins. */
export function encodeStatedHeads(heads: readonly StatedHead[]): Uint8Array {
  assert(heads.length >= 1 && heads.length <= STATED_HEADS_MAX, '1 to 8192 heads')
  const sorted = heads.toSorted((a, b) => compareBytes(a.originHash, b.originHash))
  const values = sorted.map(({ originHash, epoch, size, root, timeS }): CborValue => {
    return [originHash, epoch, size, root, timeS]
  })
  return encodeCbor(values, DEPTH_MAX)
}

/**
 * The heads in the payload of an entry.
 *
 * @throws {VerificationError} `CBOR_INVALID` for anything but the one spelling.
 */
export function decodeStatedHeads(payload: Uint8Array): StatedHead[] {
  const values = readArray(decodeCbor(payload, DEPTH_MAX), STATED_HEADS_MAX, 'the heads', fail)
  if (values.length === 0) fail('there is a head')
  const heads = values.map((value): StatedHead => {
    const [origin, epoch, size, root, timeS] = readTuple(value, 5, 'a head', fail)
    return {
      originHash: readBytes(origin, HASH_BYTES, 'the origin hash', fail) as Hash,
      epoch: readInteger(epoch, 'the epoch', fail),
      size: readInteger(size, 'the size', fail),
      root: readBytes(root, HASH_BYTES, 'the root', fail) as Hash,
      timeS: readInteger(timeS, 'the time', fail),
    }
  })
  checkAscending(heads, (a, b) => compareBytes(a.originHash, b.originHash), 'the heads', fail)
  return heads
}

/** A cut of the head log, and the writer that hears how it went. */
export interface RecordedHeads {
  readonly cut: Cut
  readonly writer: BranchWriter
}

/** Writes a node's head log, and opens its writer again after a refusal. */
export class HeadLog {
  readonly #open: () => BranchWriter
  #writer: BranchWriter

  constructor(open: () => BranchWriter) {
    this.#open = open
    this.#writer = open()
  }

  get name(): CapsuleName {
    return this.#writer.name
  }

  /**
   * Throws unless the node may state anything.
   *
   * @throws {UnavailableError} `WRITER_STATE_UNKNOWN`: this node was restored or copied. It starts
   * again as a new one, with new keys (F20).
   */
  checkReady(): void {
    const { doubt } = this.#writer
    if (doubt === undefined) return
    const message = 'this mirror may have stated more than it remembers'
    throw new UnavailableError('WRITER_STATE_UNKNOWN', message, { doubt })
  }

  /** A refusal came, and cuts from before it are still on their way: nothing may be recorded. */
  get isBlocked(): boolean {
    return this.#writer.isRefused && this.#writer.cutsInFlight > 0
  }

  /** The changes that record these heads; undefined if there are none. */
  record(heads: readonly StatedHead[]): RecordedHeads | undefined {
    if (heads.length === 0) return undefined
    assert(!this.isBlocked, 'the caller waits')
    if (this.#writer.isRefused) this.#writer = this.#open()
    const writer = this.#writer
    for (let at = 0; at < heads.length; at += STATED_HEADS_MAX) {
      writer.append(0, encodeStatedHeads(heads.slice(at, at + STATED_HEADS_MAX)))
    }
    const cut = writer.cut()
    assert(cut !== undefined, 'entries were appended')
    return { cut, writer }
  }
}

const fail: Fail = (what) => {
  throw new VerificationError('CBOR_INVALID', `not an entry of a head log: ${what}`)
}
