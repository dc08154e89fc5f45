/**
 * Making a home from a backup: verified twice before anything is put in place.
 *
 * First the file's own hash. Then the home is laid out beside its place, opened, and every
 * manifest, head and tree in it verified; only then it is moved into place, in one step (see
 * restore-site.ts). What the
 * writers of that home have signed since the backup is not in it: their anchors know, and appends
 * are refused until it is clear (F20). Rules BK5-BK7 of docs/spec/backup.md.
 *
 * @module
 */
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import {
  bytesEqual,
  isLongshoreError,
  MAIN_BRANCH,
  manifestKey,
  openManifest,
  UsageError,
} from '@longshore/capsule'
import { openDiskStore } from '@longshore/engine'
import type { RestoreReport } from '../../home.ts'
import { VerifiedBranch } from '../../verified-branch.ts'
import {
  BACKUP_PREFIX_BYTES,
  BACKUP_TRAILER_BYTES,
  type BackedUpFile,
  decodeBackupList,
  decodeBackupPrefix,
  invalidBackup,
} from './backup-format.ts'
import { fileUnreadable, withWriting } from './file-error.ts'
import { createHomeDirectories, type HomePaths, homePaths } from './home-layout.ts'
import { LmdbIndex } from './lmdb-index.ts'
import { makeDirectories, NodeDisk, syncDirectory } from './node-disk.ts'
import { createNodeRuntime } from './node-runtime.ts'
import { RestoreSite } from './restore-site.ts'

const CHUNK_BYTES = 1_048_576

/**
 * Restores a backup into a home that does not exist yet, or is an empty directory.
 *
 * @throws {VerificationError} `BACKUP_INVALID`
 * @throws {UsageError} `FILE_EXISTS` if there is something at `path`, `FILE_UNREADABLE`,
 * `FILE_UNWRITABLE`
 */
export function restoreHome(
  file: string,
  options: { readonly path: string },
): Promise<RestoreReport> {
  const { home } = homePaths(options.path)
  return withWriting(home, () => restoreTo(placeOf(home), file))
}

async function restoreTo(target: string, file: string): Promise<RestoreReport> {
  RestoreSite.removeLeftover(target)
  checkEmpty(target)
  const source = openSource(resolve(file))
  try {
    const files = readList(source)
    await verifyHash(source, files)
    using site = RestoreSite.prepare(target)
    await extract(source, files, site.building)
    const capsuleCount = checkRestored(site.building)
    site.moveIntoPlace()
    return { path: target, fileCount: files.length, capsuleCount }
  } finally {
    fs.closeSync(source.fd)
  }
}

/** Nothing can be moved into the place of a mounted file system, only into it. */
function checkReplaceable(target: string, { dev }: fs.Stats): void {
  if (dev === fs.statSync(dirname(target)).dev) return
  const message = `cannot write ${target}: a file system is mounted there; name a directory in it`
  throw new UsageError('FILE_UNWRITABLE', message, { path: target })
}

interface Source {
  readonly fd: number
  readonly byteLength: number
}

/** A link to an empty directory stays: the home takes the place of that directory. */
function placeOf(home: string): string {
  return fs.existsSync(home) ? fs.realpathSync(home) : home
}

function checkEmpty(target: string): void {
  try {
    if (!fs.existsSync(target)) return
    const stat = fs.statSync(target)
    if (stat.isDirectory() && fs.readdirSync(target).length === 0) {
      checkReplaceable(target, stat)
      return
    }
  } catch (cause) {
    throw isLongshoreError(cause) ? cause : fileUnreadable(target, cause)
  }
  const message = `there is something at ${target}, and a home is restored only where nothing is`
  throw new UsageError('FILE_EXISTS', message, { path: target })
}

function openSource(file: string): Source {
  let fd: number | undefined
  try {
    // Opening a pipe that nobody writes to must not wait.
    fd = fs.openSync(file, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK)
    const stat = fs.fstatSync(fd)
    if (!stat.isFile()) throw new Error('it is no regular file')
    return { fd, byteLength: stat.size }
  } catch (cause) {
    if (fd !== undefined) fs.closeSync(fd)
    throw fileUnreadable(file, cause)
  }
}

