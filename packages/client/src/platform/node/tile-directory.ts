/**
 * A directory that claims to be an export: reads single files of it and believes none.
 *
 * What is there is data from outside: nothing is followed (symbolic links are refused), nothing
 * is read past its limit, and every name that does not belong to exactly this tree is an error.
 * Rules EX2-EX7 of docs/spec/export.md; F26.
 *
 * @module
 */
import fs from 'node:fs'
import { join } from 'node:path'
import {
  BODY_BYTES_MAX,
  type CapsuleName,
  decodeUtf8,
  formatHex,
  fullTileCount,
  HASH_BYTES,
  type Hash,
  HEADER_BYTES_MAX,
  type Head,
  isLongshoreError,
  MAIN_BRANCH,
  MANIFEST_SIGNED_BYTES_MAX,
  manifestKey,
  openCheckpoint,
  openManifest,
  parseTilePath,
  type SignedManifest,
  type TileSource,
  tilePath,
  tileWidth,
  VerificationError,
} from '@longshore/capsule'
import { fileUnreadable } from './file-error.ts'

export const CHECKPOINT_FILE = 'checkpoint'
export const MANIFEST_FILE = 'manifest.cbor'
export const PAYLOAD_DIRECTORY = 'payload'
const TILE_DIRECTORY = 'tile'

/** A checkpoint with all the cosignatures that it may carry (C2SP: clients accept up to 64 KiB). */
const CHECKPOINT_BYTES_MAX = 65_536
const TILE_WIDTH = 256
const BUNDLE_BYTES_MAX: number = TILE_WIDTH * (2 + HEADER_BYTES_MAX)
const LENGTH_BYTES = 2
/** `tile/<level>/x001/…/x999/999.p`: deeper directories cannot belong to a tree. */
const DEPTH_MAX = 10

/** Something below a directory, and its path from there, with `/`. */
export interface WalkedFile {
  readonly relative: string
  readonly entry: fs.Dirent
}

export class TileDirectory implements TileSource {
  readonly path: string
  readonly signed: SignedManifest
  /** Signed by the writer of the manifest. */
  readonly head: Head
  readonly checkpoint: string

  private constructor(path: string, signed: SignedManifest, head: Head, checkpoint: string) {
    this.path = path
    this.signed = signed
    this.head = head
    this.checkpoint = checkpoint
  }

  /**
   * Verifies manifest and checkpoint; the rest of the directory is not looked at yet.
   *
   * @throws {UsageError} `FILE_UNREADABLE` if it is no directory.
   * @throws {VerificationError} `EXPORT_INVALID`, `NAME_MISMATCH`, and what the two files' own
   * verification throws.
   */
  static open(path: string, expected?: CapsuleName): TileDirectory {
    checkIsDirectory(path)
    const signedBytes = readSmallFile(path, MANIFEST_FILE, MANIFEST_SIGNED_BYTES_MAX)
    const signed = openManifest(signedBytes, expected)
    if (signed.manifest.type !== 'capsule') throw invalid('the manifest is not that of a capsule')
    const checkpointBytes = readSmallFile(path, CHECKPOINT_FILE, CHECKPOINT_BYTES_MAX)
    const checkpoint = decodeUtf8(checkpointBytes)
    if (checkpoint === undefined) throw invalid('a checkpoint that is not UTF-8', CHECKPOINT_FILE)
    const { head } = openCheckpoint(checkpoint, {
      writerKey: manifestKey(signed.manifest, 'writer'),
      name: signed.name,
      branch: MAIN_BRANCH,
    })
    return new TileDirectory(path, signed, head, checkpoint)
  }

  get size(): number {
    return this.head.size
  }

  /** Bytes of a hash tile, whole; wider than asked for is cut. Not verified. */
  tile(level: number, n: number, width: number): Uint8Array {
    const stored = tileWidth(level, n, this.size)
    const relative = tilePath(level, n, stored)
    const bytes = readSmallFile(this.path, relative, stored * HASH_BYTES)
    if (bytes.byteLength !== stored * HASH_BYTES) {
      throw invalid('a tile of the wrong length', relative)
    }
    return bytes.subarray(0, width * HASH_BYTES)
  }

  /** The headers of bundle `n`: entries 256n to 256n + 255, or to the end. Not verified. */
  headers(n: number): Uint8Array[] {
    const count = tileWidth(0, n, this.size)
    const relative = tilePath('entries', n, count)
    const bytes = readSmallFile(this.path, relative, BUNDLE_BYTES_MAX)
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const headers: Uint8Array[] = []
    let at = 0
    for (; headers.length < count && at + LENGTH_BYTES <= bytes.byteLength; ) {
      const end = at + LENGTH_BYTES + view.getUint16(at)
      if (end > bytes.byteLength) break
      headers.push(bytes.subarray(at + LENGTH_BYTES, end))
      at = end
    }
    if (headers.length !== count || at !== bytes.byteLength) {
      throw invalid('a bundle that does not hold its entries', relative)
    }
    return headers
  }

