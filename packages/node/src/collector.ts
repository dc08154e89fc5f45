/**
 * How often V8 looks through the whole heap of a node.
 *
 * What a node throws away is nearly all buffers outside of the heap: what it received and has
 * forwarded or stored. V8 counts them when it decides when to collect, but not when it measures how
 * fast the program allocates, so it takes a node for idle and goes through all of its small heap
 * after every 20 MB of traffic. Such a collection takes tens of milliseconds, and frees what the
 * cheap one of young objects, due every 32 MB, would have freed as well.
 *
 * Measured on a busy machine of two cores, in turns: while 300 MB pass, whole collections fall
 * from 37 to 7; the processor time for an entry of 100 B falls from 1.8 to 1.0 us in a router and
 * from 6.0 to 4.0 us in a mirror. `npm run bench -- network` shows both.
 *
 * A node with very many routes has a large heap, which must not grow to four times its size: it may
 * grow by what a small one may grow by, but at least by half. `npm run bench -- idle` shows that.
 *
 * @module
 */
import { constants, PerformanceObserver } from 'node:perf_hooks'
import { getHeapStatistics, setFlagsFromString } from 'node:v8'

/** Up to four times what the last collection left: the most that V8 itself chooses. */
const GROWTH_PERCENT_MAX = 300
const GROWTH_PERCENT_MIN = 50
/** Three times the heap of a node without routes. */
const GROWTH_BYTES = 67_108_864

/** Of this process. */
let observer: PerformanceObserver | undefined

/** For the whole process, which is meant to be a node and nothing else. */
export function collectRarely(): void {
  if (observer !== undefined) return
  setGrowth(GROWTH_PERCENT_MAX)
  observer = new PerformanceObserver((list) => {
    const isWhole = list.getEntries().some((entry) => {
      const { detail } = entry as { readonly detail?: { readonly kind?: number } }
      return detail?.kind === constants.NODE_PERFORMANCE_GC_MAJOR
    })
    if (isWhole) setGrowth(growthPercent(getHeapStatistics().used_heap_size))
  })
  observer.observe({ entryTypes: ['gc'] })
}

/** How much a heap may grow until it is looked through again, of which so much is in use. */
export function growthPercent(usedBytes: number): number {
  const percent = Math.round((GROWTH_BYTES / usedBytes) * 100)
  return Math.min(Math.max(percent, GROWTH_PERCENT_MIN), GROWTH_PERCENT_MAX)
}

function setGrowth(percent: number): void {
  setFlagsFromString(`--heap-growing-percent=${percent}`)
}
