/**
 * Bytes on the disk that a home keeps for being opened again.
 *
 * Opening writes little, but it does: who holds the home, a new segment behind a torn one, an index
 * that has to be built anew. On a disk that is full to the brim not even that has room, so a file
 * of no other use is let go then. What is left of it is reserved anew at once.
 *
 * Rule HM67 of docs/spec/home.md.
 *
 * @module
 */
import { type Disk, DiskError, type DiskFile, type Runtime } from '@longshore/engine'
import { isFullError } from './file-error.ts'

/** What opening takes at the most, with an index from nothing, several times. */
const RESERVE_BYTES = 1_048_576
const STEP_BYTES = 65_536
const PATH = 'reserve'

export class DiskReserve {
  readonly #disk: Disk
  readonly #runtime: Runtime
  readonly #byteLength: number
  /** Nothing is missing, as far as this process knows. */
  #isWhole = false
  /** Actions that use what was let go. */
  #users = 0

  /** The file lies in the root of `disk`. */
  constructor(disk: Disk, runtime: Runtime, byteLength: number = RESERVE_BYTES) {
    this.#disk = disk
    this.#runtime = runtime
    this.#byteLength = byteLength
  }

  /**
   * Does what needs room on the disk. If there is none it is done again, in the room that was
   * reserved: a first attempt that failed must have left nothing.
   */
  async within<T>(action: () => T | Promise<T>): Promise<T> {
    try {
      return await action()
    } catch (error) {
      if (!isFullError(error) || !this.#letGo()) throw error
    }
    this.#users++
    try {
      return await action()
    } finally {
      this.#users--
      this.fill()
    }
  }

  /** Reserves what is missing, or as much of it as there is room for; later if it is in use. */
  fill(): void {
    if (this.#isWhole || this.#users > 0) return
    try {
      const file = this.#disk.open(PATH, this.#disk.exists(PATH) ? 'write' : 'create')
      try {
        this.#extend(file)
      } finally {
        file.close()
      }
    } catch (error) {
      if (!(error instanceof DiskError)) throw error
    }
  }

  #extend(file: DiskFile): void {
    for (let at = file.byteLength(); at < this.#byteLength; at = file.byteLength()) {
      // Of zeros a file system may store nothing.
      const bytes = this.#runtime.randomBytes(Math.min(STEP_BYTES, this.#byteLength - at))
      file.write(at, [bytes])
    }
    file.sync()
    this.#disk.syncDirectory('')
    this.#isWhole = true
  }

  /** False if nothing was reserved. */
  #letGo(): boolean {
    this.#isWhole = false
    try {
      const file = this.#disk.open(PATH, 'write')
      try {
        const byteLength = file.byteLength()
        file.truncate(0)
        this.#runtime.log('warn', 'store.reserve-used', { bytes: byteLength })
        return byteLength > 0
      } finally {
        file.close()
      }
    } catch (error) {
      if (error instanceof DiskError) return false
      throw error
    }
  }
}
