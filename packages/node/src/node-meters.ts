/**
 * What a node measures about itself while it runs: syncs, and how late the event loop is.
 *
 * @module
 */
import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks'

/** Upper bounds in seconds: a good disk, a slow one, one in trouble. */
const SYNC_BOUNDS_S = [
  ...[0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005],
  ...[0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
]
const LAG_RESOLUTION_MS = 20
const NS_PER_S = 1e9

export interface SyncHistogram {
  readonly count: number
  readonly sumS: number
  /** Cumulative, as Prometheus wants them; the last bound is infinite. */
  readonly buckets: readonly { readonly boundS: number; readonly count: number }[]
}

export class NodeMeters {
  readonly #syncCounts: number[] = SYNC_BOUNDS_S.map(() => 0)
  #syncCount = 0
  #syncSumS = 0
  readonly #lag: IntervalHistogram = monitorEventLoopDelay({ resolution: LAG_RESOLUTION_MS })

  constructor() {
    this.#lag.enable()
  }

  synced(ms: number): void {
    const seconds = ms / 1000
    const at = SYNC_BOUNDS_S.findIndex((boundS) => seconds <= boundS)
    if (at >= 0) this.#syncCounts[at] = (this.#syncCounts[at] ?? 0) + 1
    this.#syncCount++
    this.#syncSumS += seconds
  }

  get syncs(): SyncHistogram {
    let count = 0
    const buckets = SYNC_BOUNDS_S.map((boundS, at) => {
      count += this.#syncCounts[at] ?? 0
      return { boundS, count }
    })
    buckets.push({ boundS: Number.POSITIVE_INFINITY, count: this.#syncCount })
    return { count: this.#syncCount, sumS: this.#syncSumS, buckets }
  }

  /** Seconds by which timers were late, since the start; 0 before the first one. */
  lagS(percentile: number): number {
    if (this.#lag.count === 0) return 0
    // The histogram counts the whole interval.
    const lateNs = this.#lag.percentile(percentile) - LAG_RESOLUTION_MS * 1e6
    return Math.max(0, lateNs / NS_PER_S)
  }

  close(): void {
    this.#lag.disable()
  }
}
