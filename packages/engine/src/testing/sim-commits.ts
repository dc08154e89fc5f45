/**
 * Commits of a simulated node, in virtual time: what sources have pending becomes one group, whose
 * sync ends a little later. A crash may come between the two, or within any call to the disk.
 *
 * @module
 */
import { assert, UnavailableError } from '@longshore/capsule'
import type { DiskFile } from '../runtime/disk.ts'
import type { Store, StoreEffect, StoreOp } from '../store/store.ts'

/** Changes that become durable together. */
export interface SimTransaction {
  readonly ops: readonly StoreOp[]
  /** Synced, and visible to nobody yet. */
  durable(): void
  committed(): void
  failed(error: Error): void
}

/** Something that gathers changes until a commit takes them. */
export interface SimSource {
  cut(): SimTransaction | undefined
}

/** From the first request to the group. */
const GATHER_US = 50
/** From the write to the end of the sync. */
const SYNC_US = 200

export class SimCommits {
  readonly #store: Store
  /** Happens after so many microseconds, if the node still lives then. */
  readonly #after: (delayUs: number, action: () => void) => void
  readonly #onFatal: (error: Error) => void
  readonly #sources = new Set<SimSource>()
  readonly #open = new Map<number, SimTransaction>()
  #lastTicket = 0
  #isBusy = false

  constructor(
    store: Store,
    after: (delayUs: number, action: () => void) => void,
    onFatal: (error: Error) => void,
  ) {
    this.#store = store
    this.#after = after
    this.#onFatal = onFatal
  }

  /** Has the source cut at the next commit; one is under way at a time. */
  request(source: SimSource): void {
    this.#sources.add(source)
    if (this.#isBusy) return
    this.#isBusy = true
    this.#after(GATHER_US, () => this.#commit())
  }

  /** Commits at once, as a node that is being set up does. */
  now(ops: readonly StoreOp[]): void {
    assert(!this.#isBusy, 'nothing else is on its way')
    this.#submit({
      ops,
      durable: () => {},
      committed: () => {},
      failed: (error) => {
        throw error
      },
    })
    const sync = this.#flush()
    if (sync !== undefined) this.#synced(sync.file, sync.token)
  }

  #commit(): void {
    const sources = [...this.#sources]
    this.#sources.clear()
    for (const source of sources) {
      const transaction = source.cut()
      if (transaction !== undefined) this.#submit(transaction)
    }
    const sync = this.#open.size === 0 ? undefined : this.#flush()
    if (sync === undefined) {
      this.#rest()
      return
    }
    this.#after(SYNC_US, () => {
      this.#synced(sync.file, sync.token)
      this.#rest()
    })
  }

  #rest(): void {
    this.#isBusy = false
    const [source] = this.#sources
    if (source !== undefined) this.request(source)
  }

  #submit(transaction: SimTransaction): void {
    const ticket = ++this.#lastTicket
    this.#open.set(ticket, transaction)
    this.#take(this.#store.step({ type: 'submit', ticket, ops: transaction.ops }))
  }

  #flush(): { readonly file: DiskFile; readonly token: number } | undefined {
    let sync: Extract<StoreEffect, { type: 'sync' }> | undefined
    const effects = this.#store.step({ type: 'flush' })
    for (const effect of effects) if (effect.type === 'sync') sync = effect
    this.#take(effects.filter((effect) => effect !== sync))
    return sync
  }

  #synced(file: DiskFile, token: number): void {
    try {
      file.sync()
      for (const transaction of this.#open.values()) transaction.durable()
    } catch (error) {
      if ((error as Error).name === 'SimCrash') throw error
      this.#take(this.#store.step({ type: 'sync-failed', token, error }))
      return
    }
    this.#take(this.#store.step({ type: 'synced', token }))
  }

  #take(effects: readonly StoreEffect[]): void {
    for (const effect of effects) {
      switch (effect.type) {
        case 'committed':
          for (const ticket of effect.tickets) this.#answer(ticket).committed()
          break
        case 'refused':
          this.#answer(effect.ticket).failed(effect.error)
          break
        case 'failed':
          // A process whose sync failed knows nothing any more: it ends (F31).
          this.#onFatal(effect.error)
          break
        case 'sync':
          throw new UnavailableError('STORE_FAILED', 'a second sync before the first has ended')
      }
    }
  }

  #answer(ticket: number): SimTransaction {
    const transaction = this.#open.get(ticket)
    assert(transaction !== undefined, 'the store answers each ticket once')
    this.#open.delete(ticket)
    return transaction
  }
}
