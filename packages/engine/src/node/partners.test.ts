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

test('MI21: the mirrors of a few capsules are asked for sooner at first, then every minute', () => {
  const partners = new Partners()
  for (let i = 0; i < 60; i++) partners.add(`${i}`)
  const asked = ask(partners, 0, 5 * MINUTE_US)
  assert.equal(asked.size, 60)
  const times = [0, 2, 6, 14, 30, 62, 122, 182, 242].map((s) => s * 1_000_000)
  for (const askedUs of asked.values()) assert.deepEqual(askedUs, times)
})

test('MI21: where somebody is found every minute is enough', () => {
  const partners = new Partners()
  for (const key of ['found', 'alone']) partners.add(key)
  assert.deepEqual(partners.takeDue(0), ['found', 'alone'])
  partners.found('found', 1_000_000)
  const asked = ask(partners, 1_000_000, 122_000_000)
  assert.deepEqual(asked.get('found'), [61_000_000, 121_000_000])
  assert.equal(asked.get('alone')?.length, 5)
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

test('MI21: a new link does not begin the first pauses anew', () => {
  const partners = new Partners()
  partners.add('old')
  ask(partners, 0, 5 * MINUTE_US)
  partners.hasten(5 * MINUTE_US)
  const times = [5, 6, 7].map((minutes) => minutes * MINUTE_US)
  assert.deepEqual(ask(partners, 5 * MINUTE_US, 8 * MINUTE_US).get('old'), times)
})
