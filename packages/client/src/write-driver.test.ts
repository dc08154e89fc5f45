import assert from 'node:assert/strict'
import { test } from 'node:test'
import { UnavailableError } from '@longshore/capsule'
import type { Slices } from '@longshore/engine'
import { DEFAULT_TERMS } from './append-request.ts'
import { flushMicrotasks, MemoryHome } from './testing/memory-home.ts'
import { SYNC_IN_PLACE_MS_MAX } from './write-driver.ts'

const payload = (n: number): Uint8Array => new Uint8Array(10).fill(n)

test('HM28: appends of one turn share one commit, one signature and one sync', async () => {
  const home = new MemoryHome()
  const before = { anchors: home.anchor.writeCount, commits: home.commits }
  const acks = [1, 2, 3].map((n) => home.appender.append([payload(n)], DEFAULT_TERMS))
  await flushMicrotasks()
  assert.equal(home.size, 0)
  home.loop.turn()
  assert.deepEqual(await Promise.all(acks), [
    { index: 0, count: 1, size: 3, level: 'stored' },
    { index: 1, count: 1, size: 3, level: 'stored' },
    { index: 2, count: 1, size: 3, level: 'stored' },
  ])
  assert.equal(home.commits - before.commits, 1)
  assert.equal(home.anchor.writeCount - before.anchors, 1)
  assert.equal(home.size, 3)
})

test('HM28: a call that is larger than a batch is taken in while syncs run, and stays in one row', async () => {
  const home = new MemoryHome()
  const large = Array.from({ length: 12 }, (_, i) => new Uint8Array(1_000_000).fill(i))
  const first = home.appender.append(large, DEFAULT_TERMS)
  const second = home.appender.append([payload(1)], DEFAULT_TERMS)
  await home.settle()
  assert.deepEqual(await first, { index: 0, count: 12, size: 13, level: 'stored' })
  assert.deepEqual(await second, { index: 12, count: 1, size: 13, level: 'stored' })
  assert.ok(home.loop.syncsOffThread >= 2, 'with more pending the sync is off the thread')
})

test('HM29: alone and on a fast disk the sync is in place; on a slow one, or serving, it is not', async () => {
  const home = new MemoryHome()
  await home.append(payload(1))
  assert.equal(home.loop.syncsOffThread, 0)
  home.loop.isServing = true
  await home.append(payload(2))
  assert.equal(home.loop.syncsOffThread, 1)
  home.loop.isServing = false
  await home.append(payload(3))
  assert.equal(home.loop.syncsOffThread, 1)
  home.loop.stepMs = SYNC_IN_PLACE_MS_MAX * 20
  await home.append(payload(4))
  assert.equal(home.loop.syncsOffThread, 1)
  await home.append(payload(5))
  assert.equal(home.loop.syncsOffThread, 2, 'after one slow sync in place the next is elsewhere')
})

test('HM30: nobody is answered before the anchor is written, and the store shows nothing', async () => {
  const home = new MemoryHome()
  home.loop.isServing = true
  const ack = home.appender.append([payload(1)], DEFAULT_TERMS)
  home.loop.turn()
  await flushMicrotasks()
  assert.equal(home.loop.pendingSyncs, 1)
  const verified = home.openVerified()
  verified.advance()
  assert.equal(verified.size, 0)
  const anchorBefore = home.anchor.writeCount
  await home.loop.finishSync()
  await ack
  assert.equal(home.anchor.writeCount, anchorBefore + 1)
  verified.advance()
  assert.equal(verified.head?.size, 1)
})

test('HM30 HM31: an anchor that cannot be written ends the writer: no answer, nothing visible', async () => {
  const home = new MemoryHome()
  await home.append(payload(1))
  home.anchor.failure = new UnavailableError('ANCHOR_UNWRITABLE', 'read-only')
  const append = assert.rejects(home.appender.append([payload(2)], DEFAULT_TERMS), {
    code: 'ANCHOR_UNWRITABLE',
  })
  await home.settle()
  await append
  const verified = home.openVerified()
  assert.throws(() => verified.advance(), { code: 'STORE_FAILED' })
  await assert.rejects(home.appender.append([payload(3)], DEFAULT_TERMS), {
    code: 'ANCHOR_UNWRITABLE',
  })
})

test('HM31: after a failed sync everything pending and everything later fails', async () => {
  const home = new MemoryHome()
  home.loop.isServing = true
  home.loop.syncFailure = new Error('EIO')
  const first = assert.rejects(home.appender.append([payload(1)], DEFAULT_TERMS), {
    code: 'STORE_FAILED',
  })
  home.loop.turn()
  const second = assert.rejects(home.appender.append([payload(2)], DEFAULT_TERMS), {
    code: 'STORE_FAILED',
  })
  await home.loop.finishSync()
  await Promise.all([first, second])
  await assert.rejects(home.appender.append([payload(3)], DEFAULT_TERMS), { code: 'STORE_FAILED' })
})

test('HM32: a full store refuses the calls of that commit; the next one succeeds', async () => {
  const home = new MemoryHome()
  await home.append(payload(1))
  home.medium.bytesMax = home.medium.usedBytes + 500
  const refused = assert.rejects(home.appender.append([new Uint8Array(100_000)], DEFAULT_TERMS), {
    code: 'STORE_FULL',
  })
  await home.settle()
  await refused
  const ack = await home.append(payload(2))
  assert.deepEqual(ack, { index: 1, count: 1, size: 2, level: 'stored' })
  const verified = home.openVerified()
  verified.advance()
  assert.deepEqual(verified.entry(1).payload, payload(2))
})

