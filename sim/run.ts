/**
 * Runs one world from its seed and says what came out.
 *
 * @module
 */

import { World } from './world.ts'
import { byzantine } from './worlds/byzantine.ts'
import { federation } from './worlds/federation.ts'
import { scale } from './worlds/scale.ts'
import { clock, crash, partition } from './worlds/storms.ts'
import { swarm } from './worlds/swarm.ts'

export type WorldName =
  | 'federation'
  | 'partition'
  | 'crash'
  | 'clock'
  | 'byzantine'
  | 'swarm'
  | 'scale'

export interface RunOptions {
  /** Seconds with faults; after them a world runs until it has converged. */
  readonly ticks: number
  /** In the world `scale`. */
  readonly nodes?: number
}

type Facts = Readonly<Record<string, string | number>>

/** Builds the world and runs it; returns what else there is to tell. */
type Plot = (world: World, ticks: number, nodes: number) => Facts | undefined

const NODES = 10_000

const WORLDS: Readonly<Record<WorldName, Plot>> = {
  federation,
  partition,
  crash,
  clock,
  byzantine,
  swarm,
  scale,
}

export const WORLD_NAMES: readonly WorldName[] = Object.keys(WORLDS) as WorldName[]
/** Those that follow from a seed alone: `scale` measures, and takes minutes. */
const DRAWN: readonly WorldName[] = WORLD_NAMES.filter((name) => name !== 'scale')

export function worldOfSeed(seed: number): WorldName {
  return DRAWN[seed % DRAWN.length] as WorldName
}

export interface Outcome {
  readonly world: WorldName
  readonly seed: number
  readonly error: unknown
  readonly digest: string
  readonly facts: Facts
}

export function runWorld(name: WorldName, seed: number, options: RunOptions): Outcome {
  const { ticks, nodes = NODES } = options
  const world = new World(seed)
  let error: unknown
  let more: Facts = {}
  try {
    more = WORLDS[name](world, ticks, nodes) ?? {}
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
    ...more,
  }
  return { world: name, seed, error, digest: digest.text, facts }
}
