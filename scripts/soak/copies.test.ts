/** An acknowledgement without its copies is found while the run goes on, and nothing else is. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Copies } from './copies.ts'
import { BrokenHistory } from './history.ts'

const CAPSULE = 'capsule'

const acked = (size: number): Map<string, number> => new Map([[CAPSULE, size]])

/** Sizes of mirrors one, two, … ; undefined for one that cannot be asked. */
function held(...sizes: readonly (number | undefined)[]): Map<string, Map<string, number>> {
  const names = ['one', 'two', 'three']
  const told = new Map<string, Map<string, number>>()
  for (const [i, size] of sizes.entries()) {
    if (size !== undefined) told.set(names[i] as string, acked(size))
  }
  return told
}

const createCopies = (): Copies => new Copies({ mirrors: 3, copies: 2 })

test('as many mirrors as the promise leaves out may be behind, and any may be out of reach', () => {
  const copies = createCopies()
  copies.look(acked(5), held(5, 2, 6))
  copies.look(acked(6), held(undefined, 2, undefined))
  copies.look(acked(6), held(undefined, undefined, undefined))
  copies.look(acked(0), held(5, 2, 6))
  assert.equal(copies.looks, 4)
})

test('an acknowledgement that only one mirror holds is found', () => {
  assert.throws(() => createCopies().look(acked(5), held(5, 4, 4)), /two has 4, three has 4/)
  assert.throws(() => createCopies().look(acked(5), held(undefined, 4, 0)), BrokenHistory)
})

test('a mirror that comes back with less than it had is found', () => {
  const copies = createCopies()
  copies.look(acked(0), held(5))
  copies.look(acked(0), held(undefined, 1))
  assert.throws(() => copies.look(acked(0), held(4)), /one has 4 entries of capsule, and had 5/)
})

test('a mirror whose disk is lost is excused until it is filled, and not for what comes later', () => {
  const copies = createCopies()
  copies.look(acked(5), held(5, 2, 5))
  copies.lose('three')
  copies.look(acked(5), held(5, 2, 1))
  copies.regain('three', acked(5))
  copies.look(acked(5), held(5, 2, 0))
  copies.look(acked(7), held(7, 7, 4))
  copies.look(acked(7), held(7, 7, 6))
  assert.throws(() => copies.look(acked(8), held(8, 7, 7)), BrokenHistory)
  assert.throws(() => copies.look(acked(8), held(8, 8, 5)), /three has 5 entries/)
})
