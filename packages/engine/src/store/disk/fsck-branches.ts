/**
 * fsck's checks of what the records say: manifests, entries, heads, and the index about them.
 *
 * Everything is computed anew from the journal's bytes: leaf hashes, the tree over them, the root
 * of each head. The index is only compared with that. Rule JR21 of docs/spec/journal.md.
 *
 * @module
 */
import {
  type BranchId,
  bytesEqual,
  type CapsuleName,
  decodeHeader,
  encodeHead,
  HASH_BYTES,
  type Head,
  manifestKey,
  openBody,
  openManifest,
  RightEdge,
  type RoleKey,
  rootFromTiles,
  type TileSource,
  verifyHead,
} from '@longshore/capsule'
import { branchKey, nameKey } from '../branch-key.ts'
import { isZero } from './big-endian.ts'
import type { Branch } from './branch.ts'
import { TILE_WIDTH } from './branch-tiles.ts'
import type { CommittedState } from './committed-state.ts'
import type { EntryReader } from './entry-reader.ts'
import { type FsckPlace, type FsckProblems, NO_PLACE } from './fsck-report.ts'
import { tryDecodeHead } from './index-layout.ts'
import { BLOCK_ENTRIES, type Place } from './position-block.ts'
import { framesPlace } from './prepared-record.ts'
import { ADDRESS_BYTES, decodeRanges, NAME_BYTES, type RecordAddress } from './record.ts'
import { type FrameRun, readFrames } from './replay.ts'
import { FRAME_PRESENT, FrameCursor } from './stored-frame.ts'

/** Right edges in memory; others are opened again from the tiles that were compared. */
const EDGES_MAX = 64

/** What the journal says about one branch, as far as it was read. */
interface BranchCheck {
  readonly name: CapsuleName
  readonly branch: BranchId
  /** Entries read so far. */
  next: number
  head: Head | undefined
  timeUsMax: number
  /** Entries are missing: there is no root to compare. */
  isBroken: boolean
  /** Payloads that came later, as the index has them, and were not read yet. */
  readonly fills: Set<number>
  /** The last head, if nobody signed it: an import in steps has such heads before its last one. */
  unsigned: FsckPlace | undefined
}

export class BranchChecks {
  entries = 0
  readonly #state: CommittedState
  readonly #reader: EntryReader
  readonly #problems: FsckProblems
  readonly #checks = new Map<string, BranchCheck>()
  readonly #edges = new Map<BranchCheck, RightEdge>()
  readonly #writers = new Map<string, RoleKey | undefined>()
  /** Of manifests that were not read yet. */
  readonly #laterWriters = new Map<string, RoleKey>()
  /** Capsules that the index says were removed, where the journal has not said it yet. */
  readonly #awaited = new Map<string, CapsuleName>()
  readonly #cursor = new FrameCursor()

  constructor(state: CommittedState, reader: EntryReader, problems: FsckProblems) {
    this.#state = state
    this.#reader = reader
    this.#problems = problems
  }

