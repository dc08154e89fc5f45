/**
 * Very many nodes in one process: core routers, a router for each hundred nodes, and the nodes,
 * each of which serves its own name. Measures how long it takes until everybody can be found, how
 * far it is, and what each node keeps.
 *
 * Overlays with real Ed25519 keys, without sessions, stores and disks.
 *
 * @module
 */
import { formatHex } from '@longshore/capsule'
import { OverlayWorld, type WorldNode } from '@longshore/engine/testing'
import { range } from '../federation.ts'
import { hold } from '../violation.ts'
import type { World } from '../world.ts'

const CORE_ROUTERS = 2
const NODES_PER_ROUTER = 100
const STEP_MS = 250
const CONVERGE_MS_MAX = 120_000
const TRACES = 200
const TRACE_MS = 5000

export function scale(
  world: World,
  _ticks: number,
  nodeCount: number,
): Readonly<Record<string, string | number>> {
  const before = process.memoryUsage().heapUsed
  const scene = new OverlayWorld(world.prng.child())
  scene.onEvent = (node, event) =>
    world.digest.event(scene.network.queue.nowUs, node.address, event)
  const core = range(CORE_ROUTERS).map(() => scene.router())
  core[1]?.join(core[0] as WorldNode)
  const routers = range(Math.ceil(nodeCount / NODES_PER_ROUTER)).map(() => scene.router())
  for (const router of routers) router.join(...core)
  const leaves: WorldNode[] = []
  while (scene.nodes.length < nodeCount) {
    const leaf = scene.node()
    leaf.join(routers[leaves.length % routers.length] as WorldNode)
    leaves.push(leaf)
  }
  hold('workload', leaves.length >= 2, () => 'too few nodes: nobody is to be found')
  const convergedMs = converge(scene, core, leaves)
  const traffic = countTraffic(scene.nodes)
  const coreTraffic = countTraffic(core)
  const hops = traceSome(world, scene, leaves)
  const routes = scene.nodes.map(countRoutes)
  const frames = scene.nodes.reduce((sum, { overlay }) => sum + overlay.counters.lookups, 0)
  const heapBytes = process.memoryUsage().heapUsed - before
  return {
    nodes: scene.nodes.length,
    signatures: 'real Ed25519',
    'seconds to convergence': convergedMs / 1000,
    'messages to a node by then, mean': Math.round(traffic.messages / scene.nodes.length),
    'messages to a core router by then, mean': Math.round(coreTraffic.messages / CORE_ROUTERS),
    'bytes to a node by then, mean': Math.round(traffic.bytes / scene.nodes.length),
    'hops, mean': (hops.reduce((sum, count) => sum + count, 0) / hops.length).toFixed(2),
    'hops, most': Math.max(...hops),
    'routes in a core router': routes[0] ?? 0,
    'routes in a leaf, most': Math.max(...routes.slice(CORE_ROUTERS + routers.length)),
    'lookups answered': frames,
    'heap for a node, KiB': Math.round(heapBytes / 1024 / scene.nodes.length),
  }
}

/** Until every core router knows a way to every node. */
function converge(scene: OverlayWorld, core: readonly WorldNode[], leaves: readonly WorldNode[]) {
  for (let ms = 0; ; ms += STEP_MS) {
    if (core.every((router) => countRoutes(router) > leaves.length)) return ms
    const known = core.map(countRoutes).join(' and ')
    hold('I8', ms < CONVERGE_MS_MAX, () => `after ${ms} ms the core knows ${known} names`)
    scene.run(STEP_MS)
  }
}

/** Routers on the way between nodes drawn by chance. */
function traceSome(world: World, scene: OverlayWorld, leaves: readonly WorldNode[]): number[] {
  const { prng } = world
  const asked: WorldNode[] = []
  for (const request of range(TRACES)) {
    const [from, to] = [prng.pick(leaves), prng.pick(leaves)]
    from.step({ type: 'trace', request, name: to.name })
    asked.push(from)
  }
  scene.run(TRACE_MS)
  const hops: number[] = []
  for (const [request, from] of asked.entries()) {
    const answer = from.of('traced').find((traced) => traced.request === request)
    const name = answer === undefined ? 'no name' : formatHex(answer.name)
    hold('I8', answer !== undefined && answer.code === undefined, () => `no way to ${name}`)
    hops.push(Math.max(0, (answer?.hops.length ?? 0) - 1))
  }
  return hops
}

/** What these nodes have received from their neighbors. */
function countTraffic(nodes: readonly WorldNode[]): { messages: number; bytes: number } {
  const traffic = { messages: 0, bytes: 0 }
  for (const { overlay } of nodes) {
    for (const link of overlay.links) {
      traffic.messages += link.receivedFrames
      traffic.bytes += link.receivedBytes
    }
  }
  return traffic
}

function countRoutes({ overlay }: WorldNode): number {
  const names = new Set<string>()
  for (const { capsule } of overlay.routes) names.add(formatHex(capsule.name))
  return names.size
}
