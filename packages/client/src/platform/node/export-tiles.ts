/**
 * Writing a capsule as static files: C2SP tlog-tiles, with manifest and payloads beside them.
 *
 * The checkpoint is replaced last, in one step, so a web server that serves the directory shows
 * the old export or the new one, never a mixture. Running it again over an older or interrupted
 * export of the same capsule brings it up to date; into any other directory that is not empty
 * nothing is written. Entries are read and verified as they are written, a bundle at a time.
 *
 * Rules EX1, EX11-EX13 of docs/spec/export.md.
 *
 * @module
 */
import {
  concatBytes,
  decodeHeader,
  formatHex,
  fullTileCount,
  tilePath,
  tileWidth,
  UnavailableError,
} from '@longshore/capsule'
import type { IndexRange, StoredEntry } from '@longshore/engine'
import type { ExportReport } from '../../capsule.ts'
import type { CapsuleHandle } from '../../capsule-handle.ts'
import { checkNotAborted } from '../../commit-signal.ts'
import { ExportFiles } from './export-files.ts'
import { PAYLOAD_DIRECTORY } from './tile-directory.ts'

const TILE_WIDTH = 256

/**
 * Exports the entries that the capsule's verified head covers.
 *
 * @throws {UsageError} `FILE_EXISTS` if something else is in the directory.
 * @throws {UnavailableError} `PAYLOAD_ABSENT` if a payload is missing that was not erased;
 * `NOT_FOUND` if the capsule is empty; `ABORTED`
 */
export async function exportTiles(
  capsule: CapsuleHandle,
  directory: string,
  signal: AbortSignal | undefined,
): Promise<ExportReport> {
  const checkpoint = capsule.checkpoint()
  const { size } = capsule.verified
  const files = ExportFiles.open(directory, capsule.signedManifest)
  const erased = new Set<string>()
  for (const range of bundles(size)) {
    checkNotAborted(signal)
    exportBundle(capsule, files, range, erased)
    await turn()
  }
  await exportTree(capsule, files, size, signal)
  files.replaceCheckpoint(checkpoint)
  await keepShared(capsule, size, erased)
  for (const path of erased) files.remove(path)
  files.removeOutdatedTiles(size)
  return { directory, size, fileCount: files.fileCount, byteCount: files.byteCount }
}

function* bundles(size: number): Generator<IndexRange> {
  for (let start = 0; start < size; start += TILE_WIDTH) {
    yield { start, end: Math.min(size, start + TILE_WIDTH) }
  }
}

/** Headers and payloads. Notes the files of erased payloads that an older export left. */
function exportBundle(
  capsule: CapsuleHandle,
  files: ExportFiles,
  range: IndexRange,
  erased: Set<string>,
): void {
  const parts: Uint8Array[] = []
  for (const stored of capsule.verified.scanStored(range)) {
    const { byteLength } = stored.header
    parts.push(Uint8Array.of(byteLength >> 8, byteLength & 0xff), stored.header)
    const path = payloadPath(stored)
    if (stored.body !== undefined) {
      files.write(path, stored.body)
    } else if (stored.state === 'absent') {
      throw new UnavailableError('PAYLOAD_ABSENT', 'a payload is not here: import it first', {
        index: stored.index,
      })
    } else if (files.has(path)) {
      erased.add(path)
    }
  }
  const n = range.start / TILE_WIDTH
  files.write(tilePath('entries', n, range.end - range.start), concatBytes(...parts))
}

async function exportTree(
  capsule: CapsuleHandle,
  files: ExportFiles,
  size: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  for (let level = 0; tileWidth(level, 0, size) > 0; level++) {
    for (let n = 0; n <= fullTileCount(level, size); n++) {
      const width = tileWidth(level, n, size)
      if (width === 0) continue
      checkNotAborted(signal)
      files.write(tilePath(level, n, width), capsule.verified.tiles.tile(level, n, width))
      await turn()
    }
  }
}

/** An erased payload's file stays if another entry has the same bytes and is not erased. */
async function keepShared(
  capsule: CapsuleHandle,
  size: number,
  erased: Set<string>,
): Promise<void> {
  if (erased.size === 0) return
  for (const range of bundles(size)) {
    for (const stored of capsule.verified.scanStored(range)) {
      if (stored.body !== undefined) erased.delete(payloadPath(stored))
    }
    await turn()
  }
}

function payloadPath(stored: StoredEntry): string {
  return `${PAYLOAD_DIRECTORY}/${formatHex(decodeHeader(stored.header).payloadHash)}`
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
