import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Ack, AppendOptions, Capsule } from '@longshore/client/node'
import { appendTimed } from './append-timed.ts'
import type { Piece } from './input/piece.ts'

/** A capsule whose appends settle when the test says so. */
class HeldCapsule {
  readonly times: (number | undefined)[] = []
  readonly #held: { done: (ack: Ack) => void; fail: (error: Error) => void }[] = []

  append(_: Uint8Array | string, { timeUs }: AppendOptions = {}): Promise<Ack> {
    this.times.push(timeUs)
    return new Promise((done, fail) => this.#held.push({ done, fail }))
  }

  acknowledge(index: number): void {
    this.#held[index]?.done({ index, count: 1, size: index + 1, level: 'stored' })
  }

  fail(index: number): void {
    this.#held[index]?.fail(new Error('no room'))
  }

  asCapsule(): Capsule {
    return this as unknown as Capsule
  }
}

async function* piecesOf(count: number, bytes = 1, error?: Error): AsyncGenerator<Piece> {
  for (let at = 0; at < count; at++) yield { payload: new Uint8Array(bytes), timeUs: at * 10 }
  if (error !== undefined) throw error
}

/** Everything that can happen without the test doing something has happened. */
function settled(): Promise<void> {
  return new Promise((done) => setImmediate(done))
}

test('CL24: every entry gets its own time, and acknowledgements come as they come', async () => {
  const held = new HeldCapsule()
  const acks = appendTimed(held.asCapsule(), piecesOf(3), { level: 'stored' })
  const first = acks.next()
  await settled()
  assert.deepEqual(held.times, [0, 10, 20])
  held.acknowledge(0)
  assert.equal((await first).value?.index, 0)
  held.acknowledge(1)
  held.acknowledge(2)
  assert.equal((await acks.next()).value?.index, 1)
  assert.equal((await acks.next()).value?.index, 2)
  assert.equal((await acks.next()).done, true)
})

test('CL26: no more is taken from the input than is under way at once', async () => {
  for (const [bytes, most] of [
    [1, 4096],
    [1_048_576, 8],
  ] as const) {
    const held = new HeldCapsule()
    const acks = appendTimed(held.asCapsule(), piecesOf(5000, bytes), { level: 'stored' })
    const first = acks.next()
    await settled()
    assert.equal(held.times.length, most)
    held.acknowledge(0)
    await first
    await settled()
    assert.equal(held.times.length, most + 1)
  }
})

test('CL27: a bad input is reported after what came before it is acknowledged', async () => {
  const held = new HeldCapsule()
  const acks = appendTimed(held.asCapsule(), piecesOf(2, 1, new Error('bad line')), { level: 'stored' })
  const first = acks.next()
  await settled()
  held.acknowledge(0)
  held.acknowledge(1)
  assert.equal((await first).value?.index, 0)
  assert.equal((await acks.next()).value?.index, 1)
  await assert.rejects(acks.next(), /bad line/)
})

test('CL27: a failed append ends it, also while the input stays open', async () => {
  const held = new HeldCapsule()
  async function* open(): AsyncGenerator<Piece> {
    yield { payload: new Uint8Array(1), timeUs: 0 }
    await new Promise(() => undefined)
  }
  const acks = appendTimed(held.asCapsule(), open(), { level: 'stored' })
  const first = acks.next()
  await settled()
  held.fail(0)
  await assert.rejects(first, /no room/)
})
