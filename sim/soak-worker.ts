/**
 * Runs the world of one seed and reports to `npm run soak -- sim`; then the process ends.
 *
 * @module
 */
import { runWorld, worldOfSeed } from './run.ts'

interface WorldOrder {
  readonly seed: number
  readonly ticks: number
}

interface WorldReport {
  readonly seed: number
  readonly world: string
  /** Virtual. */
  readonly seconds: number
  readonly events: number
  /** Undefined if everything held. */
  readonly error: string | undefined
}

process.once('message', ({ seed, ticks }: WorldOrder) => {
  const world = worldOfSeed(seed)
  const { error, facts } = runWorld(world, seed, { ticks })
  const report: WorldReport = {
    ...{ seed, world, seconds: Number(facts['seconds']), events: Number(facts['events']) },
    error: error instanceof Error ? error.stack : error === undefined ? undefined : String(error),
  }
  process.send?.(report)
  process.disconnect()
})
