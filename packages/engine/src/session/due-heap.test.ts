/** The heap against a sorted list, and the number of looks that it takes. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Prng } from '../testing/prng.ts'
import { type Due, DueHeap } from './due-heap.ts'

class Item implements Due {
  place = -1
  looks = 0
  #dueUs = 0

  get dueUs(): number {
    this.looks++
    return this.#dueUs
  }

  set dueUs(dueUs: number) {
    this.#dueUs = dueUs
  }
}

test('whatever is put, moved and removed, the first is due before all others', () => {
  const prng = new Prng(1)
  const heap = new DueHeap<Item>()
  const items = Array.from({ length: 60 }, () => new Item())
  const model = new Map<Item, number>()
  for (let i = 0; i < 20_000; i++) {
    const item = prng.pick(items)
    if (prng.chance(0.3)) {
      heap.remove(item)
      model.delete(item)
    } else {
      const dueUs = prng.below(1000)
      heap.put(item, dueUs)
      model.set(item, dueUs)
    }
    assert.equal(heap.size, model.size)
    assert.equal(heap.first?.dueUs ?? Infinity, Math.min(...model.values()))
  }
})

test('what is due is taken in order, once, and everything else stays', () => {
  const prng = new Prng(3)
  const heap = new DueHeap<Item>()
  const times = Array.from({ length: 200 }, () => prng.below(1000))
  for (const dueUs of times) heap.put(new Item(), dueUs)
  const items = heap.takeUntil(500)
  assert.equal(items.length, times.filter((dueUs) => dueUs <= 500).length)
  assert.equal(heap.size, times.length - items.length)
  assert.ok((heap.first?.dueUs ?? 0) > 500)
  assert.deepEqual(heap.takeUntil(500), [])
  for (const item of items) assert.equal(item.place, -1)
})

test('one of thousands is moved with few looks at others', () => {
  const prng = new Prng(2)
  const heap = new DueHeap<Item>()
  const items = Array.from({ length: 8192 }, () => new Item())
  for (const item of items) heap.put(item, prng.below(1_000_000))
  for (const item of items) item.looks = 0
  const moves = 1000
  for (let i = 0; i < moves; i++) {
    const { first } = heap
    assert.ok(first)
    heap.put(first, first.dueUs + prng.below(1_000_000))
  }
  const looks = items.reduce((sum, item) => sum + item.looks, 0)
  // At most five for each of thirteen levels.
  assert.ok(looks <= moves * 66, `${looks} looks for ${moves} moves`)
})
