/**
 * Keys and small values of the index. Blocks of positions are in `position-block.ts`.
 *
 *     b <branch key> <block>         positions of 256 entries
 *     t <branch key> <level> <tile>  hashes of a tile
 *     s <branch key>                 state of a branch
 *     m <name>                       place of the manifest
 *     r <name>                       place of the newest record that removes the capsule
 *     n <key>                        a note
 *     g <segment>                    generation of a segment that was compacted
 *     w                              how much of the journal the index covers
 *
 * Rules IX1, IX3 and IX4 of docs/spec/index.md.
 *
 * @module
 */
import {
  type BranchId,
  type CapsuleName,
  decodeHead,
  encodeHead,
  encodeUtf8,
  type Head,
  isLongshoreError,
  UnavailableError,
} from '@longshore/capsule'
import { readUint32, readUint64, writeUint32, writeUint64 } from './big-endian.ts'
import { NAME_BYTES } from './record.ts'
import type { JournalPosition } from './watermark.ts'

const BLOCK_LETTER = 0x62
const GENERATION_LETTER = 0x67
const MANIFEST_LETTER = 0x6d
const NOTE_LETTER = 0x6e
const REMOVAL_LETTER = 0x72
const STATE_LETTER = 0x73
const TILE_LETTER = 0x74
const WATERMARK_LETTER = 0x77

const VERSION = 1
const WATERMARK_VALUE_BYTES = 40
const STATE_FIXED_BYTES = 17

const FLAG_DAMAGED = 1
const FLAG_WITHHELD = 2
const FLAG_HEAD = 4
const FLAG_PARTLY_WITHHELD = 8
const WITHHELD_END_BYTES = 8

/** As the end of what is withheld: there is none. */
export const WITHHELD_FOR_EVER: number = Number.MAX_SAFE_INTEGER

/** The index can be rebuilt at any time, so an index that makes no sense is not the end. */
export function checkIndex(condition: boolean): asserts condition {
  if (condition) return
  throw new UnavailableError('STORE_CORRUPT', 'the index is damaged; fsck --repair rebuilds it')
}

/** Name, length of the branch id, branch id. */
export function encodeBranchKey(name: CapsuleName, branch: BranchId): Uint8Array {
  const key = new Uint8Array(NAME_BYTES + 1 + branch.length)
  key.set(name, 0)
  key[NAME_BYTES] = branch.length
  key.set(branch, NAME_BYTES + 1)
  return key
}

function withLetter(letter: number, rest: Uint8Array, moreBytes: number): Uint8Array {
  const key = new Uint8Array(1 + rest.length + moreBytes)
  key[0] = letter
  key.set(rest, 1)
  return key
}

export function blockKey(branchKey: Uint8Array, n: number): Uint8Array {
  const key = withLetter(BLOCK_LETTER, branchKey, 8)
  writeUint64(key, key.length - 8, n)
  return key
}

export function tileKey(branchKey: Uint8Array, level: number, n: number): Uint8Array {
  const key = withLetter(TILE_LETTER, branchKey, 9)
  key[key.length - 9] = level
  writeUint64(key, key.length - 8, n)
  return key
}

export function stateKey(branchKey: Uint8Array): Uint8Array {
  return withLetter(STATE_LETTER, branchKey, 0)
}

export function manifestKey(name: CapsuleName): Uint8Array {
  return withLetter(MANIFEST_LETTER, name, 0)
}

export function removalKey(name: CapsuleName): Uint8Array {
  return withLetter(REMOVAL_LETTER, name, 0)
}

export function noteKey(key: string): Uint8Array {
  return withLetter(NOTE_LETTER, encodeUtf8(key), 0)
}

export function generationKey(segment: number): Uint8Array {
  const key = withLetter(GENERATION_LETTER, new Uint8Array(0), 4)
  writeUint32(key, 1, segment)
  return key
}

export const WATERMARK_KEY: Uint8Array = Uint8Array.of(WATERMARK_LETTER)

/** Bounds of `IndexStore.range` for all manifests. */
export const MANIFEST_RANGE: readonly [from: Uint8Array, to: Uint8Array] = [
  Uint8Array.of(MANIFEST_LETTER),
  Uint8Array.of(MANIFEST_LETTER + 1),
]

/** Bounds of `IndexStore.range` for all places of removals. */
export const REMOVAL_RANGE: readonly [from: Uint8Array, to: Uint8Array] = [
  Uint8Array.of(REMOVAL_LETTER),
  Uint8Array.of(REMOVAL_LETTER + 1),
]

/** Bounds for the states of all branches of a capsule but the main one. */
export function otherBranchesRange(name: CapsuleName): [from: Uint8Array, to: Uint8Array] {
  const from = withLetter(STATE_LETTER, name, 1)
  from[from.length - 1] = 1
  const to = from.slice()
  to[to.length - 1] = 0xff
  return [from, to]
}

const CAPSULE_LETTERS: ReadonlySet<number> = new Set([
  BLOCK_LETTER,
  TILE_LETTER,
  STATE_LETTER,
  MANIFEST_LETTER,
])

