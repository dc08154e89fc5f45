/**
 * Nothing goes wrong: three domains, and everybody gets everything that policies allow.
 *
 * @module
 */
import { buildFederation } from '../federation.ts'
import { Workload } from '../workload.ts'
import type { World } from '../world.ts'

export function federation(world: World, ticks: number): undefined {
  const { writers } = buildFederation(world)
  const workload = new Workload(world, writers)
  world.run(ticks)
  workload.stop()
  world.converge(30)
}
