/**
 * One branch that a node takes in from elsewhere: between verified messages and the store.
 *
 *     accept*, fill* → cut → (store: submit, flush, sync) → committed
 *                          ↘ refused: forget this object, open a new one
 *
 * Invariants, kept by every method:
 *
 * 1. Entries are accepted only behind those that are there, and only if the tree of the head that
 *    they came under begins with the tree that is there. So all heads that were ever accepted are
 *    consistent, whoever sent them.
 * 2. The head in force is one whose entries are all there. While entries of a larger head arrive,
 *    a note keeps it in force (committed-head.ts); what is accepted and not committed is shown to
 *    nobody as state.
 * 3. A statement is planned in the transaction that makes it true: only with every payload that is
 *    not erased (F18), with a time and a size that never decrease (F13).
 * 4. Erasure wins: an erase entry erases whatever payload there is, and none comes back (F10).
 *
 * Rules MI3-MI7 and MI11-MI13 of docs/spec/mirror.md.
 *
 * @module
 */
import {
  asSignature,
  assert,
  type BranchId,
  bytesEqual,
  type CapsuleName,
  copyBytes,
  createHeartbeat,
  decodeHeader,
  ERASE_RANGES_MAX,
  type FullTile,
  HASH_BYTES,
  type Hash,
  type Head,
  type Manifest,
  manifestKey,
  openBody,
  ProtocolError,
  packageAlignedStart,
  RightEdge,
  rootFromTiles,
  SIGNATURE_BYTES,
  type SignedManifest,
  type Signer,
  type TileSource,
  TreeNodes,
  UnavailableError,
  VerificationError,
  verifyHeartbeat,
} from '@longshore/capsule'
import { SpareMemory } from '../runtime/spare-memory.ts'
import { EntryBatchBuilder } from '../store/entry-batch-builder.ts'
import type { IndexRange, StoreOp, StoreReader } from '../store/store.ts'
import { type PendingImport, pendingImport, pendingImportOp } from './committed-head.ts'
import { createMirrorNote, readMirrorNote, type SizedHeartbeat } from './mirror-note.ts'
import { coarsen, RangeSet } from './range-set.ts'
import { readStated, type StatedTree, statedOp } from './removal.ts'
import { type EntriesVerifier, HeadVerifier } from './verify-entries.ts'

/** Stands where a head is needed that nobody signed; never shown to anybody. */
const NO_SIGNATURE = asSignature(new Uint8Array(SIGNATURE_BYTES))

/** Rows of one leaf tile take 2 KiB; reading on from there takes some of the tiles above. */
const PROOF_TILES_MAX = 32

/** A head whose cosignature may leave once the transaction is durable. */
export interface PlannedStatement {
  readonly head: Head
  readonly timeS: number
}

/** The changes of one branch in a group commit. */
export interface BranchCut {
  readonly ops: readonly StoreOp[]
  /** In force before. */
  readonly before: Head | undefined
  /** In force when this is committed. */
  readonly head: Head | undefined
  /** Undefined if there is nothing new to state. */
  readonly statement: PlannedStatement | undefined
  /** Memory of its entries, to be used again once they are committed. */
  readonly frames: Uint8Array | undefined
}

export interface BranchIntakeOptions {
  readonly holeRangesMax: number
  readonly isDamaged?: () => boolean
  /** What it accepts lies in it until it is committed. */
  readonly spares?: SpareMemory
}

export class BranchIntake {
  readonly name: CapsuleName
  readonly branch: BranchId
  readonly signed: SignedManifest
  readonly heads: HeadVerifier
  readonly #store: StoreReader
  readonly #holeRangesMax: number
  readonly #edge: RightEdge
  /** Of the edge, where a head that was verified says so. */
  #root: { readonly size: number; readonly root: Hash } | undefined
  readonly #builder: EntryBatchBuilder
  /** Edge of the tile that the next entry goes to, as of this size. */
  #tile: { readonly edge: RightEdge; readonly size: number } | undefined
  /** Size when the last transaction was cut. */
  #cutSize: number
  #tiles: FullTile[] = []
  #erasures: IndexRange[] = []
  #fills: { readonly index: number; readonly body: Uint8Array }[] = []
  #fillBytes = 0
  /** Newest head whose entries are all accepted. */
  #head: Head | undefined
  /** The one that the last transaction brings into force. */
  #cutHead: Head | undefined
  /** What the note of the last transaction says. */
  #noted: PendingImport | undefined
  /** Newest head under which an entry was accepted. */
  #target: Head | undefined
  readonly #holes = new RangeSet()
  #stated: { readonly timeS: number; readonly size: number }
  /** What was stated before the copy here was removed: nothing else is stated before that. */
  #restating: StatedTree | undefined
  /** What was stated before may be stated again. */
  #isRestated = false
  readonly #isDamaged: () => boolean
  #heartbeat: SizedHeartbeat | undefined
  #isNoteDirty = false
  #committedHead: Head | undefined
  #committedStatement: PlannedStatement | undefined
  #cutsInFlight = 0
  #statementsInFlight = 0
  #cosignature: SizedHeartbeat | undefined
  #nodes: TreeNodes | undefined

