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
import fs from 'node:fs'
import { dirname, join } from 'node:path'
import {
  bytesEqual,
  formatHex,
  fullTileCount,
  MAIN_BRANCH,
  parseTilePath,
  tilePath,
  tileWidth,
  UnavailableError,
  UsageError,
} from '@longshore/capsule'
import type { StoredEntry } from '@longshore/engine'
import type { ExportReport } from '../../capsule.ts'
import type { CapsuleHandle } from '../../capsule-handle.ts'
import { checkNotAborted } from '../../commit-signal.ts'
import { writeFileDurably } from './node-disk.ts'
import { CHECKPOINT_FILE, MANIFEST_FILE, PAYLOAD_DIRECTORY } from './tile-directory.ts'

const TILE_WIDTH = 256

/** The capsule has been brought up to its newest head, and is not empty. */
export async function exportTiles(
  capsule: CapsuleHandle,
  directory: string,
  signal: AbortSignal | undefined,
): Promise<ExportReport> {
  const checkpoint = capsule.checkpoint()
  const { size } = capsule.verified
  openDirectory(directory, capsule.signedManifest)
  const files = new ExportFiles(directory)
  files.write(MANIFEST_FILE, capsule.signedManifest)

  for (let n = 0; n * TILE_WIDTH < size; n++) {
    checkNotAborted(signal)
    exportBundle(capsule, files, n, size)
    await new Promise((resolve) => setImmediate(resolve))
  }
  for (let level = 0; tileWidth(level, 0, size) > 0; level++) {
    for (let n = 0; n <= fullTileCount(level, size); n++) {
      const width = tileWidth(level, n, size)
      if (width === 0) continue
      files.write(tilePath(level, n, width), capsule.verified.tiles.tile(level, n, width))
    }
  }
  files.replaceCheckpoint(checkpoint)
  files.removeOutdated(size)
  return { directory, size, fileCount: files.fileCount, byteCount: files.byteCount }
}

function exportBundle(capsule: CapsuleHandle, files: ExportFiles, n: number, size: number): void {
  const range = { start: n * TILE_WIDTH, end: Math.min(size, (n + 1) * TILE_WIDTH) }
  const parts: Uint8Array[] = []
  for (const stored of capsule.verified.scanStored(range)) {
    const length = Uint8Array.of(stored.header.byteLength >> 8, stored.header.byteLength & 0xff)
    parts.push(length, stored.header)
    exportPayload(files, stored)
  }
  const count = range.end - range.start
  files.write(tilePath('entries', n, count), Buffer.concat(parts))
}

function exportPayload(files: ExportFiles, stored: StoredEntry): void {
  const { payloadHash } = decodeStoredHeader(stored)
  if (stored.body !== undefined) {
    files.writePayload(payloadHash, stored.body)
  } else if (stored.state === 'erased') {
    files.noteErased(payloadHash)
  } else {
    throw new UnavailableError('PAYLOAD_ABSENT', 'a payload is not here: import it first', {
      index: stored.index,
    })
  }
}
