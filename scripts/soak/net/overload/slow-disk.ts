/**
 * The disk of a mirror is too slow for what writers push: what waits for it is bounded, the rest is
 * refused with the time to come again, and when the disk has recovered everything gets there.
 *
 * @module
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { PushClient } from '../push-client.ts'
import { SlowDisk, whyNoSlowDisk } from '../slow-disk.ts'
import { countRefusals, type Field, openClients, PAYLOAD_BYTES } from './field.ts'

/** Together they may have half as much again on its way as a mirror keeps waiting (64 MiB). */
const WRITERS = 12
const BYTES = 10_000_000
const REFUSAL_MS_MAX = 60_000
/** How long the disk stays slow, once a push was refused. */
const HELD_MS = 3000
/** Long enough to fill what may wait, short enough that no neighbor gives the mirror up. */
const SYNC_MS = 8000
const LOOK_MS = 50

export async function pushToSlowDisk(field: Field): Promise<Record<string, string>> {
  const why = whyNoSlowDisk()
  if (why !== undefined) return { 'a disk far too slow': `none: ${why}` }
  const { mirror } = field
  const clients = await openClients(field, WRITERS)
  try {
    for (const client of clients) client.append(Math.ceil(BYTES / PAYLOAD_BYTES))
    const rssBytes = mirror.sampleRss()
    const disk = await SlowDisk.under(mirror.pid, SYNC_MS)
    let pushing: Promise<unknown>
    try {
      pushing = Promise.all(clients.map((client) => client.push()))
      await refused(clients)
      await pause(HELD_MS)
    } finally {
      await disk.release()
    }
    const growth = Math.round((mirror.sampleRss() - rssBytes) / 1e6)
    const startMs = performance.now()
    await pushing
    const seconds = ((performance.now() - startMs) / 1000).toFixed(1)
    const refusals = countRefusals(clients)
    const offered = Math.round((WRITERS * BYTES) / 1e6)
    const counts = `${offered} MB offered, ${refusals} pushes refused with OVERLOADED`
    const end = `everything held ${seconds} s after it recovered`
    return { 'a disk far too slow': `${counts}, ${growth} MB more memory, ${end}` }
  } finally {
    for (const client of clients) await client.close()
  }
}

async function refused(clients: readonly PushClient[]): Promise<void> {
  const endMs = performance.now() + REFUSAL_MS_MAX
  while (clients.every(({ refusals }) => refusals.length === 0)) {
    if (performance.now() > endMs) throw new Error('nothing is refused')
    await pause(LOOK_MS)
  }
}
