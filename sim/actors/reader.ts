/**
 * An application that follows one capsule: the remote reader, with the head that it remembers in a
 * file of its own. It goes by several mirrors and by what routers hand on, and believes neither.
 *
 * @module
 */
import {
  bytesEqual,
  decodeHead,
  encodeCertChain,
  encodeHead,
  formatHex,
  type Head,
  MAIN_BRANCH,
} from '@longshore/capsule'
import {
  type Membership,
  type MulticastCounters,
  type NodeEffect,
  type ReaderEffect,
  RemoteReader,
  readerService,
  type Service,
  type ServiceEffect,
} from '@longshore/engine'
import { type Prng, type SimActor, SimAnchor, type SimNode } from '@longshore/engine/testing'
import type { Truth } from '../truth.ts'
import { hold } from '../violation.ts'
import type { World } from '../world.ts'

export interface ReaderOptions {
  readonly truth: Truth
  /** Whom it asks. */
  readonly mirrors: readonly SimNode[]
  readonly mirrorsMin?: number
  /** How many of the publications never arrive, and nobody says so. */
  readonly multicastLoss?: number
  /** What it shows of where it may read. */
  readonly membership?: Membership
  /** The capsule's policy lets it read nothing. */
  readonly isStranger?: boolean
}

/** How often everybody is asked for a first head, and for news, and one mirror in turn. */
const SEARCH_US = 1_000_000
const REFRESH_US = 10_000_000
const CHECK_US = 2_000_000
const FOLLOW = 1

export class Reader implements SimActor {
  readonly label: string
  readonly truth: Truth
  readonly node: SimNode
  /** Entries that the application has, in order and without gaps. */
  size = 0
  readonly #world: World
  readonly #options: ReaderOptions
  readonly #prng: Prng
  readonly #distrusted = new Set<string>()
  readonly #service: string
  /** Holds the head as bytes, and loses what was not synced. */
  readonly #memory: SimAnchor
  #mirrors: readonly SimNode[]
  #reader: RemoteReader | undefined
  /** Of each life. */
  readonly #multicast: Readonly<MulticastCounters>[] = []
  /** Who is on the other side, by session. */
  readonly #peers = new Map<number, string>()

  constructor(world: World, node: SimNode, prng: Prng, options: ReaderOptions) {
    this.#world = world
    this.node = node
    this.truth = options.truth
    this.label = `${node.name}:${options.truth.label}`
    this.#options = options
    this.#prng = prng
    this.#mirrors = options.mirrors
    this.#service = `reader of ${options.truth.label}`
    this.#memory = new SimAnchor(prng)
    node.add(this)
  }

  losePower(): void {
    this.#memory.losePower()
  }

  get head(): Head | undefined {
    return this.#reader?.head
  }

  /** Entries that the multicast tree brought first. */
  get multicastCount(): number {
    return this.#multicast.reduce((sum, { entries }) => sum + entries, 0)
  }

  /** How often the multicast tree was left for a session. */
  get leftCount(): number {
    return this.#multicast.reduce((sum, { left }) => sum + left, 0)
  }

  services(): Readonly<Record<string, Service>> {
    const { truth, node } = this
    const { membership, multicastLoss = 0 } = this.#options
    const bytes = this.#memory.read()
    const reader = new RemoteReader({
      ...{ name: truth.name, branch: MAIN_BRANCH, nowUs: () => node.runtime.nowUs() },
      ...(bytes === undefined ? {} : { remembered: decodeHead(bytes) }),
      mirrorsMin: this.#options.mirrorsMin ?? 0,
      ...(membership === undefined ? {} : { memberships: [encodeCertChain(membership.chain)] }),
    })
    this.#reader = reader
    this.#multicast.push(reader.multicast)
    const service = readerService(reader, (target) =>
      this.#mirrors.some(({ identity }) => bytesEqual(identity.name, target)),
    )
    this.#peers.clear()
    this.#distrusted.clear()
    const opened: Service['opened'] = (session, peer, target) => {
      this.#peers.set(session, formatHex(peer.name))
      return service.opened(session, peer, target)
    }
    const published: Service['published'] = (name, payload) => {
      return this.#prng.chance(multicastLoss) ? [] : (service.published?.(name, payload) ?? [])
    }
    return { [this.#service]: { ...service, opened, published } }
  }

  started(): void {
    const reader = this.#reader
    if (reader === undefined) return
    // An application that starts again reads again: from anywhere that it likes.
    this.size = 0
    const { label, truth } = this
    this.#world.history.push({ type: 'begun', reader: label, capsule: truth.label })
    const opens = this.#mirrors.map(({ identity }) => {
      return { type: 'open-session' as const, target: identity.name }
    })
    this.#run([...opens, ...reader.follow(FOLLOW, 0)])
    this.#repeat(SEARCH_US, () => (reader.head === undefined ? reader.refresh() : []))
    this.#repeat(REFRESH_US, () => reader.refresh())
    this.#repeat(CHECK_US, () => reader.check())
  }

  /** Was given damaged bytes, and asks this mirror no more until its application starts again. */
  distrusts({ identity }: SimNode): boolean {
    return this.#distrusted.has(formatHex(identity.name))
  }

  /** Asks another node from now on. */
  replaceMirror(before: SimNode, mirror: SimNode): void {
    const kept = this.#mirrors.filter((known) => known !== before)
    if (kept.length === this.#mirrors.length) return
    this.#mirrors = [...kept, mirror]
    if (this.node.isUp) this.#run([{ type: 'open-session', target: mirror.identity.name }])
  }

  heard(effect: NodeEffect): void {
    if (effect.type !== 'news' || effect.service !== this.#service) return
    this.#news(effect.news as ReaderEffect)
  }

  #run(effects: readonly ServiceEffect[]): void {
    this.node.step({ type: 'run', service: this.#service, effects })
  }

  #repeat(intervalUs: number, action: () => readonly ReaderEffect[]): void {
    this.node.after(intervalUs, () => {
      this.#run(action())
      this.#repeat(intervalUs, action)
    })
  }

  #news(news: ReaderEffect): void {
    const { claims, history } = this.#world
    const isShown = news.type === 'head' || news.type === 'entries'
    const { isStranger = false } = this.#options
    hold('I9', !isShown || !isStranger, () => `${this.label} reads what it must not read`)
    switch (news.type) {
      case 'head':
        this.#memory.write(encodeHead(news.head))
        this.#memory.sync()
        claims.head(this.label, this.truth, news.head)
        history.push({
          ...{ type: 'head', reader: this.label, capsule: this.truth.label },
          ...{ size: news.head.size, root: formatHex(news.head.root) },
        })
        return
      case 'entries':
        this.#entries(news)
        return
      case 'distrusted':
        this.#distrusted.add(this.#peers.get(news.session) ?? '')
        claims.distrusted(this.label, this.#peers.get(news.session) ?? '', news.error)
        return
      case 'evidence':
        claims.evidence(this.label, this.truth, news.bytes)
    }
  }

  #entries(news: Extract<ReaderEffect, { type: 'entries' }>): void {
    const { claims, history } = this.#world
    const { label: reader, truth } = this
    const leaves = claims.entries(reader, truth, news, this.size)
    for (const [i, leaf] of leaves.entries()) {
      history.push({ type: 'entry', reader, capsule: truth.label, index: news.start + i, leaf })
    }
    this.size = news.start + leaves.length
  }
}
