/**
 * Each checker finds the defect that it is for: a world in which the defect is planted fails, and
 * the same world without it does not.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  asCapsuleName,
  asHash,
  createEquivocation,
  formatHex,
  type Head,
  MAIN_BRANCH,
  parseHex,
  sha256,
  signHead,
  VerificationError,
} from '@longshore/capsule'
import type { MirrorReceipt } from '@longshore/engine'
import { BranchFixture, createAuthority, createOwnedCapsule, Prng } from '@longshore/engine/testing'
import { checkHistory } from '../history.ts'
import { Truth } from '../truth.ts'
import { Violation } from '../violation.ts'
import { Claims } from './claims.ts'

const LIAR = 'ff'

/** A capsule of which three entries are committed, and what a reader would get of it. */
function createScene() {
  const prng = new Prng(1)
  const capsule = createOwnedCapsule(prng, createAuthority(prng, 'person'))
  const truth = new Truth('capsule', capsule.signed)
  const branch = new BranchFixture(prng, capsule.signed.name)
  const op = branch.append(3)
  truth.cut([op], (index) => branch.entries[index]?.body ?? new Uint8Array(0))
  truth.commit(3)
  const claims = new Claims(formatHex, new Set([LIAR]), [truth])
  const entries = { start: 0, entries: op.entries }
  return { prng, capsule, truth, claims, op, entries, head: op.head }
}

function violates(invariant: string, action: () => void): void {
  assert.throws(action, (error) => error instanceof Violation && error.invariant === invariant)
}

test('SM16: entries that the writer did not commit, or not there, are noticed', () => {
  const { claims, truth, entries, op } = createScene()
  assert.equal(claims.entries('reader', truth, entries, 0).length, 3)
  const other = new BranchFixture(new Prng(2), truth.name).append(3).entries
  violates('I1', () => claims.entries('reader', truth, { start: 0, entries: other }, 0))
  violates('I1', () => claims.entries('reader', truth, { ...entries, start: 1 }, 1))
  const frames = op.entries.frames.slice()
  const last = frames.length - 1
  frames[last] = (frames[last] as number) ^ 1
  const changed = { start: 0, entries: { ...op.entries, frames } }
  violates('I1', () => claims.entries('reader', truth, changed, 0))
})

test('SM16: gaps, repetitions, heads that go back and heads that nobody released are noticed', () => {
  const { claims, truth, entries, head } = createScene()
  violates('I2', () => claims.entries('reader', truth, entries, 1))
  claims.head('reader', truth, head)
  violates('I1', () => claims.head('reader', truth, { ...head, size: 2 }))
  violates('I1', () => claims.head('reader', truth, { ...head, root: asHash(new Uint8Array(32)) }))
  const next = createScene()
  next.claims.head('reader', next.truth, next.head)
  next.truth.isCorrect = false
  violates('I2', () => next.claims.head('reader', next.truth, { ...next.head, size: 2 }))
})

test('SM16: a receipt for another tree is noticed', () => {
  const { claims, truth, head } = createScene()
  const mirror = asCapsuleName(sha256(new Uint8Array(1)))
  const place = { name: truth.name, branch: MAIN_BRANCH, mirror }
  const receipt: MirrorReceipt = {
    ...{ ...place, head, signedHead: head },
    ...{ timeS: 1, signature: new Uint8Array(64) },
  }
  claims.receipt(truth, receipt)
  const other: Head = { ...head, root: asHash(new Uint8Array(32)) }
  violates('I1', () => claims.receipt(truth, { ...receipt, head: other }))
})

test('SM16: an acknowledgement without a receipt of each mirror that it counts is noticed', () => {
  const { claims, truth, head } = createScene()
  const place = { name: truth.name, branch: MAIN_BRANCH, head, signedHead: head, timeS: 1 }
  const receive = (seed: number): void => {
    const mirror = asCapsuleName(sha256(Uint8Array.of(seed)))
    claims.receipt(truth, { ...place, mirror, signature: new Uint8Array(64) })
  }
  violates('I3', () => claims.replicated(truth, head.size, 1))
  for (const seed of [1, 1, 2]) receive(seed)
  claims.replicated(truth, head.size, 2)
  violates('I3', () => claims.replicated(truth, head.size, 3))
  violates('I3', () => claims.replicated(truth, head.size + 1, 1))
})

