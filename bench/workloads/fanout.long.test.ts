/** The fan-out of real processes: what each link carries. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { measureStudy } from '../frame/measure.ts'
import type { RowResult, Study } from '../frame/row.ts'
import { createFanoutRows } from './fanout.ts'

test('OV40: ten followers along the tree cost the link of their mirror one copy, sessions ten', async () => {
  const workspace = mkdtempSync(join(tmpdir(), 'longshore-bench-'))
  process.env['XDG_STATE_HOME'] = join(workspace, 'state')
  try {
    const study = createFanoutRows(true).at(-1) as Study
    const rows = await measureStudy(study, workspace, { windowMs: 50, windowCount: 1 })
    const bytes = rows.find(({ title }) => title.includes('from the mirror')) as RowResult
    const [sessions, tree] = bytes.measured.map(({ value }) => value)
    assert.ok(sessions !== undefined && tree !== undefined && tree > 0)
    assert.ok(tree * 3 < sessions, `${tree} B along the tree, ${sessions} B in sessions`)
  } finally {
    rmSync(workspace, { recursive: true })
  }
})
