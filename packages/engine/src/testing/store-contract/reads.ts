/**
 * Store contract: tiles, times, scans, and reading what is not there (ST12 to ST15).
 *
 * @module
 */
import { asBranchId, compareBytes, concatBytes, sha256 } from '@longshore/capsule'
import type { BranchFixture } from '../branch-fixture.ts'
import { expectCode, expectEqual, expectTrue } from '../expect.ts'
import { createWorld, type OpenHarness, type RegisterTest } from './harness.ts'

const TILE_WIDTH = 256

export function registerReadTests(test: RegisterTest, open: OpenHarness): void {
  registerTileTests(test, open)
  registerTimeTests(test, open)
  registerKeptTests(test, open)
  registerScanTests(test, open)

  test('ST19: the frames of a batch may be overwritten once it is committed', () => {
    const { driver, main } = createWorld(open, 67)
    const { name, branch } = main
    const batches = [main.append(3), main.append(300), main.append(2)]
    for (const op of batches) {
      driver.commit(op)
      op.entries.frames.fill(0xff)
    }
    for (const [index, { header, body }] of main.entries.entries()) {
      const entry = driver.store.entry(name, branch, index)
      expectEqual(entry.header, header, `header ${index}`)
      expectEqual(entry.body, body, `body ${index}`)
    }
  })

  test('ST15: reading what is not there', () => {
    const { driver, main, prng } = createWorld(open, 66)
    const { store } = driver
    driver.commit(main.append(2))
    const branch = asBranchId(prng.bytes(16))
    const stranger = sha256(branch) as unknown as typeof main.name
    expectEqual(store.manifest(stranger), undefined, 'manifest')
    expectEqual(store.branches(stranger), [], 'branches')
    for (const [name, of] of [[stranger, main.branch] as const, [main.name, branch] as const]) {
      expectEqual(store.state(name, of), undefined, 'state')
      expectCode(() => store.entry(name, of, 0), 'NOT_FOUND', 'entry')
      expectCode(() => [...store.scan(name, of, { start: 0, end: 0 })], 'NOT_FOUND', 'scan')
      expectCode(() => store.tile(name, of, 0, 0, 1), 'NOT_FOUND', 'tile')
      expectCode(() => store.indexAtTime(name, of, 0), 'NOT_FOUND', 'indexAtTime')
    }
    for (const index of [2, 3, 256, 2 ** 40]) {
      expectCode(() => store.entry(main.name, main.branch, index), 'INDEX_OUT_OF_RANGE', 'entry')
    }
  })
}

/** The hashes of one row of tiles, by definition: RFC 9162 roots of complete subtrees. */
function rowOfTiles(level: number, leafHashes: readonly Uint8Array[]): readonly Uint8Array[] {
  if (level === 0) return leafHashes
  const below = rowOfTiles(level - 1, leafHashes)
  const row: Uint8Array[] = []
  for (let at = 0; at + TILE_WIDTH <= below.length; at += TILE_WIDTH) {
    row.push(completeRoot(below.slice(at, at + TILE_WIDTH)))
  }
  return row
}

function completeRoot(hashes: readonly Uint8Array[]): Uint8Array {
  if (hashes.length === 1) return hashes[0] as Uint8Array
  const half = hashes.length / 2
  const [left, right] = [completeRoot(hashes.slice(0, half)), completeRoot(hashes.slice(half))]
  return sha256(concatBytes(Uint8Array.of(1), left, right))
}

function registerTileTests(test: RegisterTest, open: OpenHarness): void {
  test('ST12: every width of every tile, and nothing beyond, while the tree grows', () => {
    const { driver, main } = createWorld(open, 60)
    const { store } = driver
    const { name, branch } = main
    for (const count of [1, 1, 98, 155, 1, 1, 254, 1, 100, 700]) {
      driver.commit(main.append(count, { payloadBytes: 1 }))
      for (const level of [0, 1, 2]) {
        const row = rowOfTiles(level, main.leafHashes)
        for (let n = 0; n * TILE_WIDTH <= row.length; n++) {
          const tile = row.slice(n * TILE_WIDTH, (n + 1) * TILE_WIDTH)
          for (let width = 1; width <= tile.length; width++) {
            const expected = concatBytes(...tile.slice(0, width))
            const actual = store.tile(name, branch, level, n, width)
            // Compared without text: there are thousands of them.
            const same = compareBytes(actual, expected) === 0
            expectTrue(same, `tile ${level}/${n}.p/${width} at size ${main.size}`)
          }
          if (tile.length === TILE_WIDTH) continue
          const beyond = () => store.tile(name, branch, level, n, tile.length + 1)
          expectCode(beyond, 'INDEX_OUT_OF_RANGE', `tile ${level}/${n}.p/${tile.length + 1}`)
        }
      }
    }
  })

  test('ST12: level 2 of a tree of 66000 entries', () => {
    const { driver, main } = createWorld(open, 61)
    const { name, branch } = main
    for (let i = 0; i < 11; i++) driver.commit(main.append(6000, { payloadBytes: 0 }))
    for (const level of [1, 2]) {
      const row = rowOfTiles(level, main.leafHashes)
      const last = Math.floor((row.length - 1) / TILE_WIDTH)
      const tile = row.slice(last * TILE_WIDTH)
      const actual = driver.store.tile(name, branch, level, last, tile.length)
      expectEqual(actual, concatBytes(...tile), `level ${level}`)
    }
    expectCode(() => driver.store.tile(name, branch, 2, 0, 2), 'INDEX_OUT_OF_RANGE', 'beyond')
    expectCode(() => driver.store.tile(name, branch, 3, 0, 1), 'INDEX_OUT_OF_RANGE', 'beyond')
  })
}

