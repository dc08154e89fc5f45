/**
 * What the engine asks of a disk. An argument, never a global: the real one is in the client's
 * platform room, the simulated one in `testing/sim-disk.ts`.
 *
 * All calls are synchronous except making bytes durable, which is an effect of `step` (see
 * `store/store.ts`), so that a driver can run it in place or off the main thread. Nothing written
 * is durable before a sync of that file; no name is durable before a sync of its directory.
 *
 * @module
 */

/**
 * Every failure of a disk. `FULL` leaves the bytes before the failed call as they were on a
 * preallocated range; every other code means that the state of the written range is unknown.
 */
export type DiskErrorCode = 'NOT_FOUND' | 'EXISTS' | 'FULL' | 'DENIED' | 'NOT_A_FILE' | 'IO'

export class DiskError extends Error {
  override readonly name = 'DiskError'
  readonly code: DiskErrorCode
  readonly path: string

  constructor(code: DiskErrorCode, path: string, message: string, options?: ErrorOptions) {
    super(`${code}: ${message}`, options)
    this.code = code
    this.path = path
  }
}

/** One open file. Positions and lengths are bytes. */
export interface DiskFile {
  readonly path: string
  /** Length of the file in bytes, preallocated zeros included. */
  byteLength(): number
  /** Reads from `position` until `into` is full or the file ends; returns the bytes read. */
  read(position: number, into: Uint8Array): number
  /** Writes all chunks one after the other from `position`, with one system call where it can. */
  write(position: number, chunks: readonly Uint8Array[]): void
  /** Makes everything written so far durable, in place. A failure is final for this process. */
  sync(): void
  truncate(byteLength: number): void
  close(): void
}

/** One directory tree that the engine owns. Paths are relative, with `/`, without `..`. */
export interface Disk {
  /** `create` fails EXISTS, `write` and `read` fail NOT_FOUND. */
  open(path: string, mode: 'create' | 'write' | 'read'): DiskFile
  exists(path: string): boolean
  /** Names (not paths) of the files and directories directly below `directory`, sorted. */
  list(directory: string): string[]
  makeDirectory(path: string): void
  /** Atomic; replaces an existing target. Durable after `syncDirectory` of the parent. */
  rename(from: string, to: string): void
  remove(path: string): void
  syncDirectory(path: string): void
}
