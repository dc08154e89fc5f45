/**
 * One home with one capsule and its writer, driven by hand: every step between an append and its
 * acknowledgement is a call of its own, so that a test can stop after any of them.
 *
 * @module
 */
import { assert, encodeUtf8, MAIN_BRANCH } from '@longshore/capsule'
import { MemoryMedium, MemoryStore } from '../store/memory-store.ts'
import type { Store, StoreEffect, StoreOp } from '../store/store.ts'
import type { BranchWriter, Cut, Release } from '../writer/branch-writer.ts'
import { openBranchWriter } from '../writer/open-branch-writer.ts'
import { createFirstInstance } from '../writer/writer-notes.ts'
import type { CapsuleFixture } from './capsule-fixture.ts'
import type { SimAnchor } from './sim-anchor.ts'
import type { SimRuntime } from './sim-runtime.ts'

type SyncEffect = Extract<StoreEffect, { type: 'sync' }>

export class WriterHome {
  readonly medium: MemoryMedium
  readonly capsule: CapsuleFixture
  readonly runtime: SimRuntime
  readonly anchor: SimAnchor
  store: Store
  writer: BranchWriter
  /** The group that waits for its sync, and the cuts in it. */
  syncing: { readonly effect: SyncEffect; readonly cuts: readonly Cut[] } | undefined
  #submitted: Cut[] = []
  #ticket = 0

  /** Opens a home that exists. */
  constructor(
    capsule: CapsuleFixture,
    runtime: SimRuntime,
    anchor: SimAnchor,
    medium: MemoryMedium,
  ) {
    this.capsule = capsule
    this.runtime = runtime
    this.anchor = anchor
    this.medium = medium
    this.store = new MemoryStore(medium)
    this.writer = this.openWriter()
  }

  /** Makes the home and the capsule in it, in the order that rule WR9 asks for. */
  static create(capsule: CapsuleFixture, runtime: SimRuntime, anchor: SimAnchor): WriterHome {
    const medium = new MemoryMedium()
    const store = new MemoryStore(medium)
    const first = createFirstInstance(capsule.name, MAIN_BRANCH, runtime)
    anchor.write(first.anchor)
    anchor.sync()
    commitAll(store, [capsule.manifest, first.note])
    store.close()
    return new WriterHome(capsule, runtime, anchor, medium)
  }

  openWriter(): BranchWriter {
    const { store, runtime, anchor, capsule } = this
    const { name, writer: signer } = capsule
    return openBranchWriter({ store, name, branch: MAIN_BRANCH, signer, runtime, anchor })
  }

  /** The process is gone, and another one opens the home. */
  reopen(): void {
    this.syncing = undefined
    this.#submitted = []
    this.store = new MemoryStore(this.medium)
    this.writer = this.openWriter()
  }

  /** Appends one entry per payload under one ticket. */
  append(...payloads: readonly string[]): void {
    const ticket = ++this.#ticket
    for (const text of payloads) this.writer.append(ticket, encodeUtf8(text))
  }

  /** Cuts and submits; the refusal, if there is one, is told to the writer. */
  cut(...more: readonly StoreOp[]): Cut {
    const cut = this.writer.cut()
    assert(cut !== undefined, 'there is something to cut')
    const ticket = ++this.#ticket
    this.#submitted.push(cut)
    const ops = [...cut.ops, ...more]
    this.#take(this.store.step({ type: 'submit', ticket, ops }), [])
    return cut
  }

  flush(): void {
    const cuts = this.#submitted
    this.#submitted = []
    this.#take(this.store.step({ type: 'flush' }), cuts)
  }

  /** The sync has ended: the anchor is written. */
  durable(): void {
    const last = this.syncing?.cuts.at(-1)
    assert(last !== undefined, 'a sync is in flight')
    this.writer.durable(last.size)
  }

  /** The store hears of the sync; what was cut is released. */
  committed(): Release {
    const syncing = this.syncing
    const last = syncing?.cuts.at(-1)
    assert(syncing !== undefined && last !== undefined, 'a sync is in flight')
    this.syncing = undefined
    this.store.step({ type: 'synced', token: syncing.effect.token })
    return this.writer.committed(last.size)
  }

  /** Everything from cut to release. */
  commit(...more: readonly StoreOp[]): Release {
    this.cut(...more)
    this.flush()
    this.durable()
    return this.committed()
  }

  /** A transaction without a writer: an import, a note. */
  commitOps(...ops: readonly StoreOp[]): void {
    commitAll(this.store, ops)
  }

  #take(effects: readonly StoreEffect[], cuts: readonly Cut[]): void {
    for (const effect of effects) {
      if (effect.type === 'sync') this.syncing = { effect, cuts }
      else assert(effect.type === 'refused', 'a sync or a refusal')
    }
  }
}

function commitAll(store: Store, ops: readonly StoreOp[]): void {
  const effects = [
    ...store.step({ type: 'submit', ticket: 0, ops }),
    ...store.step({ type: 'flush' }),
  ]
  const [effect] = effects
  assert(effects.length === 1 && effect?.type === 'sync', 'the transaction fits')
  store.step({ type: 'synced', token: effect.token })
}
