/**
 * One federation from its first process to its last: load, faults, quiet, and the check of what it
 * has promised.
 *
 * @module
 */
import { openHome } from '@longshore/client/node'
import { Prng } from '@longshore/engine/testing'
import { Chaos } from './chaos.ts'
import { damageMirror } from './damage.ts'
import { timeFailovers } from './failover.ts'
import { Federation } from './federation.ts'
import type { FollowerProcess } from './follower-process.ts'
import type { NodeProcess } from './node-process.ts'
import { RunDirectory } from './run-directory.ts'
import { Watch } from './watch.ts'
import type { WriterProcess } from './writer-process.ts'

export interface RoundOptions {
  readonly seed: number
  /** Of load and faults; set-up and the quiet at the end come on top. */
  readonly seconds: number
  readonly writers: number
  readonly followers: number
  readonly linesPerS: number
  /** A mirror's disk is damaged, and mended by the others. */
  readonly damages: boolean
}

export interface RoundReport {
  readonly acks: number
  readonly ackedEntries: number
  readonly entries: number
  readonly kills: Readonly<Record<string, number>>
  readonly faults: Readonly<Record<string, number>>
  readonly gaveUp: number
  readonly deliveryMs: readonly number[]
  readonly convergenceMs: number
  readonly damage: string | undefined
  /** Times that the mirrors were asked what they hold, beside the check at the end. */
  readonly looks: number
  /** By role and counter: what nodes did not do. */
  readonly counts: Readonly<Record<string, number>>
  /** By role. */
  readonly rssBytesMax: Readonly<Record<string, number>>
}

const CONVERGENCE_MS_MAX = 120_000
const SAMPLE_MS = 1000
/** Deaths of a router that are timed, before the rest goes wrong: one for so many seconds. */
const SECONDS_PER_FAILOVER = 40

/** Throws at the first broken promise, and leaves the directory then. */
export async function runRound(options: RoundOptions): Promise<RoundReport> {
  const prng = new Prng(options.seed)
  const directory = new RunDirectory()
  const { writers, followers, linesPerS } = options
  const terms = { directory: directory.path, prng: prng.child(), writers, followers, linesPerS }
  const federation = await Federation.open(terms)
  try {
    const chaos = new Chaos(federation, prng.child())
    const working = work(federation, chaos, options, prng.child())
    return await Promise.race([working, federation.failed])
  } catch (cause) {
    directory.keep()
    const where = directory.path
    throw new Error(`a run with seed ${options.seed} failed; it is in ${where}`, { cause })
  } finally {
    await federation.close()
    directory.remove()
  }
}

async function work(
  federation: Federation,
  chaos: Chaos,
  options: RoundOptions,
  prng: Prng,
): Promise<RoundReport> {
  const sampling = setInterval(() => {
    for (const node of federation.nodes) node.sampleRss()
  }, SAMPLE_MS)
  const watch = new Watch(federation)
  try {
    federation.start()
    watch.start()
    const failovers = Math.ceil(options.seconds / SECONDS_PER_FAILOVER)
    const deliveryMs = await timeFailovers(federation, failovers)
    const damaging = options.damages
      ? damageMirror(federation, chaos, watch, prng, options.seconds / 3)
      : undefined
    await Promise.all([chaos.run(options.seconds), damaging])
    federation.calm()
    const convergenceMs = await converge(federation)
    await watch.stop()
    await check(federation)
    const { looks, counts } = watch
    const rest = { deliveryMs, convergenceMs, looks, counts, damage: await damaging }
    return { ...summarize(federation, chaos, failovers), ...rest }
  } finally {
    clearInterval(sampling)
    await watch.stop().catch(() => {})
  }
}

/** Whoever takes part in a run. */
export interface Parties {
  readonly routers: readonly NodeProcess[]
  readonly mirrors: readonly NodeProcess[]
  readonly writers: readonly WriterProcess[]
  readonly followers: readonly FollowerProcess[]
}

/** Milliseconds until every follower has everything. */
export async function converge(parties: Parties): Promise<number> {
  const startMs = performance.now()
  const { writers, followers } = parties
  await Promise.all(writers.map((writer) => writer.finish()))
  const sizes = new Map<string, number>()
  for (const writer of writers) sizes.set(writer.capsule, await writer.deliver())
  const all = followers.map((follower) => {
    return follower.caughtUp(sizes.get(follower.options.capsule) ?? 0)
  })
  let timer: NodeJS.Timeout | undefined
  const tooLong = new Promise((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(lagging(parties, sizes))), CONVERGENCE_MS_MAX)
  })
  await Promise.race([Promise.all(all), tooLong])
  clearTimeout(timer)
  return performance.now() - startMs
}

function lagging({ followers }: Parties, sizes: ReadonlyMap<string, number>): string {
  const places = followers.map(({ id, options: { capsule, history } }) => {
    return `${id} has ${history.nextOf(id)} of ${sizes.get(capsule)}`
  })
  return `not converged after ${CONVERGENCE_MS_MAX} ms: ${places.join(', ')}`
}

/** What every mirror holds is read from its disk, after it has ended. */
export async function check({ followers, writers, mirrors, routers }: Parties): Promise<void> {
  for (const follower of followers) await follower.kill()
  await Promise.all(mirrors.map((mirror) => mirror.stop()))
  await Promise.all(routers.map((router) => router.stop()))
  for (const mirror of mirrors) await checkDisk(mirror)
  for (const { capsule, home, options } of writers) {
    for (const mirror of mirrors)
      options.history.held(mirror.id, await readAll(mirror.data, capsule))
    const own = await readAll(home, capsule)
    options.history.held('home', own)
    options.history.check(own.length)
  }
}

/** Damaged bytes that no longer tell whose they were stay; nothing may be missing for them. */
async function checkDisk({ id, data, hasMended }: NodeProcess): Promise<void> {
  await using home = await openHome({ path: data, readOnly: true })
  const { problems: all } = await home.fsck()
  const problems = all.filter(({ code }) => !hasMended || code !== 'RECORD_DAMAGED')
  if (problems.length > 0) throw new Error(`fsck of ${id}: ${JSON.stringify(problems)}`)
}

async function readAll(path: string, name: string): Promise<string[]> {
  await using home = await openHome({ path, readOnly: true })
  await using capsule = await home.open(name)
  const lines: string[] = []
  for await (const entry of capsule.read()) lines.push(entry.text())
  return lines
}

function summarize(
  { writers, followers, nodes }: Federation,
  chaos: Chaos,
  failovers: number,
): Omit<RoundReport, 'convergenceMs' | 'counts' | 'damage' | 'deliveryMs' | 'looks'> {
  const histories = writers.map(({ options }) => options.history)
  const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0)
  const rssBytesMax: Record<string, number> = {}
  for (const { options, rssBytesMax: bytes } of nodes) {
    rssBytesMax[options.role] = Math.max(rssBytesMax[options.role] ?? 0, bytes)
  }
  return {
    acks: sum(histories.map(({ ackCount }) => ackCount)),
    ackedEntries: sum(histories.map(({ ackedSize }) => ackedSize)),
    entries: sum(histories.map(({ sentCount }) => sentCount)),
    kills: { ...chaos.kills, router: chaos.kills.router + failovers },
    faults: chaos.faults,
    gaveUp: sum([...writers, ...followers].map(({ gaveUp }) => gaveUp)),
    rssBytesMax,
  }
}
