/**
 * What goes wrong in the federation, on purpose, and how it is noticed and heals.
 *
 * 1. A mirror is killed with SIGKILL. It comes back, and has signed for everything that was
 *    written meanwhile.
 * 2. The wire between the routers is cut. Both sides go on with what they reach; when it is whole
 *    again, the mirror behind it catches up.
 * 3. Bytes on the disk of a mirror are flipped. `fsck` finds them. A mirror looks for that by
 *    itself when it starts, and once a day: so it is started again, finds it, gives its copy up for
 *    what the others hold, and is filled by them, as the same node.
 *
 * One thing of a kind at a time.
 *
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises'
import { type Damage, findDamage, flipBytes } from './damage.ts'
import type { Federation, FederationNode } from './federation.ts'
import { WIRE } from './plan.ts'

export type DramaKind = 'kill' | 'cut' | 'corrupt'

export type DramaEvent =
  | { readonly event: 'killed'; readonly mirror: string }
  | { readonly event: 'restarted'; readonly mirror: string }
  | { readonly event: 'cut' | 'restored'; readonly from: string; readonly to: string }
  | ({ readonly event: 'corrupted'; readonly mirror: string } & Damage)
  | {
      readonly event: 'damage-found'
      readonly mirror: string
      readonly problems: number
      readonly code: string
      readonly message: string
    }
  | { readonly event: 'mended'; readonly mirror: string; readonly principal: string }
  | {
      readonly event: 'healed'
      readonly kind: DramaKind
      readonly mirror: string
      /** The mirror has signed that it holds every entry below. */
      readonly size: number
    }
  | { readonly event: 'not-healed'; readonly kind: DramaKind; readonly message: string }

export interface DramaContext {
  readonly federation: Federation
  readonly onEvent: (event: DramaEvent) => void
  /** Entries in the capsule now. */
  readonly size: () => number
  /** Below what size the principal has signed that it holds everything. */
  readonly heldBy: (principal: string) => number
  /** How long a mirror stays away, and the wire cut. */
  readonly awayMs: number
}

/** The mirror that only the wire connects with the writer. */
const BEHIND_WIRE = 'mirror-3'
const HEAL_MS_MAX = 60_000
const LOOK_MS = 100

export class Drama {
  readonly #context: DramaContext
  readonly #under = new Map<DramaKind, Promise<void>>()
  /** Mirrors that something is being done to. */
  readonly #busy = new Set<string>()
  readonly #stop = new AbortController()
  readonly counts: Record<DramaKind | 'healed', number> = { kill: 0, cut: 0, corrupt: 0, healed: 0 }

  constructor(context: DramaContext) {
    this.#context = context
  }

  /** False if the same thing is under way, or no mirror is well. */
  kill(label?: string): boolean {
    const node = this.#choose(label, this.counts.kill + 1)
    return this.#begin('kill', node, (mirror) => this.#kill(mirror))
  }

  cut(): boolean {
    return this.#begin('cut', this.#context.federation.node(BEHIND_WIRE), () => this.#cut())
  }

  corrupt(label?: string): boolean {
    const node = this.#choose(label, this.counts.corrupt + 2)
    return this.#begin('corrupt', node, (mirror) => this.#corrupt(mirror))
  }

  /** Resolves when everything has healed or was given up. */
  async settled(): Promise<void> {
    await Promise.all(this.#under.values())
  }

  async close(): Promise<void> {
    this.#stop.abort()
    await this.settled()
  }

  #begin(
    kind: DramaKind,
    node: FederationNode | undefined,
    act: (node: FederationNode) => Promise<void>,
  ): boolean {
    if (node === undefined || this.#under.has(kind) || this.#stop.signal.aborted) return false
    const { label } = node.plan
    this.counts[kind] += 1
    if (kind !== 'cut') this.#busy.add(label)
    const done = act(node)
      .catch((error: Error) => {
        if (this.#stop.signal.aborted) return
        this.#context.onEvent({ event: 'not-healed', kind, message: error.message })
      })
      .finally(() => {
        this.#under.delete(kind)
        if (kind !== 'cut') this.#busy.delete(label)
      })
    this.#under.set(kind, done)
    return true
  }

  /** Each mirror in its turn. */
  #choose(label: string | undefined, turn: number): FederationNode | undefined {
    const mirrors = this.#context.federation.mirrors
    if (label !== undefined) return mirrors.find(({ plan }) => plan.label === label)
    const inTurn = mirrors.map((_, i) => mirrors[(turn + i) % mirrors.length] as FederationNode)
    return inTurn.find(({ plan, process }) => !this.#busy.has(plan.label) && process.ready)
  }

  async #kill({ plan, process }: FederationNode): Promise<void> {
    const { onEvent, awayMs } = this.#context
    const mirror = plan.label
    await process.kill()
    onEvent({ event: 'killed', mirror })
    await this.#pause(awayMs)
    const { principal } = await process.start()
    onEvent({ event: 'restarted', mirror })
    await this.#healed('kill', mirror, principal)
  }

  async #cut(): Promise<void> {
    const { federation, onEvent, awayMs } = this.#context
    federation.cutWire()
    onEvent({ event: 'cut', ...WIRE })
    await this.#pause(awayMs)
    federation.restoreWire()
    onEvent({ event: 'restored', ...WIRE })
    await this.#until(() => federation.isWireUp)
    // Whatever happens to the mirror itself meanwhile is another story.
    await this.#until(() => !this.#busy.has(BEHIND_WIRE))
    const principal = federation.node(BEHIND_WIRE).process.ready?.principal ?? ''
    await this.#healed('cut', BEHIND_WIRE, principal)
  }

  async #corrupt(node: FederationNode): Promise<void> {
    const { onEvent } = this.#context
    const { plan, process } = node
    const mirror = plan.label
    onEvent({ event: 'corrupted', mirror, ...flipBytes(process.data) })
    const { problems } = await findDamage(process.data)
    const [first] = problems
    if (first === undefined) throw new Error(`fsck has not found the damage in ${mirror}`)
    const { code, message } = first
    onEvent({ event: 'damage-found', mirror, problems: problems.length, code, message })
    await process.stop()
    const { principal } = await process.start()
    node.status = await process.status()
    await this.#until(() => isMended(node))
    onEvent({ event: 'mended', mirror, principal })
    await this.#healed('corrupt', mirror, principal)
  }

  /** The mirror has signed for everything that was written until now. */
  async #healed(kind: DramaKind, mirror: string, principal: string): Promise<void> {
    const { onEvent, size, heldBy } = this.#context
    const goal = size()
    await this.#until(() => heldBy(principal) >= goal)
    this.counts.healed += 1
    onEvent({ event: 'healed', kind, mirror, size: heldBy(principal) })
  }

  async #until(isThere: () => boolean): Promise<void> {
    const deadlineMs = performance.now() + HEAL_MS_MAX
    while (!isThere()) {
      if (performance.now() > deadlineMs) throw new Error('it has not healed within a minute')
      await this.#pause(LOOK_MS)
    }
  }

  async #pause(ms: number): Promise<void> {
    await delay(ms, undefined, { signal: this.#stop.signal })
  }
}

/** It has found damage since it was started, and nothing is damaged any more. */
function isMended({ status }: FederationNode): boolean {
  const { damaged = 1, mending = 1, mended = 0 } = status?.mirror ?? {}
  return damaged + mending === 0 && mended > 0
}
