/**
 * One branch that others hold, read through the network: sessions to its mirrors, and the reader
 * of the engine that believes none of them.
 *
 * 1. Everybody who serves the capsule is asked: mirrors that this home knows, those that the
 *    routers name, and neighbors that are no routers. Whoever is lost is tried again.
 * 2. Each head is kept before what is under it is handed on (F23).
 * 3. Entries are asked for in stretches of a few MiB, the next one while the last one is being
 *    used: a slow caller costs no memory.
 * 4. A follow of a public capsule goes by the multicast tree; while there is one, mirrors are asked
 *    in turn whether the tree has lost something.
 *
 * Rules NW7-NW12 and NW26 of docs/spec/network.md.
 *
 * @module
 */
import {
  type CapsuleName,
  type ErrorCode,
  formatName,
  type Head,
  type LongshoreError,
  type SignedManifest,
  UnavailableError,
  type VerificationError,
} from '@longshore/capsule'
import {
  type ReaderEffect,
  RemoteReader,
  readerService,
  type Service,
  type ServiceEffect,
  type ServiceNews,
  type Source,
  type Stretch,
} from '@longshore/engine'
import { checkNotAborted } from '../commit-signal.ts'
import type { Network } from './network.ts'
import type { RemoteBranchOptions, ServingNode } from './remote-branch-options.ts'
import {
  arrive,
  type Channel,
  createChannel,
  fittingCount,
  type OpenStretch,
  type RemoteEntries,
  STRETCH_COUNT_FIRST,
  take,
} from './remote-channel.ts'
import { whyStopped, whyUnread } from './why-unread.ts'

/** How often those who serve the capsule are looked for, while nobody answers, and later. */
const SEARCH_MS = 1000
const SEARCH_LATER_MS = 30_000
/** How often mirrors are asked for news where a head needs several of them, or must be fresh. */
const REFRESH_MS = 1000
/** How often a mirror is asked for what the multicast tree may have lost. */
const CHECK_MS = 2000
/** So often the routers say that there is no way to a node, each time asked anew. */
const NO_ROUTES = 2
let lastBranch = 0

export class RemoteBranch {
  readonly #network: Network
  readonly #options: RemoteBranchOptions
  readonly #id: string
  readonly #reader: RemoteReader
  readonly #service: Service
  readonly #channels = new Map<number, Channel>()
  readonly #watchers = new Set<() => void>()
  /** Asked for already. */
  readonly #targets = new Set<string>()
  /** What lets a node serve the capsule, by its name. */
  readonly #chains = new Map<string, Uint8Array>()
  /** How often there was no way to a node, since a neighbor last came or went. */
  readonly #noRoutes = new Map<string, number>()
  readonly #sessions = new Set<number>()
  readonly #unwatch: () => void
  #lastRequest = 0
  #cancelSearch: (() => void) | undefined
  #cancelRefresh: (() => void) | undefined
  #cancelCheck: (() => void) | undefined
  #followCount = 0
  #isSearching = false
  /** In force and not kept yet: the newest one is enough. */
  #toKeep: Head | undefined
  /** Resolves when every head so far is kept. */
  #keeping: Promise<void> | undefined
  #conviction: VerificationError | undefined
  /** The last thing that a mirror, or the routers, said against it. */
  #refusal: LongshoreError | undefined
  #routeCode: ErrorCode | undefined
  #isClosed = false

