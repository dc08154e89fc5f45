/**
 * How long a router's death is felt: everything else is well, writers write, one router is killed.
 *
 * @module
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { Federation } from './federation.ts'
import type { FollowerProcess } from './follower-process.ts'

/** Until everybody has dialled the router again. */
const SETTLE_MS = 2000

/**
 * Milliseconds from each death until a follower has an entry that was written after it: one sample
 * per death and follower.
 */
export async function timeFailovers(federation: Federation, kills: number): Promise<number[]> {
  const { routers, followers, writers } = federation
  const samples: number[] = []
  const delivered = (follower: FollowerProcess): Promise<void> => {
    const writer = writers.find(({ capsule }) => capsule === follower.options.capsule)
    return follower.caughtUp((writer?.options.history.sentCount ?? 0) + 1)
  }
  await Promise.all(followers.map(delivered))
  for (let kill = 0; kill < kills; kill++) {
    const router = routers[kill % routers.length]
    await router?.kill()
    const startMs = performance.now()
    const timed = followers.map(async (follower) => {
      await delivered(follower)
      samples.push(performance.now() - startMs)
    })
    await Promise.all(timed)
    await router?.start()
    await pause(SETTLE_MS)
  }
  return samples
}
