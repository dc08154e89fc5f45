/**
 * A router, two mirrors, a writer and a follower, each on a machine of its own, under faults that
 * the kernel makes one after the other: packets vanish, and nobody is told.
 *
 * @module
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { Prng } from '@longshore/engine/testing'
import { CapsuleHistory } from '../history.ts'
import { COPIES } from './federation.ts'
import { FollowerProcess } from './follower-process.ts'
import { type KernelFault, Machines, whyNoNamespaces } from './namespaces.ts'
import { NodeProcess } from './node-process.ts'
import { check, converge, type Parties } from './round.ts'
import { RunDirectory } from './run-directory.ts'
import { WriterProcess } from './writer-process.ts'

const FAULTS: readonly KernelFault[] = ['down', 'blackhole', 'tbf']
const FAULT_MS_MIN = 500
const FAULT_MS_MAX = 5000
const GAP_MS_MAX = 2000
const LINES_PER_S = 20
/** Names of interfaces have at most 15 characters. */
const PREFIXES = 10_000

/** Facts to record. Throws at the first broken promise. */
export async function runKernelFaults(
  prng: Prng,
  seconds: number,
): Promise<Record<string, string>> {
  const why = whyNoNamespaces()
  if (why !== undefined) return { 'kernel faults': `none: ${why}` }
  const runDirectory = new RunDirectory()
  const { path: directory } = runDirectory
  const trouble = Promise.withResolvers<never>()
  trouble.promise.catch(() => {})
  const machines = new Machines(`ls${process.pid % PREFIXES}`)
  const fail = (error: unknown): void => trouble.reject(error)
  const parties = createParties(machines, directory, fail)
  try {
    return await Promise.race([run(parties, machines, prng, seconds), trouble.promise])
  } catch (cause) {
    runDirectory.keep()
    throw new Error(`a run under faults of the kernel failed; it is in ${directory}`, { cause })
  } finally {
    const { routers, mirrors, writers, followers } = parties
    for (const each of [...followers, ...writers, ...mirrors, ...routers]) await each.kill()
    machines.close()
    runDirectory.remove()
  }
}

function createParties(
  machines: Machines,
  directory: string,
  fail: (error: unknown) => void,
): Parties & { readonly followers: FollowerProcess[] } {
  const node = (id: string, role: 'mirror' | 'router'): NodeProcess =>
    new NodeProcess({ id, role, directory, fail, machine: machines.add(id) })
  const routers = [node('router', 'router')]
  const mirrors = [node('mirror-1', 'mirror'), node('mirror-2', 'mirror')]
  const history = new CapsuleHistory({ copies: COPIES })
  const terms = { directory, history, fail, copies: COPIES, linesPerS: LINES_PER_S }
  const writer = new WriterProcess({ id: 'writer', ...terms, machine: machines.add('writer') })
  return { routers, mirrors, writers: [writer], followers: [] }
}

async function run(
  parties: Parties & { readonly followers: FollowerProcess[] },
  machines: Machines,
  prng: Prng,
  seconds: number,
): Promise<Record<string, string>> {
  const { routers, mirrors, writers, followers } = parties
  const [router] = routers as [NodeProcess]
  const [writer] = writers as [WriterProcess]
  await router.start()
  for (const mirror of mirrors) await mirror.start([router])
  await writer.create([router], mirrors)
  const { directory, history, fail } = writer.options
  const machine = machines.add('follower')
  const { capsule } = writer
  const follower = new FollowerProcess({
    ...{ id: 'follower', directory, capsule, history, fail, machine },
  })
  followers.push(follower)
  await follower.create([router])
  writer.start()
  follower.start()
  const counts = await afflict(machines, prng, seconds)
  const convergenceMs = await converge(parties)
  await check(parties)
  const faults = Object.entries(counts).map(([fault, count]) => `${count} ${fault}`)
  const acked = `${history.ackedSize} entries acknowledged, nothing lost`
  return {
    'kernel faults': `${faults.join(', ')}; ${acked}, converged after ${Math.round(convergenceMs)} ms`,
  }
}

async function afflict(
  machines: Machines,
  prng: Prng,
  seconds: number,
): Promise<Record<string, number>> {
  const counts: Record<string, number> = {}
  const endMs = performance.now() + seconds * 1000
  while (performance.now() < endMs) {
    await pause(prng.below(GAP_MS_MAX))
    const fault = prng.pick(FAULTS)
    const [sufferer = '', other = ''] = prng.shuffle(machines.names)
    counts[fault] = (counts[fault] ?? 0) + 1
    machines.begin(fault, sufferer, other)
    await pause(prng.between(FAULT_MS_MIN, FAULT_MS_MAX))
    machines.end(fault, sufferer, other)
  }
  return counts
}
