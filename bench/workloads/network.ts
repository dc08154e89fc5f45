/**
 * Between processes, over TLS on the loopback: a writer, a mirror, a follower, and a router between
 * them where a row says so. On two cores not all of them run at once, so rows with more than two
 * processes show less than as many machines would.
 *
 * @module
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { hypercoreName } from '../contenders/hypercore.ts'
import { Child } from '../frame/child.ts'
import { percentile } from '../frame/measure.ts'
import type { Contender, Row } from '../frame/row.ts'
import { Pair } from './delay.ts'

/** Entries that are pushed in one window at most: they are appended before, which takes longer. */
const PUSHED_BYTES_MAX = 100_000_000
const DELAY_SAMPLES = 100

interface Described {
  readonly name: string
  readonly ticket: string
}

/** The processes of one row; what it does not need is never started. */
class Site {
  readonly mirror: Child
  readonly writer: Child
  readonly router: Child | undefined
  readonly #neighbor: string
  readonly #mirrorName: string

  private constructor(
    mirror: Child,
    writer: Child,
    router: Child | undefined,
    neighbor: string,
    mirrorName: string,
  ) {
    this.mirror = mirror
    this.writer = writer
    this.router = router
    this.#neighbor = neighbor
    this.#mirrorName = mirrorName
  }

  static async start(directory: string, hasRouter: boolean): Promise<Site> {
    mkdirSync(directory, { recursive: true })
    const home = (name: string): string => join(directory, name)
    const router = hasRouter
      ? await Child.start('network-node.ts', 'router', home('router'))
      : undefined
    const joined = router === undefined ? [] : [(await router.ask<Described>('describe')).ticket]
    const mirror = await Child.start('network-node.ts', 'mirror', home('mirror'), ...joined)
    const { name, ticket } = await mirror.ask<Described>('describe')
    const neighbor = joined[0] ?? ticket
    const writer = await Child.start('network-writer.ts', home('writer'), neighbor, name)
    return new Site(mirror, writer, router, neighbor, name)
  }

