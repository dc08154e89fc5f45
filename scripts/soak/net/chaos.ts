/**
 * Everything that goes wrong in a run, drawn from a seed: processes of each role are killed and
 * come back, links have bad weather. Faults overlap; each process and each link has one at a time.
 *
 * @module
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { Prng } from '@longshore/engine/testing'
import { drawLinkFault } from '../fault-proxy.ts'
import type { Federation } from './federation.ts'
import type { Link } from './node-process.ts'

const GAP_MS_MIN = 200
const GAP_MS_MAX = 1500
const DOWN_MS_MAX = 2500
const WEATHER_MS_MIN = 300
const WEATHER_MS_MAX = 6000
const LOOK_MS = 50

type Role = 'follower' | 'mirror' | 'router' | 'writer'
/** `routers`: all of them at once; one alone is always survived by another one. */
type Action = Role | 'link' | 'routers'

/** The more often a word stands here, the more often it happens. */
const ACTIONS: readonly Action[] = [
  ...(['router', 'router', 'mirror', 'mirror', 'writer', 'writer'] as const),
  ...(['follower', 'follower', 'routers'] as const),
  ...(['link', 'link', 'link', 'link', 'link', 'link', 'link', 'link'] as const),
]

interface Mortal {
  readonly id: string
  readonly isRunning: boolean
  kill(): Promise<void>
  start(): Promise<void> | void
}

export class Chaos {
  readonly kills: Record<Role, number> = { router: 0, mirror: 0, writer: 0, follower: 0 }
  readonly faults: Record<string, number> = {}
  /** Ids of processes and links that are out of order. */
  readonly #busy = new Set<string>()
  readonly #recoveries = new Set<Promise<void>>()
  readonly #federation: Federation
  readonly #prng: Prng

  constructor(federation: Federation, prng: Prng) {
    this.#federation = federation
    this.#prng = prng
  }

  /** Returns when the time is over and everything has come back. */
  async run(seconds: number): Promise<void> {
    const endMs = performance.now() + seconds * 1000
    while (performance.now() < endMs) {
      await pause(this.#prng.between(GAP_MS_MIN, GAP_MS_MAX))
      this.#act(this.#prng.pick(ACTIONS))
    }
    await this.settled()
  }

  async settled(): Promise<void> {
    while (this.#recoveries.size > 0) await Promise.all(this.#recoveries)
  }

  /**
   * Keeps a process out of what is drawn, while somebody else deals with it, once what is happening
   * to it is over. Returns what ends that.
   */
  async reserve(id: string): Promise<() => void> {
    while (this.#busy.has(id)) await pause(LOOK_MS)
    this.#busy.add(id)
    return () => this.#busy.delete(id)
  }

  #act(action: Action): void {
    const { routers, mirrors, writers, followers, links } = this.#federation
    const rest = this.#prng.below(DOWN_MS_MAX)
    switch (action) {
      case 'link': {
        const link = this.#choose(links)
        const lastsMs = this.#prng.between(WEATHER_MS_MIN, WEATHER_MS_MAX)
        if (link !== undefined) this.#recover(link.id, this.#weather(link, lastsMs))
        return
      }
      case 'router': {
        const router = this.#choose(routers)
        const isLast = routers.some((other) => other !== router && this.#busy.has(other.id))
        if (!isLast) this.#kill(action, router, rest)
        return
      }
      case 'routers':
        for (const router of routers) {
          if (!this.#busy.has(router.id)) this.#kill('router', router, rest)
        }
        return
      case 'mirror':
        this.#kill(action, this.#choose(mirrors), rest)
        return
      case 'writer':
        this.#kill(action, this.#choose(writers), rest)
        return
      case 'follower':
        this.#kill(action, this.#choose(followers), rest)
    }
  }

  /** Draws the same numbers whatever is busy. */
  #choose<TItem extends { readonly id: string }>(items: readonly TItem[]): TItem | undefined {
    const item = this.#prng.pick(items)
    return this.#busy.has(item.id) ? undefined : item
  }

  #kill(role: Role, mortal: Mortal | undefined, downMs: number): void {
    if (mortal?.isRunning !== true) return
    this.kills[role]++
    const recover = async (): Promise<void> => {
      await mortal.kill()
      await pause(downMs)
      await mortal.start()
    }
    this.#recover(mortal.id, recover())
  }

  async #weather({ proxy }: Link, lastsMs: number): Promise<void> {
    const fault = drawLinkFault(this.#prng)
    this.faults[fault.kind] = (this.faults[fault.kind] ?? 0) + 1
    proxy.set(fault)
    await pause(lastsMs)
    proxy.set(undefined)
  }

  #recover(id: string, recovery: Promise<void>): void {
    this.#busy.add(id)
    const done = recovery.finally(() => {
      this.#busy.delete(id)
      this.#recoveries.delete(done)
    })
    // What does not come back ends the run.
    done.catch(this.#federation.fail)
    this.#recoveries.add(done)
  }
}
