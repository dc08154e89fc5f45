import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import type { CapsuleName, Ticket } from '@longshore/capsule'
import { type Capsule, type Home, openHome } from '@longshore/client/node'
import type { LongshoreNode } from '../src/index.ts'
import { NodePlace } from './node-place.ts'

const place = new NodePlace()
after(() => place.close())

/** A mirror behind a router, and a router behind that one, at which readers are. */
async function openChain(name: string) {
  const top = await place.open(`${name}-top`, { roles: ['router'] })
  const low = await place.open(`${name}-low`, { roles: ['router'], join: [ticketOf(top)] })
  const mirror = await place.open(`${name}-mirror`, { join: [ticketOf(top)] })
  return { top, low, mirror }
}

function ticketOf({ ticket }: LongshoreNode): Ticket {
  assert.ok(ticket)
  return ticket
}

async function openAt(name: string, node: LongshoreNode): Promise<Home> {
  const home = await openHome({ path: place.path(name) })
  await home.network.connect(ticketOf(node))
  return home
}

async function createMirrored(home: Home, mirror: LongshoreNode, isPublic = true) {
  const capsule = await home.create({ public: isPublic })
  await home.network.connect(ticketOf(mirror))
  await home.network.addMirror(capsule.name, mirror.name)
  return capsule
}

/** Follows from the beginning, and knows what it has. */
class Follower {
  readonly texts: string[] = []
  readonly #stop = new AbortController()
  readonly #home: Home
  readonly #done: Promise<void>
  #onEntry: (() => void) | undefined

  private constructor(home: Home, capsule: Capsule) {
    this.#home = home
    this.#done = this.#follow(capsule)
  }

  static async open(home: Home, name: CapsuleName): Promise<Follower> {
    return new Follower(home, await home.network.open(name))
  }

  async reach(count: number): Promise<void> {
    while (this.texts.length < count) {
      await new Promise<void>((resolve) => {
        this.#onEntry = resolve
      })
    }
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    await this.#done
  }

  async close(): Promise<void> {
    await this.stop()
    await this.#home.close()
  }