  async follower(): Promise<Child> {
    const capsule = await this.writer.ask<string>('open')
    return Child.start('network-follower.ts', this.#neighbor, this.#mirrorName, capsule)
  }

  close(): void {
    for (const child of [this.writer, this.mirror, this.router]) child?.close()
  }
}

interface Pushed {
  readonly seconds: number
  readonly cpuUs: number
}

type PushUnit = 'entries/s' | 'MB/s' | 'us of the sender' | 'us of the receiver'

/** A backlog from a writer to a mirror, until its receipt. */
async function createPush(
  directory: string,
  payloadBytes: number,
  unit: PushUnit,
): Promise<Contender> {
  const site = await Site.start(join(directory, 'longshore'), false)
  const { mirror, writer } = site
  return {
    ...{ name: 'longshore', role: 'longshore', durability: 'durable' },
    measure: async (windowMs) => {
      const bytes = Math.min(PUSHED_BYTES_MAX, windowMs * 50_000)
      const count = Math.ceil(bytes / (payloadBytes + 60))
      await mirror.cpuUs()
      const pushed = await writer.ask<Pushed>('push', { count, payloadBytes })
      const received = await mirror.cpuUs()
      if (unit === 'us of the sender') return pushed.cpuUs / count
      if (unit === 'us of the receiver') return received / count
      const perSecond = count / pushed.seconds
      return unit === 'entries/s' ? perSecond : (perSecond * payloadBytes) / 1e6
    },
    close: () => site.close(),
  }
}

async function createAppends(directory: string, lanes: number): Promise<Contender> {
  const site = await Site.start(join(directory, 'longshore'), false)
  return {
    ...{ name: 'longshore', role: 'longshore', durability: 'durable' },
    measure: (windowMs) => site.writer.ask<number>('appends', { lanes, windowMs }),
    close: () => site.close(),
  }
}

/** Bytes that a relay passes on in one window. */
function relayedBytes(windowMs: number): number {
  return Math.min(PUSHED_BYTES_MAX, windowMs * 50_000)
}

/** Bulk from a writer through a router to a mirror: what the router works for it. */
async function createRouted(directory: string): Promise<Contender> {
  const site = await Site.start(join(directory, 'longshore'), true)
  return {
    ...{ name: 'longshore router', role: 'longshore', durability: 'no disk' },
    measure: async (windowMs) => {
      const count = Math.ceil(relayedBytes(windowMs) / 65_536)
      await site.router?.cpuUs()
      await site.writer.ask<Pushed>('push', { count, payloadBytes: 65_536 })
      return ((await site.router?.cpuUs()) ?? 0) / (count * 0.065536)
    },
    close: () => site.close(),
  }
}

async function createPipe(): Promise<Contender> {
  const ends = await Child.start('network-pipe.ts', 'ends')
  const port = await ends.ask<number>('port')
  const relay = await Child.start('network-pipe.ts', 'relay', String(port))
  const relayPort = await relay.ask<number>('port')
  return {
    ...{ name: 'bare TLS on both sides', role: 'limit', durability: 'no disk' },
    measure: async (windowMs) => {
      const byteLength = relayedBytes(windowMs)
      await relay.cpuUs()
      await ends.ask('send', { port: relayPort, byteLength })
      return (await relay.cpuUs()) / (byteLength / 1e6)
    },
    close: () => {
      ends.close()
      relay.close()
    },
  }
}

/** Without a router: its blocks go from the writer straight to the follower, over plain TCP. */
async function createHypercoreDelay(directory: string, share: number): Promise<Contender> {
  const pair = await Pair.start('hypercore', join(directory, 'hypercore'))
  return {
    ...{ name: `${hypercoreName()}, no router`, role: 'rival', durability: 'not durable' },
    measure: async () => percentile(await pair.measure(), share),
    close: () => pair.close(),
  }
}

async function createDelay(directory: string, share: number): Promise<Contender> {
  const site = await Site.start(join(directory, 'longshore'), true)
  const follower = await site.follower()
  return {
    ...{ name: 'longshore', role: 'longshore', durability: 'durable' },
    measure: async () => {
      const delays: number[] = []
      for (let i = 0; i < DELAY_SAMPLES; i++) {
        const delay = follower.ask<number>('delay')
        await site.writer.ask('stamp')
        delays.push(await delay)
      }
      return percentile(delays, share)
    },
    close: () => {
      follower.close()
      site.close()
    },
  }
}

export const networkRows: readonly Row[] = [
  {
    title: 'replicate, verify and store 100 B, two processes',
    ...{ unit: 'entries/s', better: 'more', target: 300_000 },
    contenders: async (directory) => [await createPush(directory, 100, 'entries/s')],
  },
  {
    title: 'processor time of the mirror for each entry of 100 B',
    ...{ unit: 'us', better: 'less', target: 3.3 },
    contenders: async (directory) => [await createPush(directory, 100, 'us of the receiver')],
  },
  {
    title: 'processor time of the writer for each entry of 100 B',
    ...{ unit: 'us', better: 'less', target: 3.3 },
    contenders: async (directory) => [await createPush(directory, 100, 'us of the sender')],
  },
  {
    title: 'replicate, verify and store 64 KiB, two processes',
    ...{ unit: 'MB/s', better: 'more', target: 300 },
    contenders: async (directory) => [await createPush(directory, 65_536, 'MB/s')],
  },
  {
    title: 'processor time of a router for a MB of bulk',
    ...{ unit: 'us', better: 'less' },
    contenders: async (directory) => [await createRouted(directory), await createPipe()],
  },
  {
    title: 'append to the receipt of the mirror, one at a time',
    ...{ unit: 'entries/s', better: 'more', target: 2500 },
    contenders: async (directory) => [await createAppends(directory, 1)],
  },
  {
    title: 'append to the receipt of the mirror, 256 in flight',
    ...{ unit: 'entries/s', better: 'more', target: 80_000 },
    contenders: async (directory) => [await createAppends(directory, 256)],
  },
  {
    title: 'append to verified delivery through a router, p50',
    ...{ unit: 'ms', better: 'less', target: 1 },
    contenders: async (directory) => [
      await createDelay(directory, 0.5),
      await createHypercoreDelay(directory, 0.5),
    ],
  },
  {
    title: 'append to verified delivery through a router, p99',
    ...{ unit: 'ms', better: 'less', target: 10 },
    contenders: async (directory) => [
      await createDelay(directory, 0.99),
      await createHypercoreDelay(directory, 0.99),
    ],
  },
]
