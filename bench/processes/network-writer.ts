/**
 * Writes capsules and pushes them to a mirror: `network-writer.ts DIRECTORY TICKET MIRROR`. What it
 * appends is durable here first, and counts when the receipt of the mirror has been verified.
 *
 * @module
 */
import {
  type CapsuleName,
  type CertChain,
  createSigner,
  encodeCertChain,
  formatName,
  MAIN_BRANCH,
  type Manifest,
  parseName,
  type Signer,
  signAdCert,
  signManifest,
} from '@longshore/capsule'
import { createNodeRuntime, holdHome, type TransactionSource } from '@longshore/client/node'
import {
  type BranchWriter,
  createFirstInstance,
  Publisher,
  publisherService,
  type ServiceNews,
} from '@longshore/engine'
import { answerCommands } from './command.ts'
import { NetworkPeer } from './network-peer.ts'

const [directory = '', ticket = '', mirrorText = ''] = process.argv.slice(2)
const mirror = parseName(mirrorText)
/** Entries of a local commit while a capsule is filled. */
const BATCH_BYTES = 1_048_576

let peer: NetworkPeer | undefined
const commits: (() => void)[] = []
// The peer is not there before the home, whose store the publisher reads.
const held = await holdHome({
  path: directory,
  runtime: createNodeRuntime(),
  onCommit: () => {
    for (const resolve of commits.splice(0)) resolve()
    peer?.run([])
  },
})
const publisher = new Publisher({
  store: held.store,
  canSend: (session) => peer?.canSend(session) === true,
})
peer = await NetworkPeer.join({ ticket, service: publisherService(publisher), onNews })
const { runtime } = peer

/** A capsule that this process writes, and who waits for receipts of it. */
class Written {
  readonly name: CapsuleName
  readonly #writer: BranchWriter
  readonly #chain: CertChain
  #waiters: { readonly size: number; readonly resolve: () => void }[] = []
  #receiptSize = 0

  private constructor(name: CapsuleName, writer: BranchWriter, chain: CertChain) {
    this.name = name
    this.#writer = writer
    this.#chain = chain
  }

  static async create(): Promise<Written> {
    const [ownerSeed, writerSeed] = [runtime.randomBytes(32), runtime.randomBytes(32)]
    const [owner, writer] = [createSigner(ownerSeed), createSigner(writerSeed)]
    const { name, signed } = signManifest(
      manifestOf('capsule', [
        { alg: 'ed25519', key: owner.publicKey, use: 'owner' },
        { alg: 'ed25519', key: writer.publicKey, use: 'writer' },
      ]),
      owner,
    )
    const at = { name, branch: MAIN_BRANCH }
    held.keys.add(name, { seed: writerSeed })
    const first = createFirstInstance(name, MAIN_BRANCH, runtime)
    held.plantAnchor(at, first.anchor)
    await held.driver.submit([{ type: 'manifest', name, signed }, first.note])
    return new Written(name, held.openOwnWriter(at), grant(owner))
  }

  append(payload: Uint8Array): number {
    const index = this.#writer.append(0, payload)
    held.driver.request(this.#source)
    return index
  }

  publish(): void {
    const target = { mirror, chain: encodeCertChain(this.#chain), counts: true }
    peer?.run(publisher.publish(this.name, MAIN_BRANCH, [target]))
  }

  /** Resolves when the mirror holds this many entries durably. */
  replicated(size: number): Promise<void> {
    if (this.#receiptSize >= size) return Promise.resolve()
    return new Promise((resolve) => this.#waiters.push({ size, resolve }))
  }

  /** Resolves when it is durable here. */
  async stored(size: number): Promise<void> {
    while ((this.#writer.head?.size ?? 0) < size) {
      await new Promise<void>((resolve) => commits.push(resolve))
    }
  }

  receipt(size: number): void {
    this.#receiptSize = size
    let done = 0
    while ((this.#waiters[done]?.size ?? Number.POSITIVE_INFINITY) <= size) done++
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
  if (news.type === 'receipt') written.get(formatName(news.name))?.receipt(news.head.size)
  else if (news.type === 'failed' && 'name' in news) throw news.error
}

function manifestOf(type: 'capsule' | 'person', keys: Manifest['keys']): Manifest {
  return {
    ...{ type, version: 1, mode: 'strict', timeUs: 0, blind: false, authority: null },
    keys,
    nonce: runtime.randomBytes(16),
    policy: { carry: 'any', copies: 1, exclude: [], hold: 'any', read: 'any' },
    ...{ labels: {}, crit: [], ext: new Map() },
  }
}

/** The owner lets the mirror serve. */
function grant(owner: Signer): CertChain {
  const keys = [{ alg: 'ed25519', key: owner.publicKey, use: 'owner' }] as const
  const person = signManifest(manifestOf('person', keys), owner)
  const nowS = Math.floor(runtime.nowUs() / 1_000_000)
  const cert = signAdCert(
    {
      ...{ issuer: person.name, subject: mirror, parent: null, revocation: null, stalenessS: 0 },
      ...{ notBeforeS: nowS - 3600, notAfterS: nowS + 86_400, serial: runtime.randomBytes(16) },
      ...{ depth: 0, capsules: 'all', rights: ['advertise', 'serve'], domains: 'any' },
    },
    owner,
  )
  return { certs: [cert], manifests: [person.signed] }
}

async function create(): Promise<Written> {
  const made = await Written.create()
  written.set(formatName(made.name), made)
  return made
}

/** The capsule that single appends go to. */
async function opened(): Promise<Written> {
  if (current !== undefined) return current
  current = await create()
  current.publish()
  current.append(new Uint8Array(1))
  await current.replicated(1)
  return current
}

answerCommands({
  open: async () => formatName((await opened()).name),

  /** A capsule that is full before the mirror hears of it; seconds from there to the receipt. */
  push: async ({ count, payloadBytes }: { count: number; payloadBytes: number }) => {
    const filled = await create()
    const payload = new Uint8Array(payloadBytes)
    const perBatch = Math.ceil(BATCH_BYTES / (payloadBytes + 60))
    for (let size = 0; size < count; await filled.stored(size)) {
      for (let i = 0; i < perBatch && size < count; i++) {
        new DataView(payload.buffer).setUint32(0, size++)
        filled.append(payload)
      }
    }
    const started = performance.now()
    const cpu = process.cpuUsage()
    filled.publish()
    await filled.replicated(count)
    const { user, system } = process.cpuUsage(cpu)
    return { seconds: (performance.now() - started) / 1000, cpuUs: user + system }
  },

  /** Appends with so many in flight, each until its receipt; how many in a second. */
  appends: async ({ lanes, windowMs }: { lanes: number; windowMs: number }) => {
    const capsule = await opened()
    const payload = new Uint8Array(100)
    const started = performance.now()
    let done = 0
    const lane = async (): Promise<void> => {
      while (performance.now() - started < windowMs) {
        await capsule.replicated(capsule.append(payload) + 1)
        done++
      }
    }
    await Promise.all(Array.from({ length: lanes }, lane))
    return (done * 1000) / (performance.now() - started)
  },

  /** Appends the microseconds of the machine's monotonic clock. */
  stamp: async () => {
    const payload = new Uint8Array(100)
    new DataView(payload.buffer).setBigUint64(0, process.hrtime.bigint())
    ;(await opened()).append(payload)
  },

  cpu: () => undefined,
})
