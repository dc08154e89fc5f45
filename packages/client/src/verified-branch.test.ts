import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type BranchId,
  type CapsuleName,
  hashLeaf,
  manifestKey,
  proveInclusion,
  verifyInclusion,
} from '@longshore/capsule'
import type { BranchState, StoredEntry, StoreReader } from '@longshore/engine'
import { MemoryHome } from './testing/memory-home.ts'
import { VerifiedBranch } from './verified-branch.ts'

const payload = (n: number): Uint8Array => new TextEncoder().encode(`payload ${n}`)

async function filled(count: number): Promise<MemoryHome> {
  const home = new MemoryHome()
  for (let at = 0; at < count; at += 1000) {
    const batch = Math.min(1000, count - at)
    await home.append(...Array.from({ length: batch }, (_, i) => payload(at + i)))
  }
  return home
}

/** A store that lies about one thing. */
function lying(home: MemoryHome, lies: Partial<StoreReader>): VerifiedBranch {
  const reader = new Proxy(home.store, {
    get: (store, key) => {
      const lie = Reflect.get(lies, key)
      const value = lie ?? Reflect.get(store, key, store)
      return typeof value === 'function' ? value.bind(store) : value
    },
  })
  const { name, signed } = home
  const key = manifestKey(signed.manifest, 'writer')
  return new VerifiedBranch(reader, name, new Uint8Array(0) as BranchId, key)
}

function flip(bytes: Uint8Array, at: number): Uint8Array {
  const copy = bytes.slice()
  copy[at]! ^= 1
  return copy
}

test('HM24: every entry of trees around the edges of tiles is read and verified', async () => {
  for (const count of [1, 255, 256, 257, 513, 2000]) {
    const home = await filled(count)
    const verified = home.openVerified()
    verified.advance()
    for (const index of [0, 1, 254, 255, 256, 511, 512, count - 1]) {
      if (index < count) assert.deepEqual(verified.entry(index).payload, payload(index))
    }
    const all = [...verified.scan({ start: 0, end: count })]
    assert.deepEqual(
      all.map(({ index }) => index),
      Array.from({ length: count }, (_, i) => i),
    )
    assert.throws(() => verified.entry(count), { code: 'INDEX_OUT_OF_RANGE' })
  }
})

test('HM24: a changed header, payload, tile, head or key never reaches the reader', async () => {
  const home = await filled(700)
  const { store } = home
  const changedEntry = (change: (entry: StoredEntry) => Partial<StoredEntry>) => ({
    entry(name: CapsuleName, branch: BranchId, index: number) {
      const entry = store.entry(name, branch, index)
      return { ...entry, ...change(entry) }
    },
  })
  const cases: [string, Partial<StoreReader>][] = [
    ['ROOT_MISMATCH', changedEntry(({ header }) => ({ header: flip(header, header.length - 1) }))],
    ['PAYLOAD_MISMATCH', changedEntry(({ body }) => ({ body: flip(body!, 3) }))],
    ['PAYLOAD_MISMATCH', changedEntry(({ body }) => ({ body: body!.subarray(1) }))],
    // The bytes of another entry of the same capsule, whole and unchanged.
    ['ROOT_MISMATCH', { entry: (n, b, i) => ({ ...store.entry(n, b, (i + 1) % 700), index: i }) }],
    ['ROOT_MISMATCH', { tile: (n, b, level, t, w) => flip(store.tile(n, b, level, t, w), 40) }],
    [
      'BAD_SIGNATURE',
      {
        state(name, branch): BranchState {
          const state = store.state(name, branch)!
          const head = { ...state.head!, root: flip(state.head!.root, 0) as never }
          return { ...state, head }
        },
      },
    ],
  ]
  for (const [code, lies] of cases) {
    for (const index of [3, 300, 699]) {
      const verified = lying(home, lies)
      assert.throws(
        () => {
          verified.advance()
          verified.entry(index)
        },
        { code },
      )
    }
  }
})

test('HM25: a tile is authenticated once, and proofs come from authenticated tiles', async () => {
  const home = await filled(5000)
  let reads = 0
  const verified = lying(home, {
    tile(name, branch, level, n, width) {
      reads++
      return home.store.tile(name, branch, level, n, width)
    },
  })
  verified.advance()
  const opening = reads
  for (let i = 0; i < 256; i++) verified.entry(256 + i)
  assert.equal(reads - opening, 1)
  for (const index of [0, 300, 4999]) {
    const path = proveInclusion(verified.nodes, index, 5000)
    const { header } = verified.stored(index)
    verifyInclusion(hashLeaf(header), { index, size: 5000, path }, verified.head!.root)
  }
})

test('HM26: a reader follows small and large steps, and refuses to go back', async () => {
  const home = await filled(300)
  const verified = home.openVerified()
  verified.advance()
  await home.append(payload(300))
  verified.advance()
  assert.equal(verified.size, 301)
  for (let at = 301; at < 6301; at += 1000) {
    await home.append(...Array.from({ length: 1000 }, (_, i) => payload(at + i)))
  }
  verified.advance()
  assert.equal(verified.size, 6301)
  assert.deepEqual(verified.entry(6000).payload, payload(6000))

  const older = (await filled(300)).store
  const wentBack = lying(home, {})
  wentBack.advance()
  let isBack = false
  const swapping = lying(home, {
    state: (n, b) => (isBack ? older.state(n, b) : home.store.state(n, b)),
  })
  swapping.advance()
  isBack = true
  assert.throws(() => swapping.advance(), { code: 'ROLLBACK' })
})

test('HM27: a second history under the same key is noticed, near and far', async () => {
  for (const [count, more] of [
    [300, 1],
    [300, 6000],
    [300, 0],
  ] as const) {
    const home = await filled(count)
    // Same keys, other payloads: what a writer must never sign.
    const other = new MemoryHome()
    const total = count + more
    for (let at = 0; at < total; at += 1000) {
      const batch = Math.min(1000, total - at)
      await other.append(...Array.from({ length: batch }, (_, i) => payload(at + i + 1)))
    }
    let isOther = false
    const source = (): StoreReader => (isOther ? other.store : home.store)
    const verified = lying(home, {
      state: (n, b) => source().state(n, b),
      tile: (n, b, l, t, w) => source().tile(n, b, l, t, w),
    })
    verified.advance()
    isOther = true
    assert.throws(() => verified.advance(), { code: more === 0 ? 'EQUIVOCATION' : 'ROOT_MISMATCH' })
    assert.equal(verified.size, count, 'what was verified before stays')
  }
})