/** The capsule that a key says something about; places of removals are about no capsule. */
export function nameOfKey(key: Uint8Array): CapsuleName | undefined {
  if (!CAPSULE_LETTERS.has(key[0] as number)) return undefined
  return key.subarray(1, 1 + NAME_BYTES) as CapsuleName
}

/** Bounds of `IndexStore.range` for everything that is said about a capsule. */
export function capsuleRanges(name: CapsuleName): [from: Uint8Array, to: Uint8Array][] {
  return [...CAPSULE_LETTERS].map((letter) => {
    const to = withLetter(letter, name, 1)
    to[to.length - 1] = 0xff
    return [withLetter(letter, name, 0), to]
  })
}

export function nameOfManifestKey(key: Uint8Array): CapsuleName {
  checkIndex(key.length === 1 + NAME_BYTES)
  return key.slice(1) as CapsuleName
}

export function branchOfStateKey(key: Uint8Array): BranchId {
  const branch = key.slice(1 + NAME_BYTES + 1)
  checkIndex(branch.length === key[1 + NAME_BYTES])
  return branch as BranchId
}

export interface StoredState {
  readonly isDamaged: boolean
  /** Payloads of entries before this one are withheld. */
  readonly withheldEnd: number
  /** Entries whose positions are known: the size of the head, unless the branch is damaged. */
  readonly known: number
  readonly timeUsMax: number
  readonly head: Head | undefined
}

export function encodeState(state: StoredState): Uint8Array {
  const head = state.head === undefined ? new Uint8Array(0) : encodeHead(state.head)
  const isPartlyWithheld = state.withheldEnd > 0 && state.withheldEnd < WITHHELD_FOR_EVER
  const headAt = STATE_FIXED_BYTES + (isPartlyWithheld ? WITHHELD_END_BYTES : 0)
  const bytes = new Uint8Array(headAt + head.length)
  bytes[0] =
    (state.isDamaged ? FLAG_DAMAGED : 0) |
    (state.withheldEnd === WITHHELD_FOR_EVER ? FLAG_WITHHELD : 0) |
    (state.head === undefined ? 0 : FLAG_HEAD) |
    (isPartlyWithheld ? FLAG_PARTLY_WITHHELD : 0)
  writeUint64(bytes, 1, state.known)
  writeUint64(bytes, 9, state.timeUsMax)
  if (isPartlyWithheld) writeUint64(bytes, STATE_FIXED_BYTES, state.withheldEnd)
  bytes.set(head, headAt)
  return bytes
}

export function decodeState(bytes: Uint8Array): StoredState {
  checkIndex(bytes.length >= STATE_FIXED_BYTES)
  const flags = bytes[0] as number
  const isPartlyWithheld = (flags & FLAG_PARTLY_WITHHELD) !== 0
  const headAt = STATE_FIXED_BYTES + (isPartlyWithheld ? WITHHELD_END_BYTES : 0)
  checkIndex(bytes.length >= headAt)
  const partlyWithheldEnd = isPartlyWithheld ? readUint64(bytes, STATE_FIXED_BYTES) : 0
  return {
    isDamaged: (flags & FLAG_DAMAGED) !== 0,
    withheldEnd: (flags & FLAG_WITHHELD) !== 0 ? WITHHELD_FOR_EVER : partlyWithheldEnd,
    known: readUint64(bytes, 1),
    timeUsMax: readUint64(bytes, 9),
    head: (flags & FLAG_HEAD) === 0 ? undefined : decodeStoredHead(bytes.subarray(headAt)),
  }
}

function decodeStoredHead(bytes: Uint8Array): Head {
  const head = tryDecodeHead(bytes)
  checkIndex(head !== undefined)
  return head
}

/** Undefined if the bytes are no compact head. */
export function tryDecodeHead(bytes: Uint8Array): Head | undefined {
  try {
    return decodeHead(bytes.slice())
  } catch (error) {
    if (isLongshoreError(error)) return undefined
    throw error
  }
}

export interface IndexWatermark extends JournalPosition {
  readonly segmentId: Uint8Array
}

export function encodeIndexWatermark(watermark: IndexWatermark): Uint8Array {
  const bytes = new Uint8Array(WATERMARK_VALUE_BYTES)
  bytes[0] = VERSION
  writeUint32(bytes, 4, watermark.segment)
  writeUint32(bytes, 8, watermark.offset)
  writeUint64(bytes, 12, watermark.sequence)
  writeUint32(bytes, 20, watermark.chain)
  bytes.set(watermark.segmentId, 24)
  return bytes
}

/** Undefined if another version of this program wrote it. */
export function decodeIndexWatermark(bytes: Uint8Array): IndexWatermark | undefined {
  if (bytes.length !== WATERMARK_VALUE_BYTES || bytes[0] !== VERSION) return undefined
  return {
    segment: readUint32(bytes, 4),
    offset: readUint32(bytes, 8),
    sequence: readUint64(bytes, 12),
    chain: readUint32(bytes, 20),
    segmentId: bytes.slice(24, 40),
  }
}
