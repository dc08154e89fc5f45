/**
 * `npm run bench -- NAME...`: measures the embedded client beside a rival and the limit of this
 * machine, in the same run.
 *
 *     npm run bench -- append             one of the workloads below
 *     npm run bench -- append read open   several; without a name, the list
 *       --quick       short windows and small logs, to see that it works
 *       --json        one object for the whole run
 *       --record      also append the run to bench/RESULTS.md
 *       --rows TEXT   only rows whose title contains TEXT
 *
 * Windows of all contenders of a row are interleaved and their medians printed. Rates are only
 * comparable where the durability beside them is the same. A rival that this machine does not have
 * is named and left out.
 *
 * @module
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { loadavg } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { readConditions } from './frame/conditions.ts'
import { measureStudy, type Pace } from './frame/measure.ts'
import { formatConditions, formatRow, recordResults } from './frame/report.ts'
import { asStudy, type Row, type RowResult, type Study } from './frame/row.ts'

type Load = (quick: boolean) => Promise<readonly (Row | Study)[]>

/** Loaded only when asked for: `hash` must not need a rival or a client. */
const WORKLOADS: Readonly<Record<string, Load>> = {
  append: async () => (await import('./workloads/append.ts')).appendRows,
  read: async () => (await import('./workloads/read.ts')).readRows,
  open: async (quick) =>
    (await import('./workloads/open.ts')).createOpenRows(quick ? 50_000 : 1_000_000),
  replicate: async () => (await import('./workloads/replicate.ts')).replicateRows,
  delay: async () => (await import('./workloads/delay.ts')).delayRows,
  proof: async () => (await import('./workloads/proof.ts')).proofRows,
  session: async () => (await import('./workloads/session.ts')).sessionRows,
  hash: async () => (await import('./workloads/hash.ts')).hashRows,
  codec: async () => (await import('./workloads/codec.ts')).codecRows,
  network: async () => (await import('./workloads/network.ts')).networkRows,
  router: async () => (await import('./workloads/router.ts')).routerRows,
  fanout: async (quick) => (await import('./workloads/fanout.ts')).createFanoutRows(quick),
  heal: async (quick) => (await import('./workloads/heal.ts')).createHealRows(quick),
  idle: async (quick) => (await import('./workloads/idle.ts')).createIdleRows(quick),
  cli: async () => (await import('./workloads/cli.ts')).cliRows,
}

const PACE: Pace = { windowMs: 2000, windowCount: 5 }
const QUICK_PACE: Pace = { windowMs: 300, windowCount: 3 }

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    record: { type: 'boolean', default: false },
    rows: { type: 'string', default: '' },
  },
})
const unknown = positionals.filter((name) => !Object.hasOwn(WORKLOADS, name))
if (positionals.length === 0 || unknown.length > 0) {
  console.error(`usage: npm run bench -- NAME..., with ${Object.keys(WORKLOADS).join(', ')}`)
  process.exit(2)
}

/** In the clone, so that its disk is measured and not a temporary one in memory. */
const workspace = mkdtempSync(join(resolve(import.meta.dirname), '.workspace-'))
// The writer's anchors belong to this run, not to the user.
process.env['XDG_STATE_HOME'] = join(workspace, 'state')
process.on('exit', () => rmSync(workspace, { recursive: true, force: true }))
process.on('SIGINT', () => process.exit(130))

const conditions = readConditions(workspace, loadavg()[0] ?? 0)
if (!values.json) console.log(formatConditions(conditions))
const results: Record<string, RowResult[]> = {}
for (const name of positionals) {
  const rows = (await WORKLOADS[name]?.(values.quick)) ?? []
  const measured: RowResult[] = []
  for (const study of rows.map(asStudy)) {
    const isWanted = ({ title }: { readonly title: string }): boolean => title.includes(values.rows)
    if (!study.facets.some(isWanted)) continue
    const all = await measureStudy(study, workspace, values.quick ? QUICK_PACE : PACE)
    for (const result of all.filter(isWanted)) {
      measured.push(result)
      if (!values.json) console.log(`\n${formatRow(result)}`)
    }
  }
  results[name] = measured
  const file = join(import.meta.dirname, 'RESULTS.md')
  if (values.record) recordResults(file, `bench ${name}`, conditions, measured)
}
if (values.json) console.log(JSON.stringify({ conditions, quick: values.quick, results }))
