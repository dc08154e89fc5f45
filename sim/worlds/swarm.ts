/**
 * Everything is drawn from the seed: how many of whom, what they do, what goes wrong, who lies.
 *
 * @module
 */
import { LAN, type Prng, WAN } from '@longshore/engine/testing'
import { Intrusion } from '../adversaries/intrusion.ts'
import { LIES } from '../adversaries/lies.ts'
import { type FaultMix, Faults } from '../faults.ts'
import { buildFederation, type FederationShape } from '../federation.ts'
import { type Pace, Workload } from '../workload.ts'
import type { World } from '../world.ts'
import { equivocate } from './byzantine.ts'
import { CONVERGE_TICKS } from './storms.ts'

export function swarm(world: World, ticks: number): undefined {
  const { prng } = world
  const shape = drawShape(prng)
  const federation = buildFederation(world, shape)
  const { core, domains } = federation
  if (prng.chance(0.2)) equivocate(world, federation)
  world.run(prng.below(5))
  const workload = new Workload(world, world.writers, drawPace(prng))
  const faults = new Faults(world, drawMix(prng))
  const routers = [...core, ...domains.flatMap((domain) => domain.routers)]
  const intrusion = new Intrusion(world, prng.chance(0.3) ? routers : [])
  world.run(ticks)
  workload.stop()
  faults.stop()
  intrusion.stop()
  world.converge(CONVERGE_TICKS)
}

function drawShape(prng: Prng): FederationShape {
  const domains = prng.between(1, 4)
  const mirrorsPerDomain = prng.between(1, 2)
  const mirrors = domains * mirrorsPerDomain
  return {
    ...{ domains, mirrorsPerDomain },
    coreRouters: prng.between(1, 3),
    routersPerDomain: prng.between(1, 2),
    writers: prng.between(1, 4),
    readers: prng.between(1, 6),
    copies: prng.between(1, Math.min(3, mirrors)),
    mirrorsMin: prng.chance(0.3) ? 1 : 0,
    excludes: prng.chance(0.4),
    conditions: prng.chance(0.5) ? WAN : LAN,
    lies: prng.chance(0.3) ? [prng.pick(LIES)] : [],
  }
}

function drawPace(prng: Prng): Pace {
  const isBulky = prng.chance(0.2)
  return {
    pauseUsMax: prng.pick([500_000, 2_000_000, 10_000_000]),
    entriesMax: isBulky ? 600 : prng.between(1, 60),
    payloadBytesMax: isBulky ? 100 : prng.pick([10, 400, 20_000]),
    erasures: prng.pick([0, 0.05, 0.3]),
  }
}

/** Each kind is left out in half of the worlds, so that no fault hides behind another. */
function drawMix(prng: Prng): FaultMix {
  const rate = (seconds: number): number =>
    prng.chance(0.5) ? 0 : prng.between(seconds, seconds * 5)
  return {
    crash: rate(3),
    diskCrash: rate(2),
    diskError: rate(8),
    partition: rate(10),
    reset: rate(5),
    clock: rate(5),
    weather: rate(5),
    skewSMax: prng.pick([60, 3600, 50_000]),
  }
}
