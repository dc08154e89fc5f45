/**
 * How long a router's death is felt: everything else is well, writers write, one router is killed.
 *
 * @module
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { Federation } from './federation.ts'
import type { FollowerProcess } from './follower-process.ts'

/** Until everybody has dialled the router again, and its names are known. */
const LINKED_MS_MAX = 60_000
const LOOK_MS = 100
const SETTLE_MS = 500

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
  for (let kill = 0; kill < kills; kill++) {
    await linked(federation)
    await Promise.all(followers.map(delivered))
    const router = routers[kill % routers.length]
    await router?.kill()
    const startMs = performance.now()
    const timed = followers.map(async (follower) => {
      await delivered(follower)
      samples.push(performance.now() - startMs)
    })
    await Promise.all(timed)
    await router?.start()
  }
  return samples
}

/** Everybody has a link to every router: whichever dies, another way is there. */
async function linked({ routers, mirrors, writers, followers }: Federation): Promise<void> {
  const expected = routers.length - 1 + mirrors.length + writers.length + followers.length
  const endMs = performance.now() + LINKED_MS_MAX
  for (const router of routers) {
    for (;;) {
      const links = (await router.status())?.links ?? []
      if (new Set(links.map(({ principal }) => principal)).size >= expected) break
      if (performance.now() > endMs) throw new Error(`${links.length} links to ${router.id}`)
      await pause(LOOK_MS)
    }
  }
  await pause(SETTLE_MS)
}
