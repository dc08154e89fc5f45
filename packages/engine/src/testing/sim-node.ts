/**
 * One whole node in a simulated world: engine, store on a simulated disk, a clock of its own, and
 * whatever drives them. What the node package does with sockets and files happens here in virtual
 * time.
 *
 * @module
 */
import {
  assert,
  type CapsuleName,
  type CertChain,
  createSigner,
  encodeCertChain,
  MAIN_BRANCH,
  manifestKey,
  type Ticket,
} from '@longshore/capsule'
import { createMirrorPolicy } from '../node/mirror-policy.ts'
import { type NodeEffect, NodeEngine, type NodeEvent } from '../node/node-engine.ts'
import { createNodePrincipal, type NodePrincipal } from '../node/node-keys.ts'
import type { NodeIdentity } from '../node/principal.ts'
import { heldCapsules, mirrorService, publisherService, type Service } from '../node/service.ts'
import type { Membership } from '../overlay/overlay-events.ts'
import { Mirror } from '../replica/mirror.ts'
import type { MirrorTransaction } from '../replica/mirror-contract.ts'
import { Publisher } from '../replica/publisher.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { type DiskStore, openDiskStore } from '../store/disk/disk-store.ts'
import type { StoreEffect, StoreOp } from '../store/store.ts'
import { openBranchWriter } from '../writer/open-branch-writer.ts'
import { createFirstInstance } from '../writer/writer-notes.ts'
import type { Prng } from './prng.ts'
import { SimAnchor } from './sim-anchor.ts'
import { SimDisk } from './sim-disk.ts'
import { SimIndex } from './sim-index.ts'
import type { SimEndpoint, SimNetwork } from './sim-network.ts'

/** Virtual time 0 is 2025-01-01T00:00:00Z. */
const EPOCH_US = 1_735_689_600_000_000
/** What a commit takes: journal and sync. */
const COMMIT_US = 200

export interface SimNodeOptions {
  readonly isRouter?: boolean
  readonly isMirror?: boolean
  readonly membership?: (self: CapsuleName) => Membership
  /** How far its clock is off. */
  readonly skewUs?: number
}

export class SimNode {
  readonly name: string
  readonly principal: NodePrincipal
  readonly identity: NodeIdentity
  readonly ticket: Ticket
  readonly runtime: Runtime
  readonly disk: SimDisk
  /** Everything that the engine has told whoever runs it, but wakes and bytes. */
  readonly news: NodeEffect[] = []
  store: DiskStore
  engine: NodeEngine
  mirror: Mirror | undefined
  publisher: Publisher
  readonly #network: SimNetwork
  readonly #options: SimNodeOptions
  readonly #index: SimIndex
  readonly #headLogAnchor: SimAnchor
  /** Survives restarts, as a configuration file would. */
  readonly #joined: Ticket[] = []
  #endpoint: SimEndpoint
  /** Grows with every restart: what an earlier life has scheduled no longer happens. */
  #life = 0
  #isCommitting = false
  #wantsCut = false
  #ticket = 0
  #wakeUs = Number.POSITIVE_INFINITY

  constructor(network: SimNetwork, prng: Prng, name: string, options: SimNodeOptions = {}) {
    this.name = name
    this.#network = network
    this.#options = options
    const random = prng.child()
    this.runtime = {
      nowUs: () => EPOCH_US + network.queue.nowUs + (options.skewUs ?? 0),
      randomBytes: (byteLength) => random.bytes(byteLength),
      bootId: name,
      log: () => {},
    }
    const facts = { nonce: prng.bytes(16), timeUs: this.runtime.nowUs(), labels: { name } }
    this.principal = createNodePrincipal(prng.bytes(32), facts)
    const { node, seeds } = this.principal
    this.identity = {
      name: node.name,
      signedManifest: node.signed,
      manifest: node.manifest,
      identity: createSigner(seeds.identity),
      mirror: createSigner(seeds.mirror),
    }
    const tlsKey = manifestKey(node.manifest, 'tls').ed25519
    this.ticket = { name: node.name, tlsKey, addresses: [`mem://${name}`] }
    this.disk = new SimDisk(prng.child())
    this.#index = new SimIndex(prng.child())
    this.#headLogAnchor = new SimAnchor(prng.child())
    this.store = this.#openStore()
    this.#createHeadLog()
    this.publisher = this.#createPublisher()
    this.mirror = this.#createMirror()
    this.engine = this.#createEngine()
    this.#endpoint = this.#attach()
    this.#start()
  }

  /** One event, and everything that follows at once. */
  step(event: NodeEvent): void {
    for (const effect of this.engine.step(event)) this.#apply(effect)
  }

  join(other: SimNode): void {
    this.#joined.push(other.ticket)
    this.step({ type: 'join', ticket: other.ticket })
  }

  /** Commits changes of this node's own, such as the entries of a capsule that it writes. */
  commit(ops: readonly StoreOp[]): void {
    this.#submit({ ops, durable: () => {}, committed: () => [], failed: () => [] })
    this.step({ type: 'run', service: 'publisher', effects: [] })
  }

  /** Pushes a capsule that this node's store has to these mirrors. */
  publish(name: CapsuleName, mirrors: readonly { mirror: SimNode; chain: CertChain }[]): void {
    const targets = mirrors.map(({ mirror, chain }) => ({
      mirror: mirror.identity.name,
      chain: encodeCertChain(chain),
      counts: true,
    }))
    const effects = this.publisher.publish(name, MAIN_BRANCH, targets)
    this.step({ type: 'run', service: 'publisher', effects })
  }

