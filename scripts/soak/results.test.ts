/** An interrupted run goes on where it stopped; another commit, or a finished run, starts anew. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { Progress } from './results.ts'

test('progress survives an interruption, but neither its end nor another commit', () => {
  const name = `test-${process.pid}`
  const open = (commit: string): Progress<{ count: number }> =>
    new Progress(name, commit, { count: 0 })
  const first = open('a')
  first.state.count = 7
  first.save()
  assert.equal(open('a').state.count, 7)
  assert.equal(open('b').state.count, 0)
  first.clear()
  assert.equal(open('a').state.count, 0)
})
