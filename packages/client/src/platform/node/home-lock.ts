/**
 * The lock of a home, which dies with its process.
 *
 * `BEGIN EXCLUSIVE` of SQLite on an empty file takes the operating system's lock on that file and
 * writes nothing (docs/design/0004-lock.md). Two homes opened in one process exclude each other
 * too, because SQLite counts locks per file. Nothing else may ever open this file: closing any
 * other descriptor of it would drop the lock.
 *
 * Rules HM4-HM5 of docs/spec/home.md.
 *
 * @module
 */
import { DatabaseSync } from 'node:sqlite'
import { UnavailableError } from '@longshore/capsule'

/** SQLITE_BUSY: somebody else has the lock. */
const BUSY = 5

export class HomeLock {
  readonly #database: DatabaseSync

  private constructor(database: DatabaseSync) {
    this.#database = database
  }

  /**
   * The lock, or undefined if another process (or another home in this one) holds it.
   *
   * @throws {UnavailableError} `HOME_UNREADABLE` if the file cannot be a lock.
   */
  static tryAcquire(path: string): HomeLock | undefined {
    let database: DatabaseSync | undefined
    try {
      database = new DatabaseSync(path, { timeout: 0 })
      database.exec('PRAGMA journal_mode=MEMORY; PRAGMA locking_mode=EXCLUSIVE; BEGIN EXCLUSIVE')
      return new HomeLock(database)
    } catch (error) {
      database?.close()
      if (isBusy(error)) return undefined
      throw new UnavailableError(
        'HOME_UNREADABLE',
        `cannot lock the home: ${(error as Error).message}`,
        { path },
        { cause: error },
      )
    }
  }

  release(): void {
    if (this.#database.isOpen) this.#database.close()
  }

  [Symbol.dispose](): void {
    this.release()
  }
}

function isBusy(error: unknown): boolean {
  const code = (error as { errcode?: unknown }).errcode
  return typeof code === 'number' && (code & 0xff) === BUSY
}
