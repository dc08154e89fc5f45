/**
 * A mirror that was away comes up and takes what it lacks from another one; the writer is gone.
 *
 * @module
 */
import { join } from 'node:path'
import { Child } from '../frame/child.ts'
import type { Contender, FacetValues, Study } from '../frame/row.ts'
import { describe, startNode } from './site.ts'

const ENTRIES = 1_000_000
const QUICK_ENTRIES = 20_000

/** Seconds from the start of the process, and entries in a second. */
async function heal(directory: string, count: number): Promise<FacetValues> {
  const home = (name: string): string => join(directory, name)
  const router = await startNode('router', home('router'))
  const { ticket } = await describe(router)
  const whole = await startNode('mirror', home('whole'), ticket)
  const away = await startNode('mirror', home('away'), ticket)
  const mirrors = [(await describe(whole)).name, (await describe(away)).name]
  const writer = await Child.start('network-writer.ts', home('writer'), ticket, ...mirrors)
  const capsule = await writer.ask<string>('open')
  await away.close()
  await writer.ask('grow', count)
  await writer.close()
  const started = performance.now()
  const back = await startNode('mirror', home('away'), ticket)
  await back.ask('holds', { capsule, size: count })
  const seconds = (performance.now() - started) / 1000
  for (const child of [back, whole, router]) await child.close()
  return [seconds, count / seconds]
}

export function createHealRows(quick: boolean): Study[] {
  const count = quick ? QUICK_ENTRIES : ENTRIES
  const title = `a mirror ${count.toLocaleString('en')} entries behind comes up and heals`
  return [
    {
      facets: [
        {
          title: `${title}, from its start`,
          ...{ unit: 's', better: 'less' },
          bound: 'one question at a time, 16,384 entries each; both mirrors share the disk',
        },
        { title: `${title}, on average`, unit: 'entries/s', better: 'more' },
      ],
      contenders: async (directory): Promise<Contender<FacetValues>[]> => [
        {
          ...{ name: 'longshore', role: 'longshore', durability: 'durable' },
          measure: () => heal(directory, count),
        },
      ],
      once: true,
    },
  ]
}