  /** @throws {VerificationError} `MANIFEST_INVALID` if it is not the manifest of a capsule. */
  constructor(
    store: StoreReader,
    signed: SignedManifest,
    branch: BranchId,
    options: BranchIntakeOptions,
  ) {
    const { name } = signed
    const { holeRangesMax, isDamaged = () => false, spares = new SpareMemory() } = options
    this.#builder = new EntryBatchBuilder(spares)
    this.#isDamaged = isDamaged
    this.name = name
    this.branch = branch
    this.signed = signed
    this.heads = new HeadVerifier(name, branch, manifestKey(signed.manifest, 'writer'))
    this.#store = store
    this.#holeRangesMax = holeRangesMax
    const state = store.state(name, branch)
    const size = state?.size ?? 0
    this.#noted = pendingImport(store, name, branch)
    this.#head = this.#noted === undefined ? state?.head : this.#noted.before
    this.#target = this.#noted?.target ?? this.#head
    this.#edge = RightEdge.open(this.tiles, size)
    this.#cutSize = size
    const note = readMirrorNote(store, name, branch)
    for (const { start, end } of note.holes) this.#holes.add(start, end)
    this.#stated = { timeS: note.timeS, size: note.size }
    this.#heartbeat = note.heartbeat
    this.#committedHead = this.#cutHead = this.#head
    this.#restating = readStated(store, name, branch)
    const isStated = this.#restating === undefined && state?.isDamaged !== true
    if (isStated && this.#head !== undefined && this.#head.size === note.size) {
      this.#committedStatement = { head: this.#head, timeS: note.timeS }
    }
    this.#compareRestated()
  }

  /** Less is here than this node has stated: it is being filled again. */
  get isMending(): boolean {
    return this.#restating !== undefined
  }

  get manifest(): Manifest {
    return this.signed.manifest
  }

  /** Entries accepted, those that wait for a commit included. */
  get size(): number {
    return this.#edge.size
  }

  /** The head in force: committed, every entry there. */
  get committedHead(): Head | undefined {
    return this.#committedHead
  }

  /** The statement that the mirror key has made or may make now; of the head in force. */
  get statement(): PlannedStatement | undefined {
    return this.#isDamaged() ? undefined : this.#committedStatement
  }

  get heartbeat(): SizedHeartbeat | undefined {
    return this.#heartbeat
  }

  /** That statement, signed. The same one has the same bytes, whenever it is asked for. */
  cosignature(mirror: Signer): SizedHeartbeat | undefined {
    const stated = this.statement
    if (stated === undefined) return undefined
    const { head, timeS } = stated
    const known = this.#cosignature
    if (known?.size === head.size && known.timeS === timeS) return known
    this.#cosignature = { size: head.size, ...createHeartbeat(this.name, head, timeS, mirror) }
    return this.#cosignature
  }

  /** Complete nodes of the committed tree, kept from proof to proof. */
  get nodes(): TreeNodes {
    this.#nodes ??= new TreeNodes(this.tiles, PROOF_TILES_MAX)
    return this.#nodes
  }

  /** Where payloads may be missing. */
  get holes(): readonly IndexRange[] {
    return this.#holes.ranges
  }

  /** Bytes accepted and not cut. */
  get pendingBytes(): number {
    return this.#builder.framesBytes + this.#fillBytes
  }

  get isDirty(): boolean {
    return this.#builder.count > 0 || this.#fills.length > 0 || this.#isNoteDirty
  }

