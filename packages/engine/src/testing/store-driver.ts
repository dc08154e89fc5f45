/**
 * Drives a store by hand, one step at a time, and keeps the books that rules ST3 and ST4 ask for:
 * every ticket answered once, in order, at most one sync open.
 *
 * @module
 */
import type { Store, StoreEffect, StoreOp } from '../store/store.ts'
import { codeOf, expectEqual, expectTrue } from './expect.ts'

type SyncEffect = Extract<StoreEffect, { type: 'sync' }>

export class StoreDriver {
  readonly store: Store
  /** Tickets answered with `committed`, in the order of the answers. */
  readonly committed: number[] = []
  /** Tickets answered with `refused`, and the code of the error. */
  readonly refused: Map<number, string> = new Map()
  /** Code of the `failed` effect, once there was one. */
  failed: string | undefined
  #sync: SyncEffect | undefined
  #lastTicket = 0

  constructor(store: Store) {
    this.store = store
  }

  get syncing(): boolean {
    return this.#sync !== undefined
  }

  submit(...ops: StoreOp[]): number {
    const ticket = ++this.#lastTicket
    this.#take(this.store.step({ type: 'submit', ticket, ops }))
    return ticket
  }

  flush(): void {
    this.#take(this.store.step({ type: 'flush' }))
  }

  /** Ends the sync in flight. */
  finishSync(): void {
    const sync = this.#sync
    expectTrue(sync !== undefined, 'a sync is in flight')
    sync.file.sync()
    this.#sync = undefined
    this.#take(this.store.step({ type: 'synced', token: sync.token }))
  }

  failSync(error: unknown): void {
    const sync = this.#sync
    expectTrue(sync !== undefined, 'a sync is in flight')
    this.#sync = undefined
    this.#take(this.store.step({ type: 'sync-failed', token: sync.token, error }))
  }

  /** Flushes, and syncs until nothing is left to do. */
  settle(): void {
    this.flush()
    while (this.syncing) this.finishSync()
  }

  /** One transaction, committed. */
  commit(...ops: StoreOp[]): number {
    const ticket = this.submit(...ops)
    this.settle()
    expectEqual(this.refused.get(ticket), undefined, 'the transaction is not refused')
    expectTrue(this.committed.includes(ticket), 'the transaction is committed')
    return ticket
  }

  /** One transaction that must be refused at once with this code. */
  expectRefused(code: string, ...ops: StoreOp[]): void {
    const ticket = this.submit(...ops)
    expectEqual(this.refused.get(ticket), code, `refusal of ${ops.map((op) => op.type).join()}`)
  }

  #take(effects: readonly StoreEffect[]): void {
    for (const effect of effects) {
      switch (effect.type) {
        case 'sync':
          expectTrue(this.#sync === undefined, 'at most one sync is open')
          this.#sync = effect
          break
        case 'committed':
          for (const ticket of effect.tickets) {
            this.#expectUnanswered(ticket)
            this.committed.push(ticket)
          }
          break
        case 'refused':
          this.#expectUnanswered(effect.ticket)
          this.refused.set(effect.ticket, codeOf(effect.error))
          break
        case 'failed':
          expectEqual(this.failed, undefined, 'a store fails once')
          this.failed = codeOf(effect.error)
      }
    }
  }

  #expectUnanswered(ticket: number): void {
    const known = ticket >= 1 && ticket <= this.#lastTicket
    const answered = this.committed.includes(ticket) || this.refused.has(ticket)
    expectTrue(known && !answered, `ticket ${ticket} is answered once`)
    const last = this.committed.at(-1) ?? 0
    expectTrue(ticket > last, 'tickets are answered in the order of submission')
  }
}
