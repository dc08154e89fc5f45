/**
 * What an engine brings to the store contract.
 *
 * @module
 */
import type { Store } from '../../store/store.ts'
import { BranchFixture, createManifestOp } from '../branch-fixture.ts'
import { Prng } from '../prng.ts'
import { StoreDriver } from '../store-driver.ts'

export interface StoreHarness {
  /** Opens the store. Again after `close`: with what it kept. */
  open(): Store
  /**
   * Lets the medium take about this many bytes more, and no limit again for undefined. Preallocated
   * space need not count; a group of several times the limit must not fit.
   */
  limitBytes(bytesMore: number | undefined): void
}

export type OpenHarness = () => StoreHarness

export type RegisterTest = (title: string, run: () => void) => void

/** A store with one capsule in it, and a fixture for its main branch. */
export interface ContractWorld {
  readonly harness: StoreHarness
  readonly prng: Prng
  readonly driver: StoreDriver
  readonly main: BranchFixture
}

/** A new store. The manifest of the capsule is committed. */
export function createWorld(open: OpenHarness, seed: number): ContractWorld {
  const harness = open()
  const prng = new Prng(seed)
  const driver = new StoreDriver(harness.open())
  const main = createCapsule(driver, prng)
  return { harness, prng, driver, main }
}

/** One more capsule in the same store. */
export function createCapsule(driver: StoreDriver, prng: Prng): BranchFixture {
  const manifest = createManifestOp(prng)
  driver.commit(manifest)
  return new BranchFixture(prng, manifest.name)
}
