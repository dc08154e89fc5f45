/**
 * Replication: what a mirror receives, verifies and stores durably, in one process and without a
 * network. The messages are made before the clock starts.
 *
 * @module
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import {
  createSigner,
  MAIN_BRANCH,
  type Manifest,
  RightEdge,
  type SignedManifest,
  type Signer,
  signHead,
  signManifest,
} from '@longshore/capsule'
import { AnchorDirectory, createNodeRuntime, LmdbIndex, NodeDisk } from '@longshore/client/node'
import {
  createFirstInstance,
  type DiskStore,
  EntryBatchBuilder,
  MemoryStore,
  Mirror,
  type MirrorEffect,
  type MirrorTransaction,
  openBranchWriter,
  openDiskStore,
  Publisher,
  type PublisherEffect,
  type Store,
  type StoreOp,
} from '@longshore/engine'
import { BareSignedLog } from '../contenders/bare-log.ts'
import { rateOf } from '../frame/measure.ts'
import type { Contender, Row } from '../frame/row.ts'

/** Bytes of messages in one group commit. */
const GROUP_BYTES = 2_097_152
/** Prepared for one window: messages of at most so many bytes. */
const PREPARED_BYTES_MAX = 134_217_728

interface Capsule {
  readonly signed: SignedManifest
  readonly writer: Signer
}

let seeds = 0
function createSeededSigner(): Signer {
  const seed = new Uint8Array(32).fill(9)
  new DataView(seed.buffer).setUint32(0, ++seeds)
  return createSigner(seed)
}

function createCapsule(): Capsule {
  const [owner, writer] = [createSeededSigner(), createSeededSigner()]
  const manifest: Manifest = {
    ...{ type: 'capsule', version: 1, mode: 'strict', timeUs: 0, blind: false, authority: null },
    keys: [
      { alg: 'ed25519', key: owner.publicKey, use: 'owner' },
      { alg: 'ed25519', key: writer.publicKey, use: 'writer' },
    ],
    nonce: new Uint8Array(16),
    policy: { carry: 'any', copies: 1, exclude: [], hold: 'any', read: [] },
    ...{ labels: {}, crit: [], ext: new Map() },
  }
  return { signed: signManifest(manifest, owner), writer }
}

/** Submits one transaction and syncs it in place. */
function commit(store: Store, { ops, durable, committed }: MirrorTransaction): MirrorEffect[] {
  const steps = [
    ...store.step({ type: 'submit', ticket: 1, ops }),
    ...store.step({ type: 'flush' }),
  ]
  const [effect] = steps
  if (effect?.type !== 'sync') throw new Error(`not a sync: ${effect?.type}`)
  effect.file.sync()
  durable()
  store.step({ type: 'synced', token: effect.token })
  return committed()
}

function commitOps(store: Store, ops: readonly StoreOp[]): void {
  commit(store, { ops, durable: () => {}, committed: () => [], failed: () => [] })
}

/** A mirror in a home of its own on the disk that is measured. */
class MeasuredMirror {
  readonly mirror: Mirror
  readonly #store: DiskStore
  readonly #index: LmdbIndex
  readonly #anchors: AnchorDirectory

