/**
 * `npm test`: every `*.test.ts` of the clone, with Node's own test runner.
 *
 *     npm test                    everything but `*.long.test.ts`
 *     npm test -- tree proof      files whose path contains one of these
 *     npm test -- --name 'CP3'    tests whose title matches this regular expression
 *
 * Prints failures, skips with their reasons, and a last line `N passed, N failed[, N skipped]`.
 * `LONGSHORE_REQUIRE=go,openssl` turns a skip for the lack of one of these tools into a failure.
 * Pure packages share a few processes, everything else gets a process for each file.
 *
 * @module
 */
import { fork } from 'node:child_process'
import { globSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { type Result, Tally } from './test/tally.ts'
import type { WorkerOrder } from './test/worker.ts'

const root = resolve(import.meta.dirname, '..')
const FOLDERS = ['packages', 'sim', 'scripts', 'vectors', 'bench']

/** Long proofs beyond the two minutes: `.ci/run` has time for them. */
const LONG = /\.long\.test\.ts$/

/** Begin first: the end of a run must not wait for one of them alone. */
const SLOWEST = /\/(transcripts|network(-trouble)?|snippets|start|schemas|kill-loop)\.test\.ts$/

/** Rooms whose tests need no process of their own: nothing in them touches the machine. */
const PURE = /^(packages\/(capsule|engine)|packages\/client\/src(?!\/platform)|sim\/checkers)\//

/** A shared process runs one test after the other, so there are as many as cores, up to this. */
const SHARED_PROCESSES_MAX = 4

/** Beyond one for each core: files with processes and networks wait half of their time. */
const WAITING_FILES = 1

const BUDGET_S = 120

// What tests start compiles nothing twice, not even the first file of the command line.
process.env['NODE_COMPILE_CACHE'] ??= resolve(root, 'node_modules/.cache/longshore')

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { name: { type: 'string' } },
})

const files = FOLDERS.flatMap((folder) =>
  globSync(`${folder}/**/*.test.ts`, { cwd: root, exclude: ['**/node_modules'] }).sort(),
)
  .filter((path) => {
    if (positionals.length === 0) return !LONG.test(path)
    return positionals.some((part) => path.includes(part))
  })
  .sort((a, b) => Number(SLOWEST.test(b)) - Number(SLOWEST.test(a)))
if (files.length === 0) {
  console.error(`no test file has ${positionals.join(' or ')} in its path`)
  process.exit(2)
}

const required = (process.env['LONGSHORE_REQUIRE'] ?? '').split(',').filter((tool) => tool !== '')
const tally = new Tally(required)
const started = performance.now()
const concurrency = availableParallelism()
const pure = files.filter((path) => PURE.test(path))
const shared = Math.min(concurrency, SHARED_PROCESSES_MAX)
await Promise.all([
  runFiles({
    files: files.filter((path) => !PURE.test(path)),
    isolation: 'process',
    concurrency: concurrency + WAITING_FILES,
  }),
  ...Array.from({ length: shared }, (_, group) => {
    const own = pure.filter((_path, at) => at % shared === group)
    return runFiles({ files: own, isolation: 'none', concurrency })
  }),
])
const seconds = (performance.now() - started) / 1000
if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')
for (const line of tally.report()) console.log(line)
if (seconds > BUDGET_S) {
  console.log(`${seconds.toFixed(0)} s, above the budget of ${BUDGET_S} s; slowest:`)
  for (const line of tally.slowest()) console.log(`  ${line}`)
}
console.log(`${files.length} files, ${seconds.toFixed(1)} s`)
console.log(tally.summary())
process.exitCode = tally.failed === 0 ? 0 : 1

/** Resolves when the worker is done; its death before that counts as a failed test. */
async function runFiles(order: WorkerOrder): Promise<void> {
  if (order.files.length === 0) return
  const name = values.name === undefined ? {} : { name: values.name }
  const worker = fork(resolve(import.meta.dirname, 'test/worker.ts'), {
    cwd: root,
    stdio: ['ignore', 2, 2, 'ipc'],
  })
  let last = order.files[0] ?? ''
  let done = false
  const silent = new Set(order.files)
  worker.on('message', (message: Result | 'done') => {
    if (message === 'done') {
      done = true
      worker.disconnect()
      return
    }
    last = message.entry
    silent.delete(last)
    tally.add(message)
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${tally.summary()}  ${last}`)
  })
  worker.send({ ...order, ...name })
  const code = await new Promise((settle) => worker.on('exit', settle))
  if (!done) {
    const detail = `the test process ended with code ${code} in or after this file`
    const place = { file: last, line: 1, entry: last, title: 'all tests', durationMs: 0 }
    tally.add({ ...place, outcome: 'fail', detail })
  } else if (values.name === undefined && order.isolation === 'process') {
    // In a shared process a suite's tests seem to come from the suite's file.
    for (const file of silent) tally.addSilent(file)
  }
}
