/**
 * Writes a capsule of a home anew of which a part has rotted: what is sound here, and what others
 * have shown in place of the rest, as one transaction.
 *
 *     remove · manifest · append … · erase … · notes
 *
 * The tree is the one that the head in force is over, so its writer neither gains nor loses an
 * entry, and the signed root says that every one of them is the right one. What only this home has
 * stays. Rules HM62 and HM63 of docs/spec/home.md.
 *
 * @module
 */
import {
  asSignature,
  bytesEqual,
  type CapsuleName,
  decodeHeader,
  ERASE_RANGES_MAX,
  type Head,
  isLongshoreError,
  MAIN_BRANCH,
  manifestKey,
  RightEdge,
  SIGNATURE_BYTES,
  type SignedManifest,
  TILE_WIDTH,
  UnavailableError,
  VerificationError,
  verifyHead,
} from '@longshore/capsule'
import { EntryBatchBuilder } from '../store/entry-batch-builder.ts'
import type { Slices } from '../store/slices.ts'
import type { StoredEntry, StoreOp, StoreReader } from '../store/store.ts'
import { pendingImport, pendingImportOp } from './committed-head.ts'
import { REPLICA_LIMITS } from './limits.ts'
import { LocalCopy } from './local-copy.ts'
import { createMirrorNote, readMirrorNote } from './mirror-note.ts'
import { coarsen, RangeSet } from './range-set.ts'
import type { OtherCopy, ShownEntry } from './shown-entries.ts'
import { storedManifest } from './stored-manifest.ts'

/** One journal record. */
const BATCH_BYTES = 4_194_304

/** Stands where a head is needed that nobody signed; never the last one. */
const NO_SIGNATURE = asSignature(new Uint8Array(SIGNATURE_BYTES))

export interface Mending {
  readonly ops: readonly StoreOp[]
  /** Entries that could not be shown from here. */
  readonly count: number
}

/**
 * The changes that write the main branch of a capsule anew. No writer of it is at work. Undefined
 * if its entries have more than `bytesMax` bytes.
 *
 * @throws {UnavailableError} `STORE_CORRUPT` if an entry is neither sound here nor shown
 * @throws {VerificationError} `ROOT_MISMATCH` if what was shown is of another history;
 * `BAD_SIGNATURE`
 */
export function* planMending(
  store: StoreReader,
  signed: SignedManifest,
  other: OtherCopy,
  bytesMax: number,
): Slices<Mending | undefined> {
  const local = new LocalCopy(store, signed.name, MAIN_BRANCH)
  const { head } = local
  if (head !== undefined) verifyHead(signed.name, head, manifestKey(signed.manifest, 'writer'))
  const rewriting = new Rewriting(store, signed.name, head)
  for (let start = 0; start < local.size; start += TILE_WIDTH) {
    const { entries, isProven } = local.tile(start)
    for (const [i, own] of entries.entries()) {
      const isWhole = isProven && own !== undefined && own.state !== 'absent'
      rewriting.add(start + i, own, isWhole ? undefined : other.entry(start + i))
    }
    if (rewriting.bytes > bytesMax) return undefined
    yield
  }
  const content = rewriting.finish()
  const ops = [...clearingOps(store, signed), ...content, ...noteOps(store, signed.name, rewriting)]
  return { ops, count: rewriting.count }
}

/** The changes after which the home knows the capsule and nothing of it. */
export function clearingOps(store: StoreReader, { name, signed }: SignedManifest): StoreOp[] {
  if (store.branches(name).some((id) => id.length > 0)) {
    const message = 'a capsule with branches is not written anew in a home'
    throw new UnavailableError('STORE_CORRUPT', message)
  }
  const manifest: StoreOp = { type: 'manifest', name, signed }
  const isKnown = storedManifest(store, name) !== undefined
  return [...(isKnown ? [] : [manifest]), { type: 'remove', name }, manifest]
}

class Rewriting {
  readonly holes = new RangeSet()
  /** Entries that came from elsewhere. */
  count = 0
  bytes = 0
  readonly #name: CapsuleName
  readonly #head: Head | undefined
  /** Payloads that were missing before. */
  readonly #holesBefore = new RangeSet()
  readonly #builder = new EntryBatchBuilder()
  readonly #edge = RightEdge.empty()
  readonly #erased = new RangeSet()
  readonly #ops: StoreOp[] = []

