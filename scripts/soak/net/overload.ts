/**
 * Ten times as many writers as keep one mirror busy push to it at once: it must go on taking in at
 * its pace, refuse the rest cheaply and say when to come again, and stay within its memory; and a
 * follower behind a slow link must not hold up another one.
 *
 * @module
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isLongshoreError, parseName, parseTicket } from '@longshore/capsule'
import type { Prng } from '@longshore/engine/testing'
import { CapsuleHistory } from '../history.ts'
import { FollowerProcess } from './follower-process.ts'
import { NodeProcess } from './node-process.ts'
import { PushClient } from './push-client.ts'

/** Writers at a time; one alone keeps the mirror busy. */
const WRITERS = 10
/** A writer that measures the peak goes first, so many times. */
const PEAKS = 3
const BYTES_PER_SECOND_OF_RUN = 1_000_000
const BYTES_MAX = 24_000_000
const PAYLOAD_BYTES = 8192
const GOODPUT_SHARE_MIN = 0.8
/** The mirror's own limits (what waits for its disk, windows of sessions), and Node itself. */
const RSS_BYTES_MAX = 700_000_000
const SAMPLE_MS = 100
const SLOW_BYTES_PER_S = 10_000

/** Facts to record. Throws if the mirror collapses. `seconds` says how much is pushed. */
export async function overloadMirror(prng: Prng, seconds: number): Promise<Record<string, string>> {
  const directory = mkdtempSync(join(tmpdir(), 'longshore-net-'))
  process.env['XDG_STATE_HOME'] = join(directory, 'state')
  const trouble = Promise.withResolvers<never>()
  trouble.promise.catch(() => {})
  const fail = (error: unknown): void => trouble.reject(error)
  const mirror = new NodeProcess({ id: 'mirror', role: 'mirror', directory, fail })
  try {
    await mirror.start()
    const bytes = Math.min(BYTES_MAX, seconds * BYTES_PER_SECOND_OF_RUN)
    const facts = await Promise.race([press(mirror, prng, bytes), trouble.promise])
    await mirror.stop()
    return facts
  } finally {
    await mirror.kill()
    for (const { proxy } of mirror.links) await proxy.close()
    rmSync(directory, { recursive: true })
  }
}

async function press(
  mirror: NodeProcess,
  prng: Prng,
  bytes: number,
): Promise<Record<string, string>> {
  const sampling = setInterval(() => mirror.sampleRss(), SAMPLE_MS)
  const entries = Math.ceil(bytes / PAYLOAD_BYTES)
  const target = { name: parseName(mirror.principal), ticket: parseTicket(mirror.ticket) }
  const create = (): PushClient =>
    new PushClient({ prng: prng.child(), target, entries, payloadBytes: PAYLOAD_BYTES })
  const alone: Pace[] = []
  for (let i = 0; i < PEAKS; i++) {
    const client = create()
    alone.push(await pace(mirror, [client]))
    await client.close()
  }
  const clients = Array.from({ length: WRITERS }, create)
  const crowd = await pace(mirror, clients)
  const followers = await followBoth(mirror, prng, clients[0] as PushClient)
  clearInterval(sampling)
  const refusals = clients.flatMap((client) => client.refusals)
  for (const client of clients) await client.close()
  checkRefusals(refusals)
  const best = {
    perS: Math.max(...alone.map(({ perS }) => perS)),
    perCpuS: Math.max(...alone.map(({ perCpuS }) => perCpuS)),
  }
  // What a busy machine leaves to the mirror says nothing about it; what it makes of that does.
  const text = `${show(crowd)}; at best, with one: ${show(best)}`
  if (crowd.perCpuS < GOODPUT_SHARE_MIN * best.perCpuS) {
    throw new Error(`with ${WRITERS} writers the mirror takes ${text}`)
  }
  if (mirror.rssBytesMax > RSS_BYTES_MAX) throw new Error(`it takes ${mirror.rssBytesMax} bytes`)
  const refused = `${refusals.length} refusals${refusals.length > 0 ? ', all with retryAfterMs' : ''}`
  return {
    [`overload, ${WRITERS} writers at once`]: `${text}; ${refused}`,
    'memory under overload': `${Math.round(mirror.rssBytesMax / 1e6)} MB`,
    'one slow follower': followers,
  }
}

/** Megabytes that the mirror states to hold. */
interface Pace {
  readonly perS: number
  /** For each second that its process had a processor. */
  readonly perCpuS: number
}

async function pace(mirror: NodeProcess, clients: readonly PushClient[]): Promise<Pace> {
  const [startMs, startCpuS] = [performance.now(), mirror.cpuS]
  await Promise.all(clients.map((client) => client.push()))
  const megabytes = clients.reduce((sum, { entries }) => sum + (entries * PAYLOAD_BYTES) / 1e6, 0)
  return {
    perS: (megabytes * 1000) / (performance.now() - startMs),
    perCpuS: megabytes / (mirror.cpuS - startCpuS),
  }
}

function show({ perS, perCpuS }: Pace): string {
  return `${perS.toFixed(1)} MB/s, ${perCpuS.toFixed(1)} MB for each second of a processor`
}

function checkRefusals(refusals: PushClient['refusals']): void {
  for (const { error, retryAfterMs } of refusals) {
    if (isLongshoreError(error) && error.code === 'OVERLOADED' && retryAfterMs !== undefined)
      continue
    throw new Error('refused for another reason than overload', { cause: error })
  }
}

/** One follower behind a slow link, one beside it: the second is done while the first is not. */
async function followBoth(mirror: NodeProcess, prng: Prng, client: PushClient): Promise<string> {
  const { directory } = mirror.options
  const create = async (id: string): Promise<FollowerProcess> => {
    const history = new CapsuleHistory({ copies: 1 })
    const terms = { id, directory, capsule: client.capsule, history, fail: mirror.options.fail }
    const follower = new FollowerProcess(terms)
    await follower.create([await mirror.createLink(id, prng.child())])
    return follower
  }
  const [slow, fast] = [await create('slow'), await create('fast')]
  mirror.links[0]?.proxy.set({ kind: 'bandwidth', bytesPerS: SLOW_BYTES_PER_S })
  try {
    slow.start()
    const startMs = performance.now()
    fast.start()
    await fast.caughtUp(client.entries)
    const seconds = ((performance.now() - startMs) / 1000).toFixed(1)
    const has = slow.options.history.nextOf(slow.id)
    if (has >= client.entries) throw new Error('the slow follower was not slow')
    return `the fast one had all ${client.entries} entries after ${seconds} s, the slow one ${has}`
  } finally {
    await slow.kill()
    await fast.kill()
  }
}
