/**
 * The one writer of one branch: a synchronous state machine between callers that append and the
 * store that makes things durable.
 *
 *     append* → cut → (store: submit, flush, sync) → durable → (store: synced) → committed
 *                 ↘ refused
 *
 * Invariants. Every method keeps them; those marked A are asserted.
 *
 * 1. (A) A head is signed in one place, `#sign`, only for a size above every size signed before.
 * 2. A signed head is reachable only through the changes of its `Cut`, which go to the store, until
 *    `committed` returns it as a `ReleasedHead` (F14).
 * 3. (A) Nothing is signed while it is unknown what was signed before (F20), except for the
 *    recover entry that says so.
 * 4. (A) The anchor is written after the sync and before anybody can see the head: `durable` comes
 *    before the store hears of the sync, `committed` after.
 * 5. (A) After a refusal the writer is of no more use: its tree is ahead of the store. A new one is
 *    opened from what is committed.
 *
 * It does not decide when to cut, never touches a disk and answers nobody by itself. Opening is
 * `open-branch-writer.ts`. Rules WR1 to WR14 of docs/spec/writer.md.
 *
 * @module
 */
import {
  assert,
  type BranchId,
  type CapsuleName,
  type CborMap,
  createBody,
  createHeartbeat,
  EMPTY_ROOT,
  type Head,
  type Heartbeat,
  type HeartbeatPosition,
  type Pointer,
  type RightEdge,
  SALT_BYTES,
  type Signer,
  signHead,
  UsageError,
} from '@longshore/capsule'
import type { AnchorSlot } from '../runtime/anchor-slot.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { IndexRange, StoreOp, StoreReader } from '../store/store.ts'
import { type Anchor, type AnchorDoubt, encodeAnchor, INSTANCE_BYTES } from './anchor.ts'
import { CutsInFlight } from './cuts-in-flight.ts'
import {
  checkPayload,
  checkTime,
  encodeControlHeader,
  encodeExtendedHeader,
} from './entry-header.ts'
import { normalizeEraseRanges } from './erase-ranges.ts'
import { type AppendRange, PendingBatch } from './pending-batch.ts'
import { type Standing, unknownState } from './standing.ts'
import { createHeartbeatNote, createInstanceNote, readHeartbeatPosition } from './writer-notes.ts'

/** A head that may leave the process: it is durable, and the anchor knows it. */
export type ReleasedHead = Head & { readonly __released: true }

export interface EntryOptions {
  /** Default 0. For kind 1 the writer draws the salt. For kind 2 the payload is the envelope. */
  readonly kind?: 0 | 1 | 2
  /** The writer's claim. Default: the clock of the runtime. */
  readonly timeUs?: number
  readonly pointers?: readonly Pointer[]
  /** Application keys, each with a "/" in it. */
  readonly app?: CborMap
}

/** What goes to the store as one transaction, with whatever the driver adds. */
export interface Cut {
  readonly ops: readonly StoreOp[]
  /** Size of the branch with these entries; names this cut in the calls that follow. */
  readonly size: number
}

/** What the caller may tell the world now. */
export interface Release {
  /** Undefined only for a catch-up of an empty branch. */
  readonly head: ReleasedHead | undefined
  readonly appends: readonly AppendRange[]
}

/** What `openBranchWriter` found in the store. */
export interface WriterParts {
  readonly store: StoreReader
  readonly name: CapsuleName
  readonly branch: BranchId
  readonly signer: Signer
  readonly runtime: Runtime
  readonly anchor: AnchorSlot
  /** At the committed size. */
  readonly edge: RightEdge
  readonly head: Head | undefined
  readonly standing: Standing
}

const NO_BYTES: Uint8Array = new Uint8Array(0)
const NO_OPTIONS: EntryOptions = Object.freeze({})