  constructor(store: StoreReader, name: CapsuleName, head: Head | undefined) {
    this.#name = name
    this.#head = head
    const { holes } = readMirrorNote(store, name, MAIN_BRANCH)
    for (const { start, end } of holes) this.#holesBefore.add(start, end)
  }

  add(index: number, own: StoredEntry | undefined, shown: ShownEntry | undefined): void {
    const [bytes, body] = this.#choose(index, own, shown)
    const header = decodeHeader(bytes)
    const { control } = header.ext
    if (control?.type === 'erase') {
      for (const { start, end } of control.ranges) this.#erased.add(start, end)
    }
    if (body === undefined) this.holes.add(index, index + 1)
    const before = this.#builder.framesBytes
    this.#builder.addEncoded(bytes, header.timeUs, body)
    this.bytes += this.#builder.framesBytes - before
    if (this.#builder.framesBytes >= BATCH_BYTES) this.#close()
  }

  /** @throws {VerificationError} `ROOT_MISMATCH` */
  finish(): StoreOp[] {
    const head = this.#head
    if (head !== undefined && this.#builder.count > 0) this.#close()
    if (head !== undefined && !bytesEqual(this.#edge.root(), head.root)) {
      const message =
        'what is here and what others have shown do not give the root of the head here'
      throw new VerificationError('ROOT_MISMATCH', message, { size: head.size })
    }
    const { ranges } = this.#erased
    for (const { start, end } of ranges) this.holes.remove(start, end)
    for (let at = 0; at < ranges.length; at += ERASE_RANGES_MAX) {
      const part = ranges.slice(at, at + ERASE_RANGES_MAX)
      this.#ops.push({ type: 'erase', name: this.#name, branch: MAIN_BRANCH, ranges: part })
    }
    return this.#ops
  }

  #choose(
    index: number,
    own: StoredEntry | undefined,
    shown: ShownEntry | undefined,
  ): [header: Uint8Array, body: Uint8Array | undefined] {
    const isSame = own !== undefined && (shown === undefined || isSameHeader(own, shown))
    if (isSame) {
      return [own.header, own.state === 'erased' ? undefined : (own.body ?? shown?.body)]
    }
    const isHole = shown?.isErased === true || this.#holesBefore.has(index)
    if (shown !== undefined && (shown.body !== undefined || isHole)) {
      this.count++
      return [shown.header, shown.body]
    }
    const what = shown === undefined ? 'entry' : 'the payload of entry'
    const message = `${what} ${index} is damaged here, and nobody has shown it`
    throw new UnavailableError('STORE_CORRUPT', message, { index })
  }

  #close(): void {
    const head = this.#head as Head
    const start = this.#edge.size
    const entries = this.#builder.build()
    const tiles = this.#edge.append(entries.leafHashes)
    const { size } = this.#edge
    const between = { ...head, size, root: this.#edge.root(), signature: NO_SIGNATURE }
    this.#ops.push({
      ...{ type: 'append', name: this.#name, branch: MAIN_BRANCH, start, entries, tiles },
      head: size === head.size ? head : between,
    })
  }
}

/** An import that was under way begins again behind the head in force; holes are noted. */
function noteOps(store: StoreReader, name: CapsuleName, { holes }: Rewriting): StoreOp[] {
  const ops: StoreOp[] = []
  if (pendingImport(store, name, MAIN_BRANCH) !== undefined) {
    ops.push(pendingImportOp(name, MAIN_BRANCH, undefined))
  }
  const note = readMirrorNote(store, name, MAIN_BRANCH)
  if (note.holes.length === 0 && holes.ranges.length === 0) return ops
  const coarse = coarsen(holes.ranges, REPLICA_LIMITS.holeRangesMax)
  ops.push(createMirrorNote(name, MAIN_BRANCH, { ...note, holes: coarse }))
  return ops
}

function isSameHeader(own: StoredEntry, shown: ShownEntry): boolean {
  return bytesEqual(own.header, shown.header)
}

/** A part of a branch of this capsule was lost, or its manifest. Tells from memory. */
export function isKnownDamaged(store: StoreReader, name: CapsuleName): boolean {
  try {
    const isThere = store.state(name, MAIN_BRANCH) !== undefined
    if (isThere && store.manifest(name) === undefined) return true
    return store.state(name, MAIN_BRANCH)?.isDamaged === true
  } catch (error) {
    if (isLongshoreError(error) && error.code === 'STORE_CORRUPT') return true
    throw error
  }
}
