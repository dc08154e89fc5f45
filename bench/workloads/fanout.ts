/**
 * One capsule, many followers: what each more of them costs the mirror, the router and the links.
 *
 * Four processes: writer, router, mirror, and one with all followers, each of which is a node with
 * a link and keys of its own. One entry at a time: the next one is appended when everybody has
 * verified the last one, so nothing is spread over entries that came together. On two cores the
 * followers take most of the time.
 *
 * Bytes are those of frames, before TLS.
 *
 * @module
 */
import { join } from 'node:path'
import { Child } from '../frame/child.ts'
import type { Contender, Facet, FacetValues, Study } from '../frame/row.ts'
import type { Way } from '../processes/follow.ts'
import { Site } from './site.ts'

const COUNTS = [1, 10, 100, 1000]
const QUICK_COUNTS = [1, 10]
/** Before their subscriptions stand everywhere, followers miss what is published. */
const FIRST_ENTRIES = 3
const FIRST_PATIENCE_MS = 1000
/** Longer than an entry takes to everybody. */
const PATIENCE_MS = 10_000
const NAMES: Readonly<Record<Way, string>> = {
  session: 'longshore, a session each',
  tree: 'longshore, along the tree',
}

function facetsOf(count: number): Facet[] {
  const who = count === 1 ? '1 follower' : `${count} followers`
  const facet = (title: string, unit: string, better: Facet['better']): Facet => {
    return { title: `${who}: ${title}`, unit, better }
  }
  return [
    facet('verified deliveries, one entry at a time', 'entries/s', 'more'),
    facet('processor time of the mirror for each delivery', 'us', 'less'),
    facet('processor time of the router for each delivery', 'us', 'less'),
    facet('bytes of an entry from the writer to the router', 'B', 'less'),
    facet('bytes of an entry from the mirror to the router', 'B', 'less'),
    facet('bytes of an entry from the router to each follower', 'B', 'less'),
  ]
}

/** What the processes have used and sent so far. */
interface Counts {
  readonly mirrorUs: number
  readonly routerUs: number
  readonly writerBytes: number
  readonly mirrorBytes: number
  readonly followerBytes: number
}

class Fanout {
  readonly #site: Site
  readonly #router: Child
  readonly #followers: Child
  readonly #count: number

  private constructor(site: Site, router: Child, followers: Child, count: number) {
    this.#site = site
    this.#router = router
    this.#followers = followers
    this.#count = count
  }

  static async start(directory: string, count: number, way: Way): Promise<Fanout> {
    const site = await Site.start(directory, true)
    if (site.router === undefined) throw new Error('the site has a router')
    const capsule = await site.writer.ask<string>('open')
    const { neighbor, mirrorName } = site
    const args = [String(count), way, neighbor, mirrorName, capsule]
    const followers = await Child.start('network-followers.ts', ...args)
    const fanout = new Fanout(site, site.router, followers, count)
    for (let i = 0; i < FIRST_ENTRIES; i++) await fanout.#deliver(FIRST_PATIENCE_MS)
    return fanout
  }

  /** One entry, to everybody. */
  async #deliver(patienceMs: number): Promise<void> {
    const index = await this.#site.writer.ask<number>('append')
    await this.#followers.ask('reach', { size: index + 1, patienceMs })
  }

  async measure(windowMs: number): Promise<FacetValues> {
    const before = await this.#counts()
    const started = performance.now()
    let entries = 0
    let elapsedMs = 0
    do {
      await this.#deliver(PATIENCE_MS)
      entries++
      elapsedMs = performance.now() - started
    } while (elapsedMs < windowMs)
    const after = await this.#counts()
    const deliveries = entries * this.#count
    const used = (of: (counts: Counts) => number): number => of(after) - of(before)
    return [
      (deliveries * 1000) / elapsedMs,
      after.mirrorUs / deliveries,
      after.routerUs / deliveries,
      used(({ writerBytes }) => writerBytes) / entries,
      used(({ mirrorBytes }) => mirrorBytes) / entries,
      used(({ followerBytes }) => followerBytes) / deliveries,
    ]
  }

  /** Processor times since the last time, bytes since the beginning. */
  async #counts(): Promise<Counts> {
    const { writer, mirror } = this.#site
    const [writerBytes, mirrorBytes, followerBytes] = [
      await writer.ask<number>('sentBytes'),
      await mirror.ask<number>('sentBytes'),
      await this.#followers.ask<number>('receivedBytes'),
    ]
    const [mirrorUs, routerUs] = [await mirror.cpuUs(), await this.#router.cpuUs()]
    return { mirrorUs, routerUs, writerBytes, mirrorBytes, followerBytes }
  }

  async close(): Promise<void> {
    await this.#followers.close()
    await this.#site.close()
  }
}

async function createContender(
  directory: string,
  count: number,
  way: Way,
): Promise<Contender<FacetValues>> {
  const fanout = await Fanout.start(join(directory, way), count, way)
  return {
    ...{ name: NAMES[way], role: 'longshore', durability: 'durable' },
    measure: (windowMs) => fanout.measure(windowMs),
    close: () => fanout.close(),
  }
}

export function createFanoutRows(quick: boolean): Study[] {
  return (quick ? QUICK_COUNTS : COUNTS).map((count) => ({
    facets: facetsOf(count),
    contenders: async (directory) => [
      await createContender(directory, count, 'session'),
      await createContender(directory, count, 'tree'),
    ],
  }))
}
