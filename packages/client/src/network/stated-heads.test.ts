import assert from 'node:assert/strict'
import { test } from 'node:test'
import { asBranchId, asCapsuleName, asHash, asSignature } from '@longshore/capsule'
import { type MirrorStatement, StatedHeads } from './stated-heads.ts'

const headOf = (size: number, root = size % 251) => ({
  ...{ branch: asBranchId(new Uint8Array(0)), epoch: 0, size },
  ...{ root: asHash(new Uint8Array(32).fill(root)), signature: asSignature(new Uint8Array(64)) },
})

const by = (mirror: number, timeS = 0): MirrorStatement => ({
  mirror: asCapsuleName(new Uint8Array(32).fill(mirror)),
  ...{ timeS, signature: new Uint8Array(64) },
})

test('NW4: the head that most mirrors have stated, and of several the newest', () => {
  const stated = new StatedHeads()
  assert.equal(stated.best(0), undefined)
  stated.add(headOf(100), by(1))
  stated.add(headOf(100), by(2))
  stated.add(headOf(120), by(1))
  stated.add(headOf(110), by(2))
  const sizes = [0, 99, 100, 119, 120].map((index) => {
    const best = stated.best(index)
    return best && [best.head.size, best.statements.length]
  })
  assert.deepEqual(sizes, [[100, 2], [100, 2], [120, 1], [120, 1], undefined])
  assert.equal(stated.best(0, ({ size }) => size !== 100)?.head.size, 120)
})

test('NW4: a mirror counts once, with what it said last, and one history only', () => {
  const stated = new StatedHeads()
  stated.add(headOf(7), by(1, 5))
  stated.add(headOf(7), by(1, 6))
  stated.add(headOf(7, 99), by(2))
  assert.deepEqual(stated.best(0)?.statements, [by(1, 6)])
})

test('NW4: the best head stays however many come after it', () => {
  const stated = new StatedHeads()
  stated.add(headOf(1), by(1))
  stated.add(headOf(1), by(2))
  for (let size = 2; size < 2000; size++) stated.add(headOf(size), by(1))
  assert.deepEqual([stated.best(0)?.head.size, stated.best(1)?.head.size], [1, 1999])
})