  /** The process dies, or the power fails; another one opens what is left. */
  restart(how: 'kill' | 'power'): void {
    this.#life++
    this.#endpoint.detach(how === 'kill' ? 'reset' : 'silent')
    this.disk.crash(how)
    this.#index.crash('keep')
    if (how === 'power') this.#headLogAnchor.losePower()
    this.#isCommitting = false
    this.#wantsCut = false
    this.#wakeUs = Number.POSITIVE_INFINITY
    this.store = this.#openStore()
    this.publisher = this.#createPublisher()
    this.mirror = this.#createMirror()
    this.engine = this.#createEngine()
    this.#endpoint = this.#attach()
    this.#start()
  }

  #start(): void {
    for (const ticket of this.#joined) this.step({ type: 'join', ticket })
    if (this.mirror !== undefined) {
      this.step({
        type: 'run',
        service: 'mirror',
        effects: heldCapsules(this.store, this.identity.name),
      })
    }
    this.step({ type: 'tick' })
  }

  #attach(): SimEndpoint {
    const life = this.#life
    const tlsKey = manifestKey(this.identity.manifest, 'tls').ed25519
    return this.#network.attach(`mem://${this.name}`, tlsKey, (event) => {
      if (life === this.#life) this.step(event)
    })
  }

  #createEngine(): NodeEngine {
    const { identity, runtime, mirror, publisher } = this
    const { isRouter = false, membership } = this.#options
    const services: Record<string, Service> = { publisher: publisherService(publisher) }
    if (mirror !== undefined) {
      services['mirror'] = mirrorService({ mirror, self: identity.name, store: this.store })
    }
    return new NodeEngine({
      identity,
      runtime,
      isRouter,
      services,
      listen: this.ticket.addresses,
      ...(membership === undefined ? {} : { membership: membership(identity.name) }),
    })
  }

  #createPublisher(): Publisher {
    const canSend = (session: number): boolean => this.engine.sessions.canSend(session, true)
    return new Publisher({ store: this.store, canSend })
  }

  #createMirror(): Mirror | undefined {
    if (this.#options.isMirror !== true) return undefined
    const { store, runtime, identity } = this
    const { headLog, seeds } = this.principal
    const domain = this.#options.membership?.(identity.name).name
    return new Mirror({
      store,
      runtime,
      mirror: identity.mirror,
      canSend: (session) => this.engine.sessions.canSend(session, true),
      policy: createMirrorPolicy({
        self: identity.name,
        domains: () => (domain === undefined ? [] : [domain]),
        runtime,
        bytesFree: () => Number.POSITIVE_INFINITY,
      }),
      openHeadLog: () =>
        openBranchWriter({
          store,
          name: headLog.name,
          branch: MAIN_BRANCH,
          signer: createSigner(seeds['head-log']),
          runtime,
          anchor: this.#headLogAnchor,
        }),
    })
  }

  #openStore(): DiskStore {
    const { disk, runtime } = this
    return openDiskStore({ disk, index: this.#index.open(), runtime, mode: 'write' })
  }

  #createHeadLog(): void {
    const { headLog, node } = this.principal
    const first = createFirstInstance(headLog.name, MAIN_BRANCH, this.runtime)
    this.#headLogAnchor.write(first.anchor)
    this.#headLogAnchor.sync()
    const manifests: StoreOp[] = [headLog, node].map(({ name, signed }) => ({
      type: 'manifest',
      name,
      signed,
    }))
    this.#submit({
      ops: [...manifests, first.note],
      durable: () => {},
      committed: () => [],
      failed: (error) => {
        throw error
      },
    })
  }

  #apply(effect: NodeEffect): void {
    switch (effect.type) {
      case 'dial':
      case 'write':
      case 'close':
      case 'pause':
      case 'resume':
        this.#endpoint.apply(effect)
        return
      case 'wake':
        this.#wake(effect.atUs)
        return
      case 'news':
        if (effect.news.type === 'request-cut') this.#requestCut()
        else this.news.push(effect)
        return
      default:
        this.news.push(effect)
    }
  }

  #wake(atUs: number): void {
    this.#wakeUs = atUs
    const life = this.#life
    const { queue } = this.#network
    queue.schedule(Math.ceil(atUs - EPOCH_US - (this.#options.skewUs ?? 0)), () => {
      if (life !== this.#life || this.#wakeUs !== atUs) return
      this.#wakeUs = Number.POSITIVE_INFINITY
      this.step({ type: 'tick' })
    })
  }

  /** The next commit takes what the mirror has by then; one is under way at a time. */
  #requestCut(): void {
    this.#wantsCut = true
    if (this.#isCommitting) return
    this.#isCommitting = true
    const life = this.#life
    this.#network.queue.schedule(this.#network.queue.nowUs + COMMIT_US, () => {
      if (life !== this.#life) return
      this.#isCommitting = false
      if (!this.#wantsCut) return
      this.#wantsCut = false
      const transaction = this.mirror?.cut()
      if (transaction !== undefined) this.#submit(transaction)
    })
  }

  #submit(transaction: MirrorTransaction): void {
    const ticket = ++this.#ticket
    const effects = [
      ...this.store.step({ type: 'submit', ticket, ops: transaction.ops }),
      ...this.store.step({ type: 'flush' }),
    ]
    for (const effect of effects) this.#answer(transaction, effect)
  }

  #answer(transaction: MirrorTransaction, effect: StoreEffect): void {
    const tell = (effects: ReturnType<MirrorTransaction['committed']>): void => {
      if (effects.length > 0) this.step({ type: 'run', service: 'mirror', effects })
    }
    if (effect.type === 'refused') {
      tell(transaction.failed(effect.error))
      return
    }
    assert(effect.type === 'sync', 'a group is written and wants a sync')
    effect.file.sync()
    transaction.durable()
    const [committed] = this.store.step({ type: 'synced', token: effect.token })
    assert(committed?.type === 'committed', 'a group commits')
    tell(transaction.committed())
  }
}
