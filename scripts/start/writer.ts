/**
 * The writing process of `npm start`: samples this host and appends every sample to one capsule,
 * acknowledged when two mirrors have signed that they hold it.
 *
 * Talks to its parent by IPC messages only. Holds the home's lock while it runs, so appends of
 * other terminals are forwarded to it. What no mirror takes now is kept and delivered later.
 *
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises'
import { formatName, isLongshoreError, parseName } from '@longshore/capsule'
import { type Ack, type Capsule, type Home, openHome } from '@longshore/client/node'
import { digestPayload } from './ledger.ts'
import { COPIES } from './plan.ts'
import { sampleHost } from './telemetry.ts'

/** The label by which a later start finds its capsule again. */
const STREAM_LABEL = 'host-telemetry'

const SAMPLE_INTERVAL_MS = 200
/** Then they are `stored` here, and acknowledged with those that come after them. */
const REPLICATION_MS_MAX = 5000
const RECEIPT_INTERVAL_MS = 500
const RECEIPT_MS_MAX = 2000
const MEET_MS_MAX = 60_000
const FINISH_MS_MAX = 20_000
/** Batches that wait for mirrors; more are appended without waiting. */
const WAITING_MAX = 50

export interface WriterPlan {
  readonly home: string
  /** Of the router to which it connects. */
  readonly ticket: string
  /** Names of the domains whose mirrors may hold the capsule. */
  readonly domains: readonly string[]
  /** Names of the nodes that are to hold it. */
  readonly mirrors: readonly string[]
}

export interface WriterOrder {
  readonly do: 'stop'
}

export interface ReceiptReport {
  readonly mirror: string
  /** Every entry below it is held, as the mirror has signed. */
  readonly size: number
}

export type WriterMessage =
  | {
      readonly event: 'opened'
      readonly name: string
      readonly size: number
      readonly resumed: boolean
    }
  /** So many entries are in the capsule, acknowledged or not. */
  | { readonly event: 'stored'; readonly size: number }
  /** Digests of payloads, from `index` on. */
  | { readonly event: 'wrote'; readonly index: number; readonly digests: readonly string[] }
  | { readonly event: 'acked'; readonly size: number }
  | { readonly event: 'receipts'; readonly receipts: readonly ReceiptReport[] }
  | { readonly event: 'stopped'; readonly size: number; readonly checkpoint: string }
  | { readonly event: 'failed'; readonly code: string; readonly message: string }

function send(message: WriterMessage): void {
  if (process.connected) process.send?.(message)
}

type Receipts = NonNullable<Ack['receipts']>

class TelemetryWriter {
  readonly #home: Home
  readonly #capsule: Capsule
  readonly #waiting = new Set<Promise<void>>()

  constructor(home: Home, capsule: Capsule) {
    this.#home = home
    this.#capsule = capsule
  }

