/**
 * Decides whether a transaction fits, for every engine alike.
 *
 * It knows the shape that the store will have once everything submitted is committed: which
 * manifests there are and how large each branch is. That is all that fitting depends on.
 *
 * Rule ST5 of docs/spec/store.md.
 *
 * @module
 */
import {
  bytesEqual,
  type CapsuleName,
  fullTileCount,
  HASH_BYTES,
  TILE_WIDTH,
  UnavailableError,
  UsageError,
} from '@longshore/capsule'
import { branchKey, nameKey } from './branch-key.ts'
import type { StoreOp, StoreReader } from './store.ts'

type AppendOp = Extract<StoreOp, { type: 'append' }>
type EntriesOp = Exclude<StoreOp, { type: 'manifest' | 'note' | 'remove' }>
type NoteOp = Extract<StoreOp, { type: 'note' }>

/** What is committed. */
export type CommittedShape = Pick<StoreReader, 'manifest' | 'state'>

const TILE_BYTES: number = TILE_WIDTH * HASH_BYTES

/** A note is a setting or a small state, never content. */
const NOTE_VALUE_BYTES_MAX = 8192
const NOTE_KEY: RegExp = /^[!-~]{1,128}$/

export class StagedShape {
  readonly #committed: CommittedShape
  #manifests = new Map<string, Uint8Array>()
  #sizes = new Map<string, number>()
  /** Capsules of which nothing that is committed counts any more. */
  #removed = new Map<string, true>()

  constructor(committed: CommittedShape) {
    this.#committed = committed
  }

  /**
   * Takes in a transaction, whole or not at all.
   *
   * @throws {UsageError | UnavailableError} with the codes of rule ST5 if it does not fit.
   */
  stage(ops: readonly StoreOp[]): void {
    // A transaction touches few branches, but thousands may wait: undo, do not copy.
    const undo: (() => void)[] = []
    try {
      for (const op of ops) this.#stageOp(op, undo)
    } catch (error) {
      for (const restore of undo.reverse()) restore()
      throw error
    }
  }

  /** Forgets everything staged, then stages what is still on its way: it must fit. */
  reset(transactions: Iterable<readonly StoreOp[]>): void {
    this.#manifests = new Map()
    this.#sizes = new Map()
    this.#removed = new Map()
    for (const ops of transactions) this.stage(ops)
  }

  /** A change that removes the capsule is on its way; it may be followed by its manifest. */
  isRemoved(name: CapsuleName): boolean {
    return this.#removed.size > 0 && this.#removed.has(nameKey(name))
  }

  #stageOp(op: StoreOp, undo: (() => void)[]): void {
    switch (op.type) {
      case 'note':
        checkNote(op)
        break
      case 'manifest': {
        const known = this.#readableManifest(op.name)
        if (known !== undefined && !bytesEqual(known, op.signed)) {
          throw new UsageError('USAGE', 'another signed manifest is known under this name')
        }
        put(this.#manifests, nameKey(op.name), op.signed, undo)
        break
      }
      case 'remove':
        this.#remove(op.name, undo)
        break
      case 'append': {
        const { size, key } = this.#branch(op)
        checkAppend(op, size)
        put(this.#sizes, key, op.head.size, undo)
        break
      }
      case 'payload': {
        const { size } = this.#branch(op)
        checkRange({ start: op.index, end: op.index + 1 }, size)
        break
      }
      case 'erase': {
        const { size } = this.#branch(op)
        for (const range of op.ranges) checkRange(range, size)
      }
    }
  }

  #remove(name: CapsuleName, undo: (() => void)[]): void {
    this.#checkKnown(name)
    const key = nameKey(name)
    drop(this.#manifests, key, undo)
    for (const branch of this.#sizes.keys()) {
      if (branch.startsWith(key)) drop(this.#sizes, branch, undo)
    }
    put(this.#removed, key, true, undo)
  }

  #manifest(name: CapsuleName): Uint8Array | undefined {
    const staged = this.#manifests.get(nameKey(name))
    if (staged !== undefined || this.isRemoved(name)) return staged
    return this.#committed.manifest(name)
  }

  /** One that lies in damage may be stored again: only the right one has this name. */
  #readableManifest(name: CapsuleName): Uint8Array | undefined {
    try {
      return this.#manifest(name)
    } catch (error) {
      if (error instanceof UnavailableError && error.code === 'STORE_CORRUPT') return undefined
      throw error
    }
  }

  #checkKnown(name: CapsuleName): void {
    if (this.#manifest(name) !== undefined) return
    throw new UnavailableError('NOT_FOUND', 'the manifest of this capsule is not in the store')
  }

  #branch({ name, branch }: EntriesOp): { key: string; size: number } {
    this.#checkKnown(name)
    const key = branchKey(name, branch)
    const staged = this.#sizes.get(key) ?? (this.isRemoved(name) ? 0 : undefined)
    return { key, size: staged ?? this.#committed.state(name, branch)?.size ?? 0 }
  }
}

function put<TValue>(
  map: Map<string, TValue>,
  key: string,
  value: TValue,
  undo: (() => void)[],
): void {
  const before = map.get(key)
  map.set(key, value)
  undo.push(() => (before === undefined ? map.delete(key) : map.set(key, before)))
}

function drop<TValue>(map: Map<string, TValue>, key: string, undo: (() => void)[]): void {
  const before = map.get(key)
  if (before === undefined) return
  map.delete(key)
  undo.push(() => map.set(key, before))
}

function checkNote({ key, value }: NoteOp): void {
  if (!NOTE_KEY.test(key)) throw new UsageError('USAGE', 'a note has a key of 1 to 128 characters')
  if (value.length > NOTE_VALUE_BYTES_MAX) {
    throw new UsageError('USAGE', 'a note has at most 8192 bytes', { byteLength: value.length })
  }
}

function checkRange({ start, end }: { start: number; end: number }, size: number): void {
  const whole = Number.isSafeInteger(start) && Number.isSafeInteger(end)
  if (whole && 0 <= start && start < end && end <= size) return
  const details = { start, end, size }
  throw new UsageError('INDEX_OUT_OF_RANGE', 'a range is not within the branch', details)
}

function checkAppend(op: AppendOp, size: number): void {
  const { start, entries, head, tiles } = op
  if (start !== size) {
    const details = { start, size }
    throw new UsageError('INDEX_OUT_OF_RANGE', 'entries begin at the size of the branch', details)
  }
  const end = start + entries.count
  if (entries.count < 1 || head.size !== end || !bytesEqual(head.branch, op.branch)) {
    throw new UsageError('USAGE', 'the head is not the head of these entries', { start, end })
  }
  let position = 0
  for (let level = 0; fullTileCount(level, end) > 0; level++) {
    for (let n = fullTileCount(level, start); n < fullTileCount(level, end); n++) {
      const tile = tiles[position++]
      if (tile?.level !== level || tile.n !== n || tile.bytes.length !== TILE_BYTES) {
        throw new UsageError('USAGE', 'the tiles are not those that these entries complete')
      }
    }
  }
  if (position !== tiles.length) throw new UsageError('USAGE', 'there are too many tiles')
}
