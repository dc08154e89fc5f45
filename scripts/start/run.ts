/**
 * One run of the federation: nodes, writer, follower, what they report, and how all of it ends.
 *
 * @module
 */
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Child } from './child.ts'
import { Drama, type DramaEvent } from './drama.ts'
import { Federation, type FederationNode } from './federation.ts'
import type { FollowerMessage, VerifiedHead } from './follower.ts'
import { Ledger } from './ledger.ts'
import { FOLLOWER_ROUTER, WRITER_ROUTER } from './plan.ts'
import { describeEvent, type NodeView, type View } from './view.ts'
import type { ReceiptReport, WriterMessage, WriterOrder, WriterPlan } from './writer.ts'

const RATE_WINDOW_MS = 5000
const DELAYS_KEPT = 64
const HAPPENED_KEPT = 32
const GROWTH_KEPT = 64
const VERIFY_MS_MAX = 20_000

export interface RunOptions {
  readonly directory: string
  /** How long what is broken on purpose stays away. */
  readonly awayMs: number
  readonly onNode: (node: FederationNode) => void
  readonly onEvent: (event: DramaEvent) => void
}

export interface Opened {
  readonly name: string
  readonly size: number
  readonly resumed: boolean
}

export class Run {
  readonly federation: Federation
  readonly drama: Drama
  readonly ledger: Ledger = new Ledger()
  readonly #options: RunOptions
  readonly #startedMs = performance.now()
  readonly #growth: { readonly atMs: number; readonly size: number }[] = []
  readonly #delaysUs: number[] = []
  readonly #happened: string[] = []
  /** Below what size each mirror has signed that it holds everything, by principal. */
  readonly #held = new Map<string, number>()
  readonly #failure = Promise.withResolvers<string>()
  #writer: Child<WriterOrder, WriterMessage> | undefined
  #follower: Child<object, FollowerMessage> | undefined
  #opened: Opened | undefined
  #onOpened: ((opened: Opened) => void) | undefined
  #head: VerifiedHead = { size: 0, root: '' }
  #isStopping = false
  receipts = 0
  checkpoint = ''

  constructor(options: RunOptions) {
    this.#options = options
    this.federation = new Federation(options.directory)
    this.drama = new Drama({
      federation: this.federation,
      awayMs: options.awayMs,
      onEvent: (event) => {
        this.#note(describeEvent(event))
        options.onEvent(event)
      },
      size: () => this.ledger.storedSize,
      heldBy: (principal) => this.#held.get(principal) ?? 0,
    })
  }

