/**
 * Everything that is committed: the index, and above it what changed since the last index flush.
 *
 * Memory holds the branches that changed and a bounded number of others. Rules IX5, IX6 and IX9 of
 * docs/spec/index.md.
 *
 * @module
 */
import {
  AssertionFailure,
  type BranchId,
  bytesEqual,
  type CapsuleName,
  compareBytes,
  MAIN_BRANCH,
} from '@longshore/capsule'
import type { IndexStore, IndexWrite } from '../../runtime/index-store.ts'
import { branchKey, nameKey } from '../branch-key.ts'
import { writeUint32 } from './big-endian.ts'
import { BlockCache } from './block-cache.ts'
import { Branch } from './branch.ts'
import {
  branchOfStateKey,
  encodeIndexWatermark,
  generationKey,
  MANIFEST_RANGE,
  manifestKey,
  nameOfManifestKey,
  noteKey,
  otherBranchesRange,
  REMOVAL_RANGE,
  removalKey,
  WATERMARK_KEY,
} from './index-layout.ts'
import { MaskedIndex } from './masked-index.ts'
import { decodePlace, encodePlace, type Place } from './position-block.ts'
import type { JournalPosition } from './watermark.ts'

/** Notes of the index that were asked for, kept in memory: those of the branches at work. */
const INDEXED_NOTES_MAX = 256

interface ManifestPlace {
  readonly name: CapsuleName
  readonly place: Place
}

interface RemovalPlace {
  readonly name: CapsuleName
  readonly place: Place | undefined
}

export class CommittedState {
  readonly index: IndexStore
  readonly #view: MaskedIndex
  readonly #branchesMax: number
  readonly #branches = new Map<string, Branch>()
  readonly #blocks = new BlockCache()
  readonly #changed = new Set<Branch>()
  readonly #manifests = new Map<string, ManifestPlace>()
  /** Undefined: there is no such record any more. */
  readonly #removals = new Map<string, RemovalPlace>()
  readonly #notes = new Map<string, Uint8Array>()
  /** What the index says, or that it says nothing. */
  readonly #indexedNotes = new Map<string, Uint8Array | undefined>()
  readonly #generations = new Map<number, number>()
  /** Mostly nothing was ever removed; undefined: that was not looked up yet. */
  #hasRemovals: boolean | undefined
  /** Counted when it is asked for first. */
  #nameCount: number | undefined
  /** The branch that was looked up last. */
  #last: Branch | undefined
  #uses = 0

  constructor(index: IndexStore, branchesMax: number) {
    this.index = index
    this.#view = new MaskedIndex(index)
    this.#branchesMax = branchesMax
  }

  /** The branch, if anything of it is committed. */
  find(name: CapsuleName, branch: BranchId): Branch | undefined {
    const known = this.#inMemory(name, branch)
    const found = known ?? this.#load(name, branch)
    if (!found.exists && (branch.length > 0 || this.manifestPlace(name) === undefined)) {
      return undefined
    }
    found.lastUse = ++this.#uses
    if (known === undefined) this.#keep(found)
    return found
  }

  /** The branch, to take up changes that are on their way; it may not exist yet. */
  open(name: CapsuleName, branch: BranchId): Branch {
    const known = this.#inMemory(name, branch)
    if (known !== undefined) return known
    const loaded = this.#load(name, branch)
    loaded.lastUse = ++this.#uses
    this.#keep(loaded)
    return loaded
  }

  /** The branch, to be changed now. It stays in memory until the next index flush. */
  change(name: CapsuleName, branch: BranchId): Branch {
    const opened = this.open(name, branch)
    this.#changed.add(opened)
    return opened
  }

  manifestPlace(name: CapsuleName): Place | undefined {
    const changed = this.#manifests.get(nameKey(name))
    if (changed !== undefined) return changed.place
    const stored = this.#view.get(manifestKey(name))
    return stored === undefined ? undefined : decodePlace(stored)
  }

