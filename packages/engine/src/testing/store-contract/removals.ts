/**
 * Store contract: a capsule leaves the store, and may come back (ST20).
 *
 * @module
 */
import { asBranchId } from '@longshore/capsule'
import { BranchFixture, createManifestOp } from '../branch-fixture.ts'
import { expectCode, expectEqual } from '../expect.ts'
import { StoreDriver } from '../store-driver.ts'
import { createCapsule, createWorld, type OpenHarness, type RegisterTest } from './harness.ts'
import { readAll } from './life.ts'

export function registerRemovalTests(test: RegisterTest, open: OpenHarness): void {
  registerGoneTests(test, open)
  registerOrderTests(test, open)
}

function registerGoneTests(test: RegisterTest, open: OpenHarness): void {
  test('ST20: of a removed capsule nothing is left; others and notes stay', () => {
    const { driver, harness, main, prng } = createWorld(open, 90)
    const before = readAll(driver.store, ['k'])
    const manifest = createManifestOp(prng)
    const gone = new BranchFixture(prng, manifest.name)
    const branch = new BranchFixture(prng, manifest.name, asBranchId(prng.bytes(16)))
    driver.commit(manifest, gone.append(600, { holes: [1] }), branch.append(3))
    driver.commit(gone.fill(1), gone.erase([4, 300]))
    expectEqual(driver.store.nameCount, 2, 'names before')
    const remove = { type: 'remove', name: manifest.name } as const
    driver.submit(remove)
    expectEqual(driver.store.state(gone.name, gone.branch)?.size, 600, 'until it is committed')
    driver.flush()
    driver.finishSync()
    expectEqual(readAll(driver.store, ['k']), before, 'as if it had never been')
    expectEqual(driver.store.branches(gone.name), [], 'branches')
    expectEqual(driver.store.nameCount, 1, 'names')
    expectEqual(driver.store.namesAfter(undefined, 5), [main.name], 'names in turns')
    expectEqual(driver.store.state(branch.name, branch.branch), undefined, 'state')
    expectCode(() => driver.store.entry(gone.name, gone.branch, 0), 'NOT_FOUND', 'entry')
    expectCode(() => driver.store.tile(gone.name, gone.branch, 0, 0, 1), 'NOT_FOUND', 'tile')
    driver.expectRefused('NOT_FOUND', remove)
    driver.expectRefused('NOT_FOUND', branch.append(1))
    driver.commit(main.append(2))
    driver.store.close()
    const again = harness.open()
    expectEqual(again.manifest(gone.name), undefined, 'after opening again')
    expectEqual(again.nameCount, 1, 'names after opening again')
    expectEqual(again.state(main.name, main.branch)?.size, 2, 'the other one goes on')
  })

  test('ST20: it may be stored anew, also shorter, and is what was stored last', () => {
    const { driver, harness, prng } = createWorld(open, 91)
    const manifest = createManifestOp(prng)
    const first = new BranchFixture(prng, manifest.name)
    driver.commit(manifest, first.append(700), first.erase([0, 500]))
    driver.commit({ type: 'remove', name: manifest.name })
    const second = new BranchFixture(prng, manifest.name)
    driver.commit(manifest, second.append(300, { holes: [7] }))
    const { store } = driver
    expectEqual(store.state(second.name, second.branch)?.size, 300, 'size')
    expectEqual(store.nameCount, store.names().length, 'names')
    expectEqual(store.entry(second.name, second.branch, 3).state, 'present', 'not erased')
    expectEqual(store.entry(second.name, second.branch, 7).state, 'absent', 'a hole again')
    driver.commit(second.fill(7), second.append(20))
    const before = readAll(store, [])
    store.close()
    const again = new StoreDriver(harness.open())
    expectEqual(readAll(again.store, []), before, 'after opening again')
    again.commit(second.append(200))
  })
}

function registerOrderTests(test: RegisterTest, open: OpenHarness): void {
  test('ST5 ST20: what follows a removal is judged by it, committed or not', () => {
    const { driver, prng } = createWorld(open, 92)
    const manifest = createManifestOp(prng)
    const first = new BranchFixture(prng, manifest.name)
    driver.commit(manifest, first.append(5))
    const remove = { type: 'remove', name: manifest.name } as const
    driver.submit(remove)
    driver.expectRefused('NOT_FOUND', first.append(1))
    const second = new BranchFixture(prng, manifest.name)
    driver.submit(manifest, second.append(2))
    driver.flush()
    driver.submit(second.append(2), second.erase([0, 1]))
    driver.settle()
    expectEqual(driver.store.state(second.name, second.branch)?.size, 4, 'of the second life')
    expectEqual(driver.store.entry(second.name, second.branch, 0).state, 'erased', 'erased')
    expectEqual(driver.store.entry(second.name, second.branch, 1).state, 'present', 'not erased')
  })

  test('ST1 ST20: removed and stored anew in one transaction, or not at all', () => {
    const { driver, prng } = createWorld(open, 93)
    const manifest = createManifestOp(prng)
    const first = new BranchFixture(prng, manifest.name)
    driver.commit(manifest, first.append(5))
    const before = readAll(driver.store, [])
    const remove = { type: 'remove', name: manifest.name } as const
    const second = new BranchFixture(prng, manifest.name)
    const append = second.append(3)
    driver.expectRefused('INDEX_OUT_OF_RANGE', remove, manifest, append, second.erase([2, 4]))
    expectEqual(readAll(driver.store, []), before, 'nothing happened')
    driver.commit(first.append(1))
    driver.commit(remove, manifest, append, second.erase([2, 3]))
    expectEqual(driver.store.state(second.name, second.branch)?.size, 3, 'size')
    expectEqual(driver.store.nameCount, 2, 'names')
    driver.commit(remove, manifest, remove)
    expectEqual(driver.store.nameCount, 1, 'one name less')
    expectEqual(driver.store.manifest(manifest.name), undefined, 'removed at the end')
    const other = createCapsule(driver, prng)
    driver.commit(other.append(1))
  })
}
