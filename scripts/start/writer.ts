/**
 * The writing process of `npm start`: samples this host and appends every sample to one capsule.
 *
 * Talks to its parent by IPC messages only. Holds the home's lock while it runs, so appends and
 * erasures of other terminals are forwarded to it.
 *
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises'
import { openHome } from '@longshore/client/node'
import { sampleHost } from './telemetry.ts'

/** The label by which a later start finds its capsule again. */
const STREAM_LABEL = 'host-telemetry'

const SAMPLE_INTERVAL_MS = 200

export type WriterMessage =
  | {
      readonly event: 'opened'
      readonly name: string
      readonly size: number
      readonly resumed: boolean
    }
  | { readonly event: 'acked'; readonly size: number; readonly count: number }
  | { readonly event: 'stopped'; readonly size: number; readonly checkpoint: string }

function send(message: WriterMessage): void {
  if (process.connected) process.send?.(message)
}

async function* samples(signal: AbortSignal): AsyncGenerator<string> {
  while (!signal.aborted) {
    for (const sample of sampleHost()) yield JSON.stringify(sample)
    await delay(SAMPLE_INTERVAL_MS, undefined, { signal }).catch(() => undefined)
  }
}

async function main(path: string): Promise<void> {
  const stop = new AbortController()
  process.once('SIGTERM', () => stop.abort())
  process.once('disconnect', () => stop.abort())
  process.on('message', (message) => {
    if (message === 'stop') stop.abort()
  })
  // Ctrl-C reaches the whole process group; the parent decides when to stop.
  process.on('SIGINT', () => undefined)

  await using home = await openHome({ path })
  const existing = (await home.list()).find(
    (info) => info.labels['stream'] === STREAM_LABEL && info.writable,
  )
  await using capsule =
    existing === undefined
      ? await home.create({ labels: { stream: STREAM_LABEL } })
      : await home.open(existing.name)
  send({ event: 'opened', name: capsule.text, size: capsule.size, resumed: existing !== undefined })

  for await (const ack of capsule.appendStream(samples(stop.signal))) {
    send({ event: 'acked', size: ack.size, count: ack.count })
  }
  send({ event: 'stopped', size: capsule.size, checkpoint: capsule.checkpoint() })
}

const path = process.argv[2]
if (path !== undefined && import.meta.main) {
  await main(path)
  if (process.connected) process.disconnect()
}
