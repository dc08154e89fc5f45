/**
 * The engine's disk on a real one: a directory tree, through node:fs.
 *
 * Every path is relative to the root and may not leave it; the last component is never followed
 * if it is a symbolic link. Files are 0600, directories 0700. `sync` is fdatasync: it makes the
 * bytes and the length durable and leaves out times. Rules HM1-HM3 of docs/spec/home.md.
 *
 * @module
 */
import fs from 'node:fs'
import { dirname, join } from 'node:path'
import { type Disk, DiskError, type DiskErrorCode, type DiskFile } from '@longshore/engine'

const FLAGS = {
  create:
    fs.constants.O_RDWR | fs.constants.O_CREAT | fs.constants.O_EXCL | fs.constants.O_NOFOLLOW,
  write: fs.constants.O_RDWR | fs.constants.O_NOFOLLOW,
  // A pipe in its place is refused, not waited for.
  read: fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK,
} as const

const CODES: Readonly<Record<string, DiskErrorCode>> = {
  ENOENT: 'NOT_FOUND',
  EEXIST: 'EXISTS',
  ENOTEMPTY: 'EXISTS',
  ENOSPC: 'FULL',
  EDQUOT: 'FULL',
  EFBIG: 'FULL',
  EACCES: 'DENIED',
  EPERM: 'DENIED',
  EROFS: 'DENIED',
  EISDIR: 'NOT_A_FILE',
  ENOTDIR: 'NOT_A_FILE',
  ELOOP: 'NOT_A_FILE',
}

/** A directory as the engine's disk. The directory must exist. */
export class NodeDisk implements Disk {
  readonly root: string

  constructor(root: string) {
    this.root = root
  }

  open(path: string, mode: 'create' | 'write' | 'read'): NodeDiskFile {
    const absolute = this.#resolve(path)
    return asDisk(path, () => {
      const fd = fs.openSync(absolute, FLAGS[mode], 0o600)
      const stat = fs.fstatSync(fd)
      if (stat.isFile()) return new NodeDiskFile(path, fd)
      fs.closeSync(fd)
      throw new DiskError('NOT_A_FILE', path, 'a directory or device where a file is expected')
    })
  }

  exists(path: string): boolean {
    return fs.existsSync(this.#resolve(path))
  }

  list(directory: string): string[] {
    const absolute = this.#resolve(directory)
    // Code unit order: the same on every machine, whatever its locale.
    return asDisk(directory, () => fs.readdirSync(absolute).sort())
  }

  makeDirectory(path: string): void {
    const absolute = this.#resolve(path)
    asDisk(path, () => fs.mkdirSync(absolute, { mode: 0o700 }))
  }

  rename(from: string, to: string): void {
    const [source, target] = [this.#resolve(from), this.#resolve(to)]
    asDisk(from, () => fs.renameSync(source, target))
  }

  remove(path: string): void {
    const absolute = this.#resolve(path)
    asDisk(path, () => fs.unlinkSync(absolute))
  }

  syncDirectory(path: string): void {
    const absolute = this.#resolve(path)
    asDisk(path, () => syncDirectory(absolute))
  }

  /** The absolute path; refuses what would leave the root, whoever computed it. */
  #resolve(path: string): string {
    const parts = path.split('/')
    const escapes = parts.some((part) => part === '' || part === '.' || part === '..')
    if ((escapes && path !== '' && path !== '.') || path.includes('\0') || path.includes('\\')) {
      throw new DiskError('DENIED', path, 'not a plain relative path')
    }
    return join(this.root, path)
  }
}

/** One open file of a {@link NodeDisk}. */
class NodeDiskFile implements DiskFile {
  readonly path: string
  /** For {@link syncOffThread}; -1 once closed. */
  fd: number

  constructor(path: string, fd: number) {
    this.path = path
    this.fd = fd
  }

  byteLength(): number {
    // Never remembered: another process may have made the file longer.
    return asDisk(this.path, () => fs.fstatSync(this.fd).size)
  }

  read(position: number, into: Uint8Array): number {
    let filled = 0
    while (filled < into.byteLength) {
      const count = this.#readSome(position + filled, into, filled)
      if (count === 0) break
      filled += count
    }
    return filled
  }

  #readSome(position: number, into: Uint8Array, offset: number): number {
    try {
      return fs.readSync(this.fd, into, offset, into.byteLength - offset, position)
    } catch (error) {
      throw toDiskError(this.path, error)
    }
  }

