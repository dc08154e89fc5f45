/**
 * The engine's index in LMDB: fast to read by many processes, written without syncs, and lost
 * without harm.
 *
 * The file is opened only if it fits the seal in `guard` (see index-guard.ts); otherwise the
 * writer starts a new one, empty, and the engine rebuilds it from the journal. One writer (the
 * holder of the home's lock); any number of readers, which never change a file. A replaced index
 * is a new file with a new generation: readers that still map the old one see the old state and
 * notice with `isReplaced`.
 *
 * Rules HM10-HM13 of docs/spec/home.md.
 *
 * @module
 */
import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import os from 'node:os'
import { join } from 'node:path'
import { assert, UnavailableError } from '@longshore/capsule'
import type { IndexStore, IndexWrite } from '@longshore/engine'
import { open, type RootDatabase } from 'lmdb'
import { digestBootId } from './boot-id.ts'
import { IndexGuard, type Seal } from './index-guard.ts'
import { type IndexExtent, IndexRoom } from './index-room.ts'
import { makeDirectories } from './node-disk.ts'

const DATA_FILE = 'index.mdb'
const GUARD_FILE = 'guard'
/** Address space, not memory: about a thousand million entries fit. */
const MAP_BYTES = 64 * 2 ** 30
/** Processes times threads that may read at once; LMDB keeps 64 bytes for each. */
const READERS_MAX = 1022
/** Room for all of them and what LMDB notes before them. */
const LOCK_FILE_BYTES = 68 * 1024
/** A writer may be between its commit and its seal: a reader looks again after a millisecond. */
const READER_ATTEMPTS_MAX = 20

/** Known to LMDB's binding, but not to its types: the mode of the files that it makes. */
const UNTYPED_OPTIONS = { permissionsMode: 0o600 }

type Database = RootDatabase<Uint8Array, Uint8Array>

/** A data file that fits its seal, or a new one. */
interface OpenedFile {
  readonly fd: number
  readonly seal: Seal
}

export interface LmdbIndexOptions {
  /** A directory of its own; a writer creates it if it does not exist. */
  readonly directory: string
  readonly bootId: string
}

export class LmdbIndex implements IndexStore {
  readonly #files: IndexFiles
  readonly #mode: 'write' | 'read'
  #opened: OpenedFile
  #database: Database
  /** Only of a writer. */
  #room: IndexRoom | undefined
  #closed = false

  private constructor(files: IndexFiles, mode: 'write' | 'read', opened: OpenedFile) {
    this.#files = files
    this.#mode = mode
    this.#opened = opened
    this.#database = openDatabase(files.dataPath)
    if (mode === 'write') this.#room = new IndexRoom(files.dataPath)
    // LMDB writes its first pages when it creates a file.
    if (mode === 'write') this.#sealAs(opened.seal.clean, false)
  }

  /** Only for the holder of the home's lock. Starts empty where the old index is in doubt. */
  static openForWriting(options: LmdbIndexOptions): LmdbIndex {
    makeDirectories(options.directory, 0o700)
    const files = new IndexFiles(options)
    const existing = files.openExisting()
    if (existing !== undefined) files.reserveLockFile()
    return new LmdbIndex(files, 'write', existing ?? files.createNew())
  }

  /** Undefined: there is no index that may be opened, and a writer has to build one. */
  static openForReading(options: LmdbIndexOptions): LmdbIndex | undefined {
    const files = new IndexFiles(options)
    const opened = files.openSettled()
    return opened === undefined ? undefined : new LmdbIndex(files, 'read', opened)
  }

  get(key: Uint8Array): Uint8Array | undefined {
    const value = this.#database.getBinary(key)
    return value === undefined ? undefined : plainBytes(value)
  }

  *range(
    from: Uint8Array,
    to: Uint8Array,
  ): Iterable<readonly [key: Uint8Array, value: Uint8Array]> {
    for (const { key, value } of this.#database.getRange({ start: from, end: to })) {
      yield [plainBytes(key), plainBytes(value)]
    }
  }

  write(batch: readonly IndexWrite[]): void {
    assert(this.#mode === 'write', 'only the writer of the store changes its index')
    // Durable before the first change: after a power loss nobody may take the file for whole.
    if (this.#opened.seal.clean) this.#sealAs(false, true)
    try {
      this.#room?.reserve(this.#extent(), batch)
    } catch (error) {
      // It was longer for a moment, and is not to be taken for another file.
      this.#sealAs(false, false)
      throw error
    }
    this.#database.transactionSync(() => {
      for (const { key, value } of batch) {
        if (value === undefined) this.#database.removeSync(key)
        else this.#database.putSync(key, value)
      }
    })
    this.#sealAs(false, false)
  }

