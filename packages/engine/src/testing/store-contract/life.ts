/**
 * Store contract: closing, opening again, and failing (ST16 to ST18).
 *
 * @module
 */
import { asBranchId } from '@longshore/capsule'
import type { Store, StoreReader } from '../../store/store.ts'
import { BranchFixture, createManifestOp } from '../branch-fixture.ts'
import { expectCode, expectEqual, expectThrows } from '../expect.ts'
import { StoreDriver } from '../store-driver.ts'
import { createCapsule, createWorld, type OpenHarness, type RegisterTest } from './harness.ts'

/** Everything that a reader can see, as one value. */
export function readAll(store: StoreReader, noteKeys: readonly string[]): unknown {
  return {
    notes: noteKeys.map((key) => store.note(key)),
    capsules: store.names().map((name) => ({
      name,
      manifest: store.manifest(name),
      branches: store.branches(name).map((branch) => {
        const state = store.state(name, branch)
        const end = state?.size ?? 0
        const entries = [...store.scan(name, branch, { start: 0, end })]
        const tail = end % 256
        const tile = tail > 0 ? store.tile(name, branch, 0, (end - tail) / 256, tail) : undefined
        return { branch, state, entries, tile }
      }),
    })),
  }
}

export function registerLifeTests(test: RegisterTest, open: OpenHarness): void {
  registerCloseTests(test, open)
  registerFailureTests(test, open)
}

function registerCloseTests(test: RegisterTest, open: OpenHarness): void {
  test('ST16: after close and open, what was committed is there, and nothing else', () => {
    const { driver, harness, main, prng } = createWorld(open, 80)
    const other = createCapsule(driver, prng)
    const branch = new BranchFixture(prng, main.name, asBranchId(prng.bytes(16)))
    driver.commit(main.append(600, { holes: [1, 299] }), branch.append(2))
    driver.commit(main.append(40), other.append(1), main.fill(299), main.erase([4, 300]))
    driver.commit({ type: 'note', key: 'k', value: prng.bytes(10) })
    const before = readAll(driver.store, ['k', 'lost'])
    driver.submit(main.append(1), createManifestOp(prng))
    driver.submit({ type: 'note', key: 'lost', value: prng.bytes(1) })
    driver.store.close()

    const again = new StoreDriver(harness.open())
    expectEqual(readAll(again.store, ['k', 'lost']), before, 'the same as before')
    again.commit(other.append(3))
    expectEqual(again.store.state(other.name, other.branch)?.size, 4, 'appends go on')
  })

  test('ST16: close throws while a sync is in flight, and ends every later call', () => {
    const { driver, main } = createWorld(open, 81)
    const { store } = driver
    driver.submit(main.append(1))
    driver.flush()
    expectThrows(() => store.close(), 'close during a sync')
    driver.finishSync()
    store.close()
    for (const call of everyCall(store, main)) expectCode(call, 'CLOSED', 'after close')
  })
}

function registerFailureTests(test: RegisterTest, open: OpenHarness): void {
  test('ST17: a failed sync is final', () => {
    const { driver, main } = createWorld(open, 82)
    const { store } = driver
    driver.commit(main.append(2))
    const inFlight = driver.submit(main.append(1))
    driver.flush()
    const waiting = driver.submit(main.append(1))
    driver.flush()
    driver.failSync(new Error('EIO'))
    expectEqual(driver.failed, 'STORE_FAILED', 'the failed effect')
    const answered = [inFlight, waiting].filter(
      (ticket) => driver.committed.includes(ticket) || driver.refused.has(ticket),
    )
    expectEqual(answered, [], 'no ticket is answered')
    for (const call of everyCall(store, main)) expectCode(call, 'STORE_FAILED', 'after the failure')
    store.close()
  })

  test('ST18: a token that is not in flight throws; refresh changes nothing', () => {
    const { driver, main } = createWorld(open, 83)
    const { store } = driver
    expectThrows(() => store.step({ type: 'synced', token: 1 }), 'no sync in flight')
    driver.submit(main.append(1))
    const { sequence } = store
    expectEqual(store.step({ type: 'refresh' }), [], 'refresh')
    expectEqual(store.sequence, sequence, 'refresh')
    driver.flush()
    expectThrows(() => store.step({ type: 'synced', token: -1 }), 'another token')
    const error = new Error('EIO')
    expectThrows(() => store.step({ type: 'sync-failed', token: -1, error }), 'another token')
    driver.finishSync()
    expectEqual(store.state(main.name, main.branch)?.size, 1, 'the right token works')
  })
}

function everyCall(store: Store, { name, branch }: BranchFixture): (() => unknown)[] {
  return [
    () => store.step({ type: 'flush' }),
    () => store.step({ type: 'submit', ticket: 1000, ops: [] }),
    () => store.step({ type: 'refresh' }),
    () => store.names(),
    () => store.nameCount,
    () => store.namesAfter(undefined, 1),
    () => store.manifest(name),
    () => store.branches(name),
    () => store.state(name, branch),
    () => store.entry(name, branch, 0),
    () => [...store.scan(name, branch, { start: 0, end: 0 })],
    () => store.tile(name, branch, 0, 0, 1),
    () => store.indexAtTime(name, branch, 0),
    () => store.note('k'),
  ]
}
