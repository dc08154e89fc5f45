/**
 * Hours of a small federation: leases end and are renewed, journals grow, mirrors compare, clocks
 * are set; now and then something breaks.
 *
 * @module
 */
import { WAN } from '@longshore/engine/testing'
import { type FaultMix, Faults } from '../faults.ts'
import { buildFederation, type FederationShape } from '../federation.ts'
import { type Pace, Workload } from '../workload.ts'
import type { World } from '../world.ts'
import { CONVERGE_TICKS } from './storms.ts'

const SHAPE: FederationShape = {
  ...{ domains: 2, coreRouters: 1, routersPerDomain: 1, mirrorsPerDomain: 1 },
  ...{ writers: 2, readers: 2, copies: 2, mirrorsMin: 0, excludes: false, conditions: WAN },
  isPrivate: true,
  lies: [],
}
const PACE: Pace = {
  ...{ pauseUsMax: 60_000_000, entriesMax: 20, payloadBytesMax: 400, erasures: 0.05 },
}
const FAULTS: FaultMix = {
  ...{ crash: 300, diskCrash: 600, diskError: 1800, partition: 600, reset: 300, restore: 900 },
  ...{ rot: 1800, clock: 900, weather: 300, skewSMax: 18_000 },
}

export function long(world: World, ticks: number): undefined {
  const { writers } = buildFederation(world, SHAPE)
  world.run(3)
  const workload = new Workload(world, writers, PACE)
  const faults = new Faults(world, FAULTS)
  world.run(ticks)
  workload.stop()
  faults.stop()
  world.converge(CONVERGE_TICKS)
}