  async #follow(capsule: Capsule): Promise<void> {
    try {
      for await (const entry of capsule.follow({ signal: this.#stop.signal })) {
        this.texts.push(entry.text())
        this.#onEntry?.()
      }
    } catch (error) {
      if (!this.#stop.signal.aborted) throw error
    }
  }
}

function streams({ status }: LongshoreNode): number {
  return status.mirror?.followers ?? 0
}

interface Scene {
  readonly home: Home
  readonly capsule: Capsule
  readonly mirrors: readonly LongshoreNode[]
  readonly followers: readonly Follower[]
}

/** Resolves when a session streams to each of them: nothing is appended meanwhile. */
async function streamed({ home, capsule, mirrors, followers }: Scene): Promise<void> {
  const count = (): number => mirrors.reduce((sum, mirror) => sum + streams(mirror), 0)
  while (count() < followers.length) await home.network.status(capsule.name)
}

/** Appends one entry after the other until all of them go by the tree. */
async function goByTree({ capsule, mirrors, followers }: Scene): Promise<void> {
  for (let i = 0; mirrors.some((mirror) => streams(mirror) > 0); i++) {
    assert.ok(i < 1000, 'the tree does not deliver')
    await capsule.append(`entry ${capsule.size}`, { level: 'replicated:1' })
    await Promise.all(followers.map((follower) => follower.reach(capsule.size)))
  }
}

function expectWhole({ texts }: Follower): void {
  assert.deepEqual(
    texts,
    Array.from({ length: texts.length }, (_, i) => `entry ${i}`),
  )
}

test('NW26 RR12: followers go by the tree, and the mirror sends an entry once for both', async () => {
  const { low, mirror } = await openChain('a')
  await using home = await openAt('a-home', mirror)
  await using capsule = await createMirrored(home, mirror)
  await capsule.append('entry 0', { level: 'replicated:1' })
  const followers = [
    await Follower.open(await openAt('a-one', low), capsule.name),
    await Follower.open(await openAt('a-two', low), capsule.name),
  ]
  const scene = { home, capsule, mirrors: [mirror], followers }
  await streamed(scene)
  await goByTree(scene)
  const sent = (): number => mirror.status.links.reduce((n, link) => n + link.sentBytes, 0)
  const payload = 'x'.repeat(200_000)
  const before = sent()
  await capsule.append(payload, { level: 'replicated:1' })
  await Promise.all(followers.map((follower) => follower.reach(capsule.size)))
  const bytes = sent() - before
  assert.ok(bytes > 200_000 && bytes < 300_000, `${bytes} bytes`)
  for (const follower of followers) {
    assert.equal(follower.texts.pop(), payload)
    expectWhole(follower)
    await follower.close()
  }
})

test('RR13 MI30: an entry too large for the tree comes through a session, and no link falls', async () => {
  const { top, low, mirror } = await openChain('b')
  await using home = await openAt('b-home', mirror)
  await using capsule = await createMirrored(home, mirror)
  await capsule.append('entry 0', { level: 'replicated:1' })
  const follower = await Follower.open(await openAt('b-one', low), capsule.name)
  const scene = { home, capsule, mirrors: [mirror], followers: [follower] }
  await streamed(scene)
  await goByTree(scene)
  const payload = 'x'.repeat(1_048_576)
  await capsule.append(payload, { level: 'replicated:1' })
  await follower.reach(capsule.size)
  assert.equal(follower.texts.at(-1), payload)
  assert.equal(top.status.counters.protocolErrors + low.status.counters.protocolErrors, 0)
  assert.equal(streams(mirror), 1)
  await goByTree(scene)
  await follower.close()
})

test('NW12 NW26: whichever mirror publishes dies, the follow goes on, and goes by the tree again', async () => {
  const { top, low, mirror } = await openChain('c')
  const other = await place.open('c-other', { join: [ticketOf(top)] })
  await using home = await openAt('c-home', mirror)
  await using capsule = await createMirrored(home, mirror)
  await home.network.connect(ticketOf(other))
  await home.network.addMirror(capsule.name, other.name)
  await capsule.append('entry 0', { level: 'replicated:2' })
  const followers = [await Follower.open(await openAt('c-one', low), capsule.name)]
  const scene = { home, capsule, mirrors: [mirror, other], followers }
  await streamed(scene)
  await goByTree(scene)
  const listen = mirror.listen
  await mirror.close()
  await capsule.append(`entry ${capsule.size}`, { level: 'replicated:1' })
  await followers[0]?.reach(capsule.size)
  const again = await place.open('c-mirror', { join: [ticketOf(top)], listen })
  await capsule.append(`entry ${capsule.size}`, { level: 'replicated:2' })
  await other.close()
  await goByTree({ ...scene, mirrors: [again] })
  for (const follower of followers) {
    expectWhole(follower)
    await follower.close()
  }
})

test('NW26: two follows in one home are two, and one of them ends alone', async () => {
  const { low, mirror } = await openChain('d')
  await using home = await openAt('d-home', mirror)
  await using capsule = await createMirrored(home, mirror)
  await capsule.append('entry 0', { level: 'replicated:1' })
  const reading = await openAt('d-one', low)
  const [one, other] = [
    await Follower.open(reading, capsule.name),
    await Follower.open(reading, capsule.name),
  ]
  const scene = { home, capsule, mirrors: [mirror], followers: [one, other] }
  await streamed(scene)
  await goByTree(scene)
  await one.stop()
  for (let i = 0; i < 3; i++) {
    await capsule.append(`entry ${capsule.size}`, { level: 'replicated:1' })
    await other.reach(capsule.size)
    assert.equal(streams(mirror), 0)
  }
  expectWhole(other)
  await other.close()
})

test('NW11 NW12: a follow whose caller is slow is given up, and gets the rest when it goes on', async () => {
  const mirror = await place.open('e-mirror', { roles: ['router', 'mirror'] })
  await using home = await openAt('e-home', mirror)
  await using capsule = await createMirrored(home, mirror)
  await using other = await openAt('e-other', mirror)
  await using remote = await other.open(capsule.name)
  const followed = remote.follow({ to: 11 })[Symbol.asyncIterator]()
  const first = followed.next()
  await capsule.append('0', { level: 'replicated:1' })
  assert.equal((await first).value.index, 0)
  // Nobody takes the next ones, which are too large for the tree.
  for (let i = 1; i <= 8; i++) {
    await capsule.append(String(i).repeat(1_000_000), { level: 'replicated:1' })
  }
  for (let i = 0; streams(mirror) > 0 && i < 500; i++) await home.network.status(capsule.name)
  assert.equal(streams(mirror), 0)
  for (const last of ['9', '10']) await capsule.append(last, { level: 'replicated:1' })
  for (let i = 1; i <= 10; i++) assert.equal((await followed.next()).value.index, i)
  assert.equal((await followed.next()).done, true)
})
