/**
 * Wakes those who follow a store when it may hold more than before.
 *
 * @module
 */
import { UnavailableError } from '@longshore/capsule'

export class CommitSignal {
  #version = 0
  #waiters = new Set<() => void>()

  /** Changes with every commit. Read it before looking at the store, then wait for more. */
  get version(): number {
    return this.#version
  }

  notify(): void {
    this.#version++
    if (this.#waiters.size === 0) return
    const waiters = this.#waiters
    this.#waiters = new Set()
    for (const wake of waiters) wake()
  }

  /**
   * Resolves once the version is no longer `seen`.
   *
   * @throws {UnavailableError} `ABORTED`
   */
  changed(seen: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.reject(aborted(signal))
    if (this.#version !== seen) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const wake = (): void => {
        signal?.removeEventListener('abort', abort)
        resolve()
      }
      const abort = (): void => {
        this.#waiters.delete(wake)
        reject(aborted(signal))
      }
      this.#waiters.add(wake)
      signal?.addEventListener('abort', abort, { once: true })
    })
  }
}

/** The error for a call whose signal was aborted. */
export function aborted(signal: AbortSignal | undefined): UnavailableError {
  return new UnavailableError('ABORTED', 'the call was given up', undefined, {
    cause: signal?.reason,
  })
}

/** @throws {UnavailableError} `ABORTED` */
export function checkNotAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw aborted(signal)
}
