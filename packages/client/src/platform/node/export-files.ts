/**
 * The files of an export that is being written.
 *
 * @module
 */
import fs from 'node:fs'
import { dirname, join } from 'node:path'
import {
  bytesEqual,
  isLongshoreError,
  parseTilePath,
  type TilePath,
  tileWidth,
  UsageError,
} from '@longshore/capsule'
import { toWritingError } from './file-error.ts'
import { makeDirectories, writeFileDurably } from './node-disk.ts'
import {
  CHECKPOINT_FILE,
  invalid,
  MANIFEST_FILE,
  PAYLOAD_DIRECTORY,
  TileDirectory,
} from './tile-directory.ts'

export class ExportFiles {
  /** Written by this export. */
  fileCount = 0
  byteCount = 0
  readonly #root: string

  private constructor(root: string) {
    this.#root = root
  }

  /**
   * A new or empty directory, or one with an older export of the same capsule.
   *
   * @throws {UsageError} `FILE_EXISTS` if anything else is there, `FILE_UNWRITABLE`
   */
  static open(root: string, signedManifest: Uint8Array): ExportFiles {
    const files = new ExportFiles(root)
    try {
      makeDirectories(root)
      if (fs.readdirSync(root).length === 0) {
        files.write(MANIFEST_FILE, signedManifest)
        return files
      }
      const manifest = files.#read(MANIFEST_FILE)
      const isSame = manifest !== undefined && bytesEqual(manifest, signedManifest)
      if (isSame && files.#hasOnlyExportedNames()) return files
    } catch (cause) {
      if (isLongshoreError(cause)) throw cause
      const { code } = cause as NodeJS.ErrnoException
      if (code !== 'NOT_A_FILE' && code !== 'ENOTDIR') throw toWritingError(root, cause)
      const message = `cannot write ${root}: there is a file where a directory should be`
      throw new UsageError('FILE_EXISTS', message, { path: root }, { cause })
    }
    const message = `${root} is not empty, and not an export of this capsule`
    throw new UsageError('FILE_EXISTS', message, { path: root })
  }

  has(relative: string): boolean {
    return fs.existsSync(join(this.#root, relative))
  }

  /** Writes a file unless it is there already, byte for byte. */
  write(relative: string, bytes: Uint8Array): void {
    const existing = this.#read(relative)
    if (existing !== undefined && bytesEqual(existing, bytes)) return
    const path = join(this.#root, relative)
    if (existing === undefined) makeDirectories(dirname(path))
    fs.writeFileSync(path, bytes)
    this.fileCount++
    this.byteCount += bytes.byteLength
  }

  remove(relative: string): void {
    fs.rmSync(join(this.#root, relative), { force: true })
  }

  /** In one step, and durably: what it covers has been written before. */
  replaceCheckpoint(checkpoint: string): void {
    writeFileDurably(join(this.#root, CHECKPOINT_FILE), checkpoint, 0o644)
    this.fileCount++
    this.byteCount += Buffer.byteLength(checkpoint)
  }

  /** Partial tiles and bundles of sizes that were exported before, and directories without any. */
  removeOutdatedTiles(size: number): void {
    for (const { relative, entry } of TileDirectory.walk(this.#root)) {
      if (entry.isDirectory()) removeEmpty(this.#root, relative)
      const tile = asTile(relative)
      if (tile === undefined) continue
      const level = tile.level === 'entries' ? 0 : tile.level
      if (tile.width === tileWidth(level, tile.n, size)) continue
      this.remove(relative)
      removeIfEmpty(dirname(join(this.#root, relative)))
    }
  }

  #hasOnlyExportedNames(): boolean {
    for (const { relative, entry } of TileDirectory.walk(this.#root)) {
      // What an export that was interrupted was about to fill.
      if (entry.isDirectory() && isOwnDirectory(relative)) continue
      if (!entry.isFile()) return false
      const isOwn =
        relative === MANIFEST_FILE ||
        relative === CHECKPOINT_FILE ||
        relative === `${CHECKPOINT_FILE}.new` ||
        relative.startsWith(`${PAYLOAD_DIRECTORY}/`) ||
        asTile(relative) !== undefined
      if (!isOwn) return false
    }
    return true
  }

  #read(relative: string): Uint8Array | undefined {
    const path = join(this.#root, relative)
    try {
      if (!fs.lstatSync(path).isFile()) throw invalid('not a regular file', relative)
      return new Uint8Array(fs.readFileSync(path))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw error
    }
  }
}

function isOwnDirectory(relative: string): boolean {
  return relative === PAYLOAD_DIRECTORY || /^tile(\/|$)/.test(relative)
}

function asTile(relative: string): TilePath | undefined {
  try {
    return parseTilePath(relative)
  } catch (error) {
    if (isLongshoreError(error)) return undefined
    throw error
  }
}

/** And those above it that it leaves empty. */
function removeEmpty(root: string, relative: string): void {
  for (let at = relative; at !== '.'; at = dirname(at)) removeIfEmpty(join(root, at))
}

function removeIfEmpty(directory: string): void {
  try {
    fs.rmdirSync(directory)
  } catch {
    // Another tile is still in it.
  }
}
