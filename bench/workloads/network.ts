/**
 * Between processes, over TLS on the loopback: a writer, a mirror, a follower, and a router between
 * them where a row says so. On two cores not all of them run at once, so rows with more than two
 * processes show less than as many machines would; what the processes alone cost is in the limits,
 * which have as many, as many hops and as many syncs.
 *
 * @module
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { hypercoreName } from '../contenders/hypercore.ts'
import { startNats } from '../contenders/nats.ts'
import { Child } from '../frame/child.ts'
import { percentile } from '../frame/measure.ts'
import type { Absent, Contender, FacetValues, Row, Study } from '../frame/row.ts'
import { Pair } from './delay.ts'
import { Site } from './site.ts'

/** Entries that are pushed in one window at most: they are appended before, which takes longer. */
const PUSHED_BYTES_MAX = 100_000_000
const DELAY_SAMPLES_MIN = 100
/** Entries come one by one: it takes thousands until every process has compiled its part. */
const WARM_UP_WINDOWS = 2
const SMALL_BYTES = 100
const LARGE_BYTES = 65_536
/** Hypercore replicates a window of so many blocks in a millisecond or less. */
const BLOCKS_A_MS = 5
/** Large messages of NATS that wait for their acknowledgement: 2 MiB. */
const NATS_LANES = 32

interface Pushed {
  readonly seconds: number
  readonly cpuUs: number
}

function pushedCount(windowMs: number, payloadBytes: number): number {
  return Math.ceil(Math.min(PUSHED_BYTES_MAX, windowMs * 50_000) / (payloadBytes + 60))
}

/** A backlog from a writer to a mirror, until its receipt: seconds, and who worked how long. */
async function createPush(directory: string, payloadBytes: number) {
  const site = await Site.start(join(directory, 'longshore'), false)
  const push = async (windowMs: number) => {
    const count = pushedCount(windowMs, payloadBytes)
    await site.mirror.cpuUs()
    const { seconds, cpuUs } = await site.writer.ask<Pushed>('push', { count, payloadBytes })
    return { count, seconds, writerUs: cpuUs, mirrorUs: await site.mirror.cpuUs() }
  }
  return { push, close: () => site.close() }
}

async function createSmallPush(directory: string): Promise<Contender<FacetValues>> {
  const { push, close } = await createPush(directory, SMALL_BYTES)
  return {
    ...{ name: 'longshore', role: 'longshore', durability: 'durable', close },
    measure: async (windowMs) => {
      const { count, seconds, writerUs, mirrorUs } = await push(windowMs)
      return [count / seconds, mirrorUs / count, writerUs / count]
    },
  }
}

async function createLargePush(directory: string): Promise<Contender> {
  const { push, close } = await createPush(directory, LARGE_BYTES)
  return {
    ...{ name: 'longshore', role: 'longshore', durability: 'durable', close },
    measure: async (windowMs) => {
      const { count, seconds } = await push(windowMs)
      return (count * LARGE_BYTES) / seconds / 1e6
    },
  }
}

/** A core that another process does not have yet, until it does. */
async function createHypercorePush(directory: string, payloadBytes: number) {
  const path = join(directory, 'hypercore')
  const [source, copy] = [
    await Child.start('hypercore-peer.ts', join(path, 'source')),
    await Child.start('hypercore-peer.ts', join(path, 'copy')),
  ]
  return {
    ...{ name: hypercoreName(), role: 'rival' as const, durability: 'not durable' as const },
    push: async (windowMs: number) => {
      const count = Math.min(pushedCount(windowMs, payloadBytes), windowMs * BLOCKS_A_MS)
      const offered = await source.ask('offer', { count, payloadBytes })
      await Promise.all([source.cpuUs(), copy.cpuUs()])
      const { seconds } = await copy.ask<{ readonly seconds: number }>('take', offered)
      const [sourceUs, copyUs] = await Promise.all([source.cpuUs(), copy.cpuUs()])
      return { count, seconds, sourceUs, copyUs }
    },
    close: async () => {
      for (const child of [source, copy]) await child.close()
    },
  }
}

async function createSmallHypercore(directory: string): Promise<Contender<FacetValues>> {
  const { push, ...contender } = await createHypercorePush(directory, SMALL_BYTES)
  return {
    ...contender,
    measure: async (windowMs) => {
      const { count, seconds, sourceUs, copyUs } = await push(windowMs)
      return [count / seconds, copyUs / count, sourceUs / count]
    },
  }
}

