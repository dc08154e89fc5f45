/**
 * `npm run soak`: the long proofs.
 *
 *     npm run soak -- crash    simulated disks that lose and tear writes, and real kills
 *       --kills N                real processes to kill (default 300; 0 for none)
 *       --sim-seconds N          time for simulated crashes (default 1800; 0 for none)
 *     npm run soak -- scale    ten million entries in one capsule
 *       --entries N              fewer of them
 *       --capsules N             instead: so many idle capsules in one home
 *       --nodes N                instead: so many simulated nodes, and how they find each other
 *
 *     npm run soak -- sim      simulated worlds, with every kind of fault
 *       --worlds N               so many (default 10000)
 *       --hours N                instead: long worlds of so many simulated hours together
 *       --minutes N              no new world after this
 *       --workers N              processes at the same time (default: one for each core)
 *
 *     npm run soak -- net      processes of three trust domains, killed, cut off and damaged
 *       --seconds N              of load and faults (default 1800)
 *
 *       --seed N                 start here (default: a new seed, printed)
 *       --no-record              do not append the run to bench/RESULTS.md
 *
 * Ctrl-C loses nothing: the same command goes on where it stopped, unless the commit changed.
 *
 * @module
 */
import { randomInt } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { runCrashes } from './soak/crash.ts'
import { runIdleCapsules } from './soak/idle-capsules.ts'
import { runNet } from './soak/net.ts'
import { currentCommit, recordRun } from './soak/results.ts'
import { runScale } from './soak/scale.ts'
import { runWorlds, type WorldsOptions } from './soak/sim.ts'
import { runSimulatedNodes } from './soak/simulated-nodes.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    kills: { type: 'string' },
    'sim-seconds': { type: 'string' },
    entries: { type: 'string', default: '10000000' },
    capsules: { type: 'string' },
    nodes: { type: 'string' },
    worlds: { type: 'string', default: '10000' },
    hours: { type: 'string' },
    workers: { type: 'string' },
    minutes: { type: 'string' },
    seconds: { type: 'string', default: '1800' },
    seed: { type: 'string' },
    'no-record': { type: 'boolean', default: false },
  },
})

const commit = currentCommit()
const seed = values.seed === undefined ? randomInt(2 ** 47) : count('seed', values.seed)

function count(name: string, text: string): number {
  const value = Number(text)
  if (Number.isSafeInteger(value) && value >= 0) return value
  console.error(`--${name} takes a whole number`)
  process.exit(2)
}

/** Naming one kind of crash means: only that one. */
function crashOptions() {
  const { kills, 'sim-seconds': simSeconds } = values
  const none = kills === undefined && simSeconds === undefined
  return {
    seed,
    commit,
    kills: kills === undefined ? (none ? 300 : 0) : count('kills', kills),
    simSeconds: simSeconds === undefined ? (none ? 1800 : 0) : count('sim-seconds', simSeconds),
  }
}

function worldsOptions(): WorldsOptions {
  const { hours, minutes, workers } = values
  return {
    ...{ commit, seed, worlds: count('worlds', values.worlds) },
    ...(hours === undefined ? {} : { hours: count('hours', hours) }),
    ms: minutes === undefined ? Number.POSITIVE_INFINITY : count('minutes', minutes) * 60_000,
    workers:
      workers === undefined ? availableParallelism() : Math.max(1, count('workers', workers)),
  }
}

async function run(): Promise<Readonly<Record<string, string | number>>> {
  switch (positionals[0]) {
    case 'crash':
      return runCrashes(crashOptions())
    case 'scale':
      if (values.capsules !== undefined) {
        return runIdleCapsules(count('capsules', values.capsules))
      }
      if (values.nodes !== undefined) return runSimulatedNodes(count('nodes', values.nodes), seed)
      return runScale({ seed, entryCount: count('entries', values.entries) })
    case 'sim':
      return runWorlds(worldsOptions())
    case 'net':
      return runNet({ commit, seed, seconds: count('seconds', values.seconds) })
    default:
      console.error('usage: npm run soak -- crash|net|sim|scale')
      process.exit(2)
  }
}

const started = performance.now()
const facts = { commit, ...(await run()) }
const seconds = Math.round((performance.now() - started) / 1000)
const all: Readonly<Record<string, string | number>> = { ...facts, duration: `${seconds} s` }
for (const [key, value] of Object.entries(all)) console.log(`${key}: ${value}`)
if ((all['failures'] ?? 'none') !== 'none') process.exitCode = 1
if (!values['no-record']) recordRun(`soak ${positionals[0]}`, all)
