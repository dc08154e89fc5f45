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
/** After its start: what that left behind is collected. */
const REST_MS = 5000
const ROUTES_POLL_MS = 2000
const MINUTE_MS = 60_000

async function measureIdle(data: string, observedMs: number, router?: Child): Promise<FacetValues> {
  const tickets = router === undefined ? [] : [(await describe(router)).ticket]
  const started = performance.now()
  const mirror = await startNode('mirror', data, ...tickets)
  const startS = (performance.now() - started) / 1000
  if (router !== undefined) await settled(router)
  await setTimeout(REST_MS)
  await Promise.all([mirror.cpuUs(), router?.cpuUs()])
  await setTimeout(observedMs)
  const perMinute = (us: number): number => (us / 1000) * (MINUTE_MS / observedMs)
  const mirrorMs = perMinute(await mirror.cpuUs())
  const routerMs = router === undefined ? undefined : perMinute(await router.cpuUs())
  const { resident, anonymous } = await mirror.ask<Memory>('memory')
  await mirror.close()
  const ownMemory = anonymous === undefined ? undefined : anonymous / 1e6
  return [startS, resident / 1e6, ownMemory, mirrorMs, routerMs]
}

interface Memory {
  readonly resident: number
  readonly anonymous: number | undefined
}

/** Resolves when the router hears of no more names. */
async function settled(router: Child): Promise<void> {
  let known = 0
  for (let routes = -1; routes < known; ) {
    routes = known
    await setTimeout(ROUTES_POLL_MS)
    known = await router.ask<number>('routes')
  }
}

function contender(
  name: string,
  measure: () => Promise<FacetValues>,
  close?: () => Promise<void>,
): Contender<FacetValues> {
  const of = { name, role: 'longshore', durability: 'no disk', measure } as const
  return close === undefined ? of : { ...of, close }
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
        { title: `${who}: the router's processor time in a minute`, unit: 'ms', better: 'less' },
      ],
      contenders: async (directory) => {
        const data = join(directory, 'mirror')
        await (await Child.start('fill-mirror.ts', data, String(count))).close()
        const router = await startNode('router', join(directory, 'router'))
        return [
          contender('longshore, joined to a router', () => measureIdle(data, observedMs, router)),
          contender(
            'longshore, alone',
            () => measureIdle(data, observedMs),
            () => router.close(),
          ),
        ]
      },
      once: true,
    },
  ]
}
