import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { formatHex } from '@longshore/capsule'
import { codeOf, expectCode } from '../../testing/expect.ts'
import { Prng } from '../../testing/prng.ts'
import {
  type EntryPlace,
  findInBlock,
  LOST_GENERATION,
  PositionBlock,
  readTimeUsMax,
} from './position-block.ts'

function places(block: PositionBlock): EntryPlace[] {
  return Array.from({ length: block.count }, (_, i) => block.find(i))
}

function createRandomBlock(prng: Prng): PositionBlock {
  const block = new PositionBlock(prng.below(1000))
  const count = prng.between(1, 256)
  while (block.count < count) {
    const file = { segment: prng.between(1, 3), generation: prng.below(2) }
    const run = Uint32Array.from({ length: prng.between(1, 90) }, (_, i) => i * prng.between(1, 99))
    block.appendRun(file, prng.below(100_000), run, 0)
  }
  for (let i = prng.below(20); i > 0; i--) {
    const start = prng.below(block.count)
    block.erase(start, prng.between(start + 1, Math.min(block.count, start + 3)))
  }
  for (let i = prng.below(5); i > 0; i--) {
    block.fill(prng.below(block.count), { segment: 9, generation: 0, offset: prng.uint32() })
  }
  const lost = { segment: 2, generation: LOST_GENERATION, offset: 77 }
  if (prng.chance(0.2)) block.set(prng.below(block.count), lost)
  block.timeUsMax = prng.uint32() * 1000
  return block
}

test('IX2: the example of a block', () => {
  const block = new PositionBlock(0)
  block.appendRun({ segment: 1, generation: 0 }, 160, Uint32Array.of(0, 154, 300), 0)
  block.erase(1, 2)
  block.fill(2, { segment: 1, generation: 0, offset: 1024 })
  block.timeUsMax = 1_735_689_600_000_000
  const spec = readFileSync(new URL('../../../../../docs/spec/index.md', import.meta.url), 'utf8')
  const example = spec.slice(spec.indexOf('**IX2.**')).split(/```(?:text)?/)[1] ?? ''
  assert.equal(formatHex(block.encode()), example.replaceAll(/ {2,}.*/g, '').replaceAll(/\s/g, ''))
})

test('IX2: positions read the same from memory, from bytes and from decoded bytes', () => {
  for (let seed = 0; seed < 60; seed++) {
    const block = createRandomBlock(new Prng(seed))
    const bytes = block.encode()
    const decoded = PositionBlock.decode(block.n, bytes, block.count)
    assert.deepEqual(places(decoded), places(block), `seed ${seed}`)
    assert.deepEqual(decoded.encode(), bytes, `seed ${seed}`)
    assert.equal(readTimeUsMax(bytes), block.timeUsMax)
    for (let i = 0; i < block.count; i++) {
      assert.deepEqual(findInBlock(bytes, i), block.find(i), `seed ${seed}, entry ${i}`)
    }
  }
})

test('IX2: a full block of one run takes 4.1 bytes per entry', () => {
  const block = new PositionBlock(0)
  const end = block.appendRun({ segment: 1, generation: 0 }, 64, new Uint32Array(300), 0)
  assert.equal(end, 256, 'as many as fit')
  assert.equal(block.encode().length, 1049)
})

test('IX2: a block knows how far the next entry is only within one file, going forward', () => {
  const block = new PositionBlock(0)
  block.appendRun({ segment: 1, generation: 0 }, 100, Uint32Array.of(0, 50), 0)
  block.appendRun({ segment: 1, generation: 0 }, 90, Uint32Array.of(0), 0)
  block.appendRun({ segment: 1, generation: 1 }, 200, Uint32Array.of(0), 0)
  block.appendRun({ segment: 2, generation: 1 }, 300, Uint32Array.of(0), 0)
  const next = places(block).map(({ nextOffset }) => nextOffset)
  assert.deepEqual(next, [150, 0, 0, 0, 0])
})

test('JR4: the first payload record of a hole counts, unless its segment was written anew', () => {
  const block = new PositionBlock(0)
  block.appendRun({ segment: 1, generation: 0 }, 100, Uint32Array.of(0, 50), 0)
  const first = { segment: 5, generation: 0, offset: 64 }
  block.fill(0, first)
  block.fill(0, { segment: 6, generation: 0, offset: 900 })
  assert.deepEqual(block.find(0).fill, first)
  const moved = { segment: 5, generation: 1, offset: 200 }
  block.fill(0, moved)
  assert.deepEqual(block.find(0).fill, moved)
  block.erase(0, 1)
  block.fill(0, first)
  assert.equal(block.find(0).fill, undefined)
  assert.equal(block.find(0).erased, true)
  assert.equal(block.find(1).erased, false)
})

test('IX2: what is erased already is not erased again, and what comes later is not erased', () => {
  for (const count of [1, 8, 255, 256]) {
    const block = new PositionBlock(0)
    block.appendRun({ segment: 1, generation: 0 }, 64, new Uint32Array(count), 0)
    block.erase(0, count)
    const erased = PositionBlock.decode(0, block.encode(), count)
    erased.erase(0, count)
    erased.erase(count - 1, count)
    assert.equal(erased.isDirty, false)
    assert.ok(places(erased).every((place) => place.erased))
    if (count === 256) continue
    erased.appendRun({ segment: 1, generation: 0 }, 64, new Uint32Array(1), 0)
    assert.equal(erased.find(count).erased, false)
    erased.erase(0, count + 1)
    assert.equal(erased.find(count).erased, true)
  }
})

test('IX2: bytes that are no block are the fault of the index, not of the program', () => {
  const prng = new Prng(5)
  const bytes = createRandomBlock(prng).encode()
  expectCode(() => findInBlock(bytes.subarray(0, bytes.length - 1), 0), 'STORE_CORRUPT', 'cut')
  for (let i = 0; i < 500; i++) {
    const changed = bytes.slice()
    changed[prng.below(40)] = prng.below(256)
    try {
      findInBlock(changed, 0)
    } catch (error) {
      assert.equal(codeOf(error), 'STORE_CORRUPT')
    }
  }
})
