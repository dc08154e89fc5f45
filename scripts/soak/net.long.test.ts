/**
 * A short life of a federation: routers, mirrors, a writer and a follower as processes, some of
 * them killed, and every promise checked. `npm run soak -- net` does as much as one likes.
 */
import assert from 'node:assert/strict'
import test from 'node:test'
import { Prng } from '@longshore/engine/testing'
import { attackNodes } from './net/hostile.ts'
import { runRound } from './net/round.ts'

test('what a federation acknowledged is there after routers, mirrors and writers were killed', async () => {
  const size = { seconds: 3, writers: 1, followers: 1, linesPerS: 20 }
  const report = await runRound({ seed: 1, ...size, damages: false })
  assert.ok(report.ackedEntries > 0)
  assert.ok((report.kills['router'] ?? 0) > 0)
  assert.equal(report.deliveryMs.length, 1)
})

test('nodes under attack go on', async () => {
  const { attacks } = await attackNodes(new Prng(1), 1)
  assert.match(attacks ?? '', /[1-9]\d* bad requests in [1-9]\d* sessions/)
})