  /** The stored body with this hash, or undefined if it is not here. Not verified. */
  body(payloadHash: Hash): Uint8Array | undefined {
    const relative = `${PAYLOAD_DIRECTORY}/${formatHex(payloadHash)}`
    return readFileIfThere(this.path, relative, BODY_BYTES_MAX)
  }

  /**
   * Walks the directory: everything in it must be a regular file with a name that belongs to this
   * tree. Returns how many payload files there are.
   */
  checkNames(): { payloadCount: number } {
    let payloadCount = 0
    for (const { relative, entry } of TileDirectory.walk(this.path)) {
      if (entry.isSymbolicLink()) throw invalid('a symbolic link', relative)
      // Where all payloads are erased there may be none in it.
      if (entry.isDirectory() && relative === PAYLOAD_DIRECTORY) continue
      if (entry.isDirectory()) throw invalid('an empty directory', relative)
      if (!entry.isFile()) throw invalid('neither file nor directory', relative)
      if (relative === CHECKPOINT_FILE || relative === MANIFEST_FILE) continue
      if (relative.startsWith(`${PAYLOAD_DIRECTORY}/`)) {
        if (!/^payload\/[0-9a-f]{64}$/.test(relative)) throw extra(relative)
        payloadCount++
        continue
      }
      if (!relative.startsWith(`${TILE_DIRECTORY}/`) || !this.#isOwnTile(relative)) {
        throw extra(relative)
      }
    }
    return { payloadCount }
  }

  /** Everything below a directory that is not a directory itself, or an empty one. */
  static walk(root: string): Generator<WalkedFile> {
    return walk(root, '', DEPTH_MAX)
  }

  #isOwnTile(relative: string): boolean {
    try {
      const { level, n, width } = parseTilePath(relative)
      const height = level === 'entries' ? 0 : level
      const isInTree = n <= fullTileCount(height, this.size)
      return isInTree && width === tileWidth(height, n, this.size)
    } catch (error) {
      if (isLongshoreError(error)) return false
      throw error
    }
  }
}

/**
 * Every file below a directory, one after the other: never more than one listing per level. True
 * if there is anything in it.
 */
function* walk(root: string, below: string, depth: number): Generator<WalkedFile, boolean> {
  const directory = fs.opendirSync(join(root, below))
  let isEmpty = true
  try {
    for (let entry = directory.readSync(); entry !== null; entry = directory.readSync()) {
      isEmpty = false
      const relative = below === '' ? entry.name : `${below}/${entry.name}`
      if (!entry.isDirectory()) {
        yield { relative, entry }
      } else {
        if (depth === 0) throw extra(relative)
        if (!(yield* walk(root, relative, depth - 1))) yield { relative, entry }
      }
    }
  } finally {
    directory.closeSync()
  }
  return !isEmpty
}

function checkIsDirectory(path: string): void {
  let isDirectory = false
  try {
    isDirectory = fs.statSync(path).isDirectory()
  } catch (cause) {
    throw fileUnreadable(path, cause)
  }
  if (!isDirectory) throw fileUnreadable(path, new Error('it is no directory'))
}

function readSmallFile(root: string, relative: string, bytesMax: number): Uint8Array {
  const bytes = readFileIfThere(root, relative, bytesMax)
  if (bytes === undefined) throw invalid('a file is missing', relative)
  return bytes
}

/** The whole file, without following a link in its last component; at most `bytesMax` bytes. */
function readFileIfThere(root: string, relative: string, bytesMax: number): Uint8Array | undefined {
  let fd: number
  try {
    fd = fs.openSync(
      join(root, relative),
      fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK,
    )
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code === 'ENOENT') return undefined
    if (code === 'ELOOP') throw invalid('a symbolic link', relative)
    throw fileUnreadable(join(root, relative), cause)
  }
  try {
    const stat = fs.fstatSync(fd)
    if (!stat.isFile()) throw invalid('not a file', relative)
    if (stat.size > bytesMax) throw invalid('a file is too long', relative)
    const bytes = new Uint8Array(stat.size)
    let filled = 0
    while (filled < bytes.byteLength) {
      const count = fs.readSync(fd, bytes, filled, bytes.byteLength - filled, filled)
      if (count === 0) throw invalid('a file became shorter while it was read', relative)
      filled += count
    }
    return bytes
  } finally {
    fs.closeSync(fd)
  }
}

function extra(relative: string): VerificationError {
  return invalid('a file that does not belong to this export', relative)
}

export function invalid(what: string, file?: string): VerificationError {
  const message = file === undefined ? what : `${what}: ${file}`
  return new VerificationError('EXPORT_INVALID', message, file === undefined ? {} : { file })
}
