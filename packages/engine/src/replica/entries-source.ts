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
}

/** Leaf tiles behind each other, and those above. */
const PROOF_TILES_MAX = 32

export function createSource(store: StoreReader, { name, branch }: BranchPlace): EntriesSource {
  const tiles: TileSource = {
    tile: (level, n, width) => store.tile(name, branch, level, n, width),
  }
  return { store, name, branch, tiles, nodes: new TreeNodes(tiles, PROOF_TILES_MAX) }
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
}

/** The first message for a request; `end` is where the next one begins. */
export function makeEntries(
  source: EntriesSource,
  request: EntriesRequest,
): { readonly bytes: Uint8Array; readonly end: number } {
  const { id, head, size, start, wantsBodies } = request
  const entries = collect(source, request)
  const end = start + entries.length
  const path = provePackage(source.nodes, { start, end }, size)
  return { bytes: encodeEntries({ id, head, entries, path, withBodies: wantsBodies }), end }
}

/** Of one tile, and with as many bodies as fit. */
function collect(
  source: EntriesSource,
  { start, end, wantsBodies }: EntriesRequest,
): StoredEntry[] {
  const { store, name, branch } = source
  const range = { start, end: Math.min(end, packageAlignedStart(start) + TILE_WIDTH) }
  const entries: StoredEntry[] = []
  let bytes = 0
  for (const entry of store.scan(name, branch, range)) {
    entries.push(entry)
    if (entries.length > 1) bytes += entry.body?.length ?? 0
    if (wantsBodies && bytes > MESSAGE_BODIES_BYTES_MAX) break
  }
  return wantsBodies ? entries.slice(0, countFitting(entries)) : entries
}
