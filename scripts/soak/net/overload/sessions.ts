/**
 * More sessions than a mirror takes: each of many peers opens more than one peer may, and together
 * more than all may. The mirror refuses the rest, keeps those that it has, and works on.
 *
 * @module
 */
import { setTimeout as pause } from 'node:timers/promises'
import { type CapsuleName, MAIN_BRANCH } from '@longshore/capsule'
import { createNodeRuntime, type Network, openNodeNetwork } from '@longshore/client/node'
import { encodeMessage, type Service } from '@longshore/engine'
import type { PushClient, PushTarget } from '../push-client.ts'
import { type Field, openClients, paceOfOne } from './field.ts'

/** Limits of a node: sessions of one peer, and all of them. */
const PER_PEER_MAX = 256
const ALL_MAX = 8192
const TOO_MANY = 8
/** Handshakes of one peer under way; 16 are answered. */
const AT_ONCE = 8
const PEERS_AT_ONCE = 4
/** Shorter runs have only so many peers. */
const PEERS_FEW = 2
const SECONDS_FOR_ALL = 60
const PUSHED_BYTES_PER_SECOND_OF_RUN = 1_000_000
const PUSHED_BYTES_MAX = 48_000_000
const IDLE_MS = 10_000

export async function floodWithSessions(field: Field): Promise<Record<string, string>> {
  const { target, mirror, seconds } = field
  const [client] = (await openClients(field, 1)) as [PushClient]
  const bytes = Math.min(PUSHED_BYTES_MAX, seconds * PUSHED_BYTES_PER_SECOND_OF_RUN)
  const quiet = await paceOfOne(field, bytes)
  const rssBytes = mirror.sampleRss()
  const count = seconds < SECONDS_FOR_ALL ? PEERS_FEW : 1 + ALL_MAX / PER_PEER_MAX
  const peers: ManySessions[] = []
  try {
    for (let i = 0; i < count; i += PEERS_AT_ONCE) {
      const next = Array.from({ length: Math.min(PEERS_AT_ONCE, count - i) }, () => {
        return new ManySessions({ target, capsule: client.name })
      })
      peers.push(...next)
      await Promise.all(next.map((peer) => peer.done))
    }
    const held = peers.reduce((sum, { open }) => sum + open, 0)
    const refused = peers.reduce((sum, peer) => sum + peer.refused, 0)
    const growthBytes = mirror.sampleRss() - rssBytes
    const what = `${held} sessions open, ${refused} refused with OVERLOADED`
    if (refused < count * TOO_MANY) throw new Error(`${what} of ${peers.length} peers`)
    const startCpuS = mirror.cpuS
    await pause(IDLE_MS)
    const idle = Math.round(((mirror.cpuS - startCpuS) * 1e6) / IDLE_MS)
    const { perS } = await paceOfOne(field, bytes)
    const lost = peers.reduce((sum, peer) => sum + peer.lost, 0)
    if (lost > 0) throw new Error(`${lost} of ${what} were lost`)
    const memory = `${Math.round(growthBytes / 1e6)} MB more memory`
    const costs = `${memory}, ${idle} ms of a processor each second`
    const pace = `a writer beside them pushes ${perS.toFixed(1)} MB/s, before ${quiet.perS.toFixed(1)}`
    return { 'sessions too many': `${what}, ${costs}; ${pace}` }
  } finally {
    for (const peer of peers) await peer.close()
    await client.close()
  }
}

interface ManySessionsOptions {
  readonly target: PushTarget
  /** The mirror has it. */
  readonly capsule: CapsuleName
}

/** One peer. */
class ManySessions {
  open = 0
  refused = 0
  lost = 0
  readonly #options: ManySessionsOptions
  readonly #network: Network
  readonly #done = Promise.withResolvers<void>()
  #begun = 0

  constructor(options: ManySessionsOptions) {
    this.#options = options
    const tickets = [options.target.ticket]
    this.#network = openNodeNetwork({ runtime: createNodeRuntime(), tickets, sessionLimits: {} })
    for (let i = 0; i < PER_PEER_MAX + TOO_MANY; i++) {
      this.#network.add(String(i), this.#service(), () => {})
    }
    for (let i = 0; i < AT_ONCE; i++) this.#begin()
  }

  /** Each session is open or refused. */
  get done(): Promise<void> {
    return this.#done.promise
  }

  async close(): Promise<void> {
    await this.#network.close()
  }

  #begin(): void {
    if (this.#begun === PER_PEER_MAX + TOO_MANY) return
    const { name: target } = this.#options.target
    this.#network.run(String(this.#begun++), [{ type: 'open-session', target }])
  }

  #settled(): void {
    const isDone = this.open + this.refused === PER_PEER_MAX + TOO_MANY
    if (isDone) this.#done.resolve()
    // Not within a step of the engine.
    else setImmediate(() => this.#begin())
  }

  #service(): Service {
    const { capsule: name } = this.#options
    let state: 'asked' | 'open' | 'refused' = 'asked'
    return {
      // The mirror may still refuse it: an answer shows that it has not.
      opened: (session) => {
        const message = encodeMessage({ kind: 'open', id: 1, name, branch: MAIN_BRANCH })
        return [{ type: 'send', session, message, isBulk: false }]
      },
      closed: (_session, _target, error) => {
        if (state === 'open') this.lost++
        else if (error?.code === 'OVERLOADED') {
          state = 'refused'
          this.refused++
          this.#settled()
        }
        return []
      },
      receive: (session, message) => {
        state = 'open'
        this.open++
        this.#settled()
        return [{ type: 'consumed', session, bytes: message.length }]
      },
      // Until the link to the mirror is up nobody can be reached.
      wants: () => state === 'asked',
    }
  }
}
