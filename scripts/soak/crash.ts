/**
 * Crashes without end: a simulated disk that fails at every operation of a piece of work, seed
 * after seed, and real writers that are killed.
 *
 * @module
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Prng, runCrashSweep } from '@longshore/engine/testing'
import { runKillLoop } from '../kill-loop.ts'
import { Progress } from './results.ts'

/** Short pieces of work are swept often, long ones seldom: most defects show in short ones. */
const STEPS_MIN = 20
const STEPS_MAX = 200

/** Kills in one home; then a new one begins. */
const KILLS_PER_HOME = 10

export interface CrashOptions {
  readonly commit: string
  readonly seed: number
  readonly kills: number
  readonly simSeconds: number
}

/** What is done of a run that may have been interrupted. */
interface CrashState {
  readonly firstSeed: number
  seed: number
  simMs: number
  sweeps: number
  runs: number
  kills: number
  killedEntries: number
}

/** Facts to print and record, in this order. Throws at the first broken promise. */
export async function runCrashes(options: CrashOptions): Promise<Record<string, string | number>> {
  const { commit, seed, kills, simSeconds } = options
  const empty = { simMs: 0, sweeps: 0, runs: 0, kills: 0, killedEntries: 0 }
  const start: CrashState = { firstSeed: seed, seed, ...empty }
  const progress = new Progress(`crash-${kills}-${simSeconds}`, commit, start)
  const { state } = progress
  progress.save()
  console.log(`seed ${state.seed}${state.seed === state.firstSeed ? '' : ', continued'}`)
  while (state.simMs < simSeconds * 1000) {
    sweepOnce(state, simSeconds * 1000)
    progress.save()
  }
  while (state.kills < kills) {
    await killSome(state, kills)
    progress.save()
  }
  progress.clear()
  return {
    seeds: `${state.firstSeed} to ${state.seed - 1}`,
    'simulated crashes': `${state.runs} in ${state.sweeps} pieces of work, nothing lost`,
    'real kills': `${state.kills} over ${state.killedEntries} entries, nothing acknowledged lost`,
  }
}

function sweepOnce(state: CrashState, simMsMax: number): void {
  const started = performance.now()
  const left = simMsMax - state.simMs
  const steps = new Prng(state.seed).between(STEPS_MIN, STEPS_MAX)
  const isOver = (): boolean => performance.now() - started > left
  const { runs } = runCrashSweep({ seed: state.seed, steps, isOver })
  state.seed++
  state.sweeps++
  state.runs += runs
  state.simMs += performance.now() - started
  console.log(`sweep ${state.sweeps}: ${steps} steps, ${state.runs} crashes so far`)
}

async function killSome(state: CrashState, killsMax: number): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'longshore-kills-'))
  const { seed } = state
  const kills = Math.min(KILLS_PER_HOME, killsMax - state.kills)
  try {
    const { entryCount } = await runKillLoop({ kills, seed, directory })
    state.killedEntries += entryCount
  } catch (error) {
    throw new Error(`${kills} kills with seed ${seed}; the home is ${directory}`, { cause: error })
  }
  rmSync(directory, { recursive: true })
  state.seed++
  state.kills += kills
  console.log(`${state.kills} kills, ${state.killedEntries} entries`)
}