  clear(): void {
    assert(this.#mode === 'write', 'only the writer of the store changes its index')
    this.#closeFiles()
    this.#opened = this.#files.createNew()
    this.#database = openDatabase(this.#files.dataPath)
    this.#room = new IndexRoom(this.#files.dataPath)
    this.#sealAs(false, false)
  }

  /** Readers: makes what the writer wrote since the last call visible. */
  refresh(): void {
    this.#database.resetReadTxn()
  }

  /** Readers: the writer has started a new file; open the index again to see it. */
  isReplaced(): boolean {
    const now = this.#files.guard.generation()
    return now !== undefined && !now.every((byte, i) => byte === this.#opened.seal.generation[i])
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    if (this.#mode === 'write' && !this.#opened.seal.clean) {
      this.#room?.release(this.#extent())
      // Synced and sealed: the next start of the operating system may trust it.
      fs.fdatasyncSync(this.#opened.fd)
      this.#sealAs(true, true)
    }
    this.#closeFiles()
    this.#files.guard.close()
  }

  #extent(): IndexExtent {
    // LMDB's types leave open what is in it.
    return this.#database.getStats() as IndexExtent
  }

  #closeFiles(): void {
    // Nothing asynchronous is ever queued, so this closes the environment before it returns.
    void this.#database.close()
    fs.closeSync(this.#opened.fd)
  }

  #sealAs(clean: boolean, durable: boolean): void {
    const seal = { generation: this.#opened.seal.generation, clean }
    this.#opened = { fd: this.#opened.fd, seal }
    this.#files.guard.seal(this.#opened.fd, seal, durable)
  }
}

/** The files of an index, before LMDB may touch them. */
class IndexFiles {
  readonly dataPath: string
  readonly guard: IndexGuard

  constructor(options: LmdbIndexOptions) {
    this.dataPath = join(options.directory, DATA_FILE)
    this.guard = new IndexGuard(join(options.directory, GUARD_FILE), digestBootId(options.bootId))
  }

  openExisting(): OpenedFile | undefined {
    let fd: number
    try {
      const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = fs.constants
      fd = fs.openSync(this.dataPath, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
    } catch {
      return undefined
    }
    const seal = fs.fstatSync(fd).isFile() ? this.guard.check(fd) : undefined
    if (seal === undefined) fs.closeSync(fd)
    return seal === undefined ? undefined : { fd, seal }
  }

  /** The same for a reader, who may look between the writer's commit and its seal. */
  openSettled(): OpenedFile | undefined {
    for (let attempt = 0; attempt < READER_ATTEMPTS_MAX; attempt++) {
      const opened = this.openExisting()
      if (opened !== undefined || !fs.existsSync(this.dataPath)) return opened
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1)
    }
    return undefined
  }

  /**
   * LMDB maps its lock file. A page of it that the disk has no room for would end the process, so
   * a new one is written before it is mapped.
   */
  reserveLockFile(): void {
    if (fs.existsSync(this.#lockPath)) return
    fs.writeFileSync(`${this.#lockPath}.new`, new Uint8Array(LOCK_FILE_BYTES), { mode: 0o600 })
    fs.renameSync(`${this.#lockPath}.new`, this.#lockPath)
  }

  get #lockPath(): string {
    return `${this.dataPath}-lock`
  }

  /** Removes rather than overwrites: readers keep the old file until they let go of it. */
  createNew(): OpenedFile {
    fs.rmSync(this.dataPath, { force: true, recursive: true })
    fs.rmSync(this.#lockPath, { force: true, recursive: true })
    this.reserveLockFile()
    const fd = fs.openSync(this.dataPath, 'wx+', 0o600)
    return { fd, seal: { generation: new Uint8Array(randomBytes(16)), clean: false } }
  }
}

/** Bytes of an index on disk; 0 if there is none. */
export function measureIndex(directory: string): number {
  return fs.statSync(join(directory, DATA_FILE), { throwIfNoEntry: false })?.size ?? 0
}

/**
 * The same options for readers and writers: in one process LMDB keeps one environment per file,
 * and whoever opens it first decides. Readers do not write all the same; opening alone changes
 * no byte of the file.
 */
function openDatabase(path: string): Database {
  try {
    return open<Uint8Array, Uint8Array>({
      path,
      noSubdir: true,
      noSync: true,
      overlappingSync: false,
      keyEncoding: 'binary',
      encoding: 'binary',
      cache: false,
      maxDbs: 1,
      maxReaders: READERS_MAX,
      mapSize: MAP_BYTES,
      ...UNTYPED_OPTIONS,
    })
  } catch (cause) {
    const { code, message } = cause as { code?: unknown; message?: string }
    const isFull = code === os.constants.errno.ENOSPC
    const reason = `the index cannot be opened: ${message}`
    throw new UnavailableError(isFull ? 'STORE_FULL' : 'STORE_IO', reason, { path }, { cause })
  }
}

/** A Buffer's `slice` does not copy; what leaves this file is a Uint8Array whose does. */
function plainBytes(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
