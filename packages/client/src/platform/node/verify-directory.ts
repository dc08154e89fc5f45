/**
 * Verifying an export completely, in two passes, with memory for one bundle at a time.
 *
 * First the headers: they must make the signed tree, every tile file must be exactly the tile of
 * that tree, and they say which payloads were erased. Then the payloads: every other one must be
 * there and fit its header, and nothing else may lie in the directory.
 *
 * Rules EX2-EX10 of docs/spec/export.md; F26.
 *
 * @module
 */
import {
  bytesEqual,
  type CapsuleName,
  decodeHeader,
  formatName,
  HASH_BYTES,
  hashLeaf,
  MAIN_BRANCH,
  manifestKey,
  RightEdge,
  VerificationError,
} from '@longshore/capsule'
import type { RangeSet } from '@longshore/engine'
import type { VerifyReport } from '../../capsule.ts'
import { checkNotAborted } from '../../commit-signal.ts'
import { HeaderAudit } from '../../header-audit.ts'
import { openBodyOf } from '../../verified-entry.ts'
import { VerifiedTiles } from '../../verified-tiles.ts'
import { HashSet } from './hash-set.ts'
import { invalid, TileDirectory } from './tile-directory.ts'

const TILE_WIDTH = 256
/** Of a tile above, for the 256 below it; and a few. */
const TILE_CACHE_BYTES = 1_048_576

export interface VerifiedDirectory {
  readonly directory: TileDirectory
  /** Payloads that the capsule itself says are erased. */
  readonly erased: RangeSet
  /** Of the signed tree. */
  readonly edge: RightEdge
  readonly report: VerifyReport
}

/**
 * Checks everything in an export.
 *
 * @throws {VerificationError} `EXPORT_INVALID` for what does not belong or is missing; the code of
 * the part that does not hold otherwise.
 */
export async function verifyTileDirectory(
  path: string,
  options: { readonly name?: CapsuleName; readonly signal?: AbortSignal } = {},
): Promise<VerifiedDirectory> {
  const directory = TileDirectory.open(path, options.name)
  const { payloadCount } = directory.checkNames()
  const { erased, edge } = await verifyTree(directory, options.signal)
  const distinct = await verifyPayloads(directory, erased, options.signal)
  if (distinct !== payloadCount) {
    throw invalid('a payload that no entry has, or that was erased', 'payload')
  }
  const { head, signed } = directory
  return {
    directory,
    erased,
    edge,
    report: {
      kind: 'directory',
      name: signed.name,
      text: formatName(signed.name),
      owner: manifestKey(signed.manifest, 'owner'),
      size: head.size,
      root: head.root,
      checks: ['manifest', 'checkpoint', 'files', 'headers', 'tree', 'payloads', 'erasures'],
      present: head.size - erased.count,
      absent: 0,
      erased: erased.count,
    },
  }
}

/** Every header and every tile, up to the signed root. Says which file is wrong. */
async function verifyTree(
  directory: TileDirectory,
  signal: AbortSignal | undefined,
): Promise<{ erased: RangeSet; edge: RightEdge }> {
  const edge = RightEdge.open(directory, directory.size)
  if (!bytesEqual(edge.root(), directory.head.root)) {
    throw invalid('the last tile of some level is not of the signed tree', 'tile')
  }
  const tiles = new VerifiedTiles(directory, TILE_CACHE_BYTES)
  tiles.believe(edge)
  const audit = new HeaderAudit(MAIN_BRANCH)
  for (let n = 0; n * TILE_WIDTH < directory.size; n++) {
    checkNotAborted(signal)
    const hashes = tiles.wholeTile(0, n)
    for (const [position, header] of directory.headers(n).entries()) {
      const expected = hashes.subarray(position * HASH_BYTES, (position + 1) * HASH_BYTES)
      if (!bytesEqual(hashLeaf(header), expected)) throw notSigned(audit.size)
      audit.add(header)
    }
    await turn()
  }
  return { erased: audit.erased, edge }
}

function notSigned(index: number): VerificationError {
  const message = `entry ${index} is not what the writer signed`
  return new VerificationError('ROOT_MISMATCH', message, { index })
}

/** Returns how many different bodies the entries have. */
async function verifyPayloads(
  directory: TileDirectory,
  erased: RangeSet,
  signal: AbortSignal | undefined,
): Promise<number> {
  const seen = new HashSet()
  for (let n = 0; n * TILE_WIDTH < directory.size; n++) {
    checkNotAborted(signal)
    for (const [position, bytes] of directory.headers(n).entries()) {
      const index = n * TILE_WIDTH + position
      if (erased.has(index)) continue
      const header = decodeHeader(bytes)
      const body = directory.body(header.payloadHash)
      if (body === undefined) throw invalid(`the payload of entry ${index} is missing`, 'payload')
      openBodyOf(index, header, body)
      seen.add(header.payloadHash)
    }
    await turn()
  }
  return seen.count
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/**
 * Verifies an export, offline and without a home: manifest, checkpoint, every entry, tile and
 * payload, and that nothing else is in the directory.
 *
 * Without `name` it is only shown that the directory is consistent with the name in it: a forger
 * can make a capsule of its own.
 *
 * @throws {VerificationError} `EXPORT_INVALID`, `NAME_MISMATCH`, and the code of what does not hold
 * @throws {UsageError} `FILE_UNREADABLE`
 */
export async function verifyDirectory(
  directory: string,
  options: { readonly name?: CapsuleName; readonly signal?: AbortSignal } = {},
): Promise<VerifyReport> {
  return (await verifyTileDirectory(directory, options)).report
}