  get seconds(): number {
    return (performance.now() - this.#startedMs) / 1000
  }

  /** Entries are being written, or were. */
  get isOpen(): boolean {
    return this.#opened !== undefined
  }

  /** Resolves with what went wrong in one of the processes; never if all goes well. */
  get failed(): Promise<string> {
    return this.#failure.promise
  }

  /** Resolves when entries are being written and followed. */
  async start(): Promise<Opened> {
    const { federation } = this
    await federation.start(this.#options.onNode)
    const plan: WriterPlan = {
      home: join(this.#options.directory, 'writer'),
      ticket: federation.ticket(WRITER_ROUTER),
      domains: federation.domainNames,
      mirrors: federation.mirrors.flatMap(({ process }) => process.ready?.principal ?? []),
    }
    const opening = new Promise<Opened>((resolve) => {
      this.#onOpened = resolve
    })
    this.#writer = new Child('writer.ts', plan, (message) => this.#fromWriter(message))
    this.#watch('the writer', this.#writer.exit)
    const opened = await Promise.race([opening, this.failed])
    if (typeof opened === 'string') throw new Error(opened)
    // Told to stop before there was anything to see.
    if (this.#isStopping) return opened
    this.#opened = opened
    this.ledger.open(opened.size)
    const follow = {
      home: join(this.#options.directory, 'follower'),
      ticket: federation.ticket(FOLLOWER_ROUTER),
      name: opened.name,
      from: opened.size,
    }
    this.#follower = new Child('follower.ts', follow, (message) => this.#fromFollower(message))
    this.#watch('the follower', this.#follower.exit)
    return opened
  }

  /** Writes no more, waits until what was written is verified, and ends every process. */
  async stop(): Promise<void> {
    this.#isStopping = true
    this.#writer?.order({ do: 'stop' })
    await this.#writer?.ended()
    const deadlineMs = performance.now() + VERIFY_MS_MAX
    while (this.isOpen && !this.#isVerified && performance.now() < deadlineMs) await delay(20)
    this.#follower?.order({ do: 'stop' })
    await this.#follower?.ended()
    await this.drama.close()
    await this.federation.close()
  }

  get view(): View {
    const now = performance.now()
    const oldest = this.#growth.find(({ atMs }) => now - atMs <= RATE_WINDOW_MS)
    const spanMs = oldest === undefined ? 0 : now - oldest.atMs
    const sorted = [...this.#delaysUs].sort((a, b) => a - b)
    const median = sorted[Math.floor(sorted.length / 2)]
    const { acked, verified, lost, storedSize } = this.ledger
    return {
      name: this.#opened?.name ?? '',
      resumed: this.#opened?.resumed ?? false,
      written: storedSize - (this.#opened?.size ?? 0),
      ...{ acked, verified, lost, stored: storedSize },
      rate: oldest === undefined ? 0 : ((storedSize - oldest.size) * 1000) / Math.max(1, spanMs),
      head: this.#head,
      delayMs: median === undefined ? undefined : median / 1000,
      nodes: this.federation.nodes.map((node) => this.#nodeView(node)),
      happened: this.#happened,
      seconds: this.seconds,
    }
  }

  get #isVerified(): boolean {
    const { entries, verified, storedSize } = this.ledger
    return verified >= entries && this.#head.size >= storedSize
  }

  #nodeView({ plan, process, status }: FederationNode): NodeView {
    const labels = new Map<string, string>()
    for (const { plan: other, process: node } of this.federation.nodes) {
      if (node.ready !== undefined) labels.set(node.ready.principal, other.label)
    }
    const known = status?.links ?? []
    const links = known.flatMap(({ principal, costUs }) => {
      const to = labels.get(principal)
      return to === undefined ? [] : [{ to, costUs }]
    })
    const isUp = process.ready !== undefined && status !== undefined
    const held = this.#held.get(process.ready?.principal ?? '') ?? 0
    return {
      label: plan.label,
      domain: plan.domain,
      isUp,
      links: links.sort((a, b) => (a.to < b.to ? -1 : 1)),
      clients: known.length - links.length,
      held: plan.role === 'mirror' ? held : undefined,
    }
  }

  #fromWriter(message: WriterMessage): void {
    const { ledger } = this
    switch (message.event) {
      case 'opened':
        this.#onOpened?.(message)
        return
      case 'wrote':
        ledger.wrote(message.index, message.digests)
        return
      case 'stored':
        ledger.stored(message.size)
        this.#growth.push({ atMs: performance.now(), size: message.size })
        if (this.#growth.length > GROWTH_KEPT) this.#growth.shift()
        return
      case 'acked':
        ledger.acknowledged(message.size)
        return
      case 'receipts':
        this.#keepReceipts(message.receipts)
        return
      case 'stopped':
        this.checkpoint = message.checkpoint
        return
      case 'failed':
        this.#failure.resolve(`the writer: ${message.code}: ${message.message}`)
    }
  }

  #fromFollower(message: FollowerMessage): void {
    switch (message.event) {
      case 'verified':
        this.#head = message.head
        this.ledger.delivered(message.index, message.digest)
        this.#delaysUs.push(message.delayUs)
        if (this.#delaysUs.length > DELAYS_KEPT) this.#delaysUs.shift()
        return
      case 'interrupted':
        this.#note(`the follower waits: ${message.message}`)
        return
      case 'failed':
        this.#failure.resolve(`the follower: ${message.code}: ${message.message}`)
    }
  }

  #keepReceipts(receipts: readonly ReceiptReport[]): void {
    for (const { mirror, size } of receipts) {
      if (size <= (this.#held.get(mirror) ?? 0)) continue
      this.#held.set(mirror, size)
      this.receipts += 1
    }
  }

  #watch(who: string, exit: Promise<number>): void {
    void exit.then((code) => {
      if (!this.#isStopping) this.#failure.resolve(`${who} ended with ${code}`)
    })
  }

  #note(line: string): void {
    this.#happened.push(`${this.seconds.toFixed(1).padStart(6)} s  ${line}`)
    if (this.#happened.length > HAPPENED_KEPT) this.#happened.shift()
  }
}
