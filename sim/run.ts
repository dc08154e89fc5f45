/**
 * Runs one world from its seed and says what came out.
 *
 * @module
 */

import { World } from './world.ts'
import { byzantine } from './worlds/byzantine.ts'
import { federation } from './worlds/federation.ts'
import { long } from './worlds/long.ts'
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
  | 'long'
  | 'scale'

export interface RunOptions {
  /** Seconds with faults, in `swarm` at most; after them a world runs until it has converged. */
  readonly ticks?: number | undefined
  /** In the world `scale`. */
  readonly nodes?: number
}

type Facts = Readonly<Record<string, string | number>>

/** Builds the world and runs it; returns what else there is to tell. */
type Plot = (world: World, ticks: number, nodes: number) => Facts | undefined

const NODES = 10_000
/** Most defects show soon, or never. Small worlds last longer, in the same time. */
const TICKS = 10
const SWARM_TICKS = 20
const LONG_TICKS = 3600

const WORLDS: Readonly<Record<WorldName, Plot>> = {
  federation,
  partition,
  crash,
  clock,
  byzantine,
  swarm,
  long,
  scale,
}

export const WORLD_NAMES: readonly WorldName[] = Object.keys(WORLDS) as WorldName[]
/** Of so many seeds in a row each of these has one, and `swarm` the others. */
const SEEDS_PER_TURN = 32
const ONE_EACH: readonly WorldName[] = ['federation', 'partition', 'crash', 'clock', 'byzantine']

/** The world of a seed alone. `long` and `scale` take minutes: they are asked for by name. */
export function worldOfSeed(seed: number): WorldName {
  return ONE_EACH[seed % SEEDS_PER_TURN] ?? 'swarm'
}

function ticksOf(name: WorldName): number {
  return name === 'long' ? LONG_TICKS : name === 'swarm' ? SWARM_TICKS : TICKS
}

export interface Outcome {
  readonly world: WorldName
  readonly seed: number
  readonly ticks: number
  readonly error: unknown
  readonly digest: string
  readonly facts: Facts
}

export function runWorld(name: WorldName, seed: number, options: RunOptions = {}): Outcome {
  const { ticks = ticksOf(name), nodes = NODES } = options
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
    replaced: world.replacedCount,
    mended: world.mendedCount,
    committed: world.truths.reduce((sum, { size }) => sum + size, 0),
    read: claims.entryCount,
    multicast: world.readers.reduce((sum, { multicastCount }) => sum + multicastCount, 0),
    left: world.readers.reduce((sum, { leftCount }) => sum + leftCount, 0),
    receipts: claims.receipts,
    ...more,
  }
  return { world: name, seed, ticks, error, digest: digest.text, facts }
}
