/**
 * Runs the worlds that `npm run soak -- sim` orders, one after the other, until nobody is there to
 * hear what came out.
 *
 * @module
 */
import { runWorld, worldOfSeed } from './run.ts'

interface WorldOrder {
  readonly seed: number
  readonly isLong: boolean
  readonly ticks: number | undefined
}

interface WorldReport {
  readonly seed: number
  readonly world: string
  /** Virtual. */
  readonly seconds: number
  readonly events: number
  readonly cpuMs: number
  /** Undefined if everything held. */
  readonly error: string | undefined
}

process.on('message', ({ seed, isLong, ticks }: WorldOrder) => {
  const world = isLong ? 'long' : worldOfSeed(seed)
  const before = process.cpuUsage()
  const { error, facts } = runWorld(world, seed, { ticks })
  const { user, system } = process.cpuUsage(before)
  const report: WorldReport = {
    ...{ seed, world, seconds: Number(facts['seconds']), events: Number(facts['events']) },
    cpuMs: (user + system) / 1000,
    error: error instanceof Error ? error.stack : error === undefined ? undefined : String(error),
  }
  // Whoever ordered it may be gone meanwhile.
  process.send?.(report, undefined, undefined, () => {})
})
