/**
 * Asks the nodes of a run again and again how they are: what mirrors hold is judged at once, and
 * what all of them count is kept, life after life.
 *
 * @module
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { NodeStatus } from '@longshore/node'
import { Copies } from '../copies.ts'
import { COPIES, type Federation } from './federation.ts'
import type { NodeProcess } from './node-process.ts'

const LOOK_MS = 500
/** Counters that say what a node did not do. */
const SHOWN = ['droppedFrames', 'unreachableFrames', 'protocolErrors', 'refusedPackets'] as const

type Counters = NodeStatus['counters']

export class Watch {
  readonly #federation: Federation
  readonly #copies: Copies
  /** By role, node and life: a process that is started again counts anew. */
  readonly #counters = new Map<string, Counters>()
  #looking: Promise<void> | undefined
  #isOver = false

  constructor(federation: Federation) {
    this.#federation = federation
    this.#copies = new Copies({ mirrors: federation.mirrors.length, copies: COPIES })
  }

  get looks(): number {
    return this.#copies.looks
  }

  /** A broken promise ends the run. */
  start(): void {
    this.#looking = this.#run()
    this.#looking.catch(this.#federation.fail)
  }

  async stop(): Promise<void> {
    this.#isOver = true
    await this.#looking
  }

  /** Its disk is about to be damaged. */
  lose({ id }: NodeProcess): void {
    this.#copies.lose(id)
  }

  /** It has mended its copy, or was replaced. */
  regain({ id }: NodeProcess): void {
    this.#copies.regain(id, this.#acked())
  }

  /** By role and counter. */
  get counts(): Record<string, number> {
    const counts: Record<string, number> = {}
    for (const [key, counters] of this.#counters) {
      const [role] = key.split(' ')
      for (const name of SHOWN) {
        counts[`${role} ${name}`] = (counts[`${role} ${name}`] ?? 0) + counters[name]
      }
    }
    return counts
  }

  async #run(): Promise<void> {
    while (!this.#isOver) {
      const acked = this.#acked()
      const held = new Map<string, ReadonlyMap<string, number>>()
      for (const node of this.#federation.nodes) {
        const [life, status] = [node.lives, await node.status()]
        if (status === undefined) continue
        this.#counters.set(`${node.options.role} ${node.id} ${life}`, status.counters)
        const { capsules = [] } = status.mirror ?? {}
        held.set(node.id, new Map(capsules.map(({ name, size }) => [name, size])))
      }
      this.#copies.look(acked, held)
      await pause(LOOK_MS)
    }
  }

  #acked(): Map<string, number> {
    const { writers } = this.#federation
    return new Map(writers.map(({ capsule, options }) => [capsule, options.history.ackedSize]))
  }
}
