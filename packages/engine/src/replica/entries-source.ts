/**
 * Makes messages with entries from a store: for pushes, followers and ranges alike.
 *
 * Rules MS10-MS14 of docs/spec/message.md.
 *
 * @module
 */
import {
  type BranchId,
  type CapsuleName,
  packageAlignedStart,
  provePackage,
  TILE_WIDTH,
  type TileSource,
  TreeNodes,
} from '@longshore/capsule'
import { SpareMemory } from '../runtime/spare-memory.ts'
import type { StoredEntry, StoreReader } from '../store/store.ts'
import { countFitting, encodeEntries } from './entries-message.ts'
import { MESSAGE_BODIES_BYTES_MAX } from './limits.ts'

/** One branch of one capsule. */
export interface BranchPlace {
  readonly name: CapsuleName
  readonly branch: BranchId
}

/** A branch in a store, and nodes of its tree. */
export interface EntriesSource extends BranchPlace {
  readonly store: StoreReader
  readonly tiles: TileSource
  readonly nodes: TreeNodes
  readonly spares: SpareMemory
}

/** Leaf tiles behind each other, and those above. */
const PROOF_TILES_MAX = 32

export function createSource(
  store: StoreReader,
  { name, branch }: BranchPlace,
  spares: SpareMemory = new SpareMemory(),
): EntriesSource {
  const tiles: TileSource = {
    tile: (level, n, width) => store.tile(name, branch, level, n, width),
  }
  return { store, name, branch, tiles, nodes: new TreeNodes(tiles, PROOF_TILES_MAX), spares }
}

export interface EntriesRequest {
  readonly id: number
  /** Encoded head of the tree of `size` entries; empty if the asker named it. */
  readonly head: Uint8Array
  readonly size: number
  readonly start: number
  /** Not beyond `size`. One message may end before. */
  readonly end: number
  readonly wantsBodies: boolean
  /** It goes to one session, which gives its memory back. */
  readonly isForOne?: boolean
}

/** The first message for a request; `end` is where the next one begins. */
export function makeEntries(
  source: EntriesSource,
  request: EntriesRequest,
): { readonly bytes: Uint8Array; readonly end: number } {
  const { id, head, size, start, wantsBodies, isForOne = false } = request
  const { nodes, spares } = source
  const read = collect(source, request)
  const entries = wantsBodies ? read.slice(0, countFitting(read)) : read
  const end = start + entries.length
  const path = provePackage(nodes, { start, end }, size)
  const parts = { id, head, entries, path, withBodies: wantsBodies }
  const bytes = encodeEntries(parts, isForOne ? spares : undefined)
  for (const { header } of read) spares.giveBack(header)
  return { bytes, end }
}

/** Of one tile, and at least as many as fit with their bodies. */
function collect(
  source: EntriesSource,
  { start, end, wantsBodies }: EntriesRequest,
): StoredEntry[] {
  const { store, name, branch, spares } = source
  const range = { start, end: Math.min(end, packageAlignedStart(start) + TILE_WIDTH) }
  const entries: StoredEntry[] = []
  let bytes = 0
  for (const entry of store.scan(name, branch, range, spares)) {
    entries.push(entry)
    if (entries.length > 1) bytes += entry.body?.length ?? 0
    if (wantsBodies && bytes > MESSAGE_BODIES_BYTES_MAX) break
  }
  return entries
}
