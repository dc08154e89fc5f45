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

/** Of worlds to have dozens of nodes: most defects show among a few, in a fraction of the time. */
const LARGE = 0.1
const TICKS_MIN = 5

export function swarm(world: World, ticksMax: number): undefined {
  const { prng } = world
  const shape = prng.chance(LARGE) ? drawLargeShape(prng) : drawSmallShape(prng)
  const federation = buildFederation(world, shape)
  const { core, domains } = federation
  if (prng.chance(0.2)) equivocate(world, federation)
  world.run(prng.below(5))
  const workload = new Workload(world, world.writers, drawPace(prng))
  const faults = new Faults(world, drawMix(prng))
  const routers = [...core, ...domains.flatMap((domain) => domain.routers)]
  const intrusion = new Intrusion(world, prng.chance(0.3) ? routers : [])
  world.run(prng.between(Math.min(TICKS_MIN, ticksMax), ticksMax))
  workload.stop()
  faults.stop()
  intrusion.stop()
  world.converge(CONVERGE_TICKS)
}

/** Three to a dozen nodes. */
function drawSmallShape(prng: Prng): FederationShape {
  const domains = prng.between(1, 2)
  const mirrorsPerDomain = prng.between(1, 3 - domains)
  return drawRest(prng, {
    ...{ domains, mirrorsPerDomain },
    coreRouters: domains - 1 + prng.below(2),
    routersPerDomain: prng.chance(0.2) ? 2 : 1,
    writers: prng.between(1, 2),
    readers: prng.between(1, 2),
  })
}

function drawLargeShape(prng: Prng): FederationShape {
  return drawRest(prng, {
    domains: prng.between(1, 4),
    mirrorsPerDomain: prng.between(1, 2),
    coreRouters: prng.between(1, 3),
    routersPerDomain: prng.between(1, 2),
    writers: prng.between(1, 4),
    readers: prng.between(1, 6),
  })
}

type Counts = Pick<
  FederationShape,
  'domains' | 'mirrorsPerDomain' | 'coreRouters' | 'routersPerDomain' | 'writers' | 'readers'
>

function drawRest(prng: Prng, counts: Counts): FederationShape {
  const mirrors = counts.domains * counts.mirrorsPerDomain
  return {
    ...counts,
    copies: prng.between(1, Math.min(3, mirrors)),
    mirrorsMin: prng.chance(0.3) ? 1 : 0,
    excludes: prng.chance(0.4),
    isPrivate: prng.chance(0.3),
    conditions: prng.chance(0.5) ? WAN : LAN,
    lies: prng.chance(0.3) ? [prng.pick(LIES)] : [],
    multicastLoss: prng.pick([0, 0, 0.3]),
  }
}

function drawPace(prng: Prng): Pace {
  const [entriesMax, payloadBytesMax] = prng.chance(0.8)
    ? [prng.between(1, 30), prng.pick([10, 400, 2000])]
    : prng.pick([[600, 100] as const, [8, 20_000] as const])
  return {
    pauseUsMax: prng.pick([1_000_000, 3_000_000, 10_000_000]),
    ...{ entriesMax, payloadBytesMax },
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
    restore: rate(2),
    rot: rate(5),
    clock: rate(5),
    weather: rate(5),
    skewSMax: prng.pick([60, 3600, 50_000]),
  }
}
