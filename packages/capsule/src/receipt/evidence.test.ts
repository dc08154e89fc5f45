import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Hash } from '../bytes/brands.ts'
import { formatHex } from '../bytes/hex.ts'
import { type CborValue, decodeCbor, encodeCbor } from '../cbor/cbor.ts'
import type { Head } from '../checkpoint/head.ts'
import type { Signer } from '../crypto/signer.ts'
import { proveConsistency, proveInclusion, proveInconsistency } from '../proof/prove.ts'
import { createRandom, leafHash } from '../tree/testing/reference-tree.ts'
import {
  createEquivocation,
  decodeEquivocation,
  type Equivocation,
  encodeEquivocation,
  verifyEquivocation,
} from './evidence.ts'
import {
  entriesOf,
  OTHER_BRANCH,
  principalOf,
  SampleHistory,
  signerOf,
} from './testing/sample-capsule.ts'

const { signed: CAPSULE, signers } = principalOf('capsule', 1)
const OTHER = principalOf('capsule', 11)
const WRITER = signers.get('writer') as Signer
const SIZE_MAX = 20
/** The writer's second history leaves the first one after four entries. */
const SHARED = 4
const FIRST = new SampleHistory(entriesOf(SIZE_MAX))
const SECOND = new SampleHistory([...entriesOf(SHARED), ...entriesOf(SIZE_MAX - SHARED, 'second')])
const REFUSED = { code: 'EVIDENCE_INVALID' }

function headsOf(history: SampleHistory): Head[] {
  return Array.from({ length: SIZE_MAX }, (_, i) => history.head(CAPSULE, i + 1, WRITER))
}

const FIRST_HEADS = headsOf(FIRST)
const SECOND_HEADS = headsOf(SECOND)

const headOf = (heads: readonly Head[], size: number): Head => heads[size - 1] as Head

/** Evidence that head `m` of the first history and head `n` of the second contradict each other. */
function evidenceOf(m: number, n: number): Equivocation {
  const [one, other] = [headOf(FIRST_HEADS, m), headOf(SECOND_HEADS, n)]
  const path =
    m === n
      ? []
      : proveInconsistency(m < n ? SECOND.tiles : FIRST.tiles, Math.min(m, n), Math.max(m, n))
  const bytes = createEquivocation(CAPSULE.signed, [one, other], path)
  return decodeEquivocation(bytes)
}

test('EV2 EV3 EV5 EV6: any two heads that no history has both of convict', () => {
  let convicted = 0
  for (let m = 1; m <= SIZE_MAX; m++) {
    for (let n = 1; n <= SIZE_MAX; n++) {
      // Up to the shared entries, the smaller head is a beginning of both histories.
      if (Math.min(m, n) <= SHARED) {
        assert.throws(() => evidenceOf(m, n), REFUSED, `${m}, ${n}`)
        continue
      }
      const proven = verifyEquivocation(encodeEquivocation(evidenceOf(m, n)))
      assert.deepEqual(proven, {
        name: CAPSULE.name,
        owner: signers.get('owner')?.key,
        writerKey: WRITER.key,
        branch: FIRST.branch,
        epoch: 0,
        sizes: [Math.min(m, n), Math.max(m, n)],
      })
      convicted++
    }
  }
  assert.equal(convicted, (SIZE_MAX - SHARED) ** 2)
})

test('EV1 EV2: the file, byte by byte, in either order of the heads', () => {
  const [one, other] = [headOf(FIRST_HEADS, 6), headOf(SECOND_HEADS, 6)]
  const bytes = createEquivocation(CAPSULE.signed, [one, other])
  assert.deepEqual(createEquivocation(CAPSULE.signed, [other, one]), bytes)
  const { a, b } = decodeEquivocation(bytes)
  assert.ok(formatHex(a.root) < formatHex(b.root))
  const value = decodeCbor(bytes) as CborValue[]
  assert.equal(value.length, 4)
  assert.deepEqual(value[0], CAPSULE.signed)
  assert.deepEqual(value[1], [a.branch, 0, 6, a.root, a.signature])
  assert.deepEqual(value[2], [b.branch, 0, 6, b.root, b.signature])
  assert.deepEqual(value[3], [])
  const swapped = encodeEquivocation({ manifest: CAPSULE.signed, a: b, b: a, path: [] })
  assert.throws(() => verifyEquivocation(swapped), REFUSED)
})

test('EV1 EV6: other bytes are no evidence', () => {
  const good = encodeEquivocation(evidenceOf(6, 9))
  verifyEquivocation(good)
  const value = decodeCbor(good) as CborValue[]
  const refuse = (why: string, altered: CborValue): void => {
    assert.throws(() => verifyEquivocation(encodeCbor(altered)), REFUSED, why)
  }
  refuse('a field less', value.slice(0, 3))
  refuse('a field more', [...value, []])
  refuse('no array', new Map())
  refuse('a manifest that is text', value.with(0, 'manifest'))
  refuse('a long manifest', value.with(0, new Uint8Array(16_501)))
  refuse('a head that is bytes', value.with(1, new Uint8Array(140)))
  refuse('a head of four', value.with(1, (value[1] as CborValue[]).slice(0, 4)))
  refuse('a short hash', value.with(3, [new Uint8Array(31)]))
  refuse(
    '55 hashes',
    value.with(
      3,
      Array.from({ length: 55 }, () => leafHash(0)),
    ),
  )
  assert.throws(() => verifyEquivocation(new Uint8Array(0)), REFUSED)
  assert.throws(() => verifyEquivocation(new Uint8Array(20_481)), REFUSED)
  assert.throws(() => verifyEquivocation(good.slice(0, -1)), REFUSED)
})

