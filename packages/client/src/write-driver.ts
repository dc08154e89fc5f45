/**
 * Drives a store: gathers changes into groups, has them synced, and answers when they are durable.
 *
 * 1. Everything that is pending when a commit begins goes into one group: one write, one sync,
 *    and per branch one signature. Idle means at once, load means large groups; nothing waits
 *    for a timer.
 * 2. Every commit begins in a turn of its own of the event loop (`defer`), so appends made in the
 *    same turn share it, and nothing else in the process starves while appends are awaited one
 *    after the other.
 * 3. At most one sync is in flight (F34). It runs in place, which saves two thread switches, only
 *    while all of these hold: nothing else is pending, no other process waits for us, and syncs
 *    have been short (SYNC_IN_PLACE_MS_MAX on average). Else it runs off the main thread and the
 *    next group forms meanwhile. So a slow disk blocks the event loop for one sync, not more.
 * 4. After the sync and before the store hears of it, each transaction writes its anchor
 *    (`durable`): nothing leaves this process before that (F14, F20).
 * 5. A failed sync or anchor is final: every pending and later call fails (F31).
 *
 * Rules HM28-HM31 of docs/spec/home.md.
 *
 * @module
 */
import { assert, UnavailableError } from '@longshore/capsule'
import type { DiskFile, Slices, Store, StoreEffect, StoreOp } from '@longshore/engine'

/** A turn of the event loop that takes longer than this is felt by whatever else runs in it. */
export const SYNC_IN_PLACE_MS_MAX = 1.5
/** Weight of the newest sync in the average: about the last eight count. */
const SYNC_MS_WEIGHT = 0.125

export interface DriverPlatform {
  /** Runs `action` in a later turn of the event loop, after waiting input had its chance. */
  defer(action: () => void): void
  /** Makes a file durable on another thread. */
  syncOffThread(file: DiskFile): Promise<void>
  /** Milliseconds of a clock that never goes back. */
  nowMs(): number
  /** How long a sync took, in milliseconds. */
  synced?(ms: number): void
  /** True if something besides this process's own calls waits for the event loop. */
  isServing(): boolean
}

/** Changes that become durable together. Exactly one of `committed` and `failed` is called. */
export interface Transaction {
  readonly ops: readonly StoreOp[]
  /** The bytes are synced; nobody can see them yet. If this throws, the store ends. */
  durable?(): void
  /** Durable and visible: answer. */
  committed(): void
  /** Nothing of it happened, or (STORE_FAILED) nobody knows. */
  failed(error: Error): void
}

/** Something that gathers changes until a commit takes them. */
export interface TransactionSource {
  /** Closes what is pending into a transaction. Undefined if nothing is. */
  cut(): Transaction | undefined
  /** More is waiting than the transaction just cut could hold. */
  readonly hasBacklog: boolean
  /** Takes waiting changes into the next transaction: work to do while a sync is in flight. */
  fill?(): void
}

export class WriteDriver {
  readonly #store: Store
  readonly #platform: DriverPlatform
  readonly #onCommit: () => void
  readonly #sources = new Set<TransactionSource>()
  /** Submitted to the store and not answered, by ticket. */
  readonly #open = new Map<number, Transaction>()
  #lastTicket = 0
  #isScheduled = false
  #syncInFlight: Promise<void> | undefined
  #syncMs = 0
  #failure: Error | undefined
  readonly #betweens: (() => void)[] = []
  #idleWaiters: (() => void)[] = []

  /** `onCommit` is called after every group that was made visible. */
  constructor(store: Store, platform: DriverPlatform, onCommit: () => void) {
    this.#store = store
    this.#platform = platform
    this.#onCommit = onCommit
  }