  /** The record says something about a capsule that is removed later, as the index has it. */
  isRemovedAfter(name: CapsuleName, place: Place): boolean {
    if (!this.#state.isRemovedAfter(name, place)) return false
    this.#awaited.set(nameKey(name), name)
    return true
  }

  /** What was read of the capsule does not count any more. */
  remove(name: CapsuleName, place: Place): void {
    const key = nameKey(name)
    for (const [id, check] of this.#checks) {
      if (!id.startsWith(key)) continue
      this.#checks.delete(id)
      this.#edges.delete(check)
    }
    this.#writers.delete(key)
    this.#laterWriters.delete(key)
    const indexed = this.#state.removalPlace(name)
    if (indexed !== undefined && samePlace(indexed, place)) this.#awaited.delete(key)
    else this.#mismatch(place, name, 'the capsule was removed here')
  }

  manifest(body: Uint8Array, place: Place): void {
    const name = body.slice(0, NAME_BYTES) as CapsuleName
    this.#problems.check('MANIFEST_INVALID', place, name, () => {
      const { manifest } = openManifest(body.slice(NAME_BYTES), name)
      const hasWriter = manifest.keys.some(({ use }) => use === 'writer')
      this.#writers.set(nameKey(name), hasWriter ? manifestKey(manifest, 'writer') : undefined)
    })
    const indexed = this.#state.manifestPlace(name)
    if (indexed === undefined || !samePlace(indexed, place)) {
      this.#mismatch(place, name, 'the manifest is elsewhere')
    }
  }

  /** False if the body is malformed. */
  addEntries(address: RecordAddress, body: Uint8Array, place: Place): boolean {
    const { name, index: start, count } = address
    const frames = readFrames(body, address, true)
    if (frames === undefined) return false
    const check = this.#checkOf(name, address.branch)
    if (start < check.next) {
      this.#problems.add('RECORD_SHAPE', place, `entries from ${start} on are here again`, name)
      return true
    }
    this.#expectEntries(check, start, place)
    this.entries += count
    for (let i = 0; i < count; i++) this.#checkFrame(check, body, frames, i, place)
    const branch = this.#state.find(name, address.branch)
    const at = framesPlace(place)
    this.#problems.check('INDEX_MISMATCH', place, name, () => {
      if (branch === undefined || branch.known < start + count) {
        return this.#mismatch(place, name, 'these entries are not in the index')
      }
      this.#comparePlaces(branch, check, start, frames, at)
      this.#compareTimes(branch, check, start, frames, place)
      this.#compareHashes(branch, start, frames, place)
    })
    this.#extend(check, branch, frames, place)
    check.timeUsMax = Math.max(check.timeUsMax, frames.timeUsMax)
    check.next = start + count
    return true
  }

  /** False if the body is malformed. */
  addHead(body: Uint8Array, place: FsckPlace): boolean {
    const name = body.slice(0, NAME_BYTES) as CapsuleName
    const head = tryDecodeHead(body.subarray(NAME_BYTES))
    if (head === undefined) return false
    const check = this.#checkOf(name, head.branch)
    this.#expectEntries(check, head.size, place)
    check.head = head
    const edge = check.isBroken ? undefined : this.#edge(check, place)
    if (edge !== undefined && (edge.size !== head.size || !bytesEqual(edge.root(), head.root))) {
      const detail = `the entries below ${head.size} give another root than the head`
      this.#problems.add('ROOT_MISMATCH', place, detail, name)
    }
    const writer = this.#writerOf(name)
    if (writer === undefined) {
      this.#problems.add('MANIFEST_INVALID', place, 'no manifest names the writer', name)
      return true
    }
    check.unsigned = isZero(head.signature, 0, head.signature.length) ? place : undefined
    if (check.unsigned !== undefined) return true
    this.#problems.check('BAD_SIGNATURE', place, name, () => verifyHead(name, head, writer))
    return true
  }

  addPayload(address: RecordAddress, body: Uint8Array, place: Place): void {
    const { name, index } = address
    const check = this.#checkOf(name, address.branch)
    if (index >= check.next) {
      this.#expectEntries(check, index + 1, place)
      return
    }
    const branch = this.#state.find(name, address.branch)
    this.#problems.check('ENTRY_INVALID', place, name, () => {
      if (branch === undefined) return
      const { fill } = branch.find(index)
      if (fill !== undefined && samePlace(fill, place)) check.fills.delete(index)
      const header = decodeHeader(this.#reader.entry(branch, index).header)
      openBody(header, body.subarray(ADDRESS_BYTES))
    })
  }

  /** False if the body is malformed. */
  addErasure(address: RecordAddress, body: Uint8Array, place: Place): boolean {
    const { name, count } = address
    const ranges = decodeRanges(body, count)
    if (ranges === undefined) return false
    const check = this.#checkOf(name, address.branch)
    const branch = this.#state.find(name, address.branch)
    for (const { start, end } of ranges) {
      this.#expectEntries(check, end, place)
      let known = branch !== undefined && end <= branch.known
      for (let index = start; known && index < end; index++) {
        known = (branch as Branch).find(index).erased
      }
      if (!known) this.#mismatch(place, name, `entries ${start} to ${end - 1} are erased`)
    }
    return true
  }

  /** The whole journal was read: compares what is left, and what only the index has. */
  finish(): void {
    for (const check of this.#checks.values()) this.#finishBranch(check)
    for (const name of this.#awaited.values()) {
      this.#mismatch(NO_PLACE, name, 'the journal does not say that the capsule was removed')
    }
    for (const name of this.#state.names()) {
      if (!this.#writers.has(nameKey(name))) {
        this.#mismatch(NO_PLACE, name, 'the journal has no valid manifest')
      }
      for (const branch of this.#state.branches(name)) {
        if (this.#checks.has(branchKey(name, branch))) continue
        const size = this.#state.find(name, branch)?.size ?? 0
        if (size > 0) this.#mismatch(NO_PLACE, name, 'the journal has no entry of a branch')
      }
    }
  }

  #finishBranch(check: BranchCheck): void {
    const { name, head, unsigned } = check
    if (unsigned !== undefined) {
      this.#problems.add('BAD_SIGNATURE', unsigned, 'nobody signed the last head', name)
    }
    const branch = this.#state.find(name, check.branch)
    this.#problems.check('INDEX_MISMATCH', NO_PLACE, name, () => {
      const state = branch?.state()
      if (branch === undefined || state === undefined) {
        return this.#mismatch(NO_PLACE, name, 'a branch is not in the index')
      }
      if (branch.known !== check.next || state.timeUsMax !== check.timeUsMax) {
        this.#mismatch(NO_PLACE, name, 'a branch has another size or time in the index')
      }
      const sameHead =
        head === undefined || state.head === undefined
          ? head === state.head
          : bytesEqual(encodeHead(head), encodeHead(state.head))
      if (!sameHead) this.#mismatch(NO_PLACE, name, 'a branch has another head in the index')
      for (const index of check.fills) {
        const { fill } = branch.find(index)
        // It may have been erased meanwhile.
        if (fill === undefined) continue
        const detail = `the payload of entry ${index} is not in the journal`
        this.#problems.add('ENTRY_MISSING', fill, detail, name)
      }
      if (head === undefined || check.isBroken) return
      // Also the partial tiles, which proofs are made from.
      if (!bytesEqual(rootFromTiles(tilesOf(branch), head.size), head.root)) {
        this.#mismatch(NO_PLACE, name, 'the tiles in the index give another root than the head')
      }
    })
  }

  #checkFrame(check: BranchCheck, body: Uint8Array, run: FrameRun, i: number, place: Place): void {
    const at = ADDRESS_BYTES + (run.offsets[i] as number)
    this.#cursor.read(body, at, body.length)
    const { headerAt, bodyAt, end, state } = this.#cursor
    const frame = { segment: place.segment, offset: framesPlace(place).offset + at - ADDRESS_BYTES }
    this.#problems.check('ENTRY_INVALID', frame, check.name, () => {
      const header = decodeHeader(body.subarray(headerAt, bodyAt))
      if (state === FRAME_PRESENT) openBody(header, body.subarray(bodyAt, end))
    })
  }

  /** Reports what should have come before and did not. */
  #expectEntries(check: BranchCheck, size: number, place: FsckPlace): void {
    if (check.next >= size) return
    const detail = `entries ${check.next} to ${size - 1} are not in the journal`
    this.#problems.add('ENTRY_MISSING', place, detail, check.name)
    check.next = size
    check.isBroken = true
    this.#edges.delete(check)
  }

  #comparePlaces(
    branch: Branch,
    check: BranchCheck,
    start: number,
    frames: FrameRun,
    at: Place,
  ): void {
    for (const [i, offset] of frames.offsets.entries()) {
      const place = { ...at, offset: at.offset + offset }
      const indexed = branch.find(start + i)
      if (indexed.fill !== undefined) check.fills.add(start + i)
      if (samePlace(indexed, place)) continue
      this.#mismatch(place, branch.name, `entry ${start + i} is elsewhere in the index`)
      return
    }
  }

  /** The running maximum at the end of each block; `check` has that of the entries before. */
  #compareTimes(
    branch: Branch,
    check: BranchCheck,
    start: number,
    frames: FrameRun,
    place: FsckPlace,
  ): void {
    let timeUsMax = check.timeUsMax
    for (const [i, timeUs] of frames.timesUs.entries()) {
      timeUsMax = Math.max(timeUsMax, timeUs)
      const next = start + i + 1
      if (next % BLOCK_ENTRIES !== 0 && next !== branch.known) continue
      if (branch.blockTimeUsMax(Math.ceil(next / BLOCK_ENTRIES) - 1) === timeUsMax) continue
      this.#mismatch(place, branch.name, `the times up to entry ${start + i} differ in the index`)
      return
    }
  }

  #compareHashes(branch: Branch, start: number, frames: FrameRun, place: Place): void {
    const count = frames.offsets.length
    for (let index = start; index < start + count; ) {
      const n = Math.floor(index / TILE_WIDTH)
      const end = Math.min(start + count, (n + 1) * TILE_WIDTH)
      const first = n * TILE_WIDTH
      const tile = branch.tile(0, n, end - first).subarray((index - first) * HASH_BYTES)
      const hashes = frames.leafHashes.subarray((index - start) * HASH_BYTES)
      if (!bytesEqual(tile, hashes.subarray(0, (end - index) * HASH_BYTES))) {
        this.#mismatch(place, branch.name, `leaf hashes from ${index} on differ in the index`)
        return
      }
      index = end
    }
  }

  /** Appends to the right edge, and compares the tiles that this completes. */
  #extend(
    check: BranchCheck,
    branch: Branch | undefined,
    frames: FrameRun,
    place: FsckPlace,
  ): void {
    const edge = check.isBroken ? undefined : this.#edge(check, place)
    if (edge === undefined) return
    for (const { level, n, bytes } of edge.append(frames.leafHashes)) {
      this.#problems.check('INDEX_MISMATCH', place, check.name, () => {
        if (branch !== undefined && !bytesEqual(branch.tile(level, n, TILE_WIDTH), bytes)) {
          this.#mismatch(place, check.name, `tile ${level}/${n} differs in the index`)
        }
      })
    }
  }

  /** The right edge over the entries read so far; undefined if the index cannot give it. */
  #edge(check: BranchCheck, place: FsckPlace): RightEdge | undefined {
    let edge = this.#edges.get(check)
    this.#edges.delete(check)
    const branch = this.#state.find(check.name, check.branch)
    if (check.next === 0) edge ??= RightEdge.empty()
    if (edge === undefined && branch !== undefined) {
      this.#problems.check('INDEX_MISMATCH', place, check.name, () => {
        edge = RightEdge.open(tilesOf(branch), check.next)
      })
    }
    if (edge === undefined) return undefined
    this.#edges.set(check, edge)
    for (const oldest of this.#edges.keys()) {
      if (this.#edges.size <= EDGES_MAX) break
      this.#edges.delete(oldest)
    }
    return edge
  }

  /** A manifest that was lost in damage may stand behind what was signed under it. */
  #writerOf(name: CapsuleName): RoleKey | undefined {
    const known = this.#writers.get(nameKey(name)) ?? this.#laterWriters.get(nameKey(name))
    const place = known === undefined ? this.#state.manifestPlace(name) : undefined
    if (place === undefined) return known
    this.#problems.check('MANIFEST_INVALID', place, name, () => {
      const { manifest } = openManifest(this.#reader.manifest(place), name)
      this.#laterWriters.set(nameKey(name), manifestKey(manifest, 'writer'))
    })
    return this.#laterWriters.get(nameKey(name))
  }

  #checkOf(name: CapsuleName, branch: BranchId): BranchCheck {
    const key = branchKey(name, branch)
    let check = this.#checks.get(key)
    if (check === undefined) {
      check = {
        name,
        branch,
        next: 0,
        head: undefined,
        timeUsMax: 0,
        isBroken: false,
        fills: new Set(),
        unsigned: undefined,
      }
      this.#checks.set(key, check)
    }
    return check
  }

  #mismatch(place: FsckPlace, name: CapsuleName, detail: string): void {
    this.#problems.add('INDEX_MISMATCH', place, detail, name)
  }
}

function tilesOf(branch: Branch): TileSource {
  return { tile: (level, n, width) => branch.tile(level, n, width) }
}

function samePlace(a: Place, b: Place): boolean {
  return a.segment === b.segment && a.generation === b.generation && a.offset === b.offset
}
