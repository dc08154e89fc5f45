/**
 * Worlds without end: seed after seed, in some processes at the same time.
 *
 * A seed that fails, or gives no verdict in time, is printed with the command that repeats it, and
 * the run goes on.
 *
 * @module
 */
import { Progress } from './results.ts'
import { type WorldOrder, WorldProcess, type WorldReport } from './world-process.ts'

/** A world takes a second or some, a long one some more. */
const WORLD_MS_MAX = 300_000
const LONG_MS_MAX = 3_600_000
const SAVE_EVERY_MS = 10_000

export interface WorldsOptions {
  readonly commit: string
  readonly seed: number
  /** So many worlds of all kinds. */
  readonly worlds: number
  /** Instead, if given: long worlds, until so many virtual hours have passed. */
  readonly hours?: number
  /** Milliseconds after which no new world begins. */
  readonly ms: number
  /** Processes at the same time. */
  readonly workers: number
  /** Seconds with faults of each world, if not as many as usual. */
  readonly ticks?: number
  /** After so many milliseconds a world has no verdict, which is a failure. */
  readonly worldMsMax?: number
}

interface WorldsState {
  readonly firstSeed: number
  /** Seeds that were ordered. */
  begun: number
  /** Of them, those without a verdict. */
  open: number[]
  done: number
  readonly byWorld: Record<string, number>
  virtualSeconds: number
  events: number
  cpuMs: number
  wallMs: number
  readonly failed: string[]
}

/** Facts to print and record, in this order. */
export async function runWorlds(options: WorldsOptions): Promise<Record<string, string | number>> {
  const run = new WorldRun(options)
  await run.toEnd()
  return run.facts
}

class WorldRun {
  readonly #options: WorldsOptions
  readonly #progress: Progress<WorldsState>
  readonly #state: WorldsState
  readonly #startedMs = performance.now()
  #countedMs = this.#startedMs
  #savedMs = this.#startedMs
  /** Left without a verdict by a run that was interrupted. */
  readonly #again: number[]

  constructor(options: WorldsOptions) {
    const { commit, seed, worlds, hours } = options
    this.#options = options
    const name = hours === undefined ? `sim-${worlds}` : `sim-${hours}h`
    this.#progress = new Progress<WorldsState>(name, commit, {
      ...{ firstSeed: seed, begun: 0, open: [], done: 0, byWorld: {}, failed: [] },
      ...{ virtualSeconds: 0, events: 0, cpuMs: 0, wallMs: 0 },
    })
    this.#state = this.#progress.state
    this.#again = [...this.#state.open]
    const { firstSeed, done } = this.#state
    console.log(`seed ${firstSeed}${done === 0 ? '' : `, continued after ${done} worlds`}`)
  }

  async toEnd(): Promise<void> {
    const { workers } = this.#options
    await Promise.all(Array.from({ length: workers }, () => this.#work()))
    this.#progress.clear()
  }

  get facts(): Record<string, string | number> {
    const { firstSeed, begun, done, byWorld, virtualSeconds, failed } = this.#state
    const { events, cpuMs, wallMs } = this.#state
    const kinds = Object.entries(byWorld).map(([world, count]) => `${count} ${world}`)
    return {
      seeds: `${firstSeed} to ${firstSeed + begun - 1}`,
      worlds: `${done}: ${kinds.join(', ')}`,
      'simulated hours': (virtualSeconds / 3600).toFixed(2),
      events,
      'wall-clock hours': (wallMs / 3_600_000).toFixed(2),
      'processor hours': (cpuMs / 3_600_000).toFixed(2),
      processes: this.#options.workers,
      failures: failed.length === 0 ? 'none' : failed.join('; '),
    }
  }

  get #isLong(): boolean {
    return this.#options.hours !== undefined
  }

  async #work(): Promise<void> {
    const msMax = this.#options.worldMsMax ?? (this.#isLong ? LONG_MS_MAX : WORLD_MS_MAX)
    const process = new WorldProcess(msMax)
    for (let order = this.#next(); order !== undefined; order = this.#next()) {
      this.#take(await process.run(order))
    }
    process.close()
  }

  #next(): WorldOrder | undefined {
    const { worlds, hours, ms } = this.#options
    const state = this.#state
    if (performance.now() - this.#startedMs >= ms) return undefined
    const isEnough =
      hours === undefined ? state.begun >= worlds : state.virtualSeconds >= hours * 3600
    const again = this.#again.shift()
    if (again === undefined && isEnough) return undefined
    const seed = again ?? state.firstSeed + state.begun++
    if (again === undefined) state.open.push(seed)
    return { seed, isLong: this.#isLong, ticks: this.#options.ticks }
  }

  #take({ world, seed, seconds, events, cpuMs, error }: WorldReport): void {
    const state = this.#state
    state.open = state.open.filter((open) => open !== seed)
    state.done++
    state.byWorld[world] = (state.byWorld[world] ?? 0) + 1
    state.virtualSeconds += seconds
    state.events += events
    state.cpuMs += cpuMs
    if (error !== undefined) {
      const { ticks } = this.#options
      const rest = [
        ...(this.#isLong ? [' --world long'] : []),
        ...(ticks === undefined ? [] : [` --ticks ${ticks}`]),
      ]
      console.log(`FAILED ${error}\n  npm run sim -- --seed ${seed}${rest.join('')}`)
      state.failed.push(`${world} ${seed}`)
    }
    this.#save(error !== undefined)
  }

  #save(isUrgent: boolean): void {
    const nowMs = performance.now()
    this.#state.wallMs += nowMs - this.#countedMs
    this.#countedMs = nowMs
    if (!isUrgent && nowMs - this.#savedMs < SAVE_EVERY_MS) return
    this.#savedMs = nowMs
    this.#progress.save()
    const { done, failed, virtualSeconds } = this.#state
    const hours = (virtualSeconds / 3600).toFixed(2)
    console.log(`${done} worlds, ${hours} simulated hours, ${failed.length} failed`)
  }
}
