import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  asBranchId,
  bytesEqual,
  concatBytes,
  createSigner,
  decodeHeader,
  decodeUtf8,
  encodeUtf8,
  MAIN_BRANCH,
  sha256,
  verifyHead,
} from '@longshore/capsule'
import type { StoreOp } from '../store/store.ts'
import { type CapsuleFixture, createCapsuleFixture } from '../testing/capsule-fixture.ts'
import { Prng } from '../testing/prng.ts'
import { SimAnchor } from '../testing/sim-anchor.ts'
import { SimRuntime } from '../testing/sim-runtime.ts'
import { WriterHome } from '../testing/writer-home.ts'
import { decodeAnchor } from './anchor.ts'
import { openBranchWriter } from './open-branch-writer.ts'

function createHome(seed: number): WriterHome {
  const prng = new Prng(seed)
  const runtime = new SimRuntime(prng.child())
  return WriterHome.create(createCapsuleFixture(prng), runtime, new SimAnchor(prng.child()))
}

/** The payloads that a home holds, as text. */
function texts({ store, capsule }: WriterHome): string[] {
  const end = store.state(capsule.name, MAIN_BRANCH)?.size ?? 0
  const entries = [...store.scan(capsule.name, MAIN_BRANCH, { start: 0, end })]
  return entries.map(({ body }) => decodeUtf8(body ?? new Uint8Array(0)) ?? 'not text')
}

function onlyAppend(ops: readonly StoreOp[]): Extract<StoreOp, { type: 'append' }> {
  const [found, ...more] = ops.filter((op) => op.type === 'append')
  assert.ok(found)
  assert.equal(more.length, 0)
  return found
}

function headerAt({ store, capsule }: WriterHome, index: number) {
  return decodeHeader(store.entry(capsule.name, MAIN_BRANCH, index).header)
}

test('WR3 WR4: one cut, one head; released when durable, anchored and committed', () => {
  const home = createHome(1)
  const { writer, anchor, capsule } = home
  assert.equal(writer.head, undefined)
  assert.equal(writer.cut(), undefined, 'nothing to cut')
  home.append('a', 'b')
  home.append('c')
  assert.equal(writer.size, 3)
  assert.equal(writer.pendingCount, 3)
  assert.ok(writer.pendingBytes > 3 * 40)

  const cut = home.cut()
  assert.equal(cut.size, 3)
  assert.equal(writer.pendingCount, 0)
  const { head } = onlyAppend(cut.ops)
  verifyHead(capsule.name, head, capsule.writer.key)
  home.flush()
  assert.equal(writer.head, undefined, 'not before the sync')
  assert.throws(() => writer.committed(3), { name: 'AssertionFailure' }, 'not before the anchor')
  const writes = anchor.counts.writes
  home.durable()
  assert.equal(writer.head, undefined, 'not before the store has committed')
  assert.equal(anchor.counts.writes, writes + 1)
  const written = decodeAnchor(anchor.read() ?? new Uint8Array(0))
  assert.deepEqual([written?.size, written?.root], [3, head.root])

  const release = home.committed()
  assert.deepEqual(release.head, head)
  assert.equal(writer.head, release.head)
  assert.deepEqual(release.appends, [
    { ticket: 1, start: 0, count: 2 },
    { ticket: 2, start: 2, count: 1 },
  ])
  assert.deepEqual(texts(home), ['a', 'b', 'c'])
})

test('WR2 WR3: cuts follow each other while earlier ones wait, and are released together', () => {
  const home = createHome(2)
  const { writer } = home
  const sizes: number[] = []
  for (const payload of ['a', 'b', 'c']) {
    home.append(payload)
    sizes.push(home.cut().size)
  }
  home.append('d')
  assert.equal(writer.cutsInFlight, 3)
  home.flush()
  home.durable()
  const release = home.committed()
  assert.deepEqual(sizes, [1, 2, 3])
  assert.equal(release.head?.size, 3)
  assert.equal(release.appends.length, 3)
  assert.equal(writer.pendingCount, 1)
  assert.equal(home.commit().head?.size, 4)
})