test('EV4: heads by another key, for another capsule or branch, and other manifests', () => {
  const { a, b, path } = evidenceOf(6, 9)
  const refuse = (why: string, change: Partial<Equivocation>): void => {
    const evidence = encodeEquivocation({ manifest: CAPSULE.signed, a, b, path, ...change })
    assert.throws(() => verifyEquivocation(evidence), REFUSED, why)
  }
  refuse('A by a stranger', { a: FIRST.head(CAPSULE, 6, signerOf(99)) })
  refuse('B by a stranger', { b: SECOND.head(CAPSULE, 9, signerOf(99)) })
  refuse('A for another capsule', { a: FIRST.head(OTHER.signed, 6, WRITER) })
  refuse('the manifest of another capsule', { manifest: OTHER.signed.signed })
  refuse('an unsigned manifest', { manifest: CAPSULE.body })
  refuse('a person', { manifest: principalOf('person', 61).signed.signed })
  const branch = new SampleHistory(FIRST.entries, OTHER_BRANCH).head(CAPSULE, 6, WRITER)
  refuse('A of another branch', { a: branch })
  refuse('A relabelled to the branch', { a: { ...branch, branch: a.branch } })
  refuse('A of another size', { a: { ...a, size: 7 } })
})

test('EV4 EV9: a manifest that names a stranger as writer convicts nobody', () => {
  // The framer's capsule lists the victim's writer key; the victim signed for its own name only.
  const { a, b, path } = evidenceOf(6, 9)
  const framed = principalOf('capsule', 71, { writer: WRITER })
  assert.deepEqual(framed.signers.get('writer')?.publicKey, WRITER.publicKey)
  const evidence = encodeEquivocation({ manifest: framed.signed.signed, a, b, path })
  assert.throws(() => verifyEquivocation(evidence), REFUSED)
})

test('EV5: paths that do not lead from A to B', () => {
  const { a, b, path } = evidenceOf(6, 9)
  const refuse = (altered: readonly Hash[]): void => {
    const evidence = encodeEquivocation({ manifest: CAPSULE.signed, a, b, path: altered })
    assert.throws(() => verifyEquivocation(evidence), REFUSED)
  }
  refuse([])
  refuse(path.slice(1))
  refuse(path.slice(0, -1))
  refuse([...path, leafHash(1)])
  refuse(path.toReversed())
  for (const [i, hash] of path.entries()) {
    refuse(path.with(i, hash.with(3, (hash[3] as number) ^ 1) as Hash))
  }
  const same = evidenceOf(6, 6)
  const withPath = encodeEquivocation({ ...same, path: [same.b.root] })
  assert.throws(() => verifyEquivocation(withPath), REFUSED)
  const twice = encodeEquivocation({ ...same, b: same.a })
  assert.throws(() => verifyEquivocation(twice), REFUSED)
})

test('EV7: the heads of one history never convict, whatever path comes with them', () => {
  const random = createRandom(7)
  const tiles = [FIRST.tiles, SECOND.tiles] as const
  const randomPath = (m: number, n: number): Hash[] => {
    const source = tiles[random(2)] as (typeof tiles)[0]
    const paths = [
      proveInconsistency(source, m, n),
      proveConsistency(source, m, n),
      proveInclusion(source, random(n), n),
      Array.from({ length: random(7) }, () => leafHash(random(SIZE_MAX))),
      [FIRST.root(m), ...proveConsistency(source, m, n)],
      [FIRST.root(n)],
    ]
    const path = paths[random(paths.length)] as Hash[]
    if (path.length === 0 || random(2) === 0) return path
    const i = random(path.length)
    const hash = path[i] as Hash
    return path.with(i, hash.with(random(32), random(256)) as Hash)
  }
  for (let round = 0; round < 1500; round++) {
    const n = 2 + random(SIZE_MAX - 1)
    const m = 1 + random(n - 1)
    const pair = [headOf(FIRST_HEADS, m), headOf(FIRST_HEADS, n)] as const
    const path = randomPath(m, n)
    assert.throws(() => createEquivocation(CAPSULE.signed, pair, path), REFUSED)
    const relabelled = encodeEquivocation({
      manifest: CAPSULE.signed,
      a: { ...pair[0], size: 1 + random(n), root: FIRST.root(1 + random(n)) },
      b: pair[1],
      path,
    })
    assert.throws(() => verifyEquivocation(relabelled), REFUSED)
  }
})

test('EV8: heads of different epochs, or of one that is not the first, do not convict', () => {
  const { a, b, path } = evidenceOf(6, 9)
  for (const [epochA, epochB] of [
    [0, 1],
    [1, 0],
    [1, 1],
  ] as const) {
    const heads = { a: { ...a, epoch: epochA }, b: { ...b, epoch: epochB } }
    const evidence = encodeEquivocation({ manifest: CAPSULE.signed, ...heads, path })
    assert.throws(() => verifyEquivocation(evidence), REFUSED)
  }
})

test('EV6: one flipped bit anywhere in the evidence', () => {
  const bytes = encodeEquivocation(evidenceOf(6, 9))
  for (const [at, byte] of bytes.entries()) {
    for (const bit of [at % 8, (at + 3) % 8]) {
      const flipped = bytes.with(at, byte ^ (1 << bit))
      assert.throws(() => verifyEquivocation(flipped), REFUSED, `byte ${at}, bit ${bit}`)
    }
  }
})
