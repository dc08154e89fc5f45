/**
 * Store contract: what does not fit is refused, and leaves nothing behind (ST5, ST7, ST11).
 *
 * @module
 */
import { asBranchId } from '@longshore/capsule'
import { type AppendOp, BranchFixture, createManifestOp } from '../branch-fixture.ts'
import { expectEqual } from '../expect.ts'
import { createWorld, type OpenHarness, type RegisterTest } from './harness.ts'

export function registerRefusalTests(test: RegisterTest, open: OpenHarness): void {
  registerAppendRefusals(test, open)
  registerOtherRefusals(test, open)
}

function registerAppendRefusals(test: RegisterTest, open: OpenHarness): void {
  test('ST5: an append must start at the size after everything submitted before it', () => {
    const { driver, main, prng } = createWorld(open, 20)
    const stale = new BranchFixture(prng, main.name).append(1)
    driver.submit(main.append(2))
    driver.expectRefused('INDEX_OUT_OF_RANGE', stale)
    driver.flush()
    driver.expectRefused('INDEX_OUT_OF_RANGE', stale)
    driver.finishSync()
    driver.expectRefused('INDEX_OUT_OF_RANGE', stale)
    main.append(1)
    driver.expectRefused('INDEX_OUT_OF_RANGE', main.append(1))
    expectEqual(driver.store.state(main.name, main.branch)?.size, 2, 'size')
  })

  test('ST1 ST5: one change that does not fit refuses its whole transaction', () => {
    const { driver, main, prng } = createWorld(open, 21)
    const manifest = createManifestOp(prng)
    const good = main.append(2)
    driver.expectRefused('INDEX_OUT_OF_RANGE', manifest, good, main.erase([1, 3]))
    // Nothing of it is left, also not as a base for what is submitted next.
    driver.expectRefused('NOT_FOUND', new BranchFixture(prng, manifest.name).append(1))
    driver.commit(good)
    expectEqual(driver.store.manifest(manifest.name), undefined, 'manifest')
    expectEqual(driver.store.entry(main.name, main.branch, 1).state, 'present', 'not erased')
  })

  test('ST5: an append of a capsule without manifest is refused; both together are fine', () => {
    const { driver, prng } = createWorld(open, 22)
    const manifest = createManifestOp(prng)
    const append = new BranchFixture(prng, manifest.name).append(1)
    driver.expectRefused('NOT_FOUND', append)
    driver.expectRefused('NOT_FOUND', append, manifest)
    driver.commit(manifest, append)
  })

  test('ST5: head, tiles and entries of an append must belong together', () => {
    const { driver, main, prng } = createWorld(open, 23)
    const good = main.append(300)
    const { head, tiles } = good
    const tile = tiles[0] as (typeof tiles)[number]
    const bad: Partial<AppendOp>[] = [
      { head: { ...head, size: 301 } },
      { head: { ...head, size: 299 } },
      { head: { ...head, branch: asBranchId(prng.bytes(16)) } },
      { tiles: [] },
      { tiles: [tile, tile] },
      { tiles: [{ ...tile, n: 1 }] },
      { tiles: [{ ...tile, level: 1 }] },
      { tiles: [{ ...tile, bytes: tile.bytes.subarray(0, 8160) }] },
    ]
    for (const part of bad) driver.expectRefused('USAGE', { ...good, ...part })
    const none = new Uint8Array(0)
    const empty = { count: 0, frames: none, offsets: new Uint32Array(0), leafHashes: none }
    driver.expectRefused('USAGE', {
      ...good,
      entries: { ...empty, timeUsMax: 0 },
      tiles: [],
      head: { ...head, size: 0 },
    })
    driver.commit(good)
    expectEqual(driver.store.state(main.name, main.branch)?.head, head, 'the good one is taken')
  })
}

function registerOtherRefusals(test: RegisterTest, open: OpenHarness): void {
  test('ST5: payloads and erasures must name entries that exist', () => {
    const { driver, main, prng } = createWorld(open, 24)
    driver.commit(main.append(3, { holes: [0] }))
    const { name } = main
    const branch = asBranchId(prng.bytes(16))
    const fill = main.fill(0)
    driver.expectRefused('INDEX_OUT_OF_RANGE', { ...fill, index: 3 } as typeof fill)
    driver.expectRefused('INDEX_OUT_OF_RANGE', { ...fill, branch } as typeof fill)
    driver.expectRefused('INDEX_OUT_OF_RANGE', main.erase([2, 4]))
    driver.expectRefused('INDEX_OUT_OF_RANGE', main.erase([2, 2]))
    driver.expectRefused('INDEX_OUT_OF_RANGE', main.erase([0, 1], [3, 2]))
    driver.expectRefused('INDEX_OUT_OF_RANGE', new BranchFixture(prng, name, branch).erase([0, 1]))
    const stranger = createManifestOp(prng).name
    driver.expectRefused('NOT_FOUND', { ...fill, name: stranger } as typeof fill)
    driver.expectRefused('NOT_FOUND', new BranchFixture(prng, stranger).erase([0, 1]))
    expectEqual(driver.store.entry(name, main.branch, 0).state, 'absent', 'untouched')
  })

  test('ST5 ST7: a known manifest again is no change; another one under its name is refused', () => {
    const { driver, prng } = createWorld(open, 25)
    const manifest = createManifestOp(prng)
    driver.commit(manifest)
    driver.commit(manifest)
    driver.commit({ ...manifest, signed: manifest.signed.slice() })
    driver.expectRefused('USAGE', { ...manifest, signed: prng.bytes(300) })
    expectEqual(driver.store.manifest(manifest.name), manifest.signed, 'manifest')
    expectEqual(driver.store.names().length, 2, 'names')
  })

  test('ST5 ST11: limits of notes', () => {
    const { driver, prng } = createWorld(open, 26)
    const note = (key: string, bytes: number) =>
      ({ type: 'note', key, value: prng.bytes(bytes) }) as const
    for (const key of ['', 'a b', 'ä', 'a\n', 'k'.repeat(129)]) {
      driver.expectRefused('USAGE', note(key, 1))
    }
    driver.expectRefused('USAGE', note('k', 8193))
    driver.commit(note('k'.repeat(128), 8192))
    expectEqual(driver.store.note('k'.repeat(128))?.length, 8192, 'the largest note')
  })
}
