/**
 * Entry packages: up to 256 headers and the proof that they stand where they stand. Replication
 * and range proofs share this format, that of C2SP tlog-mirror.
 *
 *     00 26 84 00 1b 00 06 3d …      per entry: u16 length, header
 *     02                             u8 number of hashes
 *     32 bytes, 32 bytes             subtree proof
 *
 * A package covers [start, end) within one tile of 256 entries; its proof is for the subtree that
 * begins at that tile. Who verifies it must hold the leaf hashes from there to `start`. Rules
 * PK1-PK7 of docs/spec/package.md; decision F24.
 *
 * @module
 */
import { assert } from '../assert.ts'
import type { Hash } from '../bytes/brands.ts'
import { copyBytes } from '../bytes/bytes.ts'
import { VerificationError } from '../errors.ts'
import {
  HASH_BYTES,
  HEADER_BYTES_MAX,
  PACKAGE_BYTES_MAX,
  PACKAGE_ENTRIES_MAX,
  PACKAGE_HASHES_MAX,
} from '../limits.ts'
import { type ProofSource, proveSubtree } from '../proof/prove.ts'
import { verifySubtree } from '../proof/verify-subtree.ts'
import { hashLeafInto } from '../tree/hash.ts'
import { subtreeRoot } from '../tree/subtree-root.ts'
import { isSize } from '../tree/tree-shape.ts'

/** Half-open: `start <= index < end`. */
export interface PackageRange {
  readonly start: number
  readonly end: number
}

/** What a package is held against: a range, and a tree that the caller trusts. */
export interface PackageTarget extends PackageRange {
  /** Size of the tree that the proof leads to. */
  readonly size: number
  readonly root: Hash
}

export interface EntryPackage {
  readonly headers: readonly Uint8Array[]
  readonly path: readonly Hash[]
}

/** Entries that are under the root, at their places. */
export interface VerifiedPackage {
  readonly headers: readonly Uint8Array[]
  /** Of the entries of the package, 32 bytes each. */
  readonly leafHashes: Uint8Array
}

const LENGTH_BYTES = 2

/** First index of the tile of 256 that holds `index`. */
export function packageAlignedStart(index: number): number {
  return index - (index % PACKAGE_ENTRIES_MAX)
}

/** The canonical sequence of packages for [start, end) of the tree of `end` entries. */
export function* packageRanges(start: number, end: number): Generator<PackageRange> {
  assert(isSize(start) && isSize(end) && start <= end, 'a range of entries')
  for (let from = start; from < end; ) {
    const to = Math.min(end, packageAlignedStart(from) + PACKAGE_ENTRIES_MAX)
    yield { start: from, end: to }
    from = to
  }
}

/** The proof that belongs to the package [start, end) of the tree of `size` entries. */
export function provePackage(source: ProofSource, range: PackageRange, size: number): Hash[] {
  return proveSubtree(source, packageAlignedStart(range.start), range.end, size)
}

export function encodePackage({ headers, path }: EntryPackage): Uint8Array {
  assert(headers.length >= 1 && headers.length <= PACKAGE_ENTRIES_MAX, '1 to 256 entries')
  assert(path.length <= PACKAGE_HASHES_MAX, 'a proof is shorter')
  let byteLength = 1 + path.length * HASH_BYTES
  for (const header of headers) byteLength += LENGTH_BYTES + header.length
  const bytes = new Uint8Array(byteLength)
  let position = 0
  for (const header of headers) {
    assert(header.length <= HEADER_BYTES_MAX, 'headers are at most 16 KiB')
    bytes[position] = header.length >> 8
    bytes[position + 1] = header.length
    bytes.set(header, position + LENGTH_BYTES)
    position += LENGTH_BYTES + header.length
  }
  bytes[position++] = path.length
  for (const hash of path) {
    bytes.set(hash, position)
    position += HASH_BYTES
  }
  return bytes
}

/**
 * Takes the package of `count` entries apart; verifies nothing. Headers are views of `bytes`.
 *
 * @throws {VerificationError} `PACKAGE_INVALID` unless `bytes` is exactly one such package.
 */
export function decodePackage(bytes: Uint8Array, count: number): EntryPackage {
  if (bytes.length > PACKAGE_BYTES_MAX) throw invalid('too long', bytes.length)
  const headers: Uint8Array[] = []
  let position = 0
  while (headers.length < count) {
    const start = position + LENGTH_BYTES
    const headerBytes = ((bytes[position] ?? 0) << 8) | (bytes[position + 1] ?? 0)
    position = start + headerBytes
    if (position >= bytes.length) throw invalid('an entry is cut off', position)
    if (headerBytes > HEADER_BYTES_MAX) throw invalid('a header is too long', headerBytes)
    headers.push(bytes.subarray(start, position))
  }
  const hashCount = bytes[position++]
  if (hashCount === undefined || hashCount > PACKAGE_HASHES_MAX) {
    throw invalid('the number of hashes is missing or above 63', position)
  }
  if (bytes.length !== position + hashCount * HASH_BYTES) {
    throw invalid('the proof is cut off, or bytes follow it', bytes.length)
  }
  const path: Hash[] = []
  for (; position < bytes.length; position += HASH_BYTES) {
    path.push(copyBytes(bytes, position, position + HASH_BYTES) as Hash)
  }
  return { headers, path }
}

/**
 * The entries of a package, if they are the entries [start, end) of the tree with this root.
 * Whether each is a header of a Longshore entry is another question (`decodeHeader`).
 *
 * `priorLeafHashes` are those of the entries from `packageAlignedStart(start)` to `start`, which
 * the caller has verified before: 32 bytes each, none if the package begins a tile. If they are
 * wrong, the package is refused. The headers are views of `bytes`: keep those unchanged for as long
 * as the headers are used, or copy them.
 *
 * @throws {VerificationError} `PACKAGE_INVALID` if range or bytes are no package; `PROOF_SHAPE`
 * or `ROOT_MISMATCH` if its entries are not under the root.
 */
export function verifyPackage(
  target: PackageTarget,
  bytes: Uint8Array,
  priorLeafHashes: Uint8Array,
): VerifiedPackage {
  const { start, end, size, root } = target
  checkTarget(target)
  const alignedStart = packageAlignedStart(start)
  const priorBytes = (start - alignedStart) * HASH_BYTES
  assert(priorLeafHashes.length === priorBytes, 'the hashes before a package are at hand')

  const { headers, path } = decodePackage(bytes, end - start)
  const hashes = new Uint8Array((end - alignedStart) * HASH_BYTES)
  hashes.set(priorLeafHashes)
  for (const [i, header] of headers.entries()) {
    hashLeafInto(hashes, priorBytes + i * HASH_BYTES, header)
  }
  verifySubtree({ start: alignedStart, end, size, path }, subtreeRoot(hashes), root)
  return { headers, leafHashes: hashes.subarray(priorBytes) }
}

/** A package ends with its tile or with the tree; so each range has one sequence of packages. */
function checkTarget({ start, end, size }: PackageTarget): void {
  assert(isSize(start) && isSize(end) && isSize(size), 'the decoder bounds numbers')
  const tileEnd = packageAlignedStart(start) + PACKAGE_ENTRIES_MAX
  if (start >= end || end !== Math.min(tileEnd, size)) {
    throw new VerificationError('PACKAGE_INVALID', 'no package has this range', {
      start,
      end,
      size,
    })
  }
}

function invalid(what: string, bytes: number): VerificationError {
  return new VerificationError('PACKAGE_INVALID', `not an entry package: ${what}`, { bytes })
}
