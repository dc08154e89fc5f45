/** Whether anything was lost is counted, whatever order the reports come in. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { Ledger } from './ledger.ts'

function openLedger(size: number): Ledger {
  const ledger = new Ledger()
  ledger.open(size)
  return ledger
}

test('FD4: what is acknowledged and delivered as it was written is verified, and nothing is lost', () => {
  const ledger = openLedger(100)
  ledger.wrote(100, ['a', 'b'])
  ledger.acknowledged(102)
  ledger.delivered(100, 'a')
  ledger.delivered(101, 'b')
  const { entries, acked, verified, lostForGood } = ledger
  assert.deepEqual(
    { entries, acked, verified, lostForGood },
    { entries: 2, acked: 2, verified: 2, lostForGood: 0 },
  )
})

test('FD4: the follower may be faster than the writer', () => {
  const ledger = openLedger(0)
  ledger.delivered(0, 'a')
  ledger.delivered(1, null)
  ledger.acknowledged(2)
  ledger.wrote(0, ['a', 'erased'])
  assert.deepEqual([ledger.verified, ledger.acked, ledger.lostForGood], [2, 2, 0])
})

test('FD4: an acknowledged entry that is passed over, altered or never comes is lost', () => {
  const ledger = openLedger(0)
  ledger.wrote(0, ['a', 'b', 'c', 'd'])
  ledger.acknowledged(3)
  ledger.delivered(1, 'forged')
  assert.equal(ledger.lost, 2, 'the first was passed over, the second altered')
  assert.equal(ledger.lostForGood, 3, 'the third never came, the fourth was not acknowledged')
})

test('FD4: entries that others append are not counted', () => {
  const ledger = openLedger(0)
  ledger.wrote(0, ['a'])
  ledger.delivered(0, 'a')
  ledger.delivered(1, 'of another terminal')
  ledger.acknowledged(2)
  assert.deepEqual([ledger.entries, ledger.verified, ledger.acked, ledger.lost], [1, 1, 1, 0])
})
