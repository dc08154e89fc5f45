/**
 * A federation of real processes under real faults, run after run, and the check of everything
 * that it has promised: `net/round.ts` is one run, `history.ts` the check.
 *
 * After the runs the kernel itself makes faults, a mirror is overloaded, and live nodes are
 * attacked.
 *
 * @module
 */
import { Prng } from '@longshore/engine/testing'
import { attackNodes } from './net/hostile.ts'
import { runKernelFaults } from './net/kernel-faults.ts'
import { overloadMirror } from './net/overload.ts'
import { type RoundReport, runRound } from './net/round.ts'
import { Progress } from './results.ts'

/** Load and faults of one run; what is interrupted is repeated from its start. */
const ROUND_S_MAX = 240
const WRITERS = 2
const FOLLOWERS = 3
const LINES_PER_S = 20
/** Runs shorter than this have no time to lose a mirror. */
const DAMAGE_S_MIN = 30
/** Of the whole time, for each of what comes after the runs. */
const SHARE_AFTER = 0.1
const AFTER_S_MIN = 2

export interface NetOptions {
  readonly commit: string
  readonly seed: number
  readonly seconds: number
}

/** What comes after the runs. */
const STAGES = { kernel: runKernelFaults, overload: overloadMirror, hostile: attackNodes }

type Facts = Readonly<Record<string, string | number>>

interface NetState {
  readonly firstSeed: number
  seed: number
  seconds: number
  runs: number
  acks: number
  ackedEntries: number
  gaveUp: number
  looks: number
  readonly kills: Record<string, number>
  readonly faults: Record<string, number>
  readonly counts: Record<string, number>
  readonly deliveryMs: number[]
  readonly convergenceMs: number[]
  readonly damage: string[]
  readonly rssBytesMax: Record<string, number>
  /** What came out of the stages that are over. */
  readonly stages: Record<string, Facts>
}

/** Facts to print and record, in this order. Throws at the first broken promise. */
export async function runNet(options: NetOptions): Promise<Facts> {
  const { commit, seed, seconds } = options
  const progress = new Progress(`net-${seconds}`, commit, emptyState(seed))
  const { state } = progress
  progress.save()
  console.log(`seed ${state.seed}${state.seed === state.firstSeed ? '' : ', continued'}`)
  const afterS = Math.max(AFTER_S_MIN, Math.round(seconds * SHARE_AFTER))
  const roundsS = Math.max(1, seconds - 3 * afterS)
  while (state.seconds < roundsS) {
    const roundS = Math.min(ROUND_S_MAX, roundsS - state.seconds)
    const terms = { writers: WRITERS, followers: FOLLOWERS, linesPerS: LINES_PER_S }
    const damages = roundS >= DAMAGE_S_MIN
    add(state, await runRound({ seed: state.seed, seconds: roundS, damages, ...terms }))
    state.seconds += roundS
    progress.save()
    console.log(`run ${state.runs}: ${state.acks} acknowledgements, ${countOf(state.kills)} kills`)
  }
  for (const [stage, run] of Object.entries(STAGES)) {
    if (state.stages[stage] !== undefined) continue
    state.stages[stage] = await run(new Prng(state.firstSeed), afterS)
    progress.save()
    console.log(`${stage}: ${Object.values(state.stages[stage]).join('; ')}`)
  }
  progress.clear()
  return Object.assign(describe(state), ...Object.values(state.stages))
}

function emptyState(seed: number): NetState {
  const counts = { seconds: 0, runs: 0, acks: 0, ackedEntries: 0, gaveUp: 0, looks: 0 }
  const lists = { deliveryMs: [], convergenceMs: [], damage: [] }
  const tables = { kills: {}, faults: {}, counts: {}, rssBytesMax: {}, stages: {} }
  return { firstSeed: seed, seed, ...counts, ...lists, ...tables }
}

function add(state: NetState, report: RoundReport): void {
  state.seed++
  state.runs++
  state.acks += report.acks
  state.ackedEntries += report.ackedEntries
  state.gaveUp += report.gaveUp
  state.looks += report.looks
  addCounts(state.counts, report.counts)
  addCounts(state.kills, report.kills)
  addCounts(state.faults, report.faults)
  state.deliveryMs.push(...report.deliveryMs)
  state.convergenceMs.push(report.convergenceMs)
  if (report.damage !== undefined) state.damage.push(report.damage)
  for (const [role, bytes] of Object.entries(report.rssBytesMax)) {
    state.rssBytesMax[role] = Math.max(state.rssBytesMax[role] ?? 0, bytes)
  }
}

function addCounts(to: Record<string, number>, from: Readonly<Record<string, number>>): void {
  for (const [key, count] of Object.entries(from)) to[key] = (to[key] ?? 0) + count
}

const countOf = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((sum, count) => sum + count, 0)

function describe(state: NetState): Record<string, string | number> {
  const list = (counts: Readonly<Record<string, number>>): string =>
    Object.entries(counts)
      .map(([key, count]) => `${count} ${key}`)
      .join(', ')
  const memory = Object.entries(state.rssBytesMax).map(
    ([role, bytes]) => `${role} ${Math.round(bytes / 1e6)} MB`,
  )
  return {
    seeds: `${state.firstSeed} to ${state.seed - 1}, ${state.runs} runs`,
    topology: `3 domains, 2 routers, 3 mirrors, ${WRITERS} writers, ${FOLLOWERS} followers`,
    acknowledged: `${state.ackedEntries} entries in ${state.acks} acknowledgements, nothing lost, twice or out of order`,
    'mirrors asked what they hold': `${state.looks} times; what was acknowledged was there each time`,
    kills: list(state.kills),
    'link faults': list(state.faults),
    'writers and followers that gave up and were started again': state.gaveUp,
    'from the death of a router to what was written after it': percentiles(state.deliveryMs),
    'converged after the last fault': percentiles(state.convergenceMs),
    'damaged disks': state.damage.join('; ') || 'none: the run is too short',
    'not done': list(state.counts),
    'memory, resident, at most': memory.join(', '),
  }
}

function percentiles(samplesMs: readonly number[]): string {
  if (samplesMs.length === 0) return 'never measured'
  const sorted = [...samplesMs].sort((a, b) => a - b)
  const at = (share: number): string =>
    `${Math.round(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] as number)}`
  return `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, max ${at(1)} ms (${sorted.length} samples)`
}