export class BranchWriter {
  readonly name: CapsuleName
  readonly branch: BranchId
  readonly #store: StoreReader
  readonly #signer: Signer
  readonly #runtime: Runtime
  readonly #anchor: AnchorSlot
  readonly #edge: RightEdge
  readonly #epoch: number
  readonly #pending = new PendingBatch()
  readonly #inFlight = new CutsInFlight()
  #standing: Standing
  #released: ReleasedHead | undefined
  #signedSize: number
  #isRefused = false
  /** Time of the newest heartbeat that was planned; its position may not be committed yet. */
  #plannedTimeS: number

  constructor(parts: WriterParts) {
    this.name = parts.name
    this.branch = parts.branch
    this.#store = parts.store
    this.#signer = parts.signer
    this.#runtime = parts.runtime
    this.#anchor = parts.anchor
    this.#edge = parts.edge
    this.#standing = parts.standing
    this.#epoch = parts.head?.epoch ?? 0
    // It came out of the store: signed and durable before. Showing it again signs nothing.
    this.#released = parts.head as ReleasedHead | undefined
    this.#signedSize = parts.edge.size
    // A heartbeat of two keys says a time, whatever the clock says (CP22).
    this.#plannedTimeS = parts.signer.mlDsa44 === undefined ? 0 : 1
  }

  /** Entries of the branch, those that wait for a cut or a commit included. */
  get size(): number {
    return this.#edge.size + this.#pending.count
  }

  /** Entries that wait for a cut. */
  get pendingCount(): number {
    return this.#pending.count
  }

  /** Their bytes. Cut before this exceeds a few MiB. */
  get pendingBytes(): number {
    return this.#pending.framesBytes
  }

  /** The newest head that may be shown. */
  get head(): ReleasedHead | undefined {
    return this.#released
  }

  /** Why this writer may not sign; undefined if it may. */
  get doubt(): AnchorDoubt | undefined {
    return this.#standing.state === 'unknown' ? this.#standing.doubt : undefined
  }

  /** True if `catchUp` may be called: the state is unknown, but the home is where the anchor is. */
  get isCaughtUp(): boolean {
    return this.#standing.state === 'unknown' && this.#standing.isCaughtUp
  }

  /** True if the state is unknown, but this machine knows of nothing that the home lacks. */
  get isCovered(): boolean {
    return this.#standing.state === 'unknown' && this.#standing.isCovered
  }

  /** True after a refusal: open a new writer once the cuts in flight are answered. */
  get isRefused(): boolean {
    return this.#isRefused
  }

  get cutsInFlight(): number {
    return this.#inFlight.count
  }

