/**
 * Writes capsules and pushes them to mirrors: `network-writer.ts DIRECTORY TICKET MIRROR...`. What
 * it appends is durable here first, and counts when the receipt of a mirror has been verified.
 *
 * @module
 */
import {
  type CapsuleName,
  createSigner,
  encodeCertChain,
  formatName,
  MAIN_BRANCH,
  parseName,
  parseTicket,
} from '@longshore/capsule'
import {
  createNodeRuntime,
  holdHome,
  openNodeNetwork,
  type TransactionSource,
} from '@longshore/client/node'
import {
  type BranchWriter,
  createFirstInstance,
  Publisher,
  publisherService,
  type ServiceNews,
} from '@longshore/engine'
import { rateInFlight } from '../frame/measure.ts'
import { answerCommands } from './command.ts'
import { stamped } from './delays.ts'
import { Owner } from './owner.ts'

const [directory = '', ticket = '', ...mirrorTexts] = process.argv.slice(2)
const mirrors = mirrorTexts.map((text) => parseName(text))
const SERVICE = 'publisher'
const PAYLOAD_BYTES = 100
const LINKED_MS_MAX = 10_000
/** Entries of a local commit while a capsule is filled. */
const BATCH_BYTES = 1_048_576

const runtime = createNodeRuntime()
const network = openNodeNetwork({ runtime, tickets: [parseTicket(ticket)] })
const commits: (() => void)[] = []
const held = await holdHome({
  path: directory,
  runtime,
  onCommit: () => {
    for (const resolve of commits.splice(0)) resolve()
    network.run(SERVICE, [])
  },
})
const publisher = new Publisher({
  store: held.store,
  canSend: (session) => network.canSend(session),
  spares: network.spares,
})
network.add(SERVICE, publisherService(publisher), onNews)
await network.linked(LINKED_MS_MAX)

/** A capsule that this process writes, and who waits for receipts of it. */
class Written {
  readonly name: CapsuleName
  readonly #writer: BranchWriter
  readonly #owner: Owner
  #waiters: { readonly size: number; readonly copies: number; readonly resolve: () => void }[] = []
  /** What each mirror holds, by its name. */
  readonly #receipts = new Map<string, number>()

  private constructor(name: CapsuleName, writer: BranchWriter, owner: Owner) {
    this.name = name
    this.#writer = writer
    this.#owner = owner
  }

  get size(): number {
    return this.#writer.head?.size ?? 0
  }

  static async create(): Promise<Written> {
    const seed = runtime.randomBytes(32)
    const owner = new Owner(runtime)
    const { name, signed } = owner.createCapsule(createSigner(seed))
    const at = { name, branch: MAIN_BRANCH }
    held.keys.add(name, { seed })
    const first = createFirstInstance(name, MAIN_BRANCH, runtime)
    held.plantAnchor(at, first.anchor)
    await held.driver.submit([{ type: 'manifest', name, signed }, first.note])
    return new Written(name, held.openOwnWriter(at), owner)
  }

  append(payload: Uint8Array): number {
    const index = this.#writer.append(0, payload)
    held.driver.request(this.#source)
    return index
  }

  publish(): void {
    const targets = mirrors.map((mirror) => {
      return { mirror, chain: encodeCertChain(this.#owner.grant(mirror)), counts: true }
    })
    network.run(SERVICE, publisher.publish(this.name, MAIN_BRANCH, targets))
  }

  /** Resolves when so many mirrors hold this many entries durably. */
  replicated(size: number, copies = 1): Promise<void> {
    if (this.#copiesOf(size) >= copies) return Promise.resolve()
    return new Promise((resolve) => this.#waiters.push({ size, copies, resolve }))
  }

  #copiesOf(size: number): number {
    let copies = 0
    for (const held of this.#receipts.values()) if (held >= size) copies++
    return copies
  }

  /** Resolves when it is durable here. */
  async stored(size: number): Promise<void> {
    while (this.size < size) {
      await new Promise<void>((resolve) => commits.push(resolve))
    }
  }

  /** Who waits for less is before who waits for more. */
  receipt(mirror: CapsuleName, size: number): void {
    this.#receipts.set(formatName(mirror), size)
    let done = 0
    for (const { size: wanted, copies } of this.#waiters) {
      if (this.#copiesOf(wanted) < copies) break
      done++
    }
    for (const { resolve } of this.#waiters.splice(0, done)) resolve()
  }

  readonly #source: TransactionSource = {
    hasBacklog: false,
    cut: () => {
      const cut = this.#writer.cut()
      if (cut === undefined) return undefined
      return {
        ops: cut.ops,
        durable: () => this.#writer.durable(cut.size),
        committed: () => void this.#writer.committed(cut.size),
        failed: (error) => {
          throw error
        },
      }
    },
  }
}

const written = new Map<string, Written>()
let current: Written | undefined

function onNews(news: ServiceNews): void {
  if (news.type === 'receipt') {
    written.get(formatName(news.name))?.receipt(news.mirror, news.head.size)
  } else if (news.type === 'failed' && 'name' in news) throw news.error
}

async function create(): Promise<Written> {
  const made = await Written.create()
  written.set(formatName(made.name), made)
  return made
}

/** The capsule that single appends go to: every mirror has its first entry. */
async function opened(): Promise<Written> {
  if (current !== undefined) return current
  current = await create()
  current.publish()
  current.append(new Uint8Array(1))
  await current.replicated(1, mirrors.length)
  return current
}

/** Appends until there are so many entries, all of them durable here. */
async function fill(capsule: Written, count: number, payloadBytes: number): Promise<void> {
  const payload = new Uint8Array(payloadBytes)
  const perBatch = Math.ceil(BATCH_BYTES / (payloadBytes + 60))
  for (let { size } = capsule; size < count; await capsule.stored(size)) {
    for (let i = 0; i < perBatch && size < count; i++) {
      new DataView(payload.buffer).setUint32(0, size++)
      capsule.append(payload)
    }
  }
}

answerCommands({
  open: async () => formatName((await opened()).name),

  /** A capsule that is full before the mirror hears of it; seconds from there to the receipt. */
  push: async ({ count, payloadBytes }: { count: number; payloadBytes: number }) => {
    const filled = await create()
    await fill(filled, count, payloadBytes)
    const started = performance.now()
    const cpu = process.cpuUsage()
    filled.publish()
    await filled.replicated(count)
    const { user, system } = process.cpuUsage(cpu)
    return { seconds: (performance.now() - started) / 1000, cpuUs: user + system }
  },

  /** The open capsule grows to so many entries, all of them on a mirror. */
  grow: async (count: number) => {
    const capsule = await opened()
    await fill(capsule, count, PAYLOAD_BYTES)
    await capsule.replicated(count)
  },

  /** Appends with so many in flight, each until its receipt; how many in a second. */
  appends: async ({ lanes, windowMs }: { lanes: number; windowMs: number }) => {
    const capsule = await opened()
    const payload = new Uint8Array(PAYLOAD_BYTES)
    return rateInFlight(windowMs, lanes, () => capsule.replicated(capsule.append(payload) + 1))
  },

  /** Appends one entry; its index. */
  append: async () => (await opened()).append(new Uint8Array(PAYLOAD_BYTES)),

  /** Appends the time. */
  stamp: async () => {
    const capsule = await opened()
    capsule.append(stamped(PAYLOAD_BYTES))
  },

  sentBytes: () => {
    let bytes = 0
    for (const link of network.engine.overlay.links) bytes += link.sentBytes
    return bytes
  },

  cpu: () => undefined,
})
