/** The checker accepts what can be, and finds each kind of broken promise. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BrokenHistory, CapsuleHistory } from './history.ts'

const LINES = ['a0', 'a1', 'a2', 'b0', 'b1']

/** Two lives of a writer: the first was killed after three entries, of which two were acked. */
function twoLives(): CapsuleHistory {
  const history = new CapsuleHistory({ copies: 2 })
  history.begin()
  for (const line of ['a0', 'a1', 'a2', 'a3']) history.sent(line)
  history.acked(2)
  history.begin()
  for (const line of ['b0', 'b1']) history.sent(line)
  history.acked(5)
  return history
}

function follow(history: CapsuleHistory, follower: string, lines = LINES): void {
  for (const [index, line] of lines.entries()) history.followed(follower, index, line)
}

function whole(change: (history: CapsuleHistory) => void = () => {}): CapsuleHistory {
  const history = twoLives()
  follow(history, 'follower')
  change(history)
  history.held('one', LINES)
  history.held('two', LINES)
  return history
}

test('a history in which every promise was kept passes', () => {
  const history = whole()
  history.held('three', LINES.slice(0, 1))
  history.check(5)
  assert.equal(history.ackCount, 2)
  assert.equal(history.ackedSize, 5)
  assert.equal(history.nextOf('follower'), 5)
  assert.equal(history.nextOf('somebody new'), 0)
})

test('an entry of a killed writer may be there or not', () => {
  for (const lines of [
    ['a0', 'a1', 'b0', 'b1'],
    ['a0', 'a1', 'a2', 'a3', 'b0', 'b1'],
    ['a0', 'a1'],
  ]) {
    const history = new CapsuleHistory({ copies: 1 })
    history.begin()
    for (const line of ['a0', 'a1', 'a2', 'a3']) history.sent(line)
    history.acked(2)
    history.begin()
    for (const line of ['b0', 'b1']) history.sent(line)
    history.held('one', lines)
    history.check(lines.length)
  }
})

test('an acknowledged entry that is lost is found, also when the size has grown again', () => {
  assert.throws(() => whole().check(4), BrokenHistory)
  const history = new CapsuleHistory({ copies: 1 })
  history.begin()
  for (const line of ['a0', 'a1', 'a2']) history.sent(line)
  history.acked(3)
  history.begin()
  for (const line of ['b0', 'b1']) history.sent(line)
  history.held('one', ['a0', 'a1', 'b0', 'b1'])
  assert.throws(() => history.check(4), /2 was acknowledged, and then written by a later life/)
})

test('too few copies are found', () => {
  const history = twoLives()
  follow(history, 'follower')
  history.held('one', LINES)
  history.held('two', LINES.slice(0, 4))
  assert.throws(() => history.check(5), /2 mirrors hold 4 of 5/)
})

test('other bytes at an index are found, whoever has them', () => {
  assert.throws(() => whole((history) => history.held('x', ['a0', 'x'])), /x has x at 1/)
  assert.throws(() => whole((history) => history.followed('other', 0, 'x')), /other has x at 0/)
})

test('a follower that goes back, repeats or skips is found, and one that does not arrive', () => {
  const at = (index: number) => () => {
    const history = twoLives()
    follow(history, 'follower', LINES.slice(0, 3))
    history.followed('follower', index, LINES[index] ?? 'c0')
  }
  assert.throws(at(1), /went back or repeats/)
  assert.throws(at(2), /went back or repeats/)
  assert.throws(at(4), /skipped 3 to 3/)
  const late = whole((history) => history.followed('late', 0, 'a0'))
  assert.throws(() => late.check(5), /late has 1 of 5/)
})

test('entries twice, out of order, or from nowhere are found', () => {
  for (const lines of [
    ['a0', 'a1', 'a1', 'b0', 'b1'],
    ['a0', 'a2', 'a1', 'b0', 'b1'],
    ['a0', 'a1', 'b0', 'a2', 'b1'],
    ['a0', 'a1', 'a2', 'b0', 'zz'],
  ]) {
    const history = twoLives()
    history.held('one', lines)
    history.held('two', lines)
    assert.throws(() => history.check(5), BrokenHistory, lines.join())
  }
})

test('an acknowledgement that does not grow is found', () => {
  assert.throws(() => twoLives().acked(5), BrokenHistory)
  assert.throws(() => twoLives().acked(1), BrokenHistory)
})
