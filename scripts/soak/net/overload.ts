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
export async function overloadMirror(
  prng: Prng,
  seconds: number,
): Promise<Record<string, string>> {
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
  const megabytes = (count: number): number => (count * entries * PAYLOAD_BYTES) / 1e6
  let peak = 0
  for (let i = 0; i < PEAKS; i++) {
    const client = create()
    peak = Math.max(peak, megabytes(1) / (await client.push()))
    await client.close()
  }
  const clients = Array.from({ length: WRITERS }, create)
  const startMs = performance.now()
  await Promise.all(clients.map((client) => client.push()))
  const goodput = megabytes(WRITERS) / ((performance.now() - startMs) / 1000)
  const followers = await followBoth(mirror, prng, clients[0] as PushClient)
  clearInterval(sampling)
  const refusals = clients.flatMap((client) => client.refusals)
  for (const client of clients) await client.close()
  checkRefusals(refusals)
  const share = goodput / peak
  const text = `${goodput.toFixed(1)} MB/s of ${peak.toFixed(1)} at best (${Math.round(share * 100)} %)`
  if (share < GOODPUT_SHARE_MIN) throw new Error(`overloaded, the mirror takes ${text}`)
  if (mirror.rssBytesMax > RSS_BYTES_MAX) throw new Error(`it takes ${mirror.rssBytesMax} bytes`)
  return {
    'overload, 10 writers at once': `${text}, ${refusals.length} refusals, all with retryAfterMs`,
    'memory under overload': `${Math.round(mirror.rssBytesMax / 1e6)} MB`,
    'one slow follower': followers,
  }
}

function checkRefusals(refusals: PushClient['refusals']): void {
  for (const { error, retryAfterMs } of refusals) {
    if (isLongshoreError(error) && error.code === 'OVERLOADED' && retryAfterMs !== undefined) continue
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
