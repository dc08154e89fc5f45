import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  asCapsuleName,
  type CapsuleName,
  createHeartbeat,
  formatCheckpoint,
  formatName,
  heartbeatLines,
  MAIN_BRANCH,
  UnavailableError,
} from '@longshore/capsule'
import { committedHead, MemoryStore, type SizedHeartbeat } from '@longshore/engine'
import { createCapsuleFixture, Prng, SignedBranch, StoreDriver } from '@longshore/engine/testing'
import { HEARTBEAT_MS, Heartbeats } from './heartbeats.ts'

function createScene() {
  const prng = new Prng(1)
  const capsule = createCapsuleFixture(prng)
  const driver = new StoreDriver(new MemoryStore())
  driver.commit(capsule.manifest, new SignedBranch(prng, capsule, MAIN_BRANCH).append(3))
  const timers: { readonly delayMs: number; readonly action: () => void }[] = []
  const told: [string, SizedHeartbeat][] = []
  let timeS = 1000
  const heartbeats = new Heartbeats({
    store: driver.store,
    state: async (name: CapsuleName) => {
      if (formatName(name) !== formatName(capsule.name)) {
        throw new UnavailableError('WRITER_STATE_UNKNOWN', 'who knows')
      }
      const head = committedHead(driver.store, name, MAIN_BRANCH)
      assert.ok(head)
      const heartbeat = createHeartbeat(name, head, timeS++, capsule.writer)
      const { key } = capsule.writer
      return formatCheckpoint(name, head, key, heartbeatLines(name, MAIN_BRANCH, heartbeat, key))
    },
    tell: (name, heartbeat) => void told.push([formatName(name), heartbeat]),
    after: (delayMs, action) => {
      const timer = { delayMs, action }
      timers.push(timer)
      return () => void timers.splice(timers.indexOf(timer), 1)
    },
  })
  const pass = async (): Promise<void> => {
    for (const { action } of timers.splice(0)) action()
    await new Promise((resolve) => setImmediate(resolve))
  }
  return { capsule, heartbeats, timers, told, pass }
}

test('NW25: the writer states its head again and again, as long as the capsule is pushed', async () => {
  const { capsule, heartbeats, timers, told, pass } = createScene()
  assert.equal(timers.length, 0)
  heartbeats.add(capsule.name)
  heartbeats.add(capsule.name)
  assert.deepEqual(
    timers.map(({ delayMs }) => delayMs),
    [HEARTBEAT_MS],
  )
  for (let i = 0; i < 3; i++) await pass()
  assert.deepEqual(
    told.map(([name, { size, timeS }]) => [name, size, timeS]),
    [1000, 1001, 1002].map((timeS) => [formatName(capsule.name), 3, timeS]),
  )
  await heartbeats.close()
  assert.equal(timers.length, 0)
})

test('NW25: a writer that may not sign has none, and keeps nobody else from having one', async () => {
  const { capsule, heartbeats, told, pass } = createScene()
  heartbeats.add(asCapsuleName(new Uint8Array(32)))
  heartbeats.add(capsule.name)
  await pass()
  assert.equal(told.length, 1)
  await heartbeats.close()
})
