/**
 * A follower behind a slow link does not hold up those beside it.
 *
 * @module
 */
import { CapsuleHistory } from '../../history.ts'
import { FollowerProcess } from '../follower-process.ts'
import type { Link } from '../node-process.ts'
import type { PushClient } from '../push-client.ts'
import { type Field, openClients, pace } from './field.ts'

const FAST = 3
const SLOW_BYTES_PER_S = 10_000
const BYTES_PER_SECOND_OF_RUN = 500_000
const BYTES_MAX = 20_000_000

export async function followBeside(field: Field): Promise<Record<string, string>> {
  const { mirror, prng, seconds } = field
  const clients = await openClients(field, 1)
  const [client] = clients as [PushClient]
  await pace(field, clients, Math.min(BYTES_MAX, seconds * BYTES_PER_SECOND_OF_RUN))
  const link = await mirror.createLink('slow', prng.child())
  link.proxy.set({ kind: 'bandwidth', bytesPerS: SLOW_BYTES_PER_S })
  const slow = await createFollower(field, client, 'slow', link)
  try {
    const alone = await timeFast(field, client, 'alone')
    slow.start()
    const beside = await timeFast(field, client, 'beside')
    const has = slow.options.history.nextOf(slow.id)
    if (has >= client.entries) throw new Error('the slow follower was not slow')
    const fast = `${FAST} fast ones had all ${client.entries} entries after ${beside} s`
    return { 'one slow follower': `${fast}, the slow one ${has}; without it after ${alone} s` }
  } finally {
    await slow.kill()
    await client.close()
  }
}

async function timeFast(field: Field, client: PushClient, name: string): Promise<string> {
  const ids = Array.from({ length: FAST }, (_, i) => `${name}-${i + 1}`)
  const followers: FollowerProcess[] = []
  for (const id of ids) followers.push(await createFollower(field, client, id, field.mirror))
  try {
    const startMs = performance.now()
    for (const follower of followers) follower.start()
    await Promise.all(followers.map((follower) => follower.caughtUp(client.entries)))
    return ((performance.now() - startMs) / 1000).toFixed(1)
  } finally {
    for (const follower of followers) await follower.kill()
  }
}

async function createFollower(
  { mirror }: Field,
  { capsule }: PushClient,
  id: string,
  link: Pick<Link, 'ticket'>,
): Promise<FollowerProcess> {
  const { directory, fail } = mirror.options
  const history = new CapsuleHistory({ copies: 1 })
  const follower = new FollowerProcess({ id, directory, capsule, history, fail })
  await follower.create([link])
  return follower
}