test('WR1 WR2: a writer opened again continues, and every head is consistent with the tree', () => {
  const home = createHome(3)
  for (let i = 0; i < 30; i++) {
    home.append(...Array.from({ length: 1 + ((i * 7) % 40) }, (_, j) => `${i}.${j}`))
    const { head } = home.commit()
    assert.ok(head)
    verifyHead(home.capsule.name, head, home.capsule.writer.key)
    if (i % 3 === 0) home.reopen()
    assert.deepEqual(home.writer.head, head)
    assert.equal(home.writer.doubt, undefined)
  }
  assert.equal(texts(home).length, home.writer.size)
})

test('WR4: if the anchor cannot be written nothing is released', () => {
  const home = createHome(4)
  home.append('a')
  home.cut()
  home.flush()
  home.anchor.failure = new Error('ANCHOR_UNWRITABLE')
  assert.throws(() => home.durable(), /ANCHOR_UNWRITABLE/)
  assert.throws(() => home.writer.committed(1), { name: 'AssertionFailure' })
  assert.equal(home.writer.head, undefined)
})

test('WR5: a refusal ends the writer; a new one continues from what is committed', () => {
  const home = createHome(5)
  home.append('a')
  home.commit()
  home.append('b')
  const first = home.cut()
  home.append('c', 'd')
  home.cut()
  home.append('e')
  // The store refuses: the medium is full.
  home.medium.bytesMax = home.medium.usedBytes
  home.flush()
  assert.equal(home.syncing, undefined)
  const lost = home.writer.refused(first.size)
  assert.deepEqual(
    lost.map(({ start, count }) => [start, count]),
    [
      [1, 1],
      [2, 2],
      [4, 1],
    ],
  )
  assert.equal(home.writer.isRefused, true)
  assert.throws(() => home.append('f'), { name: 'AssertionFailure' })
  assert.throws(() => home.writer.cut(), { name: 'AssertionFailure' })

  home.medium.bytesMax = Number.POSITIVE_INFINITY
  home.reopen()
  home.append('B')
  assert.equal(home.commit().head?.size, 2)
  assert.deepEqual(texts(home), ['a', 'B'])
})

test('WR5: a cut that is in flight is released although a later one was refused', () => {
  const home = createHome(6)
  home.append('a')
  home.cut()
  home.flush()
  home.append('b')
  // Something else in the same transaction does not fit.
  const second = home.cut({ type: 'note', key: '', value: new Uint8Array(0) })
  assert.equal(home.writer.refused(second.size).length, 1)
  home.durable()
  assert.equal(home.committed().head?.size, 1)
  assert.equal(home.writer.isRefused, true)
})

test('WR14: kinds: a blinded payload is stored behind a salt of its own', () => {
  const home = createHome(7)
  const payload = encodeUtf8('yes')
  home.writer.append(1, payload, { kind: 1 })
  home.writer.append(1, payload, { kind: 1 })
  home.writer.append(1, payload, { kind: 1, app: new Map([['example.com/a', 1]]) })
  home.writer.append(1, payload, { kind: 2 })
  home.writer.append(1, payload)
  home.commit()
  const bodies = [0, 1, 2, 3, 4].map((index) => {
    const { body } = home.store.entry(home.capsule.name, MAIN_BRANCH, index)
    assert.ok(body)
    const header = headerAt(home, index)
    assert.deepEqual(header.payloadHash, sha256(body))
    assert.equal(header.payloadBytes, 3)
    return body
  })
  for (const body of bodies.slice(0, 3)) {
    assert.equal(body.length, 19)
    assert.deepEqual(body.slice(16), payload)
  }
  const salts = bodies.slice(0, 3).map((body) => String(body.slice(0, 16)))
  assert.equal(new Set(salts).size, 3)
  assert.deepEqual(bodies.slice(3), [payload, payload])
  assert.deepEqual(
    [0, 1, 2, 3, 4].map((index) => headerAt(home, index).kind),
    [1, 1, 1, 2, 0],
  )
})

