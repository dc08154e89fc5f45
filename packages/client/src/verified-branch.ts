/**
 * Reading one branch of one capsule so that nothing has to be believed.
 *
 * The chain of every byte that leaves here: payload, by its hash, to the header; header, by its
 * leaf hash, to a tile; tile, by its root, to the tile above, up to the right edge of the tree;
 * right edge to the root that the writer signed with the key in the manifest. A new head is
 * taken over only if the tree it signs begins with the tree of the head before (I2).
 *
 * Work is shared: a tile is authenticated once and kept, so most reads hash one header and one
 * payload. Rules HM24-HM27 of docs/spec/home.md.
 *
 * @module
 */
import {
  assert,
  type BranchId,
  bytesEqual,
  type CapsuleName,
  decodeHeader,
  type FullTile,
  HASH_BYTES,
  type Hash,
  type Head,
  hashLeafInto,
  proveConsistency,
  RightEdge,
  type RoleKey,
  type TileSource,
  TreeNodes,
  tileWidth,
  UsageError,
  VerificationError,
  verifyConsistency,
  verifyHead,
} from '@longshore/capsule'
import {
  committedHead,
  type IndexRange,
  importNoteKey,
  type StoredEntry,
  type StoreReader,
} from '@longshore/engine'
import { VerifiedEntry } from './verified-entry.ts'
import { VerifiedTiles } from './verified-tiles.ts'

const TILE_WIDTH = 256
/** Leaf hashes of two million entries. */
const TILE_CACHE_BYTES = 67_108_864
/** 2 KiB each; for proofs of entries all over a capsule. */
const PROOF_TILES_MAX = 4096
/** Up to so many new entries are cheaper to append than a right edge is to read again. */
const GROW_ENTRIES_MAX = 4096

export class VerifiedBranch {
  readonly name: CapsuleName
  readonly branch: BranchId
  readonly #reader: StoreReader
  readonly #writerKey: RoleKey
  readonly #importNoteKey: string
  readonly #source: TileSource
  readonly #tiles: VerifiedTiles
  readonly #nodes: TreeNodes
  readonly #leafHash = new Uint8Array(HASH_BYTES)
  #head: Head | undefined

  constructor(reader: StoreReader, name: CapsuleName, branch: BranchId, writerKey: RoleKey) {
    this.#reader = reader
    this.name = name
    this.branch = branch
    this.#writerKey = writerKey
    this.#importNoteKey = importNoteKey(name, branch)
    this.#source = { tile: (level, n, width) => reader.tile(name, branch, level, n, width) }
    this.#tiles = new VerifiedTiles(this.#source, TILE_CACHE_BYTES)
    this.#nodes = new TreeNodes(this.#tiles, PROOF_TILES_MAX)
  }

  /** Entries that the verified head covers. */
  get size(): number {
    return this.#tiles.size
  }

  get head(): Head | undefined {
    return this.#head
  }

  /** For building proofs: complete nodes, kept from proof to proof. */
  get nodes(): TreeNodes {
    return this.#nodes
  }

