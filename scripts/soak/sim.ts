/**
 * Worlds without end: seed after seed, in a process for each core.
 *
 * @module
 */
import { fork } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import { Progress } from './results.ts'

const TICKS = 60
const WORKER = resolve(import.meta.dirname, '../../sim/soak-worker.ts')

interface WorldOrder {
  readonly seed: number
  readonly ticks: number
}

/** What the worker answers. */
interface WorldReport {
  readonly seed: number
  readonly world: string
  /** Virtual. */
  readonly seconds: number
  readonly events: number
  /** Undefined if everything held. */
  readonly error: string | undefined
}

export interface WorldsOptions {
  readonly commit: string
  readonly seed: number
  readonly worlds: number
  /** Milliseconds after which no new world begins. */
  readonly ms: number
  /** Seconds with faults of each; most defects show soon, or never. */
  readonly ticks?: number
}

interface WorldsState {
  readonly firstSeed: number
  /** Worlds that were begun and ended, in the order of their seeds. */
  done: number
  virtualSeconds: number
  events: number
  readonly failed: string[]
}

/** Facts to print and record, in this order. */
export async function runWorlds(options: WorldsOptions): Promise<Record<string, string | number>> {
  const { commit, seed, worlds, ms, ticks = TICKS } = options
  const empty = { done: 0, virtualSeconds: 0, events: 0, failed: [] }
  const progress = new Progress<WorldsState>(`sim-${worlds}-${ticks}`, commit, {
    firstSeed: seed,
    ...empty,
  })
  const { state } = progress
  console.log(`seed ${state.firstSeed + state.done}${state.done === 0 ? '' : ', continued'}`)
  const started = performance.now()
  const isOver = (): boolean => state.done >= worlds || performance.now() - started >= ms
  while (!isOver()) {
    const count = Math.min(availableParallelism(), worlds - state.done)
    const first = state.firstSeed + state.done
    const orders = Array.from({ length: count }, (_, i) => ({ seed: first + i, ticks }))
    for (const report of await Promise.all(orders.map(runOne))) take(state, report, ticks)
    state.done += count
    progress.save()
  }
  progress.clear()
  if (state.failed.length > 0) process.exitCode = 1
  return {
    seeds: `${state.firstSeed} to ${state.firstSeed + state.done - 1}`,
    worlds: state.done,
    'virtual hours': (state.virtualSeconds / 3600).toFixed(2),
    events: state.events,
    failures: state.failed.length === 0 ? 'none' : state.failed.join('; '),
  }
}

function take(
  state: WorldsState,
  { seed, world, seconds, events, error }: WorldReport,
  ticks: number,
): void {
  state.virtualSeconds += seconds
  state.events += events
  if (error === undefined) return
  console.log(error)
  console.log(`npm run sim -- --seed ${seed} --world ${world} --ticks ${ticks}`)
  state.failed.push(`${world} ${seed}`)
}

/** A process of its own: what one world leaves behind touches no other. */
function runOne(order: WorldOrder): Promise<WorldReport> {
  return new Promise((settle) => {
    const worker = fork(WORKER)
    let report: WorldReport | undefined
    worker.on('message', (message: WorldReport) => {
      report = message
    })
    worker.on('exit', (code) => {
      const { seed } = order
      const error = `the process of seed ${seed} ended with code ${code}`
      settle(report ?? { seed, world: 'unknown', seconds: 0, events: 0, error })
    })
    worker.send(order)
  })
}