test('WR14: times, pointers and application keys stand in the header', () => {
  const home = createHome(8)
  const { writer, runtime } = home
  const payload = encodeUtf8('x')
  runtime.timeUs = 7000
  const leafHash = sha256(payload)
  const pointer = { capsule: null, branch: MAIN_BRANCH, index: 0, leafHash }
  const app = new Map([['example.com/lang', 'en']])
  assert.equal(writer.append(1, payload), 0)
  assert.equal(writer.append(1, payload, { timeUs: 5 }), 1)
  assert.equal(writer.append(1, payload, { pointers: [pointer], app }), 2)
  home.commit()
  assert.deepEqual(
    [0, 1, 2].map((index) => headerAt(home, index).timeUs),
    [7000, 5, 7000],
  )
  assert.deepEqual(headerAt(home, 2).pointers, [pointer])
  assert.deepEqual(headerAt(home, 2).ext.app, app)
  assert.equal(home.store.state(home.capsule.name, MAIN_BRANCH)?.timeUsMax, 7000)
})

test('WR14: what cannot be an entry is refused and leaves nothing behind', () => {
  const { writer } = createHome(9)
  const payload = encodeUtf8('x')
  const tooLarge = new Uint8Array(1_048_577)
  assert.throws(() => writer.append(1, tooLarge), { code: 'PAYLOAD_TOO_LARGE' })
  for (const timeUs of [-1, 0.5, 2 ** 53, Number.NaN]) {
    assert.throws(() => writer.append(1, payload, { timeUs }), { code: 'TIME_INVALID' })
  }
  const app = new Map([['erase', 1]])
  assert.throws(() => writer.append(1, payload, { app }), { code: 'USAGE' })
  assert.equal(writer.size, 0)
  assert.equal(writer.cut(), undefined)
  writer.append(1, tooLarge.subarray(1))
  assert.equal(writer.size, 1)
})

test('WR14: the payload may be reused by the caller at once', () => {
  const home = createHome(10)
  const buffer = encodeUtf8('one')
  home.writer.append(1, buffer)
  buffer.set(encodeUtf8('two'))
  home.writer.append(1, buffer)
  home.commit()
  assert.deepEqual(texts(home), ['one', 'two'])
})

test('WR12: an erase entry names its ranges in one form and erases in the same transaction', () => {
  const home = createHome(11)
  home.append('a', 'b', 'c', 'd')
  home.commit()
  home.append('e')
  const index = home.writer.erase(
    9,
    [
      { start: 4, end: 5 },
      { start: 1, end: 2 },
      { start: 2, end: 3 },
      { start: 1, end: 3 },
    ],
    'asked to',
  )
  assert.equal(index, 5)
  const { appends } = home.commit()
  assert.deepEqual(appends.at(-1), { ticket: 9, start: 5, count: 1 })
  const states = [0, 1, 2, 3, 4, 5].map(
    (at) => home.store.entry(home.capsule.name, MAIN_BRANCH, at).state,
  )
  assert.deepEqual(states, ['present', 'erased', 'erased', 'present', 'erased', 'present'])
  assert.deepEqual(headerAt(home, 5).ext.control, {
    type: 'erase',
    ranges: [
      { start: 1, end: 3 },
      { start: 4, end: 5 },
    ],
    reason: 'asked to',
  })
})