  async run(signal: AbortSignal): Promise<void> {
    const receipts = this.#collectReceipts(signal)
    while (!signal.aborted) {
      const payloads = sampleHost().map((sample) => Buffer.from(JSON.stringify(sample)))
      const appended = this.#append(payloads).finally(() => this.#waiting.delete(appended))
      this.#waiting.add(appended)
      // What goes wrong here ends the process; a mirror that is away does not.
      appended.catch(fail)
      send({ event: 'stored', size: this.#capsule.size })
      await delay(SAMPLE_INTERVAL_MS, undefined, { signal }).catch(() => undefined)
    }
    await receipts
    await Promise.all(this.#waiting)
    await this.#push(COPIES, FINISH_MS_MAX)
    const { size } = this.#capsule
    send({ event: 'stopped', size, checkpoint: this.#capsule.checkpoint() })
  }

  async #append(payloads: readonly Uint8Array[]): Promise<void> {
    const digests = payloads.map(digestPayload)
    const level = this.#waiting.size < WAITING_MAX ? (`replicated:${COPIES}` as const) : 'stored'
    try {
      const timeoutMs = REPLICATION_MS_MAX
      const ack = await this.#capsule.appendMany(payloads, { level, timeoutMs })
      send({ event: 'wrote', index: ack.index, digests })
      if (ack.receipts === undefined) return
      send({ event: 'acked', size: ack.size })
      report(ack.receipts)
    } catch (error) {
      if (!isLongshoreError(error)) throw error
      const { index } = error.details
      if (error.code === 'NO_MIRROR' && typeof index === 'number') {
        send({ event: 'wrote', index, digests })
      } else if (error.code === 'LEVEL_IMPOSSIBLE') {
        const ack = await this.#capsule.appendMany(payloads)
        send({ event: 'wrote', index: ack.index, digests })
      } else {
        throw error
      }
    }
  }

  /** Appends wait for the first mirrors; here the others are heard too. */
  async #collectReceipts(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await delay(RECEIPT_INTERVAL_MS, undefined, { signal }).catch(() => undefined)
      const copies = this.#home.network.mirrors(this.#capsule.name).length
      await this.#push(copies, RECEIPT_MS_MAX)
    }
  }

  async #push(copies: number, timeoutMs: number): Promise<void> {
    try {
      const { size, receipts } = await this.#home.network.push(this.#capsule.name, {
        copies,
        timeoutMs,
      })
      send({ event: 'acked', size })
      report(receipts)
    } catch (error) {
      // Some mirror is away: nothing to report of it.
      if (!isLongshoreError(error)) throw error
    }
  }
}

function report(receipts: Receipts): void {
  const list = receipts.map(({ mirror, head }) => ({ mirror: formatName(mirror), size: head.size }))
  send({ event: 'receipts', receipts: list })
}

/** The capsule of an earlier start, or a new one that the three domains may hold. */
async function openStream(
  home: Home,
  plan: WriterPlan,
): Promise<{ readonly opened: Capsule; readonly resumed: boolean }> {
  const existing = (await home.list()).find(
    (info) => info.labels['stream'] === STREAM_LABEL && info.writable,
  )
  if (existing !== undefined) return { opened: await home.open(existing.name), resumed: true }
  const opened = await home.create({
    labels: { stream: STREAM_LABEL },
    public: true,
    copies: COPIES,
    hold: plan.domains.map(parseName),
  })
  return { opened, resumed: false }
}

/** Exactly these mirrors hold it from now on. */
async function arrangeMirrors(home: Home, capsule: Capsule, plan: WriterPlan): Promise<void> {
  const { network } = home
  const wanted = new Set(plan.mirrors)
  for (const { name } of network.mirrors(capsule.name)) {
    if (!wanted.has(formatName(name))) await network.removeMirror(capsule.name, name)
  }
  const good = network.mirrors(capsule.name).filter(({ problem }) => problem === undefined)
  for (const { name } of good) wanted.delete(formatName(name))
  for (const mirror of wanted) {
    await network.addMirror(capsule.name, parseName(mirror), { timeoutMs: MEET_MS_MAX })
  }
}

async function main(plan: WriterPlan): Promise<void> {
  const stop = new AbortController()
  process.once('SIGTERM', () => stop.abort())
  process.once('disconnect', () => stop.abort())
  // Ctrl-C reaches the whole process group; the parent decides when to stop.
  process.on('SIGINT', () => undefined)

  await using home = await openHome({ path: plan.home })
  await home.network.connect(plan.ticket)
  const { opened, resumed } = await openStream(home, plan)
  await using capsule = opened
  const writer = new TelemetryWriter(home, capsule)
  process.on('message', (order: WriterOrder) => {
    if (order.do === 'stop') stop.abort()
  })
  await arrangeMirrors(home, capsule, plan)
  send({ event: 'opened', name: capsule.text, size: capsule.size, resumed })
  await writer.run(stop.signal)
}

function fail(error: Error & { readonly code?: string }): void {
  const { code = 'UNEXPECTED', message } = error
  send({ event: 'failed', code, message })
  process.exitCode = 1
  if (process.connected) process.disconnect()
}

const plan = process.argv[2]
if (plan !== undefined && import.meta.main) {
  try {
    await main(JSON.parse(plan) as WriterPlan)
    if (process.connected) process.disconnect()
  } catch (error) {
    fail(error as Error)
  }
}
