/**
 * One writer for all copies of a home on this machine.
 *
 * A home that was copied has the same keys and the same id in its config.json. Two copies that
 * write at the same time would both find the anchor as they left it, and sign two histories. So
 * whoever wants to sign first takes a lock with the home's id, beside the anchors. Reading a copy
 * needs no such lock. Rule HM16 of docs/spec/home.md.
 *
 * @module
 */
import { join } from 'node:path'
import { formatHex, UnavailableError } from '@longshore/capsule'
import { HomeLock } from './home-lock.ts'
import { makeDirectories } from './node-disk.ts'

export class WriterLock {
  readonly #directory: string
  readonly #path: string
  #lock: HomeLock | undefined

  constructor(stateDirectory: string, homeId: Uint8Array) {
    this.#directory = join(stateDirectory, 'writers')
    this.#path = join(this.#directory, `${formatHex(homeId)}.lock`)
  }

  /**
   * Takes the lock, once.
   *
   * @throws {UnavailableError} `LOCKED` if another copy is writing; `ANCHOR_UNWRITABLE`
   */
  require(): void {
    if (this.#lock !== undefined) return
    try {
      makeDirectories(this.#directory, 0o700)
      this.#lock = HomeLock.tryAcquire(this.#path)
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause)
      const details = { path: this.#path }
      throw new UnavailableError('ANCHOR_UNWRITABLE', reason, details, { cause })
    }
    if (this.#lock === undefined) {
      const message = 'another copy of this home is being written'
      throw new UnavailableError('LOCKED', message, { path: this.#path })
    }
  }

  release(): void {
    this.#lock?.release()
    this.#lock = undefined
  }
}