  /**
   * Adds an entry to the next cut and returns its index, which is final only when committed. The
   * payload is copied.
   *
   * @throws {UnavailableError} `WRITER_STATE_UNKNOWN`
   * @throws {UsageError} `PAYLOAD_TOO_LARGE`, `TIME_INVALID`, or `USAGE` for pointers and keys
   * that a header cannot have.
   */
  append(ticket: number, payload: Uint8Array, options: EntryOptions = NO_OPTIONS): number {
    this.#checkReady()
    const { kind = 0, timeUs = this.#runtime.nowUs(), pointers, app } = options
    checkTime(timeUs)
    checkPayload(payload)
    const index = this.size
    const salt = kind === 1 ? this.#runtime.randomBytes(SALT_BYTES) : undefined
    if (pointers === undefined && app === undefined) {
      this.#pending.add(ticket, index, kind, timeUs, payload, salt)
      return index
    }
    const body = createBody(kind, payload, salt)
    const payloadBytes = payload.length
    const header = encodeExtendedHeader({ kind, timeUs, payloadBytes, body, pointers, app })
    this.#pending.addEncoded(ticket, index, header, timeUs, body)
    return index
  }

  /**
   * Adds an erase entry; the payloads it names are erased in the same transaction. Ranges may come
   * in any order and overlap; entries that are not committed yet may be among them.
   *
   * @throws {UnavailableError} `WRITER_STATE_UNKNOWN`
   * @throws {UsageError} `INDEX_OUT_OF_RANGE`, `USAGE`, `TIME_INVALID`
   */
  erase(
    ticket: number,
    ranges: readonly IndexRange[],
    reason: string,
    timeUs: number = this.#runtime.nowUs(),
  ): number {
    this.#checkReady()
    const normal = normalizeEraseRanges(ranges, this.size)
    const header = encodeControlHeader(timeUs, { type: 'erase', ranges: normal, reason })
    this.#pending.addErasures(normal)
    return this.#addControl(ticket, header, timeUs)
  }

  /**
   * The operator states that no other copy of this home was used (F20): the next cut says so in
   * an entry, and takes the branch over under a new instance.
   *
   * @throws {UsageError} `USAGE` if the state is known, or for a reason that is too long.
   * @throws {UnavailableError} `ANCHOR_UNWRITABLE`
   */
  recover(ticket: number, reason: string, timeUs: number = this.#runtime.nowUs()): number {
    const standing = this.#standing
    if (standing.state !== 'unknown') {
      throw new UsageError('USAGE', 'the state of this writer is known: nothing to recover')
    }
    const { anchor } = standing
    const known = anchor === undefined ? null : { size: anchor.size, root: anchor.root }
    const header = encodeControlHeader(timeUs, { type: 'recover', anchor: known, reason })
    this.#adopt(anchor)
    return this.#addControl(ticket, header, timeUs)
  }

  /**
   * Goes on after an import or restore has brought the home to exactly where the anchor is. The
   * next cut takes the branch over under a new instance; it has no entries.
   *
   * @throws {UnavailableError} `WRITER_STATE_UNKNOWN` unless `isCaughtUp`; `ANCHOR_UNWRITABLE`
   */
  catchUp(): void {
    const standing = this.#standing
    if (standing.state !== 'unknown' || !standing.isCaughtUp) throw unknownState(this.doubt)
    this.#adopt(standing.anchor)
  }

  /** Closes what is pending and signs its head. Undefined if there is nothing to do. */
  cut(): Cut | undefined {
    assert(!this.#isRefused, 'a refused writer is replaced')
    const standing = this.#standing
    const adopts = standing.state === 'adopting' && !standing.isCut
    if (this.#pending.count === 0 && !adopts) return undefined
    const ops = this.#pending.count > 0 ? this.#cutEntries() : this.#cutNothing()
    if (adopts) {
      ops.push(createInstanceNote(this.name, this.branch, standing.instance))
      this.#standing = { ...standing, isCut: true }
    }
    return { ops, size: this.#edge.size }
  }

  /**
   * The cut with this size is synced, and all before it. Writes the anchor. To be called when the
   * sync has ended and *before* the store is told: from then on other processes may see the head.
   *
   * @throws {UnavailableError} `ANCHOR_UNWRITABLE`: tell the store that the sync failed.
   */
  durable(size: number): void {
    const { root } = this.#inFlight.at(size)
    const standing = this.#standing
    assert(standing.state !== 'unknown', 'a writer that cuts has an instance')
    const { name, branch } = this
    const { instance } = standing
    const epoch = this.#epoch
    this.#anchor.write(encodeAnchor({ instance, name, branch, epoch, size, root }))
    // What the anchor said before an adoption may not be part of this history.
    if (standing.state === 'adopting') this.#anchor.sync()
    this.#inFlight.markDurable(size)
  }

  /** The store has committed the cut with this size, and all before it. */
  committed(size: number): Release {
    const cuts = this.#inFlight.takeCommitted(size)
    for (const { frames } of cuts) if (frames !== undefined) this.#pending.giveBack(frames)
    this.#released = (cuts.at(-1)?.head as ReleasedHead | undefined) ?? this.#released
    if (this.#standing.state === 'adopting') {
      this.#standing = { state: 'ready', instance: this.#standing.instance }
    }
    return { head: this.#released, appends: cuts.flatMap((cut) => cut.appends) }
  }

  /**
   * The store has refused the cut with this size. Returns everything that will not happen: its
   * appends, those of later cuts, and what was pending. The refusals of those later cuts, when
   * they arrive, return nothing more.
   */
  refused(size: number): readonly AppendRange[] {
    const lost = this.#inFlight.takeRefused(size).flatMap((cut) => cut.appends)
    if (this.#isRefused) return lost
    this.#isRefused = true
    return [...lost, ...this.#pending.appends()]
  }

  /**
   * Where the next heartbeat will be, and the change that keeps it. Commit the change, then call
   * `signHeartbeat`. If the clock went back, the time of the last heartbeat is used again (F13).
   *
   * @throws {UnavailableError} `WRITER_STATE_UNKNOWN`
   * @throws {UsageError} `USAGE` if there is no head yet.
   */
  planHeartbeat(): { readonly position: HeartbeatPosition; readonly op: StoreOp } {
    this.#checkReady()
    if (this.#released === undefined) {
      throw new UsageError('USAGE', 'a heartbeat needs a first entry')
    }
    const last = readHeartbeatPosition(this.#store, this.name, this.branch)
    const { size } = this.#released
    assert(last === undefined || last.size <= size, 'a branch does not shrink under its writer')
    const nowS = Math.floor(this.#runtime.nowUs() / 1_000_000)
    const timeS = Math.max(nowS, last?.timeS ?? 0, this.#plannedTimeS)
    this.#plannedTimeS = timeS
    const position = { timeS, size }
    return { position, op: createHeartbeatNote(this.name, this.branch, position) }
  }

  /** Signs the heartbeat whose change is committed. Time and head are those of the plan. */
  signHeartbeat({ timeS, size }: HeartbeatPosition, head: ReleasedHead): Heartbeat {
    assert(this.#standing.state === 'ready', 'a heartbeat is planned first')
    const stored = readHeartbeatPosition(this.#store, this.name, this.branch)
    assert(stored !== undefined && head.size === size, 'the heartbeat was planned for this head')
    assert(stored.timeS >= timeS && stored.size >= size, 'the position is committed')
    return createHeartbeat(this.name, head, timeS, this.#signer)
  }

  #checkReady(): void {
    assert(!this.#isRefused, 'a refused writer is replaced')
    if (this.#standing.state !== 'ready') throw unknownState(this.doubt)
  }

  /**
   * A new instance, in the anchor first: from here on no copy of the home from before passes for
   * this one, wherever a crash may come. Size and root stay, so that nothing is forgotten.
   */
  #adopt(before: Anchor | undefined): void {
    const { name, branch } = this
    const instance = this.#runtime.randomBytes(INSTANCE_BYTES)
    const nothing = { name, branch, epoch: 0, size: 0, root: EMPTY_ROOT }
    this.#anchor.write(encodeAnchor({ ...(before ?? nothing), name, branch, instance }))
    this.#anchor.sync()
    this.#standing = { state: 'adopting', instance, isCut: false }
  }

  #addControl(ticket: number, header: Uint8Array, timeUs: number): number {
    const index = this.size
    this.#pending.addEncoded(ticket, index, header, timeUs, NO_BYTES)
    return index
  }

  #cutEntries(): StoreOp[] {
    const { name, branch } = this
    const start = this.#edge.size
    const { entries, appends, erasures } = this.#pending.close()
    const tiles = this.#edge.append(entries.leafHashes)
    const head = this.#sign()
    this.#inFlight.push({ size: head.size, root: head.root, head, appends, frames: entries.frames })
    const ops: StoreOp[] = [{ type: 'append', name, branch, start, entries, tiles, head }]
    if (erasures.length > 0) ops.push({ type: 'erase', name, branch, ranges: erasures })
    return ops
  }

  /** A catch-up: the anchor is to say what the home already holds. */
  #cutNothing(): StoreOp[] {
    const { size } = this.#edge
    this.#inFlight.push({
      size,
      root: this.#edge.root(),
      head: undefined,
      appends: [],
      frames: undefined,
    })
    return []
  }

  #sign(): Head {
    const { size } = this.#edge
    assert(size > this.#signedSize, 'no size is signed twice')
    assert(this.#standing.state !== 'unknown', 'an unknown state signs nothing')
    const { name, branch } = this
    const root = this.#edge.root()
    const head = signHead({ name, branch, epoch: this.#epoch, size, root }, this.#signer)
    this.#signedSize = size
    return head
  }
}