test('WR12: only entries that exist can be erased, and only so many ranges', () => {
  const home = createHome(12)
  home.append(...Array.from({ length: 2100 }, () => 'x'))
  const { writer } = home
  for (const [start, end] of [
    [0, 2101],
    [5, 5],
    [6, 5],
    [-1, 5],
    [0.5, 2],
  ] as const) {
    const ranges = [{ start, end }]
    assert.throws(() => writer.erase(1, ranges, ''), { code: 'INDEX_OUT_OF_RANGE' }, `${start}`)
  }
  assert.throws(() => writer.erase(1, [], ''), { code: 'USAGE' })
  const every = (count: number) => {
    return Array.from({ length: count }, (_, i) => ({ start: 2 * i, end: 2 * i + 1 }))
  }
  assert.throws(() => writer.erase(1, every(1025), ''), { code: 'USAGE' })
  assert.throws(() => writer.erase(1, every(1), 'r'.repeat(1025)), { code: 'USAGE' })
  assert.equal(writer.size, 2100)
  writer.erase(1, every(1024), 'r'.repeat(1024))
  assert.equal(writer.size, 2101)
})

test('WR1: only the writer key of the manifest opens a writer', () => {
  const home = createHome(13)
  const { store, runtime, anchor, capsule } = home
  const open = (changes: Partial<Parameters<typeof openBranchWriter>[0]>) => () => {
    const { name, writer: signer } = capsule
    openBranchWriter({
      ...{ store, name, branch: MAIN_BRANCH, signer, runtime, anchor },
      ...changes,
    })
  }
  assert.throws(open({ signer: capsule.owner }), { code: 'NOT_A_WRITER' })
  assert.throws(open({ signer: createSigner(new Uint8Array(32)) }), { code: 'NOT_A_WRITER' })
  const stranger: CapsuleFixture = createCapsuleFixture(new Prng(99))
  assert.throws(open({ name: stranger.name, signer: stranger.writer }), { code: 'NOT_FOUND' })
  const branch = asBranchId(new Uint8Array(16))
  assert.throws(open({ branch }), { code: 'NOT_FOUND' }, 'a branch begins with a branch entry')
})

test('WR1: a writer does not sign on top of a tree that its last head contradicts', () => {
  const home = createHome(14)
  home.append(...Array.from({ length: 300 }, (_, i) => `${i}`))
  home.commit()
  const { store } = home
  const tamper = (changes: Partial<typeof store>) => {
    return () => {
      const { runtime, anchor, capsule } = home
      const { name, writer: signer } = capsule
      const bad = Object.assign(Object.create(store) as typeof store, changes)
      openBranchWriter({ store: bad, name, branch: MAIN_BRANCH, signer, runtime, anchor })
    }
  }
  const wrongTile: typeof store.tile = (name, branch, level, n, width) => {
    const tile = store.tile(name, branch, level, n, width).slice()
    tile[0]! ^= 1
    return tile
  }
  const { name } = home.capsule
  const state = store.state(name, MAIN_BRANCH)
  assert.ok(state?.head)
  const signature = state.head.signature.slice()
  signature[0]! ^= 1
  const wrongHead = { ...state, head: { ...state.head, signature } } as typeof state
  const base: Partial<typeof store> = {
    manifest: (of) => store.manifest(of),
    note: (key) => store.note(key),
    tile: (...args) => store.tile(...args),
    state: (...args) => store.state(...args),
  }
  assert.doesNotThrow(tamper(base))
  assert.throws(tamper({ ...base, tile: wrongTile }), { code: 'STORE_CORRUPT' })
  assert.throws(tamper({ ...base, state: () => wrongHead }), { code: 'STORE_CORRUPT' })
  const shorter = { ...state, size: 299 }
  assert.throws(tamper({ ...base, state: () => shorter }), { code: 'STORE_CORRUPT' })
})

test('WR3: the bytes of a head are in no other place than the changes of its cut', () => {
  const home = createHome(15)
  home.append('a')
  const { head } = onlyAppend(home.cut().ops)
  assert.equal(home.writer.head, undefined)
  const seen = concatBytes(home.anchor.read() ?? new Uint8Array(0))
  for (let at = 0; at + 64 <= seen.length; at++) {
    assert.equal(bytesEqual(seen.subarray(at, at + 64), head.signature), false)
  }
})
