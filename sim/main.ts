/**
 * `npm run sim`: whole worlds of machines under one seed.
 *
 *     npm run sim -- --seed 7 --world crash    that world, again
 *     npm run sim -- --worlds 20               the next seeds of all worlds in turn
 *       --ticks N     seconds with faults (default: 10; 3600 in `long`; up to 20 in `swarm`)
 *       --nodes N     in the world `scale` (default 10000)
 *       --json        what each world found as one line of JSON, and nothing else
 *
 * Prints the seed first, and at a failure the command that repeats it.
 *
 * @module
 */
import { execFileSync } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'
import { type Outcome, runWorld, WORLD_NAMES, type WorldName, worldOfSeed } from './run.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    world: { type: 'string' },
    ticks: { type: 'string' },
    worlds: { type: 'string', default: '1' },
    nodes: { type: 'string', default: '10000' },
    json: { type: 'boolean', default: false },
  },
})

function count(name: string, text: string): number {
  const value = Number(text)
  if (Number.isSafeInteger(value) && value >= 0) return value
  console.error(`--${name} takes a whole number`)
  process.exit(2)
}

function worldName(text: string): WorldName {
  const found = WORLD_NAMES.find((name) => name === text)
  if (found !== undefined) return found
  console.error(`--world is one of ${WORLD_NAMES.join(', ')}`)
  process.exit(2)
}

const first = values.seed === undefined ? randomInt(2 ** 32) : count('seed', values.seed)
const ticks = values.ticks === undefined ? undefined : count('ticks', values.ticks)
const options = { ticks, nodes: count('nodes', values.nodes) }
const chosen = values.world === undefined ? undefined : worldName(values.world)

let failures = 0
for (let i = 0; i < count('worlds', values.worlds); i++) {
  const name = chosen ?? worldOfSeed(first + i)
  if (!values.json) console.log(`seed ${first + i}, world ${name}`)
  const started = performance.now()
  const outcome = runWorld(name, first + i, options)
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  if (values.json) {
    const { facts, digest } = outcome
    console.log(JSON.stringify({ seed: first + i, world: name, facts, digest }))
  } else {
    const facts = Object.entries(outcome.facts).map(([key, value]) => `${key} ${value}`)
    console.log(`  ${facts.join(', ')}; digest ${outcome.digest}; ${seconds} s`)
  }
  if (outcome.error !== undefined) report(outcome)
}
process.exitCode = failures === 0 ? 0 : 1

function report({ world, seed, ticks, error }: Outcome): void {
  failures++
  console.log(
    `  FAILED: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
  )
  const commit = execFileSync('git', ['rev-parse', '--short=12', 'HEAD'], { encoding: 'utf8' })
  console.log(`  at ${commit.trim()} with Node ${process.version}:`)
  console.log(`  npm run sim -- --seed ${seed} --world ${world} --ticks ${ticks}`)
}
