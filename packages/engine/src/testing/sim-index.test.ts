import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Prng } from './prng.ts'
import { SimIndex } from './sim-index.ts'

const key = (...bytes: number[]): Uint8Array => Uint8Array.from(bytes)

function filled(seed: number, batchCount: number): SimIndex {
  const index = new SimIndex(new Prng(seed))
  const handle = index.open()
  for (let i = 0; i < batchCount; i++) {
    handle.write([
      { key: key(1), value: key(i) },
      { key: key(2, i), value: key(i) },
    ])
  }
  return index
}

test('SM6: ranges are in byte order and half-open; removed keys are gone', () => {
  const index = new SimIndex(new Prng(1))
  const handle = index.open()
  handle.write([200, 3, 127, 128].map((n) => ({ key: key(n), value: key(n) })))
  handle.write([{ key: key(3, 0), value: key(9) }])
  const keys = [...handle.range(key(3), key(200))].map(([k]) => [...k])
  assert.deepEqual(keys, [[3], [3, 0], [127], [128]])
  handle.write([{ key: key(3), value: undefined }])
  assert.equal(handle.get(key(3)), undefined)
  assert.deepEqual(handle.get(key(3, 0)), key(9))
})

test('SM6: values are copied on the way in and on the way out', () => {
  const handle = new SimIndex(new Prng(1)).open()
  const value = key(1)
  handle.write([{ key: key(0), value }])
  value[0] = 2
  const read = handle.get(key(0)) as Uint8Array
  assert.deepEqual(read, key(1))
  read[0] = 3
  assert.deepEqual(handle.get(key(0)), key(1))
})

test('SM6: a crash leaves the state after some whole batch, or nothing', () => {
  const seen = new Set<number>()
  for (let seed = 0; seed < 60; seed++) {
    const index = filled(seed, 4)
    index.crash()
    const handle = index.open()
    const last = handle.get(key(1))?.[0]
    const count = [...handle.range(key(2), key(3))].length
    assert.equal(count, last === undefined ? 0 : last + 1, `seed ${seed}`)
    seen.add(count)
  }
  assert.deepEqual([...seen].sort(), [0, 1, 2, 3, 4], 'every outcome occurs')
})

test('SM6: handles from before a crash or a close throw', () => {
  const index = filled(1, 1)
  const before = index.open()
  const closed = index.open()
  closed.close()
  assert.throws(() => closed.get(key(1)), /closed/)
  index.crash('keep')
  assert.throws(() => before.get(key(1)), /crash/)
  assert.deepEqual(index.open().get(key(1)), key(0))
})

test('SM6: clear forgets everything', () => {
  const index = filled(1, 3)
  const handle = index.open()
  handle.clear()
  assert.deepEqual([...handle.range(key(), key(255))], [])
})
