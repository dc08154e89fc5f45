/**
 * Store contract: entries, holes, erasure and notes (ST8 to ST11, ST15, ST19).
 *
 * @module
 */
import { asBranchId, compareBytes } from '@longshore/capsule'
import { BranchFixture } from '../branch-fixture.ts'
import { expectEqual } from '../expect.ts'
import { createCapsule, createWorld, type OpenHarness, type RegisterTest } from './harness.ts'

export function registerPayloadTests(test: RegisterTest, open: OpenHarness): void {
  registerEntryTests(test, open)
  registerLatticeTests(test, open)

  test('ST11: a note holds the last committed value', () => {
    const { driver, prng } = createWorld(open, 46)
    const { store } = driver
    const [first, second] = [prng.bytes(5), prng.bytes(6)]
    expectEqual(store.note('k'), undefined, 'never written')
    driver.commit(
      { type: 'note', key: 'k', value: first },
      { type: 'note', key: 'l', value: first },
    )
    driver.commit(
      { type: 'note', key: 'k', value: first },
      { type: 'note', key: 'k', value: second },
    )
    expectEqual([store.note('k'), store.note('l')], [second, first], 'values')
    driver.commit({ type: 'note', key: 'k', value: new Uint8Array(0) })
    expectEqual(store.note('k'), new Uint8Array(0), 'an empty value is a value')
  })
}

function registerEntryTests(test: RegisterTest, open: OpenHarness): void {
  test('ST8 ST19: entries are read back byte for byte, empty payloads and largest ones too', () => {
    const { driver, main } = createWorld(open, 40)
    driver.commit(main.append(1, { payloadBytes: 0 }))
    driver.commit(main.append(2, { payloadBytes: 1_048_576 }), main.append(5))
    for (let index = 0; index < main.size; index++) {
      const { header, body } = main.entries[index] as (typeof main.entries)[number]
      const entry = driver.store.entry(main.name, main.branch, index)
      expectEqual(entry, { index, header, state: 'present', body }, `entry ${index}`)
    }
  })

  test('ST8: capsules and branches do not affect each other', () => {
    const { driver, main, prng } = createWorld(open, 41)
    const other = createCapsule(driver, prng)
    const branches = [1, 2, 3].map(() => asBranchId(prng.bytes(16)))
    const fixtures = branches.map((branch) => new BranchFixture(prng, main.name, branch))
    for (const fixture of fixtures) driver.commit(fixture.append(2), main.append(1))
    const { store } = driver
    expectEqual(store.state(main.name, main.branch)?.size, 3, 'main branch')
    expectEqual(store.state(other.name, other.branch), emptyState, 'the other capsule is empty')
    for (const { name, branch, entries } of fixtures) {
      expectEqual(store.state(name, branch)?.size, 2, 'branch')
      expectEqual(store.state(other.name, branch), undefined, 'not in the other capsule')
      expectEqual(store.entry(name, branch, 1).header, entries[1]?.header, 'entry of the branch')
    }
    const sorted = [main.branch, ...branches.sort(compareBytes)]
    expectEqual(store.branches(main.name), sorted, 'main branch first, then in byte order')
    expectEqual(store.branches(other.name), [other.branch], 'the main branch always exists')
    expectEqual(store.names(), [main.name, other.name].sort(compareBytes), 'names in byte order')
    expectEqual(store.nameCount, 2, 'names')
    const [first, second] = store.names()
    expectEqual(store.namesAfter(undefined, 1), [first], 'the first name')
    expectEqual(store.namesAfter(first, 5), [second], 'the names behind it')
    expectEqual(store.namesAfter(second, 5), [], 'nothing behind the last one')
  })

  test('ST8: the state of a branch is that of its last append', () => {
    const { driver, main } = createWorld(open, 42)
    const { store } = driver
    expectEqual(store.state(main.name, main.branch), emptyState, 'before the first append')
    driver.commit(main.append(3, { timesUs: [5, 9, 7] }))
    const { head } = main.append(0 + 1, { timesUs: [2] })
    const last = main.append(1, { timesUs: [1] })
    driver.expectRefused('INDEX_OUT_OF_RANGE', last)
    expectEqual(store.state(main.name, main.branch)?.timeUsMax, 9, 'largest time')
    expectEqual(head.size, 4, 'a head that was not submitted does not count')
    expectEqual(store.state(main.name, main.branch)?.size, 3, 'size')
  })
}

const emptyState = { size: 0, head: undefined, timeUsMax: 0, isDamaged: false }

function registerLatticeTests(test: RegisterTest, open: OpenHarness): void {
  test('ST9: a hole has a header and no body, and can be filled', () => {
    const { driver, main } = createWorld(open, 43)
    driver.commit(main.append(4, { holes: [1, 3] }))
    const { store } = driver
    const { name, branch } = main
    const { header, body } = main.entries[1] as (typeof main.entries)[number]
    const hole = { index: 1, header, state: 'absent', body: undefined }
    expectEqual(store.entry(name, branch, 1), hole, 'hole')
    driver.commit(main.fill(1))
    expectEqual(store.entry(name, branch, 1), { ...hole, state: 'present', body }, 'filled')
    expectEqual(store.entry(name, branch, 3).state, 'absent', 'the other hole stays')
  })

  test('ST10: the state of a payload only goes up', () => {
    const { driver, main, prng } = createWorld(open, 44)
    driver.commit(main.append(4, { holes: [0, 1] }))
    const { store } = driver
    const { name, branch } = main
    const state = (index: number) => store.entry(name, branch, index).state
    const other = { type: 'payload', name, branch, index: 2, body: prng.bytes(9) } as const
    driver.commit(other)
    expectEqual(store.entry(name, branch, 2).body, main.entries[2]?.body, 'the first body stays')
    driver.commit(main.erase([1, 3]))
    driver.commit(main.fill(1), main.fill(2), other)
    expectEqual([0, 1, 2, 3].map(state), ['absent', 'erased', 'erased', 'present'], 'states')
    const { header } = main.entries[2] as (typeof main.entries)[number]
    const erased = { index: 2, header, state: 'erased', body: undefined }
    expectEqual(store.entry(name, branch, 2), erased, 'header stays, body is gone')
    driver.commit(main.erase([0, 4], [1, 2]))
    driver.submit(main.fill(0))
    driver.commit(main.fill(3))
    expectEqual([0, 1, 2, 3].map(state), ['erased', 'erased', 'erased', 'erased'], 'states')
  })

  test('ST10 ST15: bytes that were handed out do not change when the entry is erased', () => {
    const { driver, main } = createWorld(open, 45)
    driver.commit(main.append(2, { payloadBytes: 30 }))
    const before = driver.store.entry(main.name, main.branch, 0)
    const tile = driver.store.tile(main.name, main.branch, 0, 0, 2)
    const copy = { body: before.body?.slice(), tile: tile.slice() }
    driver.commit(main.erase([0, 2]), main.append(3))
    expectEqual({ body: before.body, tile }, copy, 'what was read stays')
  })
}