  setManifest(name: CapsuleName, place: Place): void {
    if (this.#nameCount !== undefined && this.manifestPlace(name) === undefined) this.#nameCount++
    this.#manifests.set(nameKey(name), { name, place })
  }

  /** Nothing of this capsule counts any more, since the record at `place`. */
  remove(name: CapsuleName, place: Place): void {
    const key = nameKey(name)
    if (this.#nameCount !== undefined && this.manifestPlace(name) !== undefined) this.#nameCount--
    this.#view.remove(name)
    this.#manifests.delete(key)
    for (const [id, branch] of this.#branches) {
      if (!id.startsWith(key)) continue
      this.#branches.delete(id)
      this.#changed.delete(branch)
    }
    this.#last = undefined
    this.setRemovalPlace(name, place)
  }

  /** There is a record in the journal that removes a capsule, or there was one lately. */
  get hasRemovals(): boolean {
    this.#hasRemovals ??= hasItems(this.index.range(...REMOVAL_RANGE))
    return this.#hasRemovals
  }

  /** The newest record that removes the capsule, if there is one in the journal. */
  removalPlace(name: CapsuleName): Place | undefined {
    if (!this.hasRemovals) return undefined
    const changed = this.#removals.get(nameKey(name))
    if (changed !== undefined) return changed.place
    const stored = this.index.get(removalKey(name))
    return stored === undefined ? undefined : decodePlace(stored)
  }

  setRemovalPlace(name: CapsuleName, place: Place | undefined): void {
    this.#hasRemovals = true
    this.#removals.set(nameKey(name), { name: name.slice() as CapsuleName, place })
  }

  /** The record at `place` says something about a capsule that was removed later. */
  isRemovedAfter(name: CapsuleName, { segment, generation, offset }: Place): boolean {
    const removal = this.removalPlace(name)
    if (removal === undefined || removal.segment !== segment) {
      return removal !== undefined && removal.segment > segment
    }
    return removal.generation === generation && removal.offset > offset
  }

  /** How many capsules have a manifest here. */
  get nameCount(): number {
    this.#nameCount ??= this.names().length
    return this.#nameCount
  }

  /** At most `countMax` of them behind `after`, in byte order: those of a large store in turns. */
  namesAfter(after: CapsuleName | undefined, countMax: number): CapsuleName[] {
    const names = new Map<string, CapsuleName>()
    const [first, end] = MANIFEST_RANGE
    for (const [key] of this.#view.range(after === undefined ? first : manifestKey(after), end)) {
      const name = nameOfManifestKey(key)
      if (after !== undefined && bytesEqual(name, after)) continue
      names.set(nameKey(name), name)
      if (names.size >= countMax) break
    }
    for (const [key, { name }] of this.#manifests) {
      if (after === undefined || compareBytes(name, after) > 0) names.set(key, name)
    }
    return [...names.values()].sort(compareBytes).slice(0, countMax)
  }

  /** Capsules whose manifest is known, in byte order. */
  names(): CapsuleName[] {
    const names = new Map<string, CapsuleName>()
    for (const [key, { name }] of this.#manifests) names.set(key, name)
    for (const [key] of this.#view.range(...MANIFEST_RANGE)) {
      const name = nameOfManifestKey(key)
      names.set(nameKey(name), name)
    }
    return [...names.values()].sort(compareBytes)
  }

  /** Main branch first, then the others in byte order. */
  branches(name: CapsuleName): BranchId[] {
    const branches = new Map<string, BranchId>()
    for (const [key] of this.#view.range(...otherBranchesRange(name))) {
      const branch = branchOfStateKey(key)
      branches.set(branchKey(name, branch), branch)
    }
    for (const changed of this.#changed) {
      if (!changed.exists || compareBytes(changed.name, name) !== 0) continue
      branches.set(branchKey(name, changed.branch), changed.branch)
    }
    if (this.manifestPlace(name) !== undefined) branches.set(nameKey(name), MAIN_BRANCH)
    return [...branches.values()].sort(compareBytes)
  }

  note(key: string): Uint8Array | undefined {
    const known = this.#notes.get(key) ?? this.#indexedNotes.get(key)
    if (known !== undefined || this.#indexedNotes.has(key)) return known
    const indexed = this.index.get(noteKey(key))
    if (this.#indexedNotes.size >= INDEXED_NOTES_MAX) this.#indexedNotes.clear()
    this.#indexedNotes.set(key, indexed)
    return indexed
  }

  setNote(key: string, value: Uint8Array): void {
    this.#notes.set(key, value)
  }

  /** Generation of a segment as the places in the index mean it. */
  generation(segment: number): number {
    const changed = this.#generations.get(segment)
    if (changed !== undefined) return changed
    const stored = this.index.get(generationKey(segment))
    return stored === undefined ? 0 : new DataView(stored.buffer, stored.byteOffset).getUint32(0)
  }

  setGeneration(segment: number, generation: number): void {
    this.#generations.set(segment, generation)
  }

  /**
   * Writes all changes and the position that they reach to the index, in one batch.
   *
   * Returns why it failed, if it did: then all changes stay in memory.
   */
  flush(position: JournalPosition, segmentId: Uint8Array): unknown {
    const batch: IndexWrite[] = []
    this.#view.collectRemovals(batch)
    for (const branch of this.#changed) branch.collectChanges(batch)
    for (const { name, place } of this.#manifests.values()) {
      batch.push({ key: manifestKey(name), value: encodePlace(place) })
    }
    for (const { name, place } of this.#removals.values()) {
      const value = place === undefined ? undefined : encodePlace(place)
      batch.push({ key: removalKey(name), value })
    }
    for (const [key, value] of this.#notes) batch.push({ key: noteKey(key), value })
    for (const [segment, generation] of this.#generations) {
      const value = new Uint8Array(4)
      writeUint32(value, 0, generation)
      batch.push({ key: generationKey(segment), value })
    }
    const watermark = encodeIndexWatermark({ ...position, segmentId })
    batch.push({ key: WATERMARK_KEY, value: watermark })
    try {
      this.index.write(batch)
    } catch (error) {
      if (error instanceof AssertionFailure) throw error
      return error
    }
    this.#settle()
    return undefined
  }

  #settle(): void {
    for (const branch of this.#changed) branch.settle()
    this.#changed.clear()
    this.#manifests.clear()
    this.#removals.clear()
    this.#view.settle()
    for (const key of this.#notes.keys()) this.#indexedNotes.delete(key)
    this.#notes.clear()
    this.#generations.clear()
  }

  #inMemory(name: CapsuleName, branch: BranchId): Branch | undefined {
    // Mostly the same branch as last time: comparing is cheaper than making a key.
    const last = this.#last
    if (last !== undefined && bytesEqual(last.name, name) && bytesEqual(last.branch, branch)) {
      return last
    }
    const found = this.#branches.get(branchKey(name, branch))
    if (found !== undefined) this.#last = found
    return found
  }

  #load(name: CapsuleName, branch: BranchId): Branch {
    // Copies: the caller's arrays are not ours to keep.
    return new Branch(
      name.slice() as CapsuleName,
      branch.slice() as BranchId,
      this.#view,
      this.#blocks,
    )
  }

  #keep(branch: Branch): void {
    this.#branches.set(branchKey(branch.name, branch.branch), branch)
    if (this.#branches.size - this.#changed.size > 2 * this.#branchesMax) this.#evict()
  }

  /** Lets go of the branches that were not used for longest. */
  #evict(): void {
    const idle = [...this.#branches].filter(
      ([, branch]) => branch.pins === 0 && !this.#changed.has(branch),
    )
    idle.sort(([, a], [, b]) => a.lastUse - b.lastUse)
    for (const [key] of idle.slice(0, -this.#branchesMax)) this.#branches.delete(key)
    this.#last = undefined
  }
}

function hasItems(items: Iterable<unknown>): boolean {
  for (const _ of items) return true
  return false
}

/** An index that holds nothing: for a reader that cannot use the one on disk. */
export const EMPTY_INDEX: IndexStore = Object.freeze({
  get: () => undefined,
  range: () => [],
  write: () => undefined,
  clear: () => undefined,
  close: () => undefined,
})
