/**
 * A federation: domains with routers and mirrors, core routers between them, writers whose
 * capsules are on a mirror in each domain, and readers everywhere. What most worlds happen in.
 *
 * @module
 */
import {
  type Authority,
  createAdChain,
  createAuthority,
  createMembership,
  type Lie,
  type LinkConditions,
  type Prng,
  type SimNode,
  WAN,
} from '@longshore/engine/testing'
import type { Reader } from './actors/reader.ts'
import type { Writer } from './actors/writer.ts'
import type { Truth } from './truth.ts'
import type { World } from './world.ts'

export interface FederationShape {
  readonly domains: number
  readonly coreRouters: number
  readonly routersPerDomain: number
  readonly mirrorsPerDomain: number
  readonly writers: number
  readonly readers: number
  /** Mirrors that must hold an entry before it counts as acknowledged. */
  readonly copies: number
  /** Mirrors that must have cosigned a head before a reader goes by it. */
  readonly mirrorsMin: number
  /** How many of the publications never reach a reader, and nobody tells it. Default 0. */
  readonly multicastLoss?: number
  /** The first capsule excludes the last domain: no traffic, no copy, no reader there. */
  readonly excludes: boolean
  /** The first capsule may be read in the first domain only; somebody else tries. */
  readonly isPrivate: boolean
  /** One more mirror each, in one domain after the other, that lies in this way. */
  readonly lies: readonly ((prng: Prng) => Lie)[]
  /** Between domains. */
  readonly conditions: LinkConditions
}

export const FEDERATION: FederationShape = {
  ...{ domains: 3, coreRouters: 2, routersPerDomain: 2, mirrorsPerDomain: 1 },
  ...{ writers: 3, readers: 4, copies: 2, mirrorsMin: 0, excludes: true, conditions: WAN },
  isPrivate: false,
  lies: [],
}

export interface Domain {
  readonly authority: Authority
  readonly routers: readonly SimNode[]
  readonly mirrors: readonly SimNode[]
}

export interface Federation {
  readonly core: readonly SimNode[]
  readonly domains: readonly Domain[]
  readonly writers: readonly Writer[]
  readonly readers: readonly Reader[]
}

export function buildFederation(world: World, shape: FederationShape = FEDERATION): Federation {
  const core = range(shape.coreRouters).map((i) => world.addNode(`core-${i}`, { isRouter: true }))
  for (const [i, router] of core.entries()) for (const other of core.slice(0, i)) router.join(other)
  const domains = range(shape.domains).map((d) => addDomain(world, core, d, shape))
  const writers = range(shape.writers).map((w) => addWriter(world, domains, w, shape))
  const readers = range(shape.readers).map((r) => addReader(world, domains, writers, r, shape))
  if (shape.isPrivate) addStranger(world, domains, writers[0] as Writer)
  return { core, domains, writers, readers }
}

function addDomain(
  world: World,
  core: readonly SimNode[],
  d: number,
  shape: FederationShape,
): Domain {
  const authority = createAuthority(world.prng, 'domain')
  const routers = range(shape.routersPerDomain).map((i) => {
    const router = world.addNode(`router-${d}-${i}`, { isRouter: true, domain: authority })
    for (const other of core) {
      router.join(other)
      world.network.setLink(`mem://${router.name}`, `mem://${other.name}`, shape.conditions)
    }
    return router
  })
  const mirrors = range(shape.mirrorsPerDomain).map((i) => {
    const mirror = world.addNode(`mirror-${d}-${i}`, { isMirror: true, domain: authority })
    for (const router of routers) mirror.join(router)
    return mirror
  })
  const liars = shape.lies.flatMap((createLie, i) => {
    if (i % shape.domains !== d) return []
    const lie = createLie(world.prng.child())
    const liar = world.addNode(`liar-${d}-${i}`, { isMirror: true, domain: authority, lie })
    for (const router of routers) liar.join(router)
    return [liar]
  })
  return { authority, routers, mirrors: [...mirrors, ...liars] }
}

function addWriter(
  world: World,
  domains: readonly Domain[],
  w: number,
  { copies, excludes, isPrivate }: FederationShape,
): Writer {
  const home = domains[w % domains.length] as Domain
  const node = world.addNode(`writer-${w}`)
  for (const router of home.routers) node.join(router)
  const owner = createAuthority(world.prng, 'person')
  const last = domains.at(-1) as Domain
  const isRestricted = excludes && w === 0 && domains.length > 1
  const exclude = isRestricted ? [last.authority.manifest.name] : []
  const { name: homeName } = home.authority.manifest
  const read = isPrivate && w === 0 ? [homeName] : ('any' as const)
  const { capsule, truth } = world.addCapsule(`capsule-${w}`, owner, { exclude, read })
  const allowed = isRestricted ? domains.slice(0, -1) : domains
  const mirrors = allowed.flatMap((domain) =>
    domain.mirrors.map((mirror) => {
      return { mirror, chain: createAdChain(world.prng, owner, mirror.identity.name) }
    }),
  )
  // A liar may never state a copy: nobody waits for it.
  const honest = mirrors.filter(({ mirror }) => !world.isLiar(mirror)).length
  return world.addWriter(node, { capsule, truth, mirrors, copies: Math.min(copies, honest) })
}

function addReader(
  world: World,
  domains: readonly Domain[],
  writers: readonly Writer[],
  r: number,
  { mirrorsMin, multicastLoss = 0, excludes, isPrivate }: FederationShape,
): Reader {
  const writer = writers[r % writers.length] as Writer
  const isRestricted = excludes && writer === writers[0] && domains.length > 1
  const allowed = isRestricted ? domains.slice(0, -1) : domains
  const home = allowed[(r + 1) % allowed.length] as Domain
  const node = world.addNode(`reader-${r}`)
  for (const router of home.routers) node.join(router)
  const mirrors = mirrorsOf(world, writer.truth)
  const needsRight = isPrivate && writer === writers[0]
  const { authority } = domains[0] as Domain
  const membership = needsRight
    ? { membership: createMembership(world.prng, authority, node.identity.name, ['read']) }
    : {}
  const { truth } = writer
  return world.addReader(node, { truth, mirrors, mirrorsMin, multicastLoss, ...membership })
}

/** Asks every mirror like a reader, and shows that it may read somewhere else. */
function addStranger(world: World, domains: readonly Domain[], { truth }: Writer): void {
  const node = world.addNode('stranger')
  for (const router of domains[0]?.routers ?? []) node.join(router)
  const elsewhere = createAuthority(world.prng, 'domain')
  const membership = createMembership(world.prng, elsewhere, node.identity.name, ['read'])
  const mirrors = mirrorsOf(world, truth)
  world.addReader(node, { truth, mirrors, membership, isStranger: true })
}

/** Nodes that are to hold this capsule. */
function mirrorsOf(world: World, truth: Truth): SimNode[] {
  return world.copies.flatMap((copy) => (copy.truth === truth ? [copy.node] : []))
}

export function range(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i)
}
