/**
 * A mirror that holds very many capsules of which nobody wants anything.
 *
 * @module
 */
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { Child } from '../frame/child.ts'
import type { Contender, FacetValues, Study } from '../frame/row.ts'
import { describe, startNode } from './site.ts'

const CAPSULES = 100_000
const QUICK_CAPSULES = 1000
/** The other mirrors of a capsule are asked for once in this time. */
const OBSERVED_MS = 60_000
const QUICK_OBSERVED_MS = 1000
/** A router takes some hundred names in it even when its machine is busy. */
const ROUTES_POLL_MS = 5000
const MINUTE_MS = 60_000

interface Memory {
  readonly resident: number
  readonly anonymous: number | undefined
}

/** A mirror that is started on a full home, at a router; `router` hears all names from it. */
async function measureIdle(data: string, router: Child, observedMs: number): Promise<FacetValues> {
  const { ticket } = await describe(router)
  const started = performance.now()
  const mirror = await startNode('mirror', data, ticket)
  const startS = (performance.now() - started) / 1000
  const names = await settled(router)
  await Promise.all([mirror.cpuUs(), router.cpuUs()])
  await setTimeout(observedMs)
  const perMinute = (us: number): number => (us / 1000) * (MINUTE_MS / observedMs)
  const mirrorMs = perMinute(await mirror.cpuUs())
  const routerMs = perMinute(await router.cpuUs())
  const { resident, anonymous } = await mirror.ask<Memory>('memory')
  await mirror.close()
  const ownMb = anonymous === undefined ? undefined : anonymous / 1e6
  return [startS, resident / 1e6, ownMb, mirrorMs, routerMs, names]
}

/** Names that the router knows when it hears of no more. */
async function settled(router: Child): Promise<number> {
  let known = 0
  for (let before = -1; before < known; ) {
    before = known
    await setTimeout(ROUTES_POLL_MS)
    known = await router.ask<number>('routes')
  }
  return known
}

export function createIdleRows(quick: boolean): Study[] {
  const count = quick ? QUICK_CAPSULES : CAPSULES
  const observedMs = quick ? QUICK_OBSERVED_MS : OBSERVED_MS
  const who = `a mirror with ${count.toLocaleString('en')} idle capsules`
  return [
    {
      facets: [
        { title: `${who}: start of its process`, unit: 's', better: 'less' },
        { title: `${who}: resident memory`, unit: 'MB', better: 'less', target: 300 },
        { title: `${who}: resident memory without mapped files`, unit: 'MB', better: 'less' },
        { title: `${who}: its processor time in a minute`, unit: 'ms', better: 'less' },
        { title: `${who}: its router's processor time in a minute`, unit: 'ms', better: 'less' },
        { title: `${who}: names that its router knows`, unit: 'names', better: 'more' },
      ],
      contenders: async (directory): Promise<Contender<FacetValues>[]> => {
        const data = join(directory, 'mirror')
        await (await Child.start('fill-mirror.ts', data, String(count))).close()
        const router = await startNode('router', join(directory, 'router'))
        return [
          {
            ...{ name: 'longshore', role: 'longshore', durability: 'durable' },
            measure: () => measureIdle(data, router, observedMs),
            close: () => router.close(),
          },
        ]
      },
      once: true,
    },
  ]
}