  /** True if the first `size` entries of the verified tree have this root. */
  isOfTree(size: number, root: Hash): boolean {
    if (size < 1 || size > this.size) return false
    return bytesEqual(this.#nodes.rangeRoot(0, size, this.size), root)
  }

  /**
   * Takes over the newest committed head.
   *
   * @throws {VerificationError} `BAD_SIGNATURE`, `ROOT_MISMATCH`; `ROLLBACK` if the store is older
   * than what was seen before; `EQUIVOCATION` if the writer signed another history.
   */
  advance(): void {
    const head = committedHead(this.#reader, this.name, this.branch, this.#importNoteKey)
    const known = this.#head
    if (head === undefined) {
      if (known !== undefined) throw rollback(known.size, 0)
      return
    }
    if (known !== undefined && isSameHead(head, known)) return
    if (known !== undefined && head.size < known.size) throw rollback(known.size, head.size)
    verifyHead(this.name, head, this.#writerKey)
    if (head.size - this.size <= GROW_ENTRIES_MAX) this.#growTo(head)
    else this.#jumpTo(head)
    this.#head = head
  }

  /** One verified entry. */
  entry(index: number): VerifiedEntry {
    this.#checkIndex(index)
    return this.#verify(this.#reader.entry(this.name, this.branch, index))
  }

  /** Verified entries in order. */
  *scan(range: IndexRange): Generator<VerifiedEntry, void, undefined> {
    assert(range.end <= this.size, 'a scan stays within the verified size')
    for (const stored of this.#reader.scan(this.name, this.branch, range)) {
      yield this.#verify(stored)
    }
  }

  /** The exact header bytes and, if present, the body of an entry: verified, for proofs. */
  stored(index: number): StoredEntry {
    this.#checkIndex(index)
    const stored = this.#reader.entry(this.name, this.branch, index)
    this.#verify(stored)
    return stored
  }

  /** The same for a range, in order. */
  *scanStored(range: IndexRange): Generator<StoredEntry, void, undefined> {
    assert(range.end <= this.size, 'a scan stays within the verified size')
    for (const stored of this.#reader.scan(this.name, this.branch, range)) {
      this.#verify(stored)
      yield stored
    }
  }

  /** The tiles of the verified tree. */
  get tiles(): TileSource {
    return this.#tiles
  }

  #checkIndex(index: number): void {
    if (!Number.isSafeInteger(index) || index < 0) throw outOfRange(index, this.size)
    if (index >= this.size) this.advance()
    if (index >= this.size) throw outOfRange(index, this.size)
  }

  #verify(stored: StoredEntry): VerifiedEntry {
    const n = Math.floor(stored.index / TILE_WIDTH)
    const tile = this.#tiles.wholeTile(0, n)
    hashLeafInto(this.#leafHash, 0, stored.header)
    const at = (stored.index - n * TILE_WIDTH) * HASH_BYTES
    for (let i = 0; i < HASH_BYTES; i++) {
      if (tile[at + i] !== this.#leafHash[i]) throw this.#mismatch('the header', stored.index)
    }
    return new VerifiedEntry(stored, decodeHeader(stored.header))
  }

  /** The new leaf hashes appended to the tree that was verified: proves consistency as well. */
  #growTo(head: Head): void {
    const edge = this.#tiles.edge.clone()
    const full: FullTile[] = []
    while (edge.size < head.size) {
      const n = Math.floor(edge.size / TILE_WIDTH)
      const tile = this.#source.tile(0, n, tileWidth(0, n, head.size))
      full.push(...edge.append(tile.subarray((edge.size - n * TILE_WIDTH) * HASH_BYTES)))
    }
    this.#checkRoot(edge.root(), head)
    this.#tiles.believe(edge, full)
  }

  /** The right edge read anew, and the path from the old head to the new one. */
  #jumpTo(head: Head): void {
    const edge = RightEdge.open(this.#source, head.size)
    this.#checkRoot(edge.root(), head)
    const known = this.#head
    if (known !== undefined) {
      const path = proveConsistency(this.#source, known.size, head.size)
      const [oldSize, oldRoot] = [known.size, known.root]
      verifyConsistency({ oldSize, oldRoot, newSize: head.size, newRoot: head.root, path })
    }
    this.#tiles.believe(edge)
  }

  #checkRoot(root: Hash, head: Head): void {
    if (bytesEqual(root, head.root)) return
    if (head.size === this.#head?.size) {
      const message = 'the writer signed two roots for one size'
      throw new VerificationError('EQUIVOCATION', message, { size: head.size })
    }
    throw this.#mismatch('the tree', head.size)
  }

  #mismatch(what: string, at: number): VerificationError {
    const message = `${what} in the store is not what the writer signed`
    return new VerificationError('ROOT_MISMATCH', message, { at, size: this.size })
  }
}

function isSameHead(a: Head, b: Head): boolean {
  return a === b || (a.size === b.size && bytesEqual(a.root, b.root) && a.epoch === b.epoch)
}

function rollback(seen: number, shown: number): VerificationError {
  const message = `the store shows ${shown} entries, but ${seen} were seen before`
  return new VerificationError('ROLLBACK', message, { seen, shown })
}

function outOfRange(index: number, size: number): UsageError {
  return new UsageError('INDEX_OUT_OF_RANGE', `the capsule has ${size} entries`, { index, size })
}