  constructor(network: Network, options: RemoteBranchOptions) {
    const { name, branch, remembered, mirrorsMin, freshS, memberships } = options
    this.#network = network
    this.#options = options
    this.#id = `read/${formatName(name)}/${++lastBranch}`
    this.#reader = new RemoteReader({
      name,
      branch,
      mirrorsMin,
      memberships,
      nowUs: () => network.runtime.nowUs(),
      ...(remembered === undefined ? {} : { remembered }),
      ...(freshS === undefined ? {} : { ageSMax: freshS }),
    })
    this.#service = this.#createService()
    network.add(this.#id, this.#service, (news) => this.#hear(news))
    this.#learn(options.mirrors)
    this.#unwatch = network.watchLinks(() => {
      this.#noRoutes.clear()
      this.#search()
    })
    this.#search()
    if (this.#isRefreshed) this.#refreshSoon()
  }

  /** The head that reading goes by. */
  get head(): Head | undefined {
    return this.#reader.head
  }

  /** Nothing smaller is believed to be the newest: what is in force, else what was read before. */
  get floor(): Head | undefined {
    return this.head ?? this.#options.remembered
  }

  get signed(): SignedManifest | undefined {
    return this.#reader.signed
  }

  get sources(): readonly Source[] {
    return [...this.#reader.sources]
  }

  /** What lets this node serve the capsule; undefined if nobody has shown it. */
  chainOf(node: CapsuleName): Uint8Array | undefined {
    return this.#chains.get(formatName(node))
  }

  /** Every neighbor was tried, and those that are there know no way to this node. */
  isOutOfReach(node: CapsuleName): boolean {
    const count = this.#noRoutes.get(formatName(node)) ?? 0
    return count >= NO_ROUTES && this.#network.hasTriedAll
  }

  /**
   * Resolves once it is known what there is to read: a head, or that the capsule is empty.
   *
   * @throws {VerificationError} `EQUIVOCATION` with the evidence in base64 in `details.evidence`;
   * `ROLLBACK` if the mirrors show less than was read before
   * @throws {UnavailableError} `NO_MIRROR`, or what the mirrors or routers say against it
   */
  ready(signal?: AbortSignal): Promise<void> {
    return this.until(() => this.#checkReady(), signal)
  }

  /** Waits for something that mirrors have to say. `isSound`: and the writer is not convicted. */
  until(isThere: () => boolean, signal?: AbortSignal, isSound = true): Promise<void> {
    const patience = {
      timeoutMs: this.#options.timeoutMs,
      signal,
      orElse: () => this.whyNot(),
    }
    return this.#network.until(
      () => {
        if (isSound) this.#checkSound()
        return isThere()
      },
      patience,
      (look) => this.watch(look),
    )
  }

  /** Whenever something was heard, until the returned function is called. */
  watch(action: () => void): () => void {
    this.#watchers.add(action)
    return () => this.#watchers.delete(action)
  }

  /**
   * Entries of a range below the size of the head, message by message. `countFirst`: how many to
   * begin with, before it is known how large they are.
   */
  async *read(
    range: Stretch,
    signal?: AbortSignal,
    countFirst: number = STRETCH_COUNT_FIRST,
  ): AsyncGenerator<RemoteEntries> {
    let next = this.#openStretch(range, range.start, countFirst)
    try {
      while (next !== undefined) {
        const current = next
        next = undefined
        let [count, bytes] = [0, 0]
        for await (const entries of this.#drain(current, signal)) {
          count += entries.entries.count
          bytes += entries.message.length
          const isEnd = entries.start + entries.entries.count >= current.end
          if (isEnd) next = this.#openStretch(range, current.end, fittingCount(count, bytes))
          yield entries
        }
      }
    } finally {
      if (next !== undefined) this.#stop(next.request)
    }
  }

  /** Entries from `start` on, those that come included, until the signal or an error. */
  async *follow(start: number, signal?: AbortSignal): AsyncGenerator<RemoteEntries> {
    this.#followCount++
    if (this.#followCount === 1) this.#checkLater()
    try {
      yield* this.#following(start, signal)
    } finally {
      this.#followCount--
      if (this.#followCount === 0) this.#cancelCheck?.()
    }
  }

  async *#following(start: number, signal?: AbortSignal): AsyncGenerator<RemoteEntries> {
    for (let at = start; ; ) {
      const size = this.head?.size ?? 0
      if (at < size) {
        const range = { start: at, end: size, wantsBodies: true }
        for await (const entries of this.read(range, signal)) {
          yield entries
          at = entries.start + entries.entries.count
        }
        continue
      }
      // Mirrors that hold nothing yet say so once: they are asked until one of them does.
      if (this.head === undefined) this.#refreshSoon()
      const request = ++this.#lastRequest
      const channel = this.#openChannel(request, this.#reader.follow(request, at), true)
      try {
        for await (const entries of this.#arriving(channel, signal, Number.POSITIVE_INFINITY)) {
          yield entries
          at = entries.start + entries.entries.count
        }
      } finally {
        this.#stop(request)
      }
    }
  }

  /** Asks everybody again. */
  refresh(): void {
    this.#run(this.#reader.refresh())
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#unwatch()
    this.#cancelSearch?.()
    this.#cancelRefresh?.()
    this.#cancelCheck?.()
    const stops = [...this.#channels.keys()].flatMap((request) => this.#reader.stop(request))
    const type = 'close-session' as const
    const closes = [...this.#sessions].map((session) => ({ type, session }))
    this.#network.run(this.#id, [...stops, ...closes])
    this.#network.remove(this.#id)
    this.#notify()
  }

  /** The reader's service, which also knows its sessions. */
  #createService(): Service {
    const service = readerService(this.#reader, () => !this.#isClosed)
    return {
      ...service,
      opened: (session, peer, target) => {
        this.#sessions.add(session)
        return service.opened(session, peer, target)
      },
      closed: (session, target, error) => {
        this.#sessions.delete(session)
        if (error !== undefined) this.#refusal ??= error
        if (target !== undefined) this.#noteRoute(target, error)
        return service.closed(session, target, error)
      },
      receive: (session, message) => {
        // An answer that is no news of the reader is an answer too.
        queueMicrotask(() => this.#notify())
        return service.receive(session, message)
      },
    }
  }

  #noteRoute(target: CapsuleName, error: LongshoreError | undefined): void {
    const key = formatName(target)
    if (error?.code === 'NO_ROUTE') this.#noRoutes.set(key, (this.#noRoutes.get(key) ?? 0) + 1)
    else this.#noRoutes.delete(key)
    queueMicrotask(() => this.#notify())
  }

  #learn(nodes: readonly ServingNode[]): void {
    for (const { name, chain } of nodes) this.#chains.set(formatName(name), chain)
    this.#ask(nodes.map(({ name }) => name))
  }

  #ask(targets: readonly CapsuleName[]): void {
    const fresh = targets.filter((target) => !this.#targets.has(formatName(target)))
    for (const target of fresh) this.#targets.add(formatName(target))
    this.#run(fresh.map((target) => ({ type: 'open-session', target })))
  }

  #search(): void {
    if (this.#isClosed || this.#isSearching || this.#options.isExclusive === true) return
    this.#cancelSearch?.()
    this.#isSearching = true
    const { neighbors } = this.#network
    this.#ask(neighbors.filter(({ isRouter }) => !isRouter).map(({ name }) => name))
    void this.#network.resolve(this.#options.name).then(({ entries, code }) => {
      this.#isSearching = false
      if (this.#isClosed) return
      this.#routeCode = code
      this.#learn(
        entries.flatMap(({ server, chain }) => (chain === null ? [] : [{ name: server, chain }])),
      )
      this.#notify()
      const delayMs = this.head === undefined ? SEARCH_MS : SEARCH_LATER_MS
      this.#cancelSearch = this.#network.after(delayMs, () => this.#search())
    })
  }

  /** What counts is what mirrors say again and again, not what they sent once. */
  get #isRefreshed(): boolean {
    const { mirrorsMin, freshS } = this.#options
    return mirrorsMin > 0 || freshS !== undefined
  }

  #refreshSoon(): void {
    this.#cancelRefresh?.()
    this.#cancelRefresh = this.#network.after(REFRESH_MS, () => {
      this.refresh()
      if (this.#isRefreshed || this.head === undefined) this.#refreshSoon()
    })
  }

  #checkLater(): void {
    this.#cancelCheck = this.#network.after(CHECK_MS, () => {
      this.#run(this.#reader.check())
      this.#checkLater()
    })
  }

  #run(effects: readonly ServiceEffect[]): void {
    if (effects.length > 0) this.#network.run(this.#id, effects)
  }

  #hear(news: ServiceNews): void {
    switch (news.type) {
      case 'head':
        this.#toKeep = news.head
        this.#keeping ??= this.#keepHeads()
        // Whoever waits for entries is told what went wrong.
        this.#keeping.catch(() => {})
        break
      case 'entries': {
        const channel = this.#channels.get(news.request)
        if (channel && arrive(channel, news)) this.#run(this.#reader.stop(news.request))
        break
      }
      case 'end': {
        const channel = this.#channels.get(news.request)
        if (channel !== undefined) channel.isOver = true
        break
      }
      case 'failed': {
        const channel = 'request' in news ? this.#channels.get(news.request) : undefined
        if (channel !== undefined && 'request' in news) {
          const isConvicted = news.error.code === 'EQUIVOCATION'
          channel.error = (isConvicted ? this.#conviction : undefined) ?? news.error
        }
        break
      }
      case 'distrusted':
      case 'refused':
        this.#refusal = news.error
        break
      case 'evidence':
        this.#conviction = this.#options.convict(news.bytes)
        break
    }
    this.#notify()
  }

  async #keepHeads(): Promise<void> {
    try {
      for (let head = this.#toKeep; head !== undefined; head = this.#toKeep) {
        this.#toKeep = undefined
        await this.#options.keepHead(head)
      }
    } finally {
      this.#keeping = undefined
    }
  }

  #notify(): void {
    for (const watcher of [...this.#watchers]) watcher()
  }

  #checkReady(): boolean {
    if (this.head !== undefined) return true
    const { remembered, mirrorsMin } = this.#options
    if (this.signed === undefined || remembered !== undefined || mirrorsMin > 0) return false
    return this.sources.some(({ hasAnswered }) => hasAnswered) && this.#isEmpty
  }

  /** Every mirror that has answered holds no entry. */
  get #isEmpty(): boolean {
    return this.sources.every(({ head, claim }) => head === undefined && claim === undefined)
  }

  #checkSound(): void {
    if (this.#conviction !== undefined) throw this.#conviction
    // Routers that refuse to carry it will not change their mind.
    if (this.#routeCode === 'POLICY_REFUSED' && this.sources.length === 0) throw this.whyNot()
  }

  /** Nobody gave what was waited for. */
  whyNot(): LongshoreError {
    return whyUnread({
      ...this.#options,
      sources: this.sources,
      refusal: this.#refusal,
      routeCode: this.#routeCode,
      noLink: this.#network.neighbors.length === 0 ? this.#network.noLink() : undefined,
    })
  }

  #openStretch(range: Stretch, start: number, count: number): OpenStretch | undefined {
    if (start >= range.end) return undefined
    // A stretch that ends with a tile spares the next one a question.
    const whole = start + count - ((start + count) % 256)
    const end = Math.min(range.end, whole > start ? whole : start + count)
    const request = ++this.#lastRequest
    const effects = this.#reader.read(request, { ...range, start, end })
    return { request, end, channel: this.#openChannel(request, effects) }
  }

  #openChannel(request: number, effects: readonly ReaderEffect[], isFollow = false): Channel {
    const channel = createChannel(isFollow)
    this.#channels.set(request, channel)
    this.#run(effects)
    return channel
  }

  #stop(request: number): void {
    this.#channels.delete(request)
    if (!this.#isClosed) this.#run(this.#reader.stop(request))
  }

  async *#drain(
    { request, channel }: OpenStretch,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<RemoteEntries> {
    try {
      yield* this.#arriving(channel, signal, this.#options.timeoutMs)
    } finally {
      this.#stop(request)
    }
  }

  /** What arrives, each under a head that is kept. */
  async *#arriving(
    channel: Channel,
    signal: AbortSignal | undefined,
    timeoutMs: number,
  ): AsyncGenerator<RemoteEntries> {
    const patience = { timeoutMs, signal, orElse: () => whyStopped(this.#options.name) }
    for (;;) {
      checkNotAborted(signal)
      const entries = take(channel)
      if (entries !== undefined) {
        await this.#keeping
        yield entries
      } else if (channel.error !== undefined) {
        this.#checkSound()
        throw channel.error
      } else if (channel.isOver) {
        return
      } else {
        await this.#network.until(
          () => this.#hasMoved(channel),
          patience,
          (look) => this.watch(look),
        )
      }
    }
  }

  #hasMoved({ arrived, isOver, error }: Channel): boolean {
    if (this.#isClosed) throw new UnavailableError('CLOSED', 'this capsule handle was closed')
    return arrived.length > 0 || isOver || error !== undefined
  }
}
