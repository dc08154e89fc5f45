import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MAIN_BRANCH } from '@longshore/capsule'
import { MirrorHome } from '../testing/mirror-home.ts'
import { Prng } from '../testing/prng.ts'
import { PublisherHome } from '../testing/publisher-home.ts'
import { SimCrash } from '../testing/sim-disk.ts'
import { committedHead, pendingImport } from './committed-head.ts'

/** A home that pushes in several commits: small ones, one of many messages, and an erasure. */
class CrashWorld {
  readonly home: PublisherHome
  readonly mirror: MirrorHome
  #session = 0

  constructor(seed: number) {
    const prng = new Prng(seed)
    this.home = new PublisherHome(prng)
    this.mirror = new MirrorHome(prng)
  }

  get receiptSize(): number {
    const receipts = this.home.effects.filter((effect) => effect.type === 'receipt')
    return receipts.at(-1)?.head.size ?? 0
  }

  work(): void {
    const { home } = this
    home.append(3)
    this.connect()
    this.exchange()
    home.append(600)
    this.exchange()
    home.erase([1, 2])
    home.append(2)
    this.exchange()
  }

  connect(): void {
    this.home.connect(this.mirror, ++this.#session)
  }

  exchange(): void {
    this.home.exchange(this.mirror, this.#session)
  }

  /** The mirror process is gone, and another one opens what is left. */
  restart(how: 'kill' | 'power'): void {
    this.home.publisher.closed(this.#session)
    this.mirror.restart(how)
  }
}

test('MI9 MI11: a crash at any operation of the disk loses nothing that was receipted', () => {
  const whole = new CrashWorld(1)
  const first = whole.mirror.disk.counts.operations
  whole.work()
  const last = whole.mirror.disk.counts.operations
  assert.ok(last - first > 8)
  let crashes = 0
  for (let operation = first; operation < last; operation++) {
    for (const when of ['before', 'after'] as const) {
      const world = new CrashWorld(1)
      world.mirror.disk.crashAt(operation, when)
      try {
        world.work()
      } catch (error) {
        if (!(error instanceof SimCrash)) throw error
        crashes++
      }
      checkAfter(world, `${when} operation ${operation}`, operation % 2 === 0 ? 'power' : 'kill')
    }
  }
  assert.ok(crashes > 16)
})

function checkAfter(world: CrashWorld, when: string, how: 'power' | 'kill'): void {
  const { home, mirror } = world
  const { name } = home.capsule
  const receipted = world.receiptSize
  world.restart(how)
  const size = committedHead(mirror.store, name, MAIN_BRANCH)?.size ?? 0
  assert.ok(size >= receipted, `${when}: ${size} entries, ${receipted} were receipted`)
  // The head between two steps of a catch-up is signed by nobody; fsck cannot know the note.
  const isPending = pendingImport(mirror.store, name, MAIN_BRANCH) !== undefined
  const problems = mirror.store.fsck().problems.filter(({ code }) => {
    return !(isPending && code === 'BAD_SIGNATURE')
  })
  assert.deepEqual(problems, [], when)
  // It goes on: everything arrives, and is receipted.
  world.connect()
  if (home.branch.size === 3) home.append(4)
  world.exchange()
  const range = { start: 0, end: home.branch.size }
  assert.deepEqual(
    [...mirror.store.scan(name, MAIN_BRANCH, range)],
    [...home.driver.store.scan(name, MAIN_BRANCH, range)],
    when,
  )
  assert.equal(world.receiptSize, home.branch.size, when)
}

test('MI19: a full disk refuses the push with a code, and nothing is lost', () => {
  const world = new CrashWorld(2)
  const { home, mirror } = world
  home.append(10)
  world.connect()
  world.exchange()
  mirror.disk.faultAt(mirror.disk.counts.operations, 'FULL')
  home.append(5)
  world.exchange()
  const failed = home.effects.find((effect) => effect.type === 'failed')
  assert.equal((failed?.error as { code?: string } | undefined)?.code, 'STORE_FULL')
  assert.equal(world.receiptSize, 10)
  home.take(home.publisher.retry(mirror.headLog.name))
  world.exchange()
  assert.equal(world.receiptSize, 15)
})
