/**
 * Writing a backup while the home is in use.
 *
 * In one moment without an open transaction it is noted which files there are and how long they
 * are; from then on their bytes up to there do not change, because the journal only grows and
 * compaction waits. Then they are copied at leisure. The index is left out: it is rebuilt.
 *
 * The file holds the secret keys: it is for its owner only (0600). Rules BK1-BK3 of
 * docs/spec/backup.md.
 *
 * @module
 */
import { createHash, type Hash as Hasher } from 'node:crypto'
import fs from 'node:fs'
import { dirname, join } from 'node:path'
import { asHash, UsageError } from '@longshore/capsule'
import type { DiskStore } from '@longshore/engine'
import type { BackupReport } from '../../home.ts'
import { type BackedUpFile, encodeBackupList, MARK_PATH } from './backup-format.ts'
import type { HomePaths } from './home-layout.ts'
import { syncDirectory } from './node-disk.ts'

const CHUNK_BYTES = 1_048_576

/** What is backed up, as it was in one moment. */
export interface HomeSnapshot {
  readonly files: readonly BackedUpFile[]
  /** Small files that change in place: taken at once. */
  readonly contents: ReadonlyMap<string, Uint8Array>
}

/** Call in a moment without an open transaction. */
export function takeSnapshot(paths: HomePaths, store: DiskStore): HomeSnapshot {
  const contents = new Map<string, Uint8Array>()
  const files: BackedUpFile[] = []
  for (const { path, byteLength } of store.snapshotFiles()) {
    files.push({ path: `store/${path}`, byteLength })
  }
  for (const path of ['config.json', MARK_PATH]) {
    if (path === MARK_PATH && !fs.existsSync(join(paths.home, path))) continue
    const bytes = new Uint8Array(fs.readFileSync(join(paths.home, path)))
    contents.set(path, bytes)
    files.push({ path, byteLength: bytes.byteLength })
  }
  for (const name of fs.readdirSync(paths.keys)) {
    if (!name.endsWith('.key')) continue
    files.push({ path: `keys/${name}`, byteLength: fs.statSync(join(paths.keys, name)).size })
  }
  files.sort((a, b) => (a.path < b.path ? -1 : 1))
  return { files, contents }
}

/**
 * Copies a snapshot into a new file.
 *
 * @throws {UsageError} `FILE_EXISTS`; what the file system says is left to the caller
 */
export async function writeBackup(
  file: string,
  home: string,
  { files, contents }: HomeSnapshot,
  signal: AbortSignal,
): Promise<BackupReport> {
  if (fs.existsSync(file)) {
    const message = `${file} is there already, and a backup never replaces a file`
    throw new UsageError('FILE_EXISTS', message, { path: file })
  }
  const temporary = `${file}.partial`
  fs.rmSync(temporary, { force: true })
  const out = new BackupOutput(fs.openSync(temporary, 'wx', 0o600))
  try {
    out.write(encodeBackupList(files))
    for (const { path, byteLength } of files) {
      const bytes = contents.get(path)
      if (bytes !== undefined) out.write(bytes)
      else await out.copy(join(home, path), byteLength, signal)
    }
    const sha256 = out.finish(temporary)
    fs.renameSync(temporary, file)
    syncDirectory(dirname(file))
    return { file, fileBytes: out.byteCount, fileCount: files.length, sha256: asHash(sha256) }
  } catch (error) {
    out.close()
    fs.rmSync(temporary, { force: true })
    throw error
  }
}

/** The file being written, and the hash of what is in it. */
class BackupOutput {
  byteCount = 0
  readonly #hasher: Hasher = createHash('sha256')
  #fd: number

  constructor(fd: number) {
    this.#fd = fd
  }

  write(bytes: Uint8Array): void {
    this.#hasher.update(bytes)
    this.#writeAll(bytes)
  }

  /** The first `byteLength` bytes of a file. */
  async copy(path: string, byteLength: number, signal: AbortSignal): Promise<void> {
    const source = await fs.promises.open(path, 'r')
    try {
      const chunk = new Uint8Array(Math.min(CHUNK_BYTES, Math.max(1, byteLength)))
      for (let at = 0; at < byteLength; ) {
        signal.throwIfAborted()
        const length = Math.min(chunk.byteLength, byteLength - at)
        const { bytesRead } = await source.read(chunk, 0, length, at)
        if (bytesRead === 0) throw new Error(`${path} is shorter than it was`)
        this.write(chunk.subarray(0, bytesRead))
        at += bytesRead
      }
    } finally {
      await source.close()
    }
  }

  /** Writes the trailer and makes everything durable at `path`. Returns the hash. */
  finish(path: string): Uint8Array {
    const sha256 = new Uint8Array(this.#hasher.digest())
    this.#writeAll(sha256)
    fs.fsyncSync(this.#fd)
    const isStillThere = fs.statSync(path).ino === fs.fstatSync(this.#fd).ino
    if (!isStillThere) throw new UsageError('FILE_EXISTS', 'two backups to one path', { path })
    this.close()
    return sha256
  }

  close(): void {
    if (this.#fd === -1) return
    fs.closeSync(this.#fd)
    this.#fd = -1
  }

  #writeAll(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.byteLength; ) {
      at += fs.writeSync(this.#fd, bytes, at, bytes.byteLength - at)
    }
    this.byteCount += bytes.byteLength
  }
}
