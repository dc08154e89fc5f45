import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CapsuleName } from '@longshore/capsule'
import { RUNNER, Subscriptions } from './subscriptions.ts'

test('OV40: a node subscribes with the first who wants it, and unsubscribes with the last', () => {
  const [one, other] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)] as CapsuleName[]
  assert.ok(one && other)
  const subscriptions = new Subscriptions()
  assert.equal(subscriptions.add(one, 'reader'), true)
  assert.equal(subscriptions.add(one, 'reader'), false)
  assert.equal(subscriptions.add(one, RUNNER), false)
  assert.equal(subscriptions.add(other, RUNNER), true)
  assert.deepEqual(subscriptions.of(one), ['reader', RUNNER])
  assert.equal(subscriptions.remove(one, 'reader'), false)
  assert.equal(subscriptions.remove(one, 'reader'), false)
  assert.equal(subscriptions.remove(one, RUNNER), true)
  assert.equal(subscriptions.remove(one, RUNNER), false)
  assert.deepEqual(subscriptions.of(one), [])
  assert.deepEqual(subscriptions.of(other), [RUNNER])
})