test('SM16: whoever convicts or distrusts somebody correct is noticed', () => {
  const { claims, truth } = createScene()
  const error = new VerificationError('ROOT_MISMATCH', 'planted')
  violates('I4', () => claims.evidence('mirror', truth, new Uint8Array(10)))
  violates('I4', () => claims.distrusted('reader', 'aa', error))
  claims.distrusted('reader', LIAR, error)
  violates('I4', () => claims.refusedPush(truth, new Uint8Array([0xaa]), error))
  claims.refusedPush(truth, new Uint8Array([0xff]), error)
})

test('SM16: a home that came back with less than was stored, or with half of a cut, is noticed', () => {
  const lost = createScene()
  violates('I3', () => lost.truth.reopen(2))
  const half = createScene()
  violates('I3', () => half.truth.reopen(4))
  const whole = createScene()
  whole.truth.reopen(3)
})

test('SM17: a history with a lost entry, a changed one, a step back or two trees is noticed', () => {
  const final = { type: 'final', capsule: 'c', leaves: ['a', 'b'] } as const
  const acknowledged = { type: 'acknowledged', capsule: 'c', size: 2 } as const
  const begun = { type: 'begun', reader: 'r', capsule: 'c' } as const
  const first = { type: 'entry', reader: 'r', capsule: 'c', index: 0, leaf: 'a' } as const
  const second = { ...first, index: 1, leaf: 'b' } as const
  const head = { type: 'head', reader: 'r', capsule: 'c', size: 2, root: 'x' } as const
  checkHistory([acknowledged, head, first, second, begun, first, second, final])
  violates('I3', () => checkHistory([{ ...acknowledged, size: 3 }, final]))
  violates('I1', () => checkHistory([{ ...first, leaf: 'b' }, final]))
  violates('I1', () => checkHistory([first, second, { ...first, index: 2 }, final]))
  violates('I2', () => checkHistory([head, { ...head, size: 1 }, final]))
  violates('I2', () => checkHistory([head, { ...head, reader: 's', root: 'y' }, final]))
})

test('SM17: a reader that skips an entry, or gets one twice, is noticed', () => {
  const final = { type: 'final', capsule: 'c', leaves: ['a', 'a', 'a'] } as const
  const entry = { type: 'entry', reader: 'r', capsule: 'c', index: 0, leaf: 'a' } as const
  const at = (index: number): typeof entry => ({ ...entry, index: index as 0 })
  checkHistory([at(0), { ...at(0), reader: 's' }, at(1), at(2), final])
  violates('I2', () => checkHistory([at(0), at(2), final]))
  violates('I2', () => checkHistory([at(0), at(1), at(1), final]))
  violates('I2', () => checkHistory([at(0), at(1), at(0), final]))
  violates('I2', () => checkHistory([at(1), final]))
})

test('SM16: a true equivocation convicts, bytes that prove nothing do not', () => {
  const { prng, claims, truth, capsule } = createScene()
  truth.isCorrect = false
  assert.throws(() => claims.evidence('mirror', truth, prng.bytes(64)), VerificationError)
  assert.equal(claims.convicted.size, 0)
  const [a, b] = [1, 2].map((fill) => {
    const root = asHash(new Uint8Array(32).fill(fill))
    const tree = { name: truth.name, branch: MAIN_BRANCH, epoch: 0, size: 3, root }
    return signHead(tree, capsule.writer)
  }) as [Head, Head]
  claims.evidence('mirror', truth, createEquivocation(capsule.signed.signed, [a, b]))
  assert.equal(claims.convicted.size, 1)
})

test('SM16: a reader that goes from one history of a forked capsule to another is noticed', () => {
  const { truth, head, capsule } = createScene()
  const other = new Truth('capsule again', capsule.signed)
  const branch = new BranchFixture(new Prng(7), truth.name)
  for (const count of [2, 3]) {
    other.cut([branch.append(count)], () => new Uint8Array(0))
    other.commit(branch.entries.length)
  }
  for (const forked of [truth, other]) forked.isCorrect = false
  const claims = new Claims(formatHex, new Set(), [truth, other])
  const root = asHash(parseHex(other.root(5) ?? '') ?? new Uint8Array(0))
  claims.head('reader', truth, head)
  violates('I4', () => claims.head('reader', truth, { ...head, size: 5, root }))
  claims.head('other reader', truth, { ...head, size: 5, root })
})
