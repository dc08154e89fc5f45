/**
 * Runs one world from its seed and says what came out.
 *
 * @module
 */

import { World } from './world.ts'
import { byzantine } from './worlds/byzantine.ts'
import { federation } from './worlds/federation.ts'
import { clock, crash, partition } from './worlds/storms.ts'
import { swarm } from './worlds/swarm.ts'

export type WorldName = 'federation' | 'partition' | 'crash' | 'clock' | 'byzantine' | 'swarm'

/** Builds the world and runs it: so many seconds with faults, then until it has converged. */
type Plot = (world: World, ticks: number) => void

const WORLDS: Readonly<Record<WorldName, Plot>> = {
  federation,
  partition,
  crash,
  clock,
  byzantine,
  swarm,
}

export const WORLD_NAMES: readonly WorldName[] = Object.keys(WORLDS) as WorldName[]

export interface Outcome {
  readonly world: WorldName
  readonly seed: number
  readonly error: unknown
  readonly digest: string
  readonly facts: Readonly<Record<string, string | number>>
}

export function runWorld(name: WorldName, seed: number, ticks: number): Outcome {
  const world = new World(seed)
  let error: unknown
  try {
    WORLDS[name](world, ticks)
  } catch (thrown) {
    error = thrown ?? new Error('nothing was thrown')
  }
  const { claims, digest } = world
  const facts = {
    nodes: world.nodes.length,
    seconds: Math.round(world.nowUs / 1e6),
    events: digest.count,
    deaths: world.deaths,
    committed: world.truths.reduce((sum, { size }) => sum + size, 0),
    read: claims.entryCount,
    receipts: claims.receipts,
  }
  return { world: name, seed, error, digest: digest.text, facts }
}