/** The files, whose lengths add up to exactly the length of the backup. */
function readList(source: Source): BackedUpFile[] {
  const listBytes = decodeBackupPrefix(readAt(source, 0, BACKUP_PREFIX_BYTES))
  if (listBytes > source.byteLength) throw invalidBackup('the backup is cut off')
  const files = decodeBackupList(readAt(source, BACKUP_PREFIX_BYTES, listBytes))
  const content = files.reduce((sum, { byteLength }) => sum + byteLength, 0)
  const expected = BACKUP_PREFIX_BYTES + listBytes + content + BACKUP_TRAILER_BYTES
  if (expected !== source.byteLength) throw invalidBackup('the backup is cut off or too long')
  return files
}

async function verifyHash(source: Source, files: readonly BackedUpFile[]): Promise<void> {
  const hasher = createHash('sha256')
  const end = source.byteLength - BACKUP_TRAILER_BYTES
  for (let at = 0; at < end; at += CHUNK_BYTES) {
    hasher.update(readAt(source, at, Math.min(CHUNK_BYTES, end - at)))
    await turn()
  }
  const trailer = readAt(source, end, BACKUP_TRAILER_BYTES)
  if (!bytesEqual(new Uint8Array(hasher.digest()), trailer)) {
    throw invalidBackup(`the backup of ${files.length} files was changed since it was written`)
  }
}

async function extract(
  source: Source,
  files: readonly BackedUpFile[],
  building: HomePaths,
): Promise<void> {
  createHomeDirectories(building)
  const content = files.reduce((sum, { byteLength }) => sum + byteLength, 0)
  let at = source.byteLength - BACKUP_TRAILER_BYTES - content
  for (const { path, byteLength } of files) {
    const absolute = join(building.home, path)
    makeDirectories(dirname(absolute), 0o700)
    const fd = fs.openSync(absolute, 'wx', 0o600)
    try {
      for (let done = 0; done < byteLength; done += CHUNK_BYTES) {
        const length = Math.min(CHUNK_BYTES, byteLength - done)
        fs.writeFileSync(fd, readAt(source, at + done, length))
        await turn()
      }
      fs.fsyncSync(fd)
    } finally {
      fs.closeSync(fd)
    }
    at += byteLength
  }
  for (const directory of new Set(files.map(({ path }) => dirname(join(building.home, path))))) {
    syncDirectory(directory)
  }
}

/** Opens the home as it will be, and verifies every manifest, head and tree edge in it. */
function checkRestored(building: HomePaths): number {
  const runtime = createNodeRuntime()
  const index = LmdbIndex.openForWriting({ directory: building.index, bootId: runtime.bootId })
  try {
    const disk = new NodeDisk(building.store)
    const store = openDiskStore({ disk, index, runtime, mode: 'write' })
    try {
      let capsuleCount = 0
      for (const name of store.names()) {
        const { manifest } = openManifest(store.manifest(name) as Uint8Array, name)
        if (manifest.type !== 'capsule') continue
        capsuleCount++
        const key = manifestKey(manifest, 'writer')
        new VerifiedBranch(store, name, MAIN_BRANCH, key).advance()
      }
      return capsuleCount
    } finally {
      store.close()
    }
  } catch (cause) {
    if (!isLongshoreError(cause)) throw cause
    throw invalidBackup(`the backed-up home does not hold: ${cause.message}`, cause)
  } finally {
    index.close()
  }
}

function readAt(source: Source, position: number, byteLength: number): Uint8Array {
  const bytes = new Uint8Array(byteLength)
  let filled = 0
  while (filled < byteLength) {
    const count = fs.readSync(source.fd, bytes, filled, byteLength - filled, position + filled)
    if (count === 0) throw invalidBackup('the backup is cut off')
    filled += count
  }
  return bytes
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
