/**
 * Mirrors that lie, intruders at every router, and a writer whose key is in two homes: nobody
 * believes a lie, nobody correct is convicted, and the two histories are found.
 *
 * @module
 */

import { createAdChain } from '@longshore/engine/testing'
import { Intrusion } from '../adversaries/intrusion.ts'
import { LIES } from '../adversaries/lies.ts'
import { buildFederation, FEDERATION, type Federation, range } from '../federation.ts'
import { Workload } from '../workload.ts'
import type { World } from '../world.ts'
import { CONVERGE_TICKS } from './storms.ts'

export function byzantine(world: World, ticks: number): undefined {
  const shape = { ...FEDERATION, lies: LIES, mirrorsPerDomain: 2, excludes: false }
  const federation = buildFederation(world, shape)
  equivocate(world, federation)
  const { core, domains } = federation
  const intrusion = new Intrusion(world, [...core, ...domains.flatMap(({ routers }) => routers)])
  world.run(2)
  const workload = new Workload(world, world.writers)
  world.run(ticks)
  workload.stop()
  intrusion.stop()
  world.converge(CONVERGE_TICKS)
}

/** Two homes with one key write one capsule; each tells other mirrors, if there are two. */
export function equivocate(world: World, { domains, writers }: Federation): void {
  const [first] = writers
  const correct = domains.flatMap((domain) => domain.mirrors).filter((m) => !world.isLiar(m))
  if (first === undefined || correct.length < 2) return
  const halves = [correct.slice(0, 1), correct.slice(1)]
  const { owner } = first
  const { capsule, truth } = world.addCapsule('forked', owner)
  const other = world.copyCapsule('forked again', capsule)
  const mirrors = halves.map((half) =>
    half.map((mirror) => {
      return { mirror, chain: createAdChain(world.prng, owner, mirror.identity.name) }
    }),
  )
  for (const i of range(2)) {
    const node = world.addNode(`forger-${i}`)
    for (const router of domains[i % domains.length]?.routers ?? []) node.join(router)
    const [own = []] = [mirrors[i]]
    world.addWriter(node, { capsule, truth: i === 0 ? truth : other, mirrors: own, copies: 1 })
  }
  const node = world.addNode('witness')
  for (const router of domains[0]?.routers ?? []) node.join(router)
  const all = mirrors.flat().map(({ mirror }) => mirror)
  world.addReader(node, { truth, mirrors: all })
}
