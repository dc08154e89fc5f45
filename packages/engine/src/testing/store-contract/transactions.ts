/**
 * Store contract: transactions, groups, syncs and tickets (ST1 to ST4, ST6).
 *
 * @module
 */
import { asBranchId } from '@longshore/capsule'
import { BranchFixture, createManifestOp } from '../branch-fixture.ts'
import { expectCode, expectEqual, expectTrue } from '../expect.ts'
import { createCapsule, createWorld, type OpenHarness, type RegisterTest } from './harness.ts'

export function registerTransactionTests(test: RegisterTest, open: OpenHarness): void {
  registerGroupTests(test, open)
  registerVisibilityTests(test, open)
  registerFullTests(test, open)
}

function registerVisibilityTests(test: RegisterTest, open: OpenHarness): void {
  test('ST2: nothing is visible before the sync has ended', () => {
    const { driver, main, prng } = createWorld(open, 1)
    const { store } = driver
    const { sequence } = store
    const other = createManifestOp(prng)
    const { name, branch } = main
    const append = main.append(3)
    driver.submit(append, other, { type: 'note', key: 'k', value: prng.bytes(3) })
    const expectInvisible = (when: string): void => {
      expectEqual(store.state(name, branch)?.size, 0, when)
      expectEqual(store.sequence, sequence, when)
      expectEqual(store.note('k'), undefined, when)
      expectEqual(store.manifest(other.name), undefined, when)
      expectEqual(store.names().length, 1, when)
      expectCode(() => store.entry(name, branch, 0), 'INDEX_OUT_OF_RANGE', when)
      expectCode(() => store.tile(name, branch, 0, 0, 1), 'INDEX_OUT_OF_RANGE', when)
      expectEqual(store.indexAtTime(name, branch, 0), 0, when)
    }
    expectInvisible('after submit')
    driver.flush()
    expectTrue(driver.syncing, 'flush asks for a sync')
    expectInvisible('while the sync is in flight')
    driver.finishSync()
    expectEqual(store.state(name, branch)?.head, append.head, 'after the sync')
    expectEqual(store.manifest(other.name), other.signed, 'after the sync')
    expectTrue(store.sequence > sequence, 'the sequence has grown')
  })

  test('ST1 ST2: the changes of one transaction appear together, in their order', () => {
    const { driver, main } = createWorld(open, 2)
    const first = main.append(2, { holes: [0] })
    driver.commit(first, main.fill(0), main.append(2), main.erase([1, 2]))
    const { store } = driver
    const states = [0, 1, 2, 3].map((i) => store.entry(main.name, main.branch, i).state)
    expectEqual(states, ['present', 'erased', 'present', 'present'], 'states')
  })
}