function registerTimeTests(test: RegisterTest, open: OpenHarness): void {
  test('ST13: indexAtTime follows the running maximum when times go backwards', () => {
    const { driver, main, prng } = createWorld(open, 62)
    const times: number[] = []
    for (let i = 0; i < 900; i++) {
      // Long falls and sudden jumps, so that whole blocks lie below an earlier maximum.
      const jump = prng.chance(0.02) ? prng.below(50_000) : 0
      times.push(Math.max(0, 10_000 + i * 10 - prng.below(9000) + jump))
    }
    for (let at = 0; at < times.length; ) {
      const timesUs = times.slice(at, at + prng.between(1, 200))
      driver.commit(main.append(timesUs.length, { timesUs }))
      at += timesUs.length
    }
    const expectIndex = (timeUs: number): void => {
      const found = times.findIndex((time) => time >= timeUs)
      const expected = found === -1 ? times.length : found
      const actual = driver.store.indexAtTime(main.name, main.branch, timeUs)
      expectEqual(actual, expected, `index at time ${timeUs}`)
    }
    for (const timeUs of [0, ...times, Number.MAX_SAFE_INTEGER]) {
      expectIndex(timeUs)
      expectIndex(timeUs === Number.MAX_SAFE_INTEGER ? timeUs : timeUs + 1)
    }
  })

  test('ST13: times at the limits', () => {
    const { driver, main } = createWorld(open, 63)
    const { name, branch } = main
    expectEqual(driver.store.indexAtTime(name, branch, 0), 0, 'empty')
    driver.commit(main.append(3, { timesUs: [0, Number.MAX_SAFE_INTEGER, 1] }))
    const indices = [0, 1, Number.MAX_SAFE_INTEGER].map((timeUs) =>
      driver.store.indexAtTime(name, branch, timeUs),
    )
    expectEqual(indices, [0, 1, 1], 'indices')
  })
}

/** Entries of a range, read one by one. */
function readEach(fixture: BranchFixture, start: number, end: number): readonly unknown[] {
  return fixture.entries.slice(start, end).map(({ header, body }, i) => {
    return { index: start + i, header, state: 'present', body }
  })
}

function registerKeptTests(test: RegisterTest, open: OpenHarness): void {
  test('ST8: entries stay what they were while others are read and appended', () => {
    const { driver, main, prng } = createWorld(open, 66)
    const { name, branch } = main
    for (const count of [1, 100, 256, 3]) driver.commit(main.append(count))
    driver.commit(main.append(3, { payloadBytes: 3000 }))
    const kept = Array.from({ length: 500 }, () => {
      return driver.store.entry(name, branch, prng.below(main.size))
    })
    driver.commit(main.append(50))
    for (const entry of kept) {
      expectEqual(entry, readEach(main, entry.index, entry.index + 1)[0], `entry ${entry.index}`)
    }
  })
}

function registerScanTests(test: RegisterTest, open: OpenHarness): void {
  test('ST14: scan yields a range in order and may be stopped', () => {
    const { driver, main, prng } = createWorld(open, 64)
    const { name, branch } = main
    for (const count of [1, 300, 20, 400]) driver.commit(main.append(count))
    for (let i = 0; i < 20; i++) {
      const start = prng.below(main.size + 1)
      const end = prng.between(start, main.size)
      const scanned = [...driver.store.scan(name, branch, { start, end })]
      expectEqual(scanned, readEach(main, start, end), `scan ${start} to ${end}`)
    }
    let seen = 0
    for (const entry of driver.store.scan(name, branch, { start: 10, end: 700 })) {
      expectEqual(entry.index, 10 + seen++, 'index')
      if (seen === 5) break
    }
    expectEqual(seen, 5, 'stopped early')
    const beyond = { start: 0, end: main.size + 1 }
    const reversed = { start: 5, end: 4 }
    for (const range of [beyond, reversed]) {
      expectCode(() => [...driver.store.scan(name, branch, range)], 'INDEX_OUT_OF_RANGE', 'range')
    }
  })

  test('ST14: scan shows holes, filled holes and erased payloads as entry does', () => {
    const { driver, main } = createWorld(open, 65)
    const { name, branch } = main
    const { store } = driver
    driver.commit(main.append(300, { holes: [2, 3, 270] }))
    driver.commit(main.append(10), main.fill(3), main.erase([5, 8], [260, 265]))
    const scanned = [...store.scan(name, branch, { start: 0, end: main.size })]
    const states = { absent: 0, present: 0, erased: 0 }
    for (const entry of scanned) {
      expectEqual(entry, store.entry(name, branch, entry.index), `entry ${entry.index}`)
      states[entry.state]++
    }
    expectEqual(states, { absent: 2, present: 300, erased: 8 }, 'states')
  })
}
