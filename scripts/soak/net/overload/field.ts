/**
 * One mirror, and what it takes in for so much of its processor.
 *
 * @module
 */
import { isLongshoreError } from '@longshore/capsule'
import type { Prng } from '@longshore/engine/testing'
import type { NodeProcess } from '../node-process.ts'
import { PushClient, type PushTarget } from '../push-client.ts'

export const PAYLOAD_BYTES = 8192

export interface Field {
  readonly mirror: NodeProcess
  readonly target: PushTarget
  readonly prng: Prng
  /** The longer, the more is pushed. */
  readonly seconds: number
}

/** Megabytes that the mirror states to hold. */
export interface Pace {
  readonly perS: number
  /** For each second that its process had a processor. */
  readonly perCpuS: number
}

/** Writers whose capsules, of one entry each, the mirror has taken on. */
export async function openClients(
  { prng, target }: Field,
  count: number,
): Promise<readonly PushClient[]> {
  const clients = Array.from({ length: count }, () => {
    return new PushClient({ prng: prng.child(), target, payloadBytes: PAYLOAD_BYTES })
  })
  for (const client of clients) client.append(1)
  await Promise.all(clients.map((client) => client.push()))
  return clients
}

/** They push so many bytes more, together, until the mirror has stated everything. */
export async function pace(
  { mirror }: Field,
  clients: readonly PushClient[],
  bytes: number,
): Promise<Pace> {
  const entries = Math.ceil(bytes / clients.length / PAYLOAD_BYTES)
  for (const client of clients) client.append(entries)
  const [startMs, startCpuS] = [performance.now(), mirror.cpuS]
  await Promise.all(clients.map((client) => client.push()))
  const megabytes = (clients.length * entries * PAYLOAD_BYTES) / 1e6
  return {
    perS: (megabytes * 1000) / (performance.now() - startMs),
    perCpuS: megabytes / (mirror.cpuS - startCpuS),
  }
}

/** The same for one writer that comes, pushes, and goes. */
export async function paceOfOne(field: Field, bytes: number): Promise<Pace> {
  const clients = await openClients(field, 1)
  try {
    return await pace(field, clients, bytes)
  } finally {
    for (const client of clients) await client.close()
  }
}

/** Pushes that were refused for now. Throws if one was for another reason. */
export function countRefusals(clients: readonly PushClient[]): number {
  const refusals = clients.flatMap((client) => client.refusals)
  for (const { error, retryAfterMs } of refusals) {
    const isMeant = isLongshoreError(error) && error.code === 'OVERLOADED'
    if (isMeant && retryAfterMs !== undefined) continue
    throw new Error('refused for another reason than overload', { cause: error })
  }
  return refusals.length
}

export function show({ perS, perCpuS }: Pace): string {
  return `${perS.toFixed(1)} MB/s, ${perCpuS.toFixed(1)} MB for each second of a processor`
}

export function percent(part: number, whole: number): string {
  return `${Math.round((100 * part) / whole)} %`
}
