/** Ten kills of real writers. `.ci/run` does 30, `npm run soak -- crash` as many as one likes. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { runKillLoop } from './kill-loop.ts'

test('ten writers killed under load lose nothing that was acknowledged', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'longshore-kills-'))
  const { kills, entryCount } = await runKillLoop({ kills: 10, seed: 1, directory })
  assert.equal(kills, 10)
  assert.ok(entryCount > 100, `only ${entryCount} entries were written`)
  rmSync(directory, { recursive: true })
})
