/**
 * `npm run fuzz`: mutates valid samples of each decoder until it misbehaves.
 *
 *     npm run fuzz                        the list of targets
 *     npm run fuzz -- header cbor         some of them
 *     npm run fuzz -- all --seconds 120   all of them, sharing that time
 *     npm run fuzz -- smoke               all of them for a moment, with a seed that stays
 *     npm run fuzz -- header --input HEX  one input again
 *       --seed N      the same inputs as last time (default: a new seed, printed)
 *
 * The canaries must be found in every run; otherwise nothing that passed means anything.
 *
 * @module
 */
import { randomInt } from 'node:crypto'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { Worker } from 'node:worker_threads'
import { formatHex, parseHex } from '@longshore/capsule'
import { canaries } from './fuzz/canary.ts'
import { type FuzzResult, type FuzzTarget, fire } from './fuzz/fuzz-target.ts'
import { type FuzzOrder, LastInput } from './fuzz/fuzz-worker.ts'
import { targets } from './fuzz/targets.ts'

const SECONDS_EACH = 10
const SMOKE_ITERATIONS = 1_000
const CANARY_ITERATIONS = 20_000

/** A decoder that shows no progress for so long hangs. */
const HANG_MS = 20_000

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string' },
    seed: { type: 'string' },
    input: { type: 'string' },
  },
})

function fail(message: string): never {
  console.error(message)
  process.exit(2)
}

function find(name: string): FuzzTarget {
  const target = [...targets, ...canaries].find((candidate) => candidate.name === name)
  return target ?? fail(`there is no target ${name}; without a name comes the list`)
}

/** In a thread of its own, so that an endless loop is found as well. */
async function run(order: Omit<FuzzOrder, 'shared'>): Promise<FuzzResult> {
  const last = new LastInput()
  const script = resolve(import.meta.dirname, 'fuzz/fuzz-worker.ts')
  const worker = new Worker(script, { workerData: { ...order, shared: last.shared } })
  let seen = -1
  let timer: NodeJS.Timeout | undefined
  const hang = new Promise<FuzzResult>((settle) => {
    timer = setInterval(() => {
      const { count, input } = last.read()
      if (count !== seen) {
        seen = count
        return
      }
      const finding = { iteration: count, input: formatHex(input), problem: 'does not end' }
      settle({ iterations: count, accepted: 0, finding })
    }, HANG_MS)
  })
  const end = new Promise<FuzzResult>((settle, refuse) => {
    worker.once('message', settle).once('error', refuse)
  })
  try {
    return await Promise.race([end, hang])
  } finally {
    clearInterval(timer)
    await worker.terminate()
  }
}

if (positionals.length === 0) {
  for (const { name } of targets) console.log(name)
  process.exit(0)
}
const smoke = positionals.includes('smoke')
const selected = smoke || positionals.includes('all') ? [...targets] : positionals.map(find)
if (values.input !== undefined) {
  const input = parseHex(values.input) ?? fail('--input takes hexadecimal digits')
  for (const target of selected) console.log(target.name, fire(target, input))
  process.exit(0)
}

const seed = values.seed === undefined ? (smoke ? 1 : randomInt(2 ** 47)) : Number(values.seed)
const seconds =
  values.seconds === undefined ? SECONDS_EACH : Number(values.seconds) / selected.length
console.log(`seed ${seed}`)

for (const { name } of canaries) {
  const { finding } = await run({ name, seed, iterations: CANARY_ITERATIONS, seconds: Infinity })
  if (finding !== undefined) continue
  console.log(`${name} was not found: the fuzzer is broken`)
  process.exitCode = 1
}
for (const { name } of selected) {
  const limit = smoke
    ? { iterations: SMOKE_ITERATIONS, seconds: Infinity }
    : { iterations: Number.MAX_SAFE_INTEGER, seconds }
  const { iterations, accepted, finding } = await run({ name, seed, ...limit })
  console.log(`${name.padEnd(24)} ${iterations} inputs, ${accepted} accepted`)
  if (finding === undefined) continue
  process.exitCode = 1
  console.log(`  input ${finding.iteration} of seed ${seed}: ${finding.problem}`)
  console.log(`  npm run fuzz -- '${name}' --input ${finding.input}`)
}
