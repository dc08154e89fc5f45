/**
 * A mirror in a home on a simulated disk, driven by hand: messages come in by calls, what it sends
 * lies in boxes, and every step of a commit can be the last one before a crash.
 *
 * @module
 */
import { assert, createSigner, MAIN_BRANCH, SEED_BYTES, type Signer } from '@longshore/capsule'
import type { ReplicaLimits } from '../replica/limits.ts'
import { Mirror } from '../replica/mirror.ts'
import type { MirrorEffect, MirrorPolicy, MirrorTransaction } from '../replica/mirror-contract.ts'
import { type DiskStore, openDiskStore } from '../store/disk/disk-store.ts'
import type { StoreEffect, StoreOp } from '../store/store.ts'
import { openBranchWriter } from '../writer/open-branch-writer.ts'
import { createFirstInstance } from '../writer/writer-notes.ts'
import { type CapsuleFixture, createCapsuleFixture } from './capsule-fixture.ts'
import type { Prng } from './prng.ts'
import { SimAnchor } from './sim-anchor.ts'
import { SimDisk } from './sim-disk.ts'
import { SimIndex } from './sim-index.ts'
import { SimRuntime } from './sim-runtime.ts'

/** Takes everything on and shows it to everybody. */
export const OPEN_POLICY: MirrorPolicy = Object.freeze({
  checkOffer: () => {},
  isOwnChain: () => true,
  mayRead: () => true,
  bytesFree: () => Number.POSITIVE_INFINITY,
})

export interface MirrorHomeOptions {
  readonly policy?: MirrorPolicy
  readonly limits?: Partial<ReplicaLimits>
}

export class MirrorHome {
  readonly disk: SimDisk
  readonly index: SimIndex
  readonly runtime: SimRuntime
  readonly anchor: SimAnchor
  readonly headLog: CapsuleFixture
  readonly signer: Signer
  /** Everything that the mirror has effected, in order; a test may empty it. */
  readonly effects: MirrorEffect[] = []
  store: DiskStore
  mirror: Mirror
  /** Sessions whose window is full. */
  readonly full: Set<number> = new Set()
  readonly #options: MirrorHomeOptions
  #ticket = 0

  constructor(prng: Prng, options: MirrorHomeOptions = {}) {
    this.#options = options
    this.disk = new SimDisk(prng.child())
    this.index = new SimIndex(prng.child())
    this.runtime = new SimRuntime(prng.child())
    this.anchor = new SimAnchor(prng.child())
    this.headLog = createCapsuleFixture(prng)
    this.signer = createSigner(prng.bytes(SEED_BYTES))
    this.store = this.#openStore()
    const first = createFirstInstance(this.headLog.name, MAIN_BRANCH, this.runtime)
    this.anchor.write(first.anchor)
    this.anchor.sync()
    this.#commitOps([this.headLog.manifest, first.note])
    this.mirror = this.#openMirror()
  }

  /** The process is gone; another one opens what is left. Sessions are gone too. */
  restart(how: 'kill' | 'power'): void {
    this.disk.crash(how)
    this.index.crash('keep')
    if (how === 'power') {
      this.runtime.restart()
      this.anchor.losePower()
    }
    this.effects.length = 0
    this.full.clear()
    this.store = this.#openStore()
    this.mirror = this.#openMirror()
  }

  connect(session: number, isInitiator = false): void {
    this.take(this.mirror.opened(session, { name: undefined }, isInitiator))
  }

  receive(session: number, message: Uint8Array): void {
    this.take(this.mirror.receive(session, message))
  }

  /** Everything that is pending and everything that wants to be sent. */
  settle(): void {
    while (this.commit() || this.work()) {}
  }

  /** One whole group commit; false if nothing was pending. */
  commit(): boolean {
    const transaction = this.mirror.cut()
    if (transaction === undefined) return false
    this.submit(transaction)
    return true
  }

  /** True if something was sent. */
  work(): boolean {
    const effects = this.mirror.work()
    this.take(effects)
    return effects.length > 0
  }

  take(effects: readonly MirrorEffect[]): void {
    this.effects.push(...effects)
  }

  /** Takes what was sent to a session out of the effects. */
  sentTo(session: number): Uint8Array[] {
    const sent: Uint8Array[] = []
    const rest: MirrorEffect[] = []
    for (const effect of this.effects) {
      if (effect.type === 'send' && effect.session === session) sent.push(effect.message)
      else rest.push(effect)
    }
    this.effects.splice(0, this.effects.length, ...rest)
    return sent
  }

  submit(transaction: MirrorTransaction): void {
    const ticket = ++this.#ticket
    const effects = [
      ...this.store.step({ type: 'submit', ticket, ops: transaction.ops }),
      ...this.store.step({ type: 'flush' }),
    ]
    for (const effect of effects) this.#answer(transaction, effect)
  }

  #answer(transaction: MirrorTransaction, effect: StoreEffect): void {
    switch (effect.type) {
      case 'refused':
        this.take(transaction.failed(effect.error))
        return
      case 'sync': {
        effect.file.sync()
        transaction.durable()
        const [committed] = this.store.step({ type: 'synced', token: effect.token })
        assert(committed?.type === 'committed', 'a group commits')
        this.take(transaction.committed())
        return
      }
      default:
        throw new Error(`unexpected: ${effect.type}`)
    }
  }

  #commitOps(ops: readonly StoreOp[]): void {
    this.submit({ ops, durable: () => {}, committed: () => [], failed: () => [] })
  }

  #openStore(): DiskStore {
    const { disk, runtime } = this
    return openDiskStore({ disk, index: this.index.open(), runtime, mode: 'write' })
  }

  #openMirror(): Mirror {
    const { store, runtime, anchor, headLog, signer } = this
    const { name, writer } = headLog
    return new Mirror({
      store,
      runtime,
      mirror: signer,
      openHeadLog: () =>
        openBranchWriter({ store, name, branch: MAIN_BRANCH, signer: writer, runtime, anchor }),
      policy: this.#options.policy ?? OPEN_POLICY,
      canSend: (session) => !this.full.has(session),
      hasSubscribers: () => true,
      ...(this.#options.limits === undefined ? {} : { limits: this.#options.limits }),
    })
  }
}
