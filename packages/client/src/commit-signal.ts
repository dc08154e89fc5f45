/**
 * Wakes those who follow a store when it may hold more than before.
 *
 * @module
 */
import { UnavailableError } from '@longshore/capsule'

interface Waiter {
  readonly wake: () => void
  readonly fail: (error: Error) => void
}

export class CommitSignal {
  readonly #watch: () => () => void
  #version = 0
  readonly #waiters = new Set<Waiter>()
  #followers = 0
  #stopWatching: (() => void) | undefined
  #end: Error | undefined

  /**
   * `watch` begins to look for commits (and calls `notify`) as long as somebody follows; what it
   * returns ends that.
   */
  constructor(watch: () => () => void) {
    this.#watch = watch
  }

  /** Changes with every commit. Read it before looking at the store, then wait for more. */
  get version(): number {
    return this.#version
  }

  notify(): void {
    this.#version++
    for (const waiter of [...this.#waiters]) waiter.wake()
  }

  /** Somebody follows, until the returned function is called. Look at the store after this. */
  follow(): () => void {
    if (this.#followers++ === 0) this.#stopWatching = this.#watch()
    return () => {
      if (--this.#followers > 0) return
      this.#stopWatching?.()
      this.#stopWatching = undefined
    }
  }

  /** Looks for commits in another way from now on. */
  restart(): void {
    if (this.#followers === 0) return
    this.#stopWatching?.()
    this.#stopWatching = this.#watch()
  }

  /** Whoever waits, now or later, gets this error. */
  close(error: Error): void {
    this.#end = error
    for (const waiter of [...this.#waiters]) waiter.fail(error)
  }

  /**
   * Resolves once the version is no longer `seen`.
   *
   * @throws {UnavailableError} `ABORTED`
   */
  changed(seen: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.reject(aborted(signal))
    if (this.#end !== undefined) return Promise.reject(this.#end)
    if (this.#version !== seen) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const forget = (): void => {
        signal?.removeEventListener('abort', abort)
        this.#waiters.delete(waiter)
      }
      const waiter: Waiter = {
        wake: () => {
          forget()
          resolve()
        },
        fail: (error) => {
          forget()
          reject(error)
        },
      }
      const abort = (): void => waiter.fail(aborted(signal))
      signal?.addEventListener('abort', abort, { once: true })
      this.#waiters.add(waiter)
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
