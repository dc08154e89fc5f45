/**
 * A home with one capsule, in memory, and a publisher that pushes it to mirrors: messages go by
 * hand, so that a test may look at them, change them or lose them.
 *
 * @module
 */
import { assert, type BranchId, MAIN_BRANCH } from '@longshore/capsule'
import { Publisher } from '../replica/publisher.ts'
import type { PublisherEffect } from '../replica/publisher-contract.ts'
import { MemoryStore } from '../store/memory-store.ts'
import type { StoreOp } from '../store/store.ts'
import type { AppendShape } from './branch-fixture.ts'
import { type CapsuleFixture, createCapsuleFixture } from './capsule-fixture.ts'
import type { MirrorHome } from './mirror-home.ts'
import type { Prng } from './prng.ts'
import { SignedBranch } from './signed-branch.ts'
import { StoreDriver } from './store-driver.ts'

/** Bulk messages that lie between two machines before a sender waits. */
const IN_FLIGHT_MAX = 4

export class PublisherHome {
  readonly capsule: CapsuleFixture
  readonly branch: SignedBranch
  readonly driver: StoreDriver
  readonly publisher: Publisher
  readonly effects: PublisherEffect[] = []
  /** Bulk messages made and not delivered, by session. */
  readonly #inFlight = new Map<number, number>()

  constructor(prng: Prng, branch: BranchId = MAIN_BRANCH, capsule?: CapsuleFixture) {
    this.capsule = capsule ?? createCapsuleFixture(prng)
    this.branch = new SignedBranch(prng, this.capsule, branch)
    this.driver = new StoreDriver(new MemoryStore())
    this.driver.commit(this.capsule.manifest)
    this.publisher = new Publisher({
      store: this.driver.store,
      canSend: (session) => (this.#inFlight.get(session) ?? 0) < IN_FLIGHT_MAX,
    })
  }

  append(count: number, shape: AppendShape = {}, ...more: readonly StoreOp[]): void {
    this.driver.commit(this.branch.append(count, shape), ...more)
  }

  erase(...ranges: readonly (readonly [start: number, end: number])[]): void {
    this.driver.commit(this.branch.appendErase(...ranges), this.branch.erase(...ranges))
  }

  /** Connects to a mirror, whose name is that of its head log. */
  connect(mirror: MirrorHome, session: number): void {
    const { branch } = this.branch
    const target = { mirror: mirror.headLog.name, chain: new Uint8Array(1), counts: true }
    this.take(this.publisher.publish(this.capsule.name, branch, [target]))
    mirror.connect(session)
    this.take(this.publisher.opened(session, mirror.headLog.name, mirror.signer.key))
  }

  /** Exchanges messages until both sides are silent. `change` may replace what is delivered. */
  exchange(
    mirror: MirrorHome,
    session: number,
    change: (message: Uint8Array) => readonly Uint8Array[] = (message) => [message],
  ): void {
    for (let round = 0; round < 10_000; round++) {
      this.take(this.publisher.work())
      const out = this.sentTo(session)
      for (const message of out) {
        for (const delivered of change(message)) mirror.receive(session, delivered)
      }
      this.delivered(session)
      const moved = mirror.commit() || mirror.work()
      const back = mirror.sentTo(session)
      for (const message of back) this.take(this.publisher.receive(session, message))
      if (out.length === 0 && back.length === 0 && !moved) return
    }
    throw new Error('the two sides never fall silent')
  }

  /** What is on its way to this session has arrived: there is room again. */
  delivered(session: number): void {
    this.#inFlight.set(session, 0)
  }

  take(effects: readonly PublisherEffect[]): void {
    for (const effect of effects) {
      if (effect.type === 'send' && effect.isBulk) {
        this.#inFlight.set(effect.session, (this.#inFlight.get(effect.session) ?? 0) + 1)
      }
      this.effects.push(effect)
    }
  }

  sentTo(session: number): Uint8Array[] {
    const sent = this.effects.filter(
      (effect) => effect.type === 'send' && effect.session === session,
    )
    const rest = this.effects.filter((effect) => !sent.includes(effect))
    this.effects.splice(0, this.effects.length, ...rest)
    return sent.map((effect) => {
      assert(effect.type === 'send', 'filtered')
      return effect.message
    })
  }
}
