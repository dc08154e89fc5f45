/**
 * A federation in one kind of bad weather each: networks that fall apart, machines that crash,
 * clocks that are wrong.
 *
 * @module
 */

import { type FaultMix, Faults, NO_FAULTS } from '../faults.ts'
import { buildFederation } from '../federation.ts'
import { Workload } from '../workload.ts'
import type { World } from '../world.ts'

/** After two rounds of refused advertisements, and one of comparison between mirrors. */
export const CONVERGE_TICKS = 700
const HOUR_S = 3600

export function partition(world: World, ticks: number): undefined {
  storm(world, ticks, { ...NO_FAULTS, partition: 15, reset: 10, weather: 10 })
}

export function crash(world: World, ticks: number): undefined {
  storm(world, ticks, { ...NO_FAULTS, crash: 6, diskCrash: 3, diskError: 30 })
}

export function clock(world: World, ticks: number): undefined {
  const skewSMax = 5 * HOUR_S
  storm(world, ticks, { ...NO_FAULTS, clock: 4, crash: 20, reset: 20, skewSMax })
}

function storm(world: World, ticks: number, mix: FaultMix): void {
  const { writers } = buildFederation(world)
  world.run(3)
  const workload = new Workload(world, writers)
  const faults = new Faults(world, mix)
  world.run(ticks)
  workload.stop()
  faults.stop()
  world.converge(CONVERGE_TICKS)
}