test('HM35: a call that waits can be given up and is then never appended', async () => {
  const home = new MemoryHome()
  const large = Array.from({ length: 6 }, () => new Uint8Array(1_000_000))
  const first = home.appender.append(large, DEFAULT_TERMS)
  const abort = new AbortController()
  const waiting = home.appender.append([payload(1)], DEFAULT_TERMS, abort.signal)
  const rejected = assert.rejects(waiting, { code: 'ABORTED' })
  abort.abort()
  await home.settle()
  await rejected
  assert.equal((await first).size, 6)
})

test('HM28: a buffered append is acknowledged at once, unsigned, and committed with the next turn', async () => {
  const home = new MemoryHome()
  const ack = await home.appender.append([payload(1)], { ...DEFAULT_TERMS, level: 'buffered' })
  assert.deepEqual(ack, { index: 0, count: 1, size: 1, level: 'buffered' })
  const verified = home.openVerified()
  verified.advance()
  assert.equal(verified.size, 0)
  await home.settle()
  verified.advance()
  assert.equal(verified.size, 1)
})

test('HM36: with an unknown state nothing is signed until recover says so, once', async () => {
  const home = new MemoryHome()
  await home.append(payload(1))
  const old = home.medium.copy()
  await home.append(payload(2))
  const restored = new MemoryHome({ medium: old, anchor: home.anchor })
  await assert.rejects(restored.appender.append([payload(3)], DEFAULT_TERMS), {
    code: 'WRITER_STATE_UNKNOWN',
  })
  assert.equal(restored.size, 1)
  const recovered = restored.appender.recover('the only copy')
  const after = restored.appender.append([payload(4)], DEFAULT_TERMS)
  await restored.settle()
  assert.deepEqual(await recovered, { index: 1, count: 1, size: 2, level: 'stored' })
  assert.deepEqual(await after, { index: 2, count: 1, size: 3, level: 'stored' })
  const verified = restored.openVerified()
  verified.advance()
  assert.equal(verified.entry(1).header.ext.control?.type, 'recover')
  await assert.rejects(restored.appender.recover('again'), { code: 'USAGE' })
})

/** Five slices that write down what had been committed when each of them ran. */
function* countCommits(home: MemoryHome, seen: number[]): Slices<string> {
  for (let i = 0; i < 5; i++) {
    seen.push(home.size)
    yield
  }
  return 'done'
}

test('HM50: long work has one slice between two commits, and appends go on', async () => {
  const home = new MemoryHome()
  const seen: number[] = []
  const result = home.driver.inSlices(() => countCommits(home, seen))
  const acks: Promise<unknown>[] = []
  for (let turn = 0; turn < 8; turn++) {
    acks.push(home.appender.append([payload(turn)], DEFAULT_TERMS))
    home.loop.turn()
    await flushMicrotasks()
    assert.equal(home.size, turn + 1, 'an append waits for one slice')
  }
  assert.deepEqual(seen, [1, 2, 3, 4, 5], 'the first turn begins the work')
  assert.equal(await result, 'done')
  await Promise.all(acks)
})

test('HM50: a slice waits for a sync off the thread, and no sync is in flight during it', async () => {
  const home = new MemoryHome()
  home.loop.isServing = true
  const seen: number[] = []
  const result = home.driver.inSlices(() => countCommits(home, seen))
  const ack = home.appender.append([payload(1)], DEFAULT_TERMS)
  home.loop.turn()
  await flushMicrotasks()
  home.loop.turn()
  await flushMicrotasks()
  assert.equal(home.loop.pendingSyncs, 1)
  assert.deepEqual(seen, [])
  await home.settle()
  assert.deepEqual(seen, [1, 1, 1, 1, 1])
  assert.equal(await result, 'done')
  await ack
})

test('HM31 HM50: work in slices fails with the driver, and is given up', async () => {
  const home = new MemoryHome()
  home.loop.isServing = true
  let isGivenUp = false
  const result = home.driver.inSlices(() => endless(() => (isGivenUp = true)))
  const rejected = assert.rejects(result, { code: 'STORE_FAILED' })
  home.loop.turn()
  await flushMicrotasks()
  home.loop.turn()
  await flushMicrotasks()
  const lost = assert.rejects(home.appender.append([payload(1)], DEFAULT_TERMS))
  home.loop.turn()
  await flushMicrotasks()
  home.loop.syncFailure = new Error('the disk is gone')
  await home.settle()
  await Promise.all([rejected, lost])
  assert.ok(isGivenUp)
})

test('ND18: work in slices that nobody waits for any more ends between two of them', async () => {
  const home = new MemoryHome()
  home.loop.isServing = true
  const stopping = new AbortController()
  let isGivenUp = false
  const work = () => endless(() => (isGivenUp = true))
  const result = home.driver.inSlices(work, stopping.signal)
  const rejected = assert.rejects(result, /over/)
  home.loop.turn()
  await flushMicrotasks()
  home.loop.turn()
  await flushMicrotasks()
  assert.equal(isGivenUp, false)
  stopping.abort(new Error('it is over'))
  await home.settle()
  await rejected
  assert.ok(isGivenUp)
  await home.driver.drained()
})

/** Work that ends only when it is given up. */
function* endless(givenUp: () => void): Slices<void> {
  try {
    for (;;) yield
  } finally {
    givenUp()
  }
}
