import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Acknowledging } from './acknowledging.ts'
import { CHUNK_BYTES_MAX, SESSION_LIMITS } from './limits.ts'

const { ackDelayUs, steadyAckDelayUs } = SESSION_LIMITS

/** `count` small chunks in order, each acknowledged before the next one comes. */
function receiveSmall(acknowledging: Acknowledging, count: number): void {
  for (let i = 0; i < count; i++) {
    assert.equal(acknowledging.received(100, true, 0), false)
    acknowledging.sent()
  }
}

test('SN19: a chunk is acknowledged after 5 ms, one of a steady row of small ones after 20 ms', () => {
  const acknowledging = new Acknowledging(SESSION_LIMITS)
  acknowledging.received(100, true, 1000)
  assert.equal(acknowledging.dueUs, 1000 + ackDelayUs)
  acknowledging.sent()
  assert.equal(acknowledging.dueUs, Number.POSITIVE_INFINITY)
  receiveSmall(acknowledging, 63)
  acknowledging.received(100, true, 2000)
  assert.equal(acknowledging.dueUs, 2000 + steadyAckDelayUs)
})

test('SN19: a large chunk, one that came twice and one behind a gap end the row', () => {
  for (const end of ['large', 'out of order'] as const) {
    const acknowledging = new Acknowledging(SESSION_LIMITS)
    receiveSmall(acknowledging, 100)
    acknowledging.received(100, true, 0)
    const isAtOnce = acknowledging.received(
      end === 'large' ? CHUNK_BYTES_MAX : 100,
      end === 'large',
      1000,
    )
    assert.equal(isAtOnce, end !== 'large')
    if (end === 'large') assert.equal(acknowledging.dueUs, 1000 + ackDelayUs)
    acknowledging.sent()
    acknowledging.received(100, true, 3000)
    assert.equal(acknowledging.dueUs, 3000 + ackDelayUs)
  }
})

test('SN19: sixteen chunks, or two large ones, are acknowledged at once', () => {
  const acknowledging = new Acknowledging(SESSION_LIMITS)
  for (let i = 1; i < 16; i++) assert.equal(acknowledging.received(100, true, 0), false)
  assert.equal(acknowledging.received(100, true, 0), true)
  acknowledging.sent()
  assert.equal(acknowledging.received(CHUNK_BYTES_MAX, true, 0), false)
  assert.equal(acknowledging.received(CHUNK_BYTES_MAX, true, 0), true)
})