  write(position: number, chunks: readonly Uint8Array[]): void {
    const first = chunks[0]
    if (first === undefined) return
    asDisk(this.path, () => {
      const written =
        chunks.length === 1
          ? fs.writeSync(this.fd, first, 0, first.byteLength, position)
          : fs.writevSync(this.fd, chunks, position)
      const total = chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0)
      if (written < total) this.#writeRest(position, chunks, written)
    })
  }

  /** After a short write (a nearly full disk, a signal): the remainder, or the reason why not. */
  #writeRest(position: number, chunks: readonly Uint8Array[], writtenBefore: number): void {
    let skip = writtenBefore
    let at = position
    for (const chunk of chunks) {
      let offset = Math.min(skip, chunk.byteLength)
      skip -= offset
      at += offset
      while (offset < chunk.byteLength) {
        const written = fs.writeSync(this.fd, chunk, offset, chunk.byteLength - offset, at)
        if (written === 0) throw new DiskError('IO', this.path, 'the disk accepts no more bytes')
        offset += written
        at += written
      }
    }
  }

  sync(): void {
    asDisk(this.path, () => fs.fdatasyncSync(this.fd))
  }

  truncate(byteLength: number): void {
    asDisk(this.path, () => fs.ftruncateSync(this.fd, byteLength))
  }

  close(): void {
    if (this.fd === -1) return
    const fd = this.fd
    this.fd = -1
    asDisk(this.path, () => fs.closeSync(fd))
  }
}

/**
 * `DiskFile.sync` on a thread of the pool: the caller's thread goes on meanwhile.
 *
 * The file must stay open until the promise settles.
 */
export function syncOffThread(file: DiskFile): Promise<void> {
  if (!(file instanceof NodeDiskFile)) {
    return new Promise((resolve) => {
      file.sync()
      resolve()
    })
  }
  return new Promise((resolve, reject) => {
    fs.fdatasync(file.fd, (error) => {
      if (error === null) resolve()
      else reject(toDiskError(file.path, error))
    })
  })
}

/** Makes names (creations, renames, removals) in a directory durable. */
export function syncDirectory(absolutePath: string): void {
  // Windows cannot open a directory for this, and needs no such sync.
  if (process.platform === 'win32') return
  const fd = fs.openSync(absolutePath, fs.constants.O_RDONLY)
  try {
    fs.fsyncSync(fd)
  } finally {
    fs.closeSync(fd)
  }
}

/**
 * Makes a directory and what is missing above it. What is there already stays as it is.
 *
 * Not `mkdirSync` with `recursive`: where the system says ENOENT for ever (below /proc), that one
 * never returns.
 */
export function makeDirectories(absolutePath: string, mode = 0o777): void {
  const missing: string[] = []
  for (let path = absolutePath; !fs.existsSync(path); path = dirname(path)) missing.push(path)
  for (const path of missing.reverse()) {
    try {
      fs.mkdirSync(path, { mode })
    } catch (error) {
      // Somebody else was faster.
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
  }
  if (!fs.statSync(absolutePath).isDirectory()) {
    throw new DiskError('NOT_A_FILE', absolutePath, 'a file is where a directory should be')
  }
}

/**
 * At most the first `bytesMax` bytes of a file outside the store. What is no regular file is an
 * error: reading a pipe or a device might never end.
 */
export function readRegularFile(path: string, bytesMax: number): Uint8Array {
  const fd = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK)
  try {
    if (!fs.fstatSync(fd).isFile()) throw new DiskError('NOT_A_FILE', path, 'not a file')
    const bytes = new Uint8Array(bytesMax)
    let filled = 0
    while (filled < bytesMax) {
      const count = fs.readSync(fd, bytes, filled, bytesMax - filled, filled)
      if (count === 0) break
      filled += count
    }
    return bytes.subarray(0, filled)
  } finally {
    fs.closeSync(fd)
  }
}

/**
 * Writes a small file so that a crash leaves the old content or the new one, durably: temporary
 * name beside it, sync, rename, sync of the directory.
 */
export function writeFileDurably(path: string, content: Uint8Array | string, mode: number): void {
  const temporary = `${path}.new`
  fs.rmSync(temporary, { force: true })
  const fd = fs.openSync(temporary, 'wx', mode)
  try {
    fs.writeFileSync(fd, content)
    fs.fsyncSync(fd)
  } finally {
    fs.closeSync(fd)
  }
  fs.renameSync(temporary, path)
  syncDirectory(dirname(path))
}

function asDisk<T>(path: string, action: () => T): T {
  try {
    return action()
  } catch (error) {
    throw toDiskError(path, error)
  }
}

function toDiskError(path: string, error: unknown): DiskError {
  if (error instanceof DiskError) return error
  const errno = error as NodeJS.ErrnoException
  return new DiskError(CODES[errno.code ?? ''] ?? 'IO', path, errno.message, { cause: error })
}
