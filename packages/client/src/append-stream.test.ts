import assert from 'node:assert/strict'
import { test } from 'node:test'
import { UnavailableError, UsageError } from '@longshore/capsule'
import { checkPayload } from './append-request.ts'
import { appendStream, type StreamTarget } from './append-stream.ts'
import type { Ack } from './capsule.ts'

/** A writer that commits when the test says so. */
class ManualTarget implements StreamTarget {
  size = 0
  readonly calls: { count: number; index: number; settle: (error?: Error) => void }[] = []
  readonly check = checkPayload

  defer(action: () => void): void {
    setImmediate(action)
  }

  append(payloads: readonly Uint8Array[]): Promise<Ack> {
    const index = this.size
    const count = payloads.length
    this.size += count
    return new Promise((resolve, reject) => {
      const settle = (error?: Error): void => {
        if (error !== undefined) reject(error)
        else resolve({ index, count, size: this.size, level: 'stored' })
      }
      this.calls.push({ count, index, settle })
    })
  }
}

async function turns(count = 3): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve))
}

/** A source that yields what the test pushes. */
class PushSource implements AsyncIterable<string> {
  isReturned = false
  readonly #items: string[] = []
  #wake: (() => void) | undefined
  #isEnded = false

  push(...items: string[]): void {
    this.#items.push(...items)
    this.#wake?.()
  }

  end(): void {
    this.#isEnded = true
    this.#wake?.()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<string> {
    try {
      for (;;) {
        const item = this.#items.shift()
        if (item !== undefined) yield item
        else if (this.#isEnded) return
        else await new Promise<void>((resolve) => (this.#wake = resolve))
      }
    } finally {
      this.isReturned = true
    }
  }
}

test('HM33: a stream that stays open is acknowledged without waiting for its end', async () => {
  const target = new ManualTarget()
  const source = new PushSource()
  const acks = appendStream(target, source)
  const first = acks.next()
  source.push('a', 'b')
  await turns()
  assert.equal(target.calls.length, 1)
  target.calls[0]!.settle()
  assert.deepEqual((await first).value, { index: 0, count: 2, size: 2, level: 'stored' })
  const second = acks.next()
  source.push('c')
  await turns()
  target.calls[1]!.settle()
  assert.deepEqual((await second).value, { index: 2, count: 1, size: 3, level: 'stored' })
  const end = acks.next()
  source.end()
  assert.equal((await end).done, true)
})

test('HM33: calls that one commit made durable are one acknowledgement', async () => {
  const target = new ManualTarget()
  const source = new PushSource()
  const acks = appendStream(target, source)
  const first = acks.next()
  source.push('a')
  await turns()
  source.push('b')
  await turns()
  assert.equal(target.calls.length, 2)
  for (const call of target.calls) call.settle()
  assert.deepEqual((await first).value, { index: 0, count: 2, size: 2, level: 'stored' })
  await acks.return()
})

test('HM34: the source is asked only as fast as entries are committed', async () => {
  const target = new ManualTarget()
  let taken = 0
  function* endless(): Generator<Uint8Array> {
    for (;;) {
      taken++
      yield new Uint8Array(1_000_000)
    }
  }
  const acks = appendStream(target, endless())
  const first = acks.next()
  await turns(10)
  assert.ok(taken >= 16 && taken <= 18, `16 MiB are in flight, not ${taken} MB`)
  const before = taken
  target.calls[0]!.settle()
  await first
  await turns(10)
  assert.ok(taken > before && taken <= before + 2)
  await acks.return()
})

test('HM33: when the source fails, what came before is acknowledged first', async () => {
  const target = new ManualTarget()
  async function* failing(): AsyncGenerator<string> {
    yield 'a'
    await turns()
    throw new Error('the sensor broke')
  }
  const acks = appendStream(target, failing())
  const first = acks.next()
  await turns(6)
  target.calls[0]!.settle()
  assert.equal((await first).value?.count, 1)
  await assert.rejects(acks.next(), { message: 'the sensor broke' })
})

test('HM33: an item that is no payload ends the stream like a failing source', async () => {
  const target = new ManualTarget()
  const acks = appendStream(target, ['fine', new Uint8Array(2_000_000), 'never'])
  const first = acks.next()
  await turns()
  assert.equal(target.size, 1)
  target.calls[0]!.settle()
  assert.equal((await first).value?.count, 1)
  await assert.rejects(
    acks.next(),
    (error) => error instanceof UsageError && error.code === 'PAYLOAD_TOO_LARGE',
  )
})

test('HM33: a failing append, a signal and an early return let go of the source', async () => {
  const failing = new ManualTarget()
  const source = new PushSource()
  const acks = appendStream(failing, source)
  const first = acks.next()
  source.push('a')
  await turns()
  failing.calls[0]!.settle(new UnavailableError('STORE_FULL', 'full'))
  await assert.rejects(first, { code: 'STORE_FULL' })
  source.push('b')
  await turns()
  assert.equal(source.isReturned, true)
  assert.equal(failing.calls.length, 1, 'nothing is appended after a failure')

  const abort = new AbortController()
  const aborted = appendStream(new ManualTarget(), new PushSource(), abort.signal)
  const pending = assert.rejects(aborted.next(), { code: 'ABORTED' })
  abort.abort()
  await pending
})