  constructor(directory: string) {
    const journal = join(directory, 'journal')
    const anchors = join(directory, 'anchors')
    for (const path of [journal, anchors]) mkdirSync(path, { recursive: true })
    const runtime = createNodeRuntime()
    const { bootId } = runtime
    this.#index = LmdbIndex.openForWriting({ directory: join(directory, 'index'), bootId })
    const disk = new NodeDisk(journal)
    const store = openDiskStore({ disk, index: this.#index, runtime, mode: 'write' })
    this.#store = store
    this.#anchors = new AnchorDirectory(anchors)
    const { signed, writer: signer } = createCapsule()
    const { name } = signed
    const anchor = this.#anchors.slot(name, MAIN_BRANCH)
    const first = createFirstInstance(name, MAIN_BRANCH, runtime)
    anchor.write(first.anchor)
    anchor.sync()
    commitOps(store, [{ type: 'manifest', name, signed: signed.signed }, first.note])
    this.mirror = new Mirror({
      ...{ store, runtime, mirror: createSeededSigner(), canSend: () => true },
      hasSubscribers: () => false,
      policy: {
        checkOffer: () => {},
        isOwnChain: () => true,
        mayRead: () => true,
        bytesFree: () => Number.POSITIVE_INFINITY,
      },
      openHeadLog: () =>
        openBranchWriter({ store, name, branch: MAIN_BRANCH, signer, runtime, anchor }),
    })
  }

  commit(): MirrorEffect[] {
    const transaction = this.mirror.cut()
    return transaction === undefined ? [] : commit(this.#store, transaction)
  }

  close(): void {
    this.#store.close()
    this.#index.close()
    this.#anchors.close()
  }
}

/** A home that pushes a capsule of its own; its messages are kept until they are wanted. */
class Prepared {
  readonly messages: Uint8Array[] = []
  readonly #session: number

  /** Greets the mirror, then makes the messages for `count` entries, some under each head. */
  constructor(target: MeasuredMirror, session: number, count: number, shape: Shape) {
    this.#session = session
    const { signed, writer } = createCapsule()
    const { name } = signed
    const store = new MemoryStore()
    commitOps(store, [{ type: 'manifest', name, signed: signed.signed }])
    const publisher = new Publisher({ store, canSend: () => true })
    const chain = new Uint8Array(0)
    target.mirror.opened(session, { name: undefined }, false)
    let effects = [
      ...publisher.publish(name, MAIN_BRANCH, [{ mirror: name, chain, counts: true }]),
      ...publisher.opened(session, name, writer.key),
    ]
    while (effects.some(({ type }) => type === 'send')) {
      const answers = sent(effects).flatMap((message) => target.mirror.receive(session, message))
      answers.push(...target.commit())
      effects = sent(answers).flatMap((message) => publisher.receive(session, message))
    }
    const edge = RightEdge.empty()
    const builder = new EntryBatchBuilder()
    while (edge.size < count) {
      const start = edge.size
      for (let i = 0; i < shape.headCount; i++) {
        const payload = new Uint8Array(shape.payloadBytes)
        new DataView(payload.buffer).setUint32(0, start + i)
        builder.add(0, 1_790_000_000_000_000 + start + i, payload)
      }
      const entries = builder.build()
      const tiles = edge.append(entries.leafHashes)
      const unsigned = { name, branch: MAIN_BRANCH, epoch: 0, size: edge.size, root: edge.root() }
      const head = signHead(unsigned, writer)
      commitOps(store, [{ type: 'append', name, branch: MAIN_BRANCH, start, entries, tiles, head }])
      for (let more = publisher.work(); more.length > 0; more = publisher.work()) {
        this.messages.push(...sent(more))
      }
    }
  }

  /** Everything to the mirror, in groups; ends when the last one is durable and receipted. */
  push(target: MeasuredMirror): void {
    let groupBytes = 0
    let isReceipted = false
    const take = (effects: readonly MirrorEffect[]): void => {
      isReceipted = effects.some(({ type }) => type === 'send')
    }
    for (const message of this.messages) {
      target.mirror.receive(this.#session, message)
      groupBytes += message.length
      if (groupBytes < GROUP_BYTES) continue
      take(target.commit())
      groupBytes = 0
    }
    if (groupBytes > 0) take(target.commit())
    if (!isReceipted) throw new Error('no receipt: the messages were refused')
  }
}

interface Shape {
  readonly headCount: number
  readonly payloadBytes: number
}

function sent(effects: readonly (MirrorEffect | PublisherEffect)[]): Uint8Array[] {
  return effects.flatMap((effect) => (effect.type === 'send' ? [effect.message] : []))
}

function createMirror(directory: string, shape: Shape, unit: 'entries' | 'MB'): Contender {
  const target = new MeasuredMirror(join(directory, 'mirror'))
  let session = 0
  let perSecond = 0
  const entryBytes = shape.payloadBytes + 60
  return {
    ...{ name: 'longshore', role: 'longshore', durability: 'durable' },
    measure: (windowMs) => {
      // As much as fills the window by the last measurement, in whole heads.
      const wanted = Math.max(shape.headCount, (perSecond * windowMs) / 1000)
      const countMax = PREPARED_BYTES_MAX / entryBytes
      const heads = Math.ceil(Math.min(wanted, countMax) / shape.headCount)
      const count = heads * shape.headCount
      const prepared = new Prepared(target, ++session, count, shape)
      const started = performance.now()
      prepared.push(target)
      const seconds = (performance.now() - started) / 1000
      perSecond = count / seconds
      return unit === 'entries' ? perSecond : (perSecond * shape.payloadBytes) / 1e6
    },
    close: () => target.close(),
  }
}

function createBareLog(
  directory: string,
  count: number,
  payloadBytes: number,
  scale: number,
): Contender {
  const log = new BareSignedLog(join(directory, 'bare'), count, payloadBytes)
  return {
    ...{ name: `bare signed log, ${count} a commit`, role: 'limit', durability: 'durable' },
    measure: async (windowMs) => (await rateOf(windowMs, count, () => log.commit())) * scale,
    close: () => log.close(),
  }
}

export const replicateRows: readonly Row[] = [
  {
    title: 'receive, verify and store 100 B, 256 under a head',
    ...{ unit: 'entries/s', better: 'more', target: 300_000 },
    bound: 'three hashes an entry, one signature in 256, and the journal',
    contenders: async (directory) => [
      createMirror(directory, { headCount: 256, payloadBytes: 100 }, 'entries'),
      createBareLog(directory, 8192, 100, 1),
    ],
  },
  {
    title: 'receive, verify and store 100 B, a catch-up of many thousands under one head',
    ...{ unit: 'entries/s', better: 'more', target: 300_000 },
    bound: 'three hashes an entry, and the journal',
    contenders: async (directory) => [
      createMirror(directory, { headCount: 131_072, payloadBytes: 100 }, 'entries'),
      createBareLog(directory, 8192, 100, 1),
    ],
  },
  {
    title: 'receive, verify and store 64 KiB',
    ...{ unit: 'MB/s', better: 'more', target: 300 },
    bound: 'one hash of every payload, two copies, the checksum and the write of the journal',
    contenders: async (directory) => [
      createMirror(directory, { headCount: 32, payloadBytes: 65_536 }, 'MB'),
      createBareLog(directory, 32, 65_536, 65_536 / 1e6),
    ],
  },
]
