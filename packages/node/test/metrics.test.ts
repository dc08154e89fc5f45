import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { after, test } from 'node:test'
import { judgeHealth } from '../src/node-health.ts'
import { NodeMeters } from '../src/node-meters.ts'
import { NodePlace } from './node-place.ts'

const place = new NodePlace()
after(() => place.close())

/** `longshore_x{labels} value` by `x{labels}`. */
function samplesOf(text: string): Map<string, number> {
  const samples = new Map<string, number>()
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue
    const match = /^longshore_(\S+) (\S+)$/.exec(line)
    assert.ok(match, line)
    samples.set(match[1] ?? '', Number(match[2]))
  }
  return samples
}

test('ND11: metrics count what happens, and are those that the guide lists', async () => {
  const node = await place.open('measured', { roles: ['mirror', 'gateway'], http: '127.0.0.1:0' })
  const writer = place.writer(1, node)
  writer.append(10)
  await writer.next('receipt', ({ head }) => head.size === 10)
  writer.append(5)
  await writer.next('receipt', ({ head }) => head.size === 15)
  const text = await (await fetch(`${node.http}/metrics`)).text()
  const samples = samplesOf(text)
  assert.equal(samples.get('mirrored_capsules'), 1)
  assert.equal(samples.get('entries_total'), 15)
  assert.equal(samples.get('receipts_total'), 2)
  assert.equal(samples.get('links{dialled="peer"}'), 1)
  assert.equal(samples.get('sessions'), 1)
  assert.equal(samples.get('refusals_total{code="NOT_FOUND"}'), 1)
  const syncs = samples.get('sync_seconds_count') ?? 0
  assert.ok(syncs >= 3)
  assert.equal(samples.get('sync_seconds_bucket{le="+Inf"}'), syncs)
  const guide = readFileSync(resolve(import.meta.dirname, '../../../docs/guide/operate.md'), 'utf8')
  const listed = [...guide.matchAll(/^\| `longshore_(\w+)/gm)].map(([, name]) => name)
  const shown = [...text.matchAll(/^# TYPE longshore_(\w+)/gm)].map(([, name]) => name)
  assert.deepEqual(listed, shown)
  await node.close()
})

test('ND11: the buckets of the sync histogram are cumulative', () => {
  const meters = new NodeMeters()
  for (const ms of [0.05, 0.2, 0.2, 7, 9999]) meters.synced(ms)
  const { buckets, count, sumS } = meters.syncs
  assert.equal(count, 5)
  assert.ok(Math.abs(sumS - 10.006_45) < 1e-9)
  const at = (boundS: number): number | undefined =>
    buckets.find((bucket) => bucket.boundS === boundS)?.count
  assert.deepEqual([at(0.0001), at(0.00025), at(0.01), at(2.5), at(Infinity)], [1, 3, 4, 4, 5])
  meters.close()
})

test('ND11: health says what is wrong; only what keeps a node from serving makes it unwell', () => {
  const neighbor = { principal: 'bafyreix', addresses: [], up: false, failures: 3, reason: 'gone' }
  const sound = {
    ...{ storeError: undefined, membershipError: undefined, memberUntilS: undefined },
    ...{ isDraining: false, isMirror: true, freeBytes: 1, neighbors: [], nowS: 0 },
    ...{ damaged: 0, mending: 0 },
  }
  assert.deepEqual(judgeHealth(sound), { ok: true, problems: [] })
  const poor = judgeHealth({ ...sound, freeBytes: 0, neighbors: [neighbor], memberUntilS: 86_400 })
  assert.equal(poor.ok, true)
  const codes = poor.problems.map(({ code }) => code)
  assert.deepEqual(codes, ['STORE_FULL', 'PEER_LOST', 'CERT_EXPIRED'])
  const rotten = judgeHealth({ ...sound, damaged: 2, mending: 1 })
  assert.equal(rotten.ok, true)
  assert.deepEqual(
    rotten.problems.map(({ code }) => code),
    ['STORE_CORRUPT', 'PAYLOAD_ABSENT'],
  )
  assert.ok(poor.problems.every(({ next }) => next !== ''))
  const failed = { code: 'STORE_FAILED', message: 'x' } as const
  assert.equal(judgeHealth({ ...sound, storeError: failed }).ok, false)
  assert.equal(judgeHealth({ ...sound, isDraining: true }).ok, false)
})