async function createLargeHypercore(directory: string): Promise<Contender> {
  const { push, ...contender } = await createHypercorePush(directory, LARGE_BYTES)
  return {
    ...contender,
    measure: async (windowMs) => {
      const { count, seconds } = await push(windowMs)
      return (count * LARGE_BYTES) / seconds / 1e6
    },
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

/** A sync here, a message, a sync there, an answer: what one append at a time cannot go below. */
async function createBareAppends(directory: string): Promise<Contender> {
  mkdirSync(directory, { recursive: true })
  const store = await Child.start('bare-path.ts', 'store', join(directory, 'bare-store'))
  const port = String(await store.ask<number>('port'))
  const writer = await Child.start('bare-path.ts', 'writer', join(directory, 'bare-writer'), port)
  return {
    ...{ name: 'bare TLS, two syncs', role: 'limit', durability: 'durable' },
    measure: (windowMs) => writer.ask<number>('appends', { windowMs }),
    close: async () => {
      for (const child of [writer, store]) await child.close()
    },
  }
}

/** Both ways in which a server can be told to keep what it acknowledges. */
async function createNats<TValue>(
  directory: string,
  start: (url: string) => Promise<Pick<Contender<TValue>, 'measure' | 'close'>>,
): Promise<(Contender<TValue> | Absent)[]> {
  const created: (Contender<TValue> | Absent)[] = []
  for (const durability of ['durable', 'not durable'] as const) {
    const path = join(directory, `nats ${durability}`)
    const server = await startNats(path, durability)
    if ('absent' in server) {
      created.push(server)
      continue
    }
    const { measure, close } = await start(server.url)
    created.push({
      ...{ name: server.name, role: 'rival', durability, measure },
      close: async () => {
        await close?.()
        await server.close()
      },
    })
  }
  return created
}

function createNatsAppends(directory: string, lanes: number) {
  return createNats<number>(directory, async (url) => {
    const client = await Child.start('nats-client.ts', url)
    return {
      measure: (windowMs) => client.ask<number>('appends', { lanes, windowMs }),
      close: () => client.close(),
    }
  })
}

function createNatsPush(directory: string) {
  return createNats<number>(directory, async (url) => {
    const client = await Child.start('nats-client.ts', url)
    return {
      measure: async (windowMs) => {
        const count = pushedCount(windowMs, LARGE_BYTES)
        const work = { count, payloadBytes: LARGE_BYTES, lanes: NATS_LANES }
        const { seconds } = await client.ask<{ readonly seconds: number }>('push', work)
        return (count * LARGE_BYTES) / seconds / 1e6
      },
      close: () => client.close(),
    }
  })
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
      const count = Math.ceil(relayedBytes(windowMs) / LARGE_BYTES)
      await site.router?.cpuUs()
      await site.writer.ask<Pushed>('push', { count, payloadBytes: LARGE_BYTES })
      return ((await site.router?.cpuUs()) ?? 0) / ((count * LARGE_BYTES) / 1e6)
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
    close: async () => {
      for (const child of [ends, relay]) await child.close()
    },
  }
}

/** One after the other: the writer stamps, the follower says how long it took. */
async function measureDelays(
  windowMs: number,
  writer: Child,
  follower: Child,
): Promise<FacetValues> {
  return percentilesOf(
    await collectDelays(windowMs, async () => {
      const delay = follower.ask<number>('delay')
      await writer.ask('stamp')
      return [await delay]
    }),
  )
}

async function collectDelays(
  windowMs: number,
  measure: () => Promise<readonly number[]>,
): Promise<number[]> {
  const delays: number[] = []
  const started = performance.now()
  while (delays.length < DELAY_SAMPLES_MIN || performance.now() - started < windowMs) {
    delays.push(...(await measure()))
  }
  return delays
}

function percentilesOf(delays: readonly number[]): FacetValues {
  return [percentile(delays, 0.5), percentile(delays, 0.99)]
}

async function createDelay(directory: string): Promise<Contender<FacetValues>> {
  const site = await Site.start(join(directory, 'longshore'), true)
  const follower = await site.follower()
  return {
    ...{ name: 'longshore', role: 'longshore', durability: 'durable' },
    measure: (windowMs) => measureDelays(windowMs, site.writer, follower),
    close: async () => {
      await follower.close()
      await site.close()
    },
  }
}

/** As many processes, hops and syncs, and nothing else. */
async function createBareDelay(directory: string): Promise<Contender<FacetValues>> {
  mkdirSync(directory, { recursive: true })
  const file = (name: string): string => join(directory, `bare-${name}`)
  const relay = await Child.start('bare-path.ts', 'relay')
  const port = String(await relay.ask<number>('port'))
  const store = await Child.start('bare-path.ts', 'store', file('store'), port)
  const follower = await Child.start('bare-path.ts', 'follower', port)
  const writer = await Child.start('bare-path.ts', 'writer', file('writer'), port)
  return {
    ...{ name: 'bare TLS, a relay, two syncs', role: 'limit', durability: 'durable' },
    measure: (windowMs) => measureDelays(windowMs, writer, follower),
    close: async () => {
      for (const child of [writer, follower, store, relay]) await child.close()
    },
  }
}

/** Without a router: its blocks go from the writer straight to the follower, over plain TCP. */
async function createHypercoreDelay(directory: string): Promise<Contender<FacetValues>> {
  const pair = await Pair.start('hypercore', join(directory, 'hypercore'))
  return {
    ...{ name: `${hypercoreName()}, no router`, role: 'rival', durability: 'not durable' },
    measure: async (windowMs) => percentilesOf(await collectDelays(windowMs, () => pair.measure())),
    close: () => pair.close(),
  }
}

/** The server is what stores and what is in between. */
function createNatsDelay(directory: string) {
  return createNats<FacetValues>(directory, async (url) => {
    const follower = await Child.start('nats-client.ts', url)
    await follower.ask('follow')
    const writer = await Child.start('nats-client.ts', url)
    return {
      measure: (windowMs) => measureDelays(windowMs, writer, follower),
      close: async () => {
        for (const child of [writer, follower]) await child.close()
      },
    }
  })
}

export const networkRows: readonly (Row | Study)[] = [
  {
    facets: [
      {
        title: 'replicate, verify and store 100 B, two processes',
        ...{ unit: 'entries/s', better: 'more', target: 300_000 },
      },
      {
        title: 'processor time of the mirror for each entry of 100 B',
        ...{ unit: 'us', better: 'less', target: 3.3 },
      },
      {
        title: 'processor time of the writer for each entry of 100 B',
        ...{ unit: 'us', better: 'less', target: 3.3 },
      },
    ],
    contenders: async (directory) => [
      await createSmallPush(directory),
      await createSmallHypercore(directory),
    ],
  },
  {
    title: 'replicate, verify and store 64 KiB, two processes',
    ...{ unit: 'MB/s', better: 'more', target: 300 },
    contenders: async (directory) => [
      await createLargePush(directory),
      await createLargeHypercore(directory),
      ...(await createNatsPush(directory)),
    ],
  },
  {
    title: 'processor time of a router for a MB of bulk',
    ...{ unit: 'us', better: 'less' },
    contenders: async (directory) => [await createRouted(directory), await createPipe()],
  },
  {
    title: 'append to the receipt of the mirror, one at a time',
    ...{ unit: 'entries/s', better: 'more', target: 2500, warmUpWindows: WARM_UP_WINDOWS },
    contenders: async (directory) => [
      await createAppends(directory, 1),
      ...(await createNatsAppends(directory, 1)),
      await createBareAppends(directory),
    ],
  },
  {
    title: 'append to the receipt of the mirror, 256 in flight',
    ...{ unit: 'entries/s', better: 'more', target: 80_000 },
    contenders: async (directory) => [
      await createAppends(directory, 256),
      ...(await createNatsAppends(directory, 256)),
    ],
  },
  {
    facets: [
      {
        title: 'append to verified delivery through a router, p50',
        ...{ unit: 'ms', better: 'less', target: 1 },
      },
      {
        title: 'append to verified delivery through a router, p99',
        ...{ unit: 'ms', better: 'less', target: 10 },
      },
    ],
    warmUpWindows: WARM_UP_WINDOWS,
    contenders: async (directory) => [
      await createDelay(directory),
      await createHypercoreDelay(directory),
      ...(await createNatsDelay(directory)),
      await createBareDelay(directory),
    ],
  },
]