function registerGroupTests(test: RegisterTest, open: OpenHarness): void {
  test('ST3 ST4: one flush makes one group with one sync, of many capsules and branches', () => {
    const { driver, main, prng } = createWorld(open, 3)
    const fixtures = [main]
    for (let i = 0; i < 4; i++) fixtures.push(createCapsule(driver, prng))
    for (let i = 0; i < 3; i++) {
      fixtures.push(new BranchFixture(prng, main.name, asBranchId(prng.bytes(16))))
    }
    const before = driver.committed.length
    const tickets: number[] = []
    for (let round = 0; round < 3; round++) {
      for (const fixture of fixtures) tickets.push(driver.submit(fixture.append(round + 1)))
    }
    driver.flush()
    expectEqual(driver.committed.length, before, 'nothing is committed before the sync')
    driver.finishSync()
    expectTrue(!driver.syncing, 'one sync was enough')
    expectEqual(driver.committed.slice(before), tickets, 'tickets in order')
    for (const { name, branch } of fixtures) {
      expectEqual(driver.store.state(name, branch)?.size, 6, 'size')
    }
  })

  test('ST4: a flush while a sync is in flight is done when that sync ends', () => {
    const { driver, main } = createWorld(open, 4)
    const { store } = driver
    const first = driver.submit(main.append(2))
    driver.flush()
    const second = driver.submit(main.append(3))
    driver.flush()
    const third = driver.submit(main.append(4))
    expectTrue(driver.syncing, 'the first sync is in flight')
    driver.finishSync()
    expectEqual(driver.committed.slice(-1), [first], 'first group')
    expectEqual(store.state(main.name, main.branch)?.size, 2, 'first group')
    expectTrue(driver.syncing, 'the second group follows by itself')
    driver.finishSync()
    expectEqual(driver.committed.slice(-2), [second, third], 'everything submitted by then')
    expectEqual(store.state(main.name, main.branch)?.size, 9, 'second group')
    expectTrue(!driver.syncing, 'nothing is left')

    driver.submit(main.append(1))
    driver.flush()
    const waiting = driver.submit(main.append(1))
    driver.finishSync()
    expectTrue(!driver.syncing && !driver.committed.includes(waiting), 'a wish counts once')
  })

  test('ST4: what is submitted during a sync waits for a flush', () => {
    const { driver, main } = createWorld(open, 5)
    driver.submit(main.append(1))
    driver.flush()
    const second = driver.submit(main.append(1))
    driver.finishSync()
    expectTrue(!driver.syncing && !driver.committed.includes(second), 'no flush, no group')
    driver.settle()
    expectTrue(driver.committed.includes(second), 'committed after the flush')
  })

  test('ST4: flush with nothing submitted does nothing', () => {
    const { driver } = createWorld(open, 6)
    const { sequence } = driver.store
    driver.flush()
    driver.flush()
    expectTrue(!driver.syncing, 'no sync')
    expectEqual(driver.store.sequence, sequence, 'sequence')
  })

  test('ST3: a transaction without changes is answered too', () => {
    const { driver } = createWorld(open, 7)
    driver.commit()
  })
}

function registerFullTests(test: RegisterTest, open: OpenHarness): void {
  const FAR_TOO_MUCH = 20
  const PAYLOAD_BYTES = 1_048_576

  test('ST6: a full medium refuses the whole group, keeps what it had, and recovers', () => {
    const { driver, harness, main, prng } = createWorld(open, 8)
    const { store } = driver
    const { name, branch } = main
    driver.commit(main.append(3))
    const small = createManifestOp(prng)
    const large = createCapsule(driver, prng)
    harness.limitBytes(100_000)
    const tickets = [driver.submit(small)]
    tickets.push(driver.submit(large.append(FAR_TOO_MUCH, { payloadBytes: PAYLOAD_BYTES })))
    driver.settle()
    for (const ticket of tickets) expectEqual(driver.refused.get(ticket), 'STORE_FULL', 'refusal')
    expectEqual(store.manifest(small.name), undefined, 'nothing of the group is kept')
    expectEqual(store.state(large.name, large.branch)?.size, 0, 'nothing of the group is kept')
    expectEqual(store.entry(name, branch, 2).header, main.entries[2]?.header, 'reads work')

    harness.limitBytes(undefined)
    driver.commit(small, main.append(2))
    expectEqual(store.state(name, branch)?.size, 5, 'writes work again')
    expectEqual(store.manifest(small.name), small.signed, 'writes work again')
  })

  test('ST3 ST6: what was submitted behind a full group has to fit without it', () => {
    const { driver, harness, main } = createWorld(open, 9)
    const first = driver.submit(main.append(1))
    driver.flush()
    harness.limitBytes(100_000)
    const second = driver.submit(main.append(FAR_TOO_MUCH, { payloadBytes: PAYLOAD_BYTES }))
    driver.flush()
    driver.finishSync()
    expectTrue(driver.committed.includes(first), 'the group in flight is not affected')
    expectEqual(driver.refused.get(second), 'STORE_FULL', 'refused when its turn came')
    driver.expectRefused('INDEX_OUT_OF_RANGE', main.append(1))
    expectEqual(driver.store.state(main.name, main.branch)?.size, 1, 'size')
  })
}
