import assert from 'node:assert/strict'
import { test } from 'node:test'
import { asBranchId, asCapsuleName, asHash, formatHex, MAIN_BRANCH } from '@longshore/capsule'
import { Prng } from '../testing/prng.ts'
import {
  ANCHOR_BYTES,
  type Anchor,
  type AnchorDoubt,
  type AnchorHome,
  type AnchorVerdict,
  checkAnchor,
  decodeAnchor,
  encodeAnchor,
  isCaughtUp,
} from './anchor.ts'

const prng = new Prng(1)
const name = asCapsuleName(prng.bytes(32))
const [instance, otherInstance] = [prng.bytes(16), prng.bytes(16)]
/** Roots of one history, and of another that leaves it at size 5. */
const roots = Array.from({ length: 10 }, () => asHash(prng.bytes(32)))
const otherRoots = roots.map((root, size) => (size < 5 ? root : asHash(prng.bytes(32))))

function anchorAt(size: number, changes: Partial<Anchor> = {}): Anchor {
  const root = roots[size]
  assert.ok(root)
  return { instance, name, branch: MAIN_BRANCH, epoch: 0, size, root, ...changes }
}

function homeAt(size: number, changes: Partial<AnchorHome> = {}): AnchorHome {
  const rootAt = (at: number) => {
    assert.ok(at <= size, 'only roots that the home has')
    const root = roots[at]
    assert.ok(root)
    return root
  }
  return { name, branch: MAIN_BRANCH, instance, epoch: 0, size, rootAt, ...changes }
}

test('WR6: the bytes of an anchor, as docs/spec/writer.md shows them', () => {
  const anchor: Anchor = {
    instance: new Uint8Array(16).fill(0x11),
    name: asCapsuleName(new Uint8Array(32).fill(0x22)),
    branch: asBranchId(new Uint8Array(16).fill(0x33)),
    epoch: 1,
    size: 300,
    root: asHash(new Uint8Array(32).fill(0x44)),
  }
  assert.equal(
    formatHex(encodeAnchor(anchor)),
    [
      '4c53414e43485231',
      '11'.repeat(16),
      '22'.repeat(32),
      `10${'33'.repeat(16)}000000`,
      '00000001',
      '000000000000012c',
      '44'.repeat(32),
      '2d9d8a3dc9707399',
    ].join(''),
  )
  assert.deepEqual(decodeAnchor(encodeAnchor(anchor)), anchor)
})

test('WR6: sizes and branches at their limits', () => {
  for (const size of [0, 2 ** 32, Number.MAX_SAFE_INTEGER]) {
    for (const branch of [MAIN_BRANCH, asBranchId(prng.bytes(16))]) {
      const anchor = { ...anchorAt(0), size, branch, epoch: 2 ** 32 - 1 }
      assert.deepEqual(decodeAnchor(encodeAnchor(anchor)), anchor)
    }
  }
})

test('WR6: every other spelling tells nothing: each bit flipped, each length, not an anchor', () => {
  const bytes = encodeAnchor(anchorAt(3))
  assert.equal(bytes.length, ANCHOR_BYTES)
  for (let bit = 0; bit < ANCHOR_BYTES * 8; bit++) {
    const flipped = bytes.slice()
    flipped[bit >> 3]! ^= 1 << (bit & 7)
    assert.equal(decodeAnchor(flipped), undefined, `bit ${bit}`)
  }
  for (let length = 0; length < ANCHOR_BYTES; length++) {
    assert.equal(decodeAnchor(bytes.slice(0, length)), undefined, `length ${length}`)
  }
  assert.equal(decodeAnchor(new Uint8Array(ANCHOR_BYTES)), undefined)
  assert.equal(decodeAnchor(new Uint8Array([...bytes, 0])), undefined)
})

test('WR7: every case of anchor and home', () => {
  const cases: [what: string, anchor: Anchor | undefined, home: AnchorHome, AnchorVerdict][] = [
    ['equal', anchorAt(5), homeAt(5), 'clean'],
    ['both empty', anchorAt(0), homeAt(0), 'clean'],
    ['behind, contained', anchorAt(3), homeAt(5), 'clean'],
    ['behind, never moved', anchorAt(0), homeAt(5), 'clean'],
    ['behind in the epoch', anchorAt(3), homeAt(5, { epoch: 1 }), 'clean'],
    ['missing', undefined, homeAt(5), { unknown: 'missing' }],
    ['missing, home empty', undefined, homeAt(0), { unknown: 'missing' }],
    ['ahead', anchorAt(6), homeAt(5), { unknown: 'ahead' }],
    ['ahead of nothing', anchorAt(1), homeAt(0), { unknown: 'ahead' }],
    ['ahead in the epoch', anchorAt(5, { epoch: 1 }), homeAt(5), { unknown: 'ahead' }],
    [
      'diverged at the same size',
      anchorAt(6, { root: otherRoots[6]! }),
      homeAt(6),
      { unknown: 'diverged' },
    ],
    [
      'behind, not contained',
      anchorAt(6, { root: otherRoots[6]! }),
      homeAt(8),
      { unknown: 'diverged' },
    ],
  ]
  const strangers: [string, Partial<Anchor>, AnchorDoubt][] = [
    ['another instance', { instance: otherInstance }, 'other-instance'],
    ['another capsule', { name: asCapsuleName(prng.bytes(32)) }, 'missing'],
    ['another branch', { branch: asBranchId(prng.bytes(16)) }, 'missing'],
  ]
  for (const [what, changes, unknown] of strangers) {
    for (const size of [0, 3, 5, 6]) {
      cases.push([`${what} at ${size}`, anchorAt(size, changes), homeAt(5), { unknown }])
    }
  }
  for (const size of [0, 3, 5, 6]) {
    const home = homeAt(5, { instance: undefined })
    cases.push(['home without instance', anchorAt(size), home, { unknown: 'other-instance' }])
  }
  for (const [what, anchor, home, expected] of cases) {
    assert.deepEqual(checkAnchor(anchor, home), expected, what)
  }
})

test('WR11: caught up means exactly at the anchor, whoever brought the entries', () => {
  assert.equal(isCaughtUp(anchorAt(5), homeAt(5, { instance: otherInstance })), true)
  assert.equal(isCaughtUp(anchorAt(5), homeAt(5, { instance: undefined })), true)
  assert.equal(isCaughtUp(anchorAt(0), homeAt(0, { instance: undefined })), true)
  assert.equal(isCaughtUp(undefined, homeAt(5)), false)
  assert.equal(isCaughtUp(anchorAt(4), homeAt(5)), false)
  assert.equal(isCaughtUp(anchorAt(6), homeAt(5)), false)
  assert.equal(isCaughtUp(anchorAt(5), homeAt(5, { epoch: 1 })), false)
  assert.equal(isCaughtUp(anchorAt(5, { root: otherRoots[5]! }), homeAt(5)), false)
  assert.equal(isCaughtUp(anchorAt(5, { branch: asBranchId(prng.bytes(16)) }), homeAt(5)), false)
})