  /** The head in force may be stated and was not: its entries came in another way. */
  get isStatementDue(): boolean {
    const head = this.#committedHead
    if (head === undefined || head !== this.#head || !this.#mayState(head)) return false
    const hole = this.#holes.first
    return hole === undefined || hole >= head.size
  }

  /** A statement is on its way to the store. */
  get isStating(): boolean {
    return this.#statementsInFlight > 0
  }

  get isIdle(): boolean {
    return !this.isDirty && this.#cutsInFlight === 0
  }

  /** Committed tiles. */
  get tiles(): TileSource {
    const { name, branch } = this
    return { tile: (level, n, width) => this.#store.tile(name, branch, level, n, width) }
  }

  /** Root of the first `size` committed entries, at least 1. */
  rootAt(size: number): Hash {
    return rootFromTiles(this.tiles, size)
  }

  /**
   * Takes in the message in the verifier's frame, under a head that the writer signed. What is
   * there already is skipped. Returns how many entries are new.
   *
   * @throws {VerificationError} what the verifier throws; `ROOT_MISMATCH` if the head does not
   * continue what is there.
   * @throws {ProtocolError} `PROTOCOL_ERROR` for entries that leave a gap.
   */
  accept(verifier: EntriesVerifier, head: Head): number {
    const { frame } = verifier
    const { size } = this
    if (frame.end <= size) return 0
    if (frame.start > size) {
      const details = { start: frame.start, size }
      throw new ProtocolError('PROTOCOL_ERROR', 'entries were left out', details)
    }
    const { erasures, holes } = verifier.verify(this.branch, head, this.#tileEdge(frame.start))
    const root = this.#root?.size === size ? this.#root.root : this.#edge.root()
    if (size > 0 && !bytesEqual(verifier.rootBefore(size), root)) {
      const message = 'the head does not continue what is here'
      throw new VerificationError('ROOT_MISMATCH', message, { size, headSize: head.size })
    }
    verifier.addTo(this.#builder, size)
    const leafHashes = verifier.leafHashesFrom(size)
    const { tileRoot } = verifier
    const isTile = size === frame.start && tileRoot !== undefined
    this.#tiles.push(
      ...(isTile ? this.#edge.appendTile(leafHashes, tileRoot) : this.#edge.append(leafHashes)),
    )
    this.#tile = { edge: verifier.tileEdge, size: this.size }
    for (const range of holes) {
      if (range.end > size) this.#holes.add(Math.max(size, range.start), range.end)
    }
    for (const range of erasures) this.#erase(range)
    this.#advanceTo(head)
    return this.size - size
  }

  /**
   * Takes in a payload that was missing. Returns false if it is not missing.
   *
   * @throws {VerificationError} `PAYLOAD_MISMATCH` if it is not that of the committed header.
   */
  fill(index: number, body: Uint8Array): boolean {
    if (!this.#holes.has(index) || index >= this.#cutSize) return false
    const stored = this.#store.entry(this.name, this.branch, index)
    this.#holes.remove(index, index + 1)
    this.#isNoteDirty = true
    if (stored.state !== 'absent') return false
    try {
      openBody(decodeHeader(stored.header), body)
    } catch (error) {
      this.#holes.add(index, index + 1)
      throw error
    }
    this.#fills.push({ index, body: copyBytes(body) })
    this.#fillBytes += body.length
    return true
  }

  /** A payload that somebody may have thought missing is there or erased. */
  forgetHole(index: number): void {
    this.#holes.remove(index, index + 1)
    this.#isNoteDirty = true
  }

  /**
   * Takes in a statement of the writer, if it is over the head in force: one of another size can be
   * checked by nobody. Older ones are dropped. Returns whether it was.
   *
   * @throws {UnavailableError} `CLOCK_SKEW` if it is later than `latestS`
   * @throws {VerificationError} `BAD_SIGNATURE`, `SIGNATURE_MISSING`
   */
  takeHeartbeat(heartbeat: SizedHeartbeat, latestS: number): boolean {
    const head = this.#committedHead
    if (head?.size !== heartbeat.size) return false
    if (heartbeat.timeS > latestS) {
      throw new UnavailableError('CLOCK_SKEW', 'the heartbeat is from the future')
    }
    verifyHeartbeat(this.name, head, heartbeat, manifestKey(this.manifest, 'writer'))
    const { timeS = 0, size = 0 } = this.#heartbeat ?? {}
    const isNewer = heartbeat.timeS > timeS || heartbeat.size > size
    if (!isNewer || heartbeat.timeS < timeS || heartbeat.size < size) return false
    this.#heartbeat = heartbeat
    this.#isNoteDirty = true
    return true
  }

  /**
   * Closes what was accepted into the changes of one transaction. Undefined if nothing was. Without
   * a time no statement is planned: for a home that is no mirror.
   */
  cut(nowS: number | undefined): BranchCut | undefined {
    const statement = nowS === undefined ? undefined : this.#planStatement(nowS)
    if (!this.isDirty && statement === undefined) return undefined
    const appended = this.#cutEntries()
    const [append] = appended
    const frames = append?.type === 'append' ? append.entries.frames : undefined
    const ops: StoreOp[] = [...appended]
    const { name, branch } = this
    for (const { index, body } of this.#fills) {
      ops.push({ type: 'payload', name, branch, index, body })
    }
    for (let at = 0; at < this.#erasures.length; at += ERASE_RANGES_MAX) {
      const ranges = this.#erasures.slice(at, at + ERASE_RANGES_MAX)
      ops.push({ type: 'erase', name, branch, ranges })
    }
    if (statement !== undefined || this.#isNoteDirty) ops.push(this.#noteOp())
    if (this.#isRestated && statement !== undefined) {
      ops.push(statedOp(name, branch, undefined))
      this.#isRestated = false
    }
    this.#fills = []
    this.#fillBytes = 0
    this.#erasures = []
    this.#cutsInFlight++
    if (statement !== undefined) this.#statementsInFlight++
    const before = this.#cutHead
    this.#cutHead = this.#head
    return { ops, before, head: this.#head, statement, frames }
  }

  committed(cut: BranchCut): void {
    this.#cutsInFlight--
    if (cut.frames !== undefined) this.#builder.giveBack(cut.frames)
    this.#committedHead = cut.head
    if (cut.statement !== undefined) {
      this.#committedStatement = cut.statement
      this.#statementsInFlight--
    }
    const stated = this.#committedStatement
    if (stated !== undefined && stated.head.size !== cut.head?.size) {
      this.#committedStatement = undefined
    }
    this.#compareRestated()
  }

  /** Once all is there again that was stated, it has to be the same tree. */
  #compareRestated(): void {
    const stated = this.#restating
    if (stated === undefined || (this.#committedHead?.size ?? 0) < stated.size) return
    if (!bytesEqual(this.rootAt(stated.size), stated.root)) return
    this.#restating = undefined
    this.#isRestated = true
  }

  #mayState(head: Head): boolean {
    if (this.#isDamaged() || this.#restating !== undefined) return false
    return head.size > this.#stated.size || (this.#isRestated && head.size === this.#stated.size)
  }

  /** Edge of the tile that `start` lies in: the one at the right edge, since start <= size. */
  #tileEdge(start: number): RightEdge {
    if (this.#tile?.size === start) return this.#tile.edge
    const edge = RightEdge.empty()
    const count = start - packageAlignedStart(start)
    edge.append(this.#edge.partialTile(0).subarray(0, count * HASH_BYTES))
    return edge
  }

  /** A head under which an entry was accepted counts as soon as its last entry is there. */
  #advanceTo(head: Head): void {
    if (this.#target === undefined || head.size > this.#target.size) this.#target = head
    if (this.size !== head.size) return
    this.#head = head
    this.#root = head
  }

  #erase(range: IndexRange): void {
    this.#erasures.push(range)
    this.#holes.remove(range.start, range.end)
    this.#isNoteDirty = true
  }

  /** The entries of the cut, and the note that says which head is in force meanwhile. */
  #cutEntries(): StoreOp[] {
    if (this.#builder.count === 0) return []
    const { name, branch } = this
    const { size } = this.#edge
    const start = this.#cutSize
    const entries = this.#builder.build()
    const tiles = this.#tiles.sort((a, b) => a.level - b.level || a.n - b.n)
    this.#tiles = []
    this.#cutSize = size
    const isWhole = this.#head?.size === size
    const head: Head = isWhole
      ? (this.#head as Head)
      : { branch, epoch: 0, size, root: this.#edge.root(), signature: NO_SIGNATURE }
    const ops: StoreOp[] = [{ type: 'append', name, branch, start, entries, tiles, head }]
    if (this.#holes.first !== undefined) this.#isNoteDirty = true
    const pending = isWhole ? undefined : this.#pending()
    const isNoted =
      pending?.before === this.#noted?.before && pending?.target === this.#noted?.target
    if (!isNoted) ops.push(pendingImportOp(name, branch, pending))
    this.#noted = pending
    return ops
  }

  #pending(): PendingImport {
    const target = this.#target
    assert(target !== undefined && target.size > this.size, 'entries came under a larger head')
    return { before: this.#head, target }
  }

  #planStatement(nowS: number): PlannedStatement | undefined {
    const head = this.#head
    if (head === undefined || !this.#mayState(head)) return undefined
    const hole = this.#holes.first
    if (hole !== undefined && hole < head.size) return undefined
    this.#stated = { timeS: Math.max(nowS, this.#stated.timeS), size: head.size }
    return { head, timeS: this.#stated.timeS }
  }

  #noteOp(): StoreOp {
    this.#isNoteDirty = false
    const { timeS, size } = this.#stated
    const holes = coarsen(this.#holes.ranges, this.#holeRangesMax)
    const note = { timeS, size, heartbeat: this.#heartbeat, holes }
    return createMirrorNote(this.name, this.branch, note)
  }
}