  /** Throws what ended this driver, if something did. */
  checkAlive(): void {
    if (this.#failure !== undefined) throw this.#failure
  }

  /** Has `source` cut at the next commit. */
  request(source: TransactionSource): void {
    this.#sources.add(source)
    this.#schedule()
  }

  /** One transaction by itself; resolves when it is durable and visible. */
  submit(ops: readonly StoreOp[], durable?: () => void): Promise<void> {
    return new Promise((resolve, reject) => {
      this.checkAlive()
      let isCut = false
      const transaction: Transaction = {
        ops,
        durable: () => durable?.(),
        committed: resolve,
        failed: reject,
      }
      this.request({
        hasBacklog: false,
        cut: () => {
          if (isCut) return undefined
          isCut = true
          return transaction
        },
      })
    })
  }

  /**
   * Runs `action` (compaction, a snapshot) between two commits: no transaction is open then. It
   * comes before everything that waits for the next commit, so load cannot put it off.
   */
  between<T>(action: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      this.checkAlive()
      this.#betweens.push(() => {
        try {
          this.checkAlive()
          resolve(action())
        } catch (error) {
          reject(error)
        }
      })
      this.#schedule()
    })
  }

  /**
   * Does long work slice by slice, each between two commits: whoever appends or reads meanwhile
   * waits for one slice at most. `begin` runs between two commits as well.
   *
   * @throws what `signal` was aborted with: then the work is given up, between two slices.
   */
  async inSlices<T>(begin: () => Slices<T>, signal?: AbortSignal): Promise<T> {
    const work = await this.between(begin)
    const next = (): IteratorResult<undefined, T> => {
      if (signal?.aborted === true) work.return(undefined as never)
      signal?.throwIfAborted()
      return work.next()
    }
    try {
      for (;;) {
        const slice = await this.between(next)
        if (slice.done === true) return slice.value
      }
    } finally {
      // Ends what a failure of this driver left in the middle; else it is over already.
      work.return(undefined as never)
    }
  }

  /** Resolves when nothing is pending and nothing on its way. */
  async drained(): Promise<void> {
    while (!this.#isIdle) await new Promise<void>((resolve) => this.#idleWaiters.push(resolve))
  }

  get #isIdle(): boolean {
    const isQuiet = this.#open.size === 0 && this.#syncInFlight === undefined
    return isQuiet && this.#sources.size === 0 && this.#betweens.length === 0
  }

  #schedule(): void {
    if (this.#isScheduled || this.#syncInFlight !== undefined) return
    this.#isScheduled = true
    this.#platform.defer(() => {
      this.#isScheduled = false
      this.#commit()
    })
  }

  #commit(): void {
    if (this.#syncInFlight !== undefined || this.#failure !== undefined) return
    for (const action of this.#betweens.splice(0)) action()
    const sources = [...this.#sources]
    this.#sources.clear()
    for (const source of sources) {
      const transaction = source.cut()
      if (transaction !== undefined) this.#submit(transaction)
      if (source.hasBacklog) this.#sources.add(source)
    }
    if (this.#open.size > 0) this.#take(() => this.#store.step({ type: 'flush' }))
    for (const source of this.#sources) source.fill?.()
    if (this.#sources.size > 0) this.#schedule()
    this.#noteIdle()
  }

  #submit(transaction: Transaction): void {
    const ticket = ++this.#lastTicket
    this.#open.set(ticket, transaction)
    this.#take(() => this.#store.step({ type: 'submit', ticket, ops: transaction.ops }))
  }

  /** Runs one step and everything that follows from it. */
  #take(step: () => StoreEffect[]): void {
    if (this.#failure !== undefined) return
    let effects: StoreEffect[]
    try {
      effects = step()
    } catch (error) {
      this.#fail(error)
      return
    }
    for (const effect of effects) this.#apply(effect)
  }

  #apply(effect: StoreEffect): void {
    switch (effect.type) {
      case 'sync':
        this.#sync(effect.file, effect.token)
        return
      case 'committed':
        for (const ticket of effect.tickets) this.#answer(ticket).committed()
        this.#onCommit()
        return
      case 'refused':
        this.#answer(effect.ticket).failed(effect.error)
        return
      case 'failed':
        this.#fail(effect.error)
    }
  }

  #answer(ticket: number): Transaction {
    const transaction = this.#open.get(ticket)
    assert(transaction !== undefined, 'the store answers each ticket once')
    this.#open.delete(ticket)
    return transaction
  }

  #sync(file: DiskFile, token: number): void {
    const start = this.#platform.nowMs()
    if (this.#maySyncInPlace()) {
      let error: unknown
      try {
        file.sync()
      } catch (cause) {
        error = cause ?? new Error('sync failed')
      }
      this.#synced(token, start, error)
      return
    }
    this.#syncInFlight = this.#platform
      .syncOffThread(file)
      .then(
        () => undefined,
        (cause: unknown) => cause ?? new Error('sync failed'),
      )
      .then((error) => {
        this.#syncInFlight = undefined
        this.#synced(token, start, error)
        if (this.#sources.size > 0 || this.#betweens.length > 0) this.#commit()
        this.#noteIdle()
      })
  }

  #maySyncInPlace(): boolean {
    if (this.#sources.size > 0 || this.#platform.isServing()) return false
    return this.#syncMs <= SYNC_IN_PLACE_MS_MAX
  }

  #synced(token: number, startMs: number, error: unknown): void {
    const ms = this.#platform.nowMs() - startMs
    this.#syncMs += (ms - this.#syncMs) * SYNC_MS_WEIGHT
    this.#platform.synced?.(ms)
    if (error !== undefined) {
      this.#take(() => this.#store.step({ type: 'sync-failed', token, error }))
      return
    }
    try {
      // Everything that is open was submitted before this sync began: submitting waits for it.
      for (const transaction of this.#open.values()) transaction.durable?.()
    } catch (anchorError) {
      this.#fail(anchorError)
      this.#store.step({ type: 'sync-failed', token, error: anchorError })
      return
    }
    this.#take(() => this.#store.step({ type: 'synced', token }))
  }

  #fail(cause: unknown): void {
    if (this.#failure !== undefined) return
    const error =
      cause instanceof Error ? cause : new UnavailableError('STORE_FAILED', String(cause))
    this.#failure = error
    const open = [...this.#open.values()]
    this.#open.clear()
    for (const transaction of open) transaction.failed(error)
    const sources = [...this.#sources]
    this.#sources.clear()
    for (const source of sources) source.cut()?.failed(error)
    for (const action of this.#betweens.splice(0)) action()
    this.#noteIdle()
  }

  #noteIdle(): void {
    if (!this.#isIdle || this.#idleWaiters.length === 0) return
    const waiters = this.#idleWaiters
    this.#idleWaiters = []
    for (const resolve of waiters) resolve()
  }
}
