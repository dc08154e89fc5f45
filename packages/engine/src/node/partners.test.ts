import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Partners } from './partners.ts'

const MINUTE_US = 60_000_000

function ask(partners: Partners, fromUs: number, untilUs: number): Map<string, number[]> {
  const asked = new Map<string, number[]>()
  for (let nowUs = fromUs; nowUs < untilUs; nowUs = Math.max(partners.dueUs, nowUs + 1)) {
    for (const key of partners.takeDue(nowUs)) asked.set(key, [...(asked.get(key) ?? []), nowUs])
  }
  return asked
}

test('MI21: the mirrors of a few capsules are asked for every minute', () => {
  const partners = new Partners()
  for (let i = 0; i < 60; i++) partners.add(`${i}`)
  const asked = ask(partners, 1000, 10 * MINUTE_US)
  assert.equal(asked.size, 60)
  for (const times of asked.values()) assert.equal(times.length, 10)
})

test('MI21: those of 100,000 in turns within an hour, a new one first', () => {
  const partners = new Partners()
  for (let i = 0; i < 100_000; i++) partners.add(`${i}`)
  const asked = ask(partners, 0, 60 * MINUTE_US)
  assert.equal(asked.size, 100_000)
  partners.add('new')
  assert.deepEqual(partners.takeDue(partners.dueUs)[0], 'new')
  partners.delete('new')
  assert.ok(!ask(partners, 60 * MINUTE_US, 120 * MINUTE_US).has('new'))
})

test('MI21: all of them are asked for again where there is somebody new to ask', () => {
  const partners = new Partners()
  for (let i = 0; i < 100; i++) partners.add(`${i}`)
  assert.equal(ask(partners, 0, 10_000_000).size, 100)
  partners.hasten(11_000_000)
  assert.equal(ask(partners, 11_000_000, 20_000_000).size, 100)
})
