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
 * @module
 */
import { setFlagsFromString } from 'node:v8'

/** Up to four times what the last collection left: the most that V8 itself chooses. */
const GROWTH_PERCENT = 300

/** For the whole process, which is meant to be a node and nothing else. */
export function collectRarely(): void {
  setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`)
}
