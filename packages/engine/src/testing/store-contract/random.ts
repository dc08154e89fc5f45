/**
 * Store contract: random work, compared with the memory engine.
 *
 * @module
 */
import { asBranchId } from '@longshore/capsule'
import { MemoryStore } from '../../store/memory-store.ts'
import type { StoreOp } from '../../store/store.ts'
import { BranchFixture, createManifestOp, type ManifestOp } from '../branch-fixture.ts'
import { expectEqual } from '../expect.ts'
import { Prng } from '../prng.ts'
import { StoreDriver } from '../store-driver.ts'
import type { OpenHarness, RegisterTest, StoreHarness } from './harness.ts'
import { readAll } from './life.ts'

const SEEDS = [1, 2, 3, 4, 5]
const STEPS = 60
const NOTE_KEYS = ['a', 'b']

/** The same events to both stores; whatever one answers or shows, the other must too. */
class Pair {
  readonly #prng: Prng
  readonly #harness: StoreHarness
  readonly #model: StoreDriver = new StoreDriver(new MemoryStore())
  #tested: StoreDriver
  readonly #manifests: ManifestOp[] = []
  readonly #fixtures: BranchFixture[] = []

  constructor(prng: Prng, harness: StoreHarness) {
    this.#prng = prng
    this.#harness = harness
    this.#tested = new StoreDriver(harness.open())
    this.#addCapsule()
  }

  step(): void {
    const prng = this.#prng
    const roll = prng.below(20)
    if (roll < 11) this.#submit(Array.from({ length: prng.between(1, 4) }, () => this.#createOp()))
    else if (roll < 15) this.#both((driver) => driver.flush())
    else if (roll < 18 && this.#tested.syncing) this.#both((driver) => driver.finishSync())
    else if (roll === 18) this.#addCapsule()
    else if (roll === 19) this.#reopen()
  }

  compare(): void {
    const [tested, model] = [this.#tested, this.#model]
    expectEqual(tested.syncing, model.syncing, 'a sync is in flight')
    expectEqual(readAll(tested.store, NOTE_KEYS), readAll(model.store, NOTE_KEYS), 'content')
  }

  #both(act: (driver: StoreDriver) => void): void {
    act(this.#model)
    act(this.#tested)
  }

  #submit(ops: readonly StoreOp[]): void {
    const refusals = [this.#model, this.#tested].map((driver) => {
      return driver.refused.get(driver.submit(...ops))
    })
    expectEqual(refusals[1], refusals[0], `refusal of ${ops.map((op) => op.type).join()}`)
    // A fixture whose change was refused is ahead of the stores for ever: begin a new branch.
    if (refusals[0] === undefined) return
    for (const op of ops) {
      const lost = this.#fixtures.findIndex(
        ({ name, branch }) => op.type === 'append' && name === op.name && branch === op.branch,
      )
      if (lost !== -1) this.#fixtures.splice(lost, 1, this.#createBranch())
    }
  }

  #addCapsule(): void {
    const manifest = createManifestOp(this.#prng)
    this.#submit([manifest])
    this.#manifests.push(manifest)
    this.#fixtures.push(new BranchFixture(this.#prng, manifest.name), this.#createBranch())
  }

  #createBranch(): BranchFixture {
    const { name } = this.#prng.pick(this.#manifests)
    return new BranchFixture(this.#prng, name, asBranchId(this.#prng.bytes(16)))
  }

  #createOp(): StoreOp {
    const prng = this.#prng
    const fixture = prng.pick(this.#fixtures)
    const roll = prng.below(10)
    if (roll < 5 || fixture.size === 0) {
      const count = prng.chance(0.2) ? prng.between(200, 600) : prng.between(1, 5)
      const holes = Array.from({ length: count }, (_, i) => i).filter(() => prng.chance(0.2))
      const timesUs = Array.from({ length: count }, () => prng.below(10_000))
      return fixture.append(count, { holes, timesUs, payloadBytes: prng.below(200) })
    }
    if (roll < 7) return fixture.fill(prng.below(fixture.size))
    if (roll === 7) return prng.pick(this.#manifests)
    // What is appended behind it both must refuse, until the manifest comes again.
    if (roll === 8 && prng.chance(0.5)) return { type: 'remove', name: fixture.name }
    if (roll === 8) return { type: 'note', key: prng.pick(NOTE_KEYS), value: prng.bytes(5) }
    const start = prng.below(fixture.size)
    // Now and then one too far, which both must refuse.
    return fixture.erase([start, prng.between(start + 1, fixture.size + 1)])
  }

  #reopen(): void {
    this.#both((driver) => driver.settle())
    this.#tested.store.close()
    this.#tested = new StoreDriver(this.#harness.open())
    this.compare()
  }
}

export function registerRandomTests(test: RegisterTest, open: OpenHarness): void {
  for (const seed of SEEDS) {
    test(`ST1 ST2 ST3 ST5 ST8 ST10 ST16: random work, seed ${seed}, as the memory engine`, () => {
      const pair = new Pair(new Prng(seed), open())
      for (let i = 0; i < STEPS; i++) {
        pair.step()
        if (i % 5 === 0) pair.compare()
      }
      pair.compare()
    })
  }
}
