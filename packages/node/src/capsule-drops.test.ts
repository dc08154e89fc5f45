import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MAIN_BRANCH } from '@longshore/capsule'
import { flushMicrotasks, ManualLoop, WriteDriver } from '@longshore/client/testing'
import { committedHead, readStated } from '@longshore/engine'
import { MirrorHome, Prng, PublisherHome } from '@longshore/engine/testing'
import { CapsuleDrops, type CapsuleDropsParts } from './capsule-drops.ts'
import { mirrorTransactions } from './mirror-transactions.ts'

test('ND13 MI29: what is stated while a capsule is dropped is remembered when it is freed', async () => {
  const prng = new Prng(3)
  const home = new MirrorHome(prng)
  const publisher = new PublisherHome(prng)
  publisher.append(10)
  publisher.connect(home, 1)
  publisher.exchange(home, 1)
  const { name } = publisher.capsule
  const { store, mirror, runtime, headLog } = home
  const loop = new ManualLoop()
  loop.isServing = true
  const driver = new WriteDriver(store, loop.platform, () => {})
  const keys = { has: () => false } as unknown as CapsuleDropsParts['held']['keys']
  const compact = async () => ({ bytesBefore: 0, bytesAfter: 0 })
  const withinReserve = async <T>(action: () => T | Promise<T>): Promise<T> => action()
  const drops = new CapsuleDrops({
    held: { ...{ store, driver, keys }, compact, withinReserve },
    ...{ headLog: headLog.name, mirror, runtime },
    tell: (effects) => home.take(effects),
  })
  const source = mirrorTransactions({
    mirror: () => mirror,
    tell: (effects) => home.take(effects),
    failed: () => assert.fail('nothing is refused'),
  })

  const dropped = drops.drop(name, { free: true })
  loop.turn()
  // While it is synced the writer pushes on: that is cut at once when the sync has ended.
  publisher.append(10)
  publisher.take(publisher.publisher.work())
  for (const message of publisher.sentTo(1)) home.receive(1, message)
  driver.request(source)
  await loop.finishSync()
  assert.equal(loop.pendingSyncs, 1, 'the statement is on its way')
  for (let i = 0; i < 20; i++) {
    if (loop.pendingSyncs > 0) await loop.finishSync()
    loop.turn()
    await flushMicrotasks()
  }
  await dropped
  assert.equal(committedHead(store, name, MAIN_BRANCH), undefined)
  assert.equal(readStated(store, name, MAIN_BRANCH)?.size, 20)
})
