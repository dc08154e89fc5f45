/** The arithmetic of the benchmark: medians, interleaving, ratios and verdicts. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { measureRow, measureStudy, median, percentile } from './measure.ts'
import { formatRow } from './report.ts'
import type { Contender, Row, RowResult, Study } from './row.ts'

const PACE = { windowMs: 1, windowCount: 3 }

function contender(
  name: string,
  role: Contender['role'],
  measure: Contender['measure'],
): Contender {
  return { name, role, durability: 'no disk', measure }
}

async function measureIn(row: Row): Promise<RowResult> {
  const workspace = mkdtempSync(join(tmpdir(), 'longshore-bench-'))
  try {
    return await measureRow(row, workspace, PACE)
  } finally {
    rmSync(workspace, { recursive: true })
  }
}

test('median and percentiles are values that were measured', () => {
  assert.equal(median([3, 1, 2]), 2)
  assert.equal(percentile([5, 1, 4, 2, 3], 0.99), 5)
  assert.equal(percentile([5, 1, 4, 2, 3], 0.01), 1)
  assert.ok(Number.isNaN(median([])))
})

test('windows of the contenders take turns, the first round does not count', async () => {
  const order: string[] = []
  const values = { a: [100, 1, 3, 2], b: [100, 10, 30, 20] }
  const next = (name: 'a' | 'b') => (): number => {
    order.push(name)
    return values[name][order.filter((done) => done === name).length - 1] ?? 0
  }
  const row: Row = {
    ...{ title: 't', unit: 'u', better: 'more' },
    contenders: async () => [
      contender('a', 'longshore', next('a')),
      contender('b', 'rival', next('b')),
    ],
  }
  const { measured } = await measureIn(row)
  assert.equal(order.join(''), 'abababab')
  assert.deepEqual(measured[0]?.windows, [1, 3, 2])
  assert.deepEqual(
    measured.map(({ value }) => value),
    [2, 20],
  )
})

test('contenders are closed even if one fails', async () => {
  const closed: string[] = []
  const failing = contender('a', 'longshore', () => {
    throw new Error('broken')
  })
  const row: Row = {
    ...{ title: 't', unit: 'u', better: 'more' },
    contenders: async () => [{ ...failing, close: () => void closed.push('a') }],
  }
  await assert.rejects(measureIn(row), /broken/)
  assert.deepEqual(closed, ['a'])
})

test('the facets of a study come out of the same windows; who has no number is left out', async () => {
  let window = 0
  const ours: Contender<readonly number[]> = {
    ...contender('ours', 'longshore', () => 0),
    measure: () => [++window, 10 * window],
  }
  const limit: Contender<readonly (number | undefined)[]> = {
    ...contender('bare', 'limit', () => 0),
    measure: () => [undefined, 7],
  }
  const facet = { unit: 'u', better: 'less' } as const
  const study: Study = {
    facets: [
      { ...facet, title: 'one' },
      { ...facet, title: 'ten' },
    ],
    contenders: async () => [ours, limit, { name: 'gone', role: 'rival', absent: 'not here' }],
  }
  const workspace = mkdtempSync(join(tmpdir(), 'longshore-bench-'))
  const results = await measureStudy(study, workspace, PACE)
  rmSync(workspace, { recursive: true })
  const values = results.map(({ measured }) => measured.map(({ name, value }) => [name, value]))
  assert.deepEqual(values, [
    [['ours', 3]],
    [
      ['ours', 30],
      ['bare', 7],
    ],
  ])
  assert.equal(results[1]?.absent[0]?.name, 'gone')
})

test('a report says whether the target is met and how the others compare', () => {
  const result: RowResult = {
    ...{ title: 'append', unit: 'entries/s', better: 'more', target: 150, bound: 'the disk' },
    measured: [
      { name: 'ours', role: 'longshore', durability: 'durable', value: 200, windows: [] },
      { name: 'theirs', role: 'rival', durability: 'not durable', value: 50, windows: [] },
    ],
    absent: [{ name: 'nobody', role: 'rival', absent: 'it is not installed' }],
  }
  const text = formatRow(result)
  assert.match(text, /ours +200 entries\/s {2}durable {6}target 150: met/)
  assert.match(text, /theirs +50 entries\/s {2}not durable {2}ours: 4\.00 x of this/)
  assert.match(text, /bound by: the disk/)
  assert.match(text, /nobody +not measured: it is not installed/)
  assert.match(formatRow({ ...result, target: 250 }), /target 250: MISSED/)
  assert.match(formatRow({ ...result, better: 'less' }), /target 150: MISSED/)
  assert.match(formatRow({ ...result, better: 'less' }), /ours: 0\.25 x of this/)
})
