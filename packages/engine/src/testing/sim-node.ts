/**
 * One whole node in a simulated world: engine, store on a simulated disk, a clock of its own, and
 * whatever drives them. What the node package does with sockets and files happens here in virtual
 * time. It may die at any moment, also in the middle of a call to its disk, and start again from
 * what is left. Rules SM11 and SM12 of docs/spec/simulation.md.
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
import {
  heldCapsules,
  heldEvidence,
  mirrorService,
  publisherService,
  type Service,
} from '../node/service.ts'
import type { Membership } from '../overlay/overlay-events.ts'
import { Mirror } from '../replica/mirror.ts'
import type { MirrorEffect } from '../replica/mirror-contract.ts'
import { readMirrorNote } from '../replica/mirror-note.ts'
import { Publisher } from '../replica/publisher.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { SpareMemory } from '../runtime/spare-memory.ts'
import { type DiskStore, openDiskStore } from '../store/disk/disk-store.ts'
import { runSlices } from '../store/slices.ts'
import type { StoreOp, StoreReader } from '../store/store.ts'
import type { BranchWriter } from '../writer/branch-writer.ts'
import { openBranchWriter } from '../writer/open-branch-writer.ts'
import { createFirstInstance } from '../writer/writer-notes.ts'
import type { EventQueue } from './event-queue.ts'
import { type Lie, lyingService } from './lying-service.ts'
import type { Prng } from './prng.ts'
import { SimAnchor } from './sim-anchor.ts'
import { SimCommits, type SimSource } from './sim-commits.ts'
import { SimCrash, SimDisk } from './sim-disk.ts'
import { type IndexCrash, SimIndex } from './sim-index.ts'
import type { SimEndpoint, SimNetwork } from './sim-network.ts'
import { EPOCH_US } from './sim-runtime.ts'

export interface SimNodeOptions {
  /** Forwards for others. */
  readonly isRouter?: boolean
  readonly isMirror?: boolean
  readonly membership?: (self: CapsuleName) => Membership
  /** How far its clock is off. */
  readonly skewUs?: number
  /** Sees every event before the engine does. */
  readonly onEvent?: (node: SimNode, event: NodeEvent) => void
  /** The process died of itself: in a call to the disk, or because a sync failed. */
  readonly onDeath?: (node: SimNode) => void
  /** Lies in its data directory already: what another node has left there. */
  readonly disk?: SimDisk
  /** Its mirror lies: what it wants to say is changed before it is said. */
  readonly lie?: Lie
}

/** What runs on a node: an application that writes, or one that reads. */
export interface SimActor {
  /** By name; new ones for every life of the node. */
  services?(): Readonly<Record<string, Service>>
  /** The node is up, for the first time or again. */
  started?(): void
  /** Everything that the engine tells whoever runs it, but bytes and wakes. */
  heard?(effect: NodeEffect): void
  /** What it wrote and did not sync may be gone. */
  losePower?(): void
}

export class SimNode {
  readonly name: string
  readonly principal: NodePrincipal
  readonly identity: NodeIdentity
  readonly ticket: Ticket
  readonly #membership: Membership | undefined
  readonly runtime: Runtime
  disk: SimDisk
  /** Kept if nobody else listens: everything that the engine has told. */
  readonly news: NodeEffect[] = []
  /** How far its clock is off; may be changed at any time. */
  skewUs: number
  isUp = false
  store: DiskStore
  engine: NodeEngine
  mirror: Mirror | undefined
  publisher: Publisher
  readonly #network: SimNetwork
  readonly #options: SimNodeOptions
  readonly #index: SimIndex
  readonly #headLogAnchor: SimAnchor
  readonly #prng: Prng
  readonly #actors: SimActor[] = []
  #headLogWriter: BranchWriter | undefined
  #backup: SimDisk | undefined
  /** Survives restarts, as a configuration file would. */
  readonly #joined: Ticket[] = []
  #services: Record<string, Service> = {}
  /** Whatever is looked at after it was given back is nonsense, and does not verify. */
  readonly #spares = new SpareMemory({ spareBytesMin: 1, isSpoiled: true })
  #commits: SimCommits
  #endpoint: SimEndpoint | undefined
  /** Grows with every start: what an earlier life has scheduled no longer happens. */
  #life = 0
  #boot = 1
  #depth = 0
  #wakeUs = Number.POSITIVE_INFINITY

  constructor(network: SimNetwork, prng: Prng, name: string, options: SimNodeOptions = {}) {
    this.name = name
    this.#network = network
    this.#options = options
    this.skewUs = options.skewUs ?? 0
    this.runtime = this.#createRuntime(prng.child())
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
    this.#membership = options.membership?.(node.name)
    const tlsKey = manifestKey(node.manifest, 'tls').ed25519
    this.ticket = { name: node.name, tlsKey, addresses: [`mem://${name}`] }
    this.disk = options.disk ?? new SimDisk(prng.child())
    this.#index = new SimIndex(prng.child())
    this.#headLogAnchor = new SimAnchor(prng.child())
    this.#prng = prng.child()
    this.store = this.#openStore()
    this.#commits = this.#createCommits()
    this.#createHeadLog()
    this.publisher = this.#createPublisher()
    this.mirror = this.#createMirror()
    this.engine = this.#createEngine()
    this.#goUp()
  }

  /** It was joined to these, and will be after every start. */
  get joined(): readonly Ticket[] {
    return this.#joined
  }

  get hasBackup(): boolean {
    return this.#backup !== undefined
  }

  /** Its disk is older than what it has stated: it must become another node. */
  get isInDoubt(): boolean {
    return this.#headLogWriter?.doubt !== undefined
  }

  get isRouter(): boolean {
    return this.#options.isRouter === true
  }

  get queue(): EventQueue {
    return this.#network.queue
  }

  /** One event, and everything that follows at once. A node that is down hears nothing. */
  step(event: NodeEvent): void {
    if (!this.isUp) return
    this.#guard(() => {
      this.#options.onEvent?.(this, event)
      for (const effect of this.engine.step(event)) this.#apply(effect)
    })
  }

  join(other: Pick<SimNode, 'ticket'>): void {
    this.#joined.push(other.ticket)
    this.step({ type: 'join', ticket: other.ticket })
  }

  add(actor: SimActor): void {
    this.#actors.push(actor)
    Object.assign(this.#services, actor.services?.())
    this.#guard(() => actor.started?.())
  }

  /** Has the source cut at the next commit. */
  request(source: SimSource): void {
    if (this.isUp) this.#commits.request(source)
  }

  /** Commits changes of this node's own, such as the entries of a capsule that it writes. */
  commit(ops: readonly StoreOp[]): void {
    this.#commits.now(ops)
    this.step({ type: 'run', service: 'publisher', effects: [] })
  }

  /** Happens after so much time, unless the node has died meanwhile. */
  after(delayUs: number, action: () => void): void {
    const life = this.#life
    this.queue.schedule(this.queue.nowUs + delayUs, () => {
      if (life === this.#life && this.isUp) this.#guard(action)
    })
  }

  /** Pushes a capsule that this node's store has to these mirrors. */
  publish(
    name: CapsuleName,
    mirrors: readonly { mirror: Pick<SimNode, 'identity'>; chain: CertChain }[],
  ): void {
    const targets = mirrors.map(({ mirror, chain }) => ({
      mirror: mirror.identity.name,
      chain: encodeCertChain(chain),
      counts: true,
    }))
    const effects = this.publisher.publish(name, MAIN_BRANCH, targets)
    this.step({ type: 'run', service: 'publisher', effects })
  }

  /** The process dies, or the power fails. */
  crash(how: 'kill' | 'power', index: IndexCrash = 'keep'): void {
    if (this.isUp) this.#endpoint?.detach(how === 'kill' ? 'reset' : 'silent')
    this.isUp = false
    this.#life++
    this.disk.crash(how)
    this.#index.crash(index)
    if (how === 'kill') return
    this.#headLogAnchor.losePower()
    for (const actor of this.#actors) actor.losePower?.()
    this.#boot++
  }

  /** Looks for what has rotted on its disk, as a node does when it starts and once a day. */
  scrub(): void {
    this.#guard(() => {
      const { capsules } = runSlices(this.store.scrubInSlices())
      for (const name of capsules) this.#runMirror(this.mirror?.suspect(name) ?? [])
    })
  }

  /** Another process opens what is left. */
  start(): void {
    if (this.isUp) return
    this.#wakeUs = Number.POSITIVE_INFINITY
    this.#guard(() => {
      this.store = this.#openStore()
      this.#commits = this.#createCommits()
      this.publisher = this.#createPublisher()
      this.mirror = this.#createMirror()
      this.engine = this.#createEngine()
      this.#goUp()
    })
  }

  /** Somebody copies its disk, whatever it is doing. */
  backUp(): void {
    this.#backup = this.disk.copy(this.#prng)
  }

  /** The node is down, and will find the copy. What lies beside the disk, as anchors do, stays. */
  restoreBackup(): void {
    assert(!this.isUp && this.#backup !== undefined, 'a copy is put back while nobody runs')
    this.disk = this.#backup
    this.#backup = undefined
    this.#index.crash('vanish')
  }

  restart(how: 'kill' | 'power'): void {
    this.crash(how)
    this.start()
  }

  #goUp(): void {
    this.isUp = true
    this.#endpoint = this.#attach()
    for (const actor of this.#actors) Object.assign(this.#services, actor.services?.())
    for (const ticket of this.#joined) this.step({ type: 'join', ticket })
    if (this.mirror !== undefined) {
      for (const effects of heldCapsules(this.store, this.identity.name)) this.#runMirror(effects)
      for (const effects of this.mirror.inspect()) this.#runMirror(effects)
    }
    this.step({ type: 'tick' })
    for (const actor of this.#actors) actor.started?.()
  }

  #runMirror(effects: readonly MirrorEffect[]): void {
    this.step({ type: 'run', service: 'mirror', effects })
  }

  /** A call to the disk may be the last thing that this life does. */
  #guard(action: () => void): void {
    this.#depth++
    try {
      action()
    } catch (error) {
      if (!(error instanceof SimCrash) || this.#depth > 1) throw error
      this.#die()
    } finally {
      this.#depth--
    }
  }

  #die(): void {
    this.crash('kill')
    this.#options.onDeath?.(this)
  }

  #createRuntime(random: Prng): Runtime {
    const { name } = this
    const boot = (): number => this.#boot
    return {
      nowUs: () => EPOCH_US + this.#network.queue.nowUs + this.skewUs,
      randomBytes: (byteLength) => random.bytes(byteLength),
      get bootId() {
        return `${name}-${boot()}`
      },
      log: () => {},
    }
  }

  #createCommits(): SimCommits {
    const after = (delayUs: number, action: () => void): void => this.after(delayUs, action)
    return new SimCommits(this.store, after, () => {
      throw new SimCrash('a sync failed')
    })
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
    const { isRouter = false, lie } = this.#options
    this.#services = { publisher: publisherService(publisher) }
    if (mirror !== undefined) {
      const service = mirrorService({ mirror, self: identity.name, store: this.store })
      this.#services['mirror'] = lie === undefined ? service : lyingService(service, lie)
    }
    return new NodeEngine({
      identity,
      runtime,
      isRouter,
      services: this.#services,
      listen: this.ticket.addresses,
      heldEvidence: (name) => heldEvidence(this.store, identity.name, name),
      ...(this.#membership === undefined ? {} : { membership: this.#membership }),
      spares: this.#spares,
    })
  }

  #createPublisher(): Publisher {
    const canSend = (session: number): boolean => this.engine.sessions.canSend(session, true)
    return new Publisher({ store: this.store, canSend, spares: this.#spares })
  }

  #createMirror(): Mirror | undefined {
    if (this.#options.isMirror !== true) return undefined
    const { store, runtime, identity } = this
    const { headLog, seeds } = this.principal
    const membership = this.#membership
    const domains = membership === undefined ? [] : [membership.name]
    const memberships = membership === undefined ? [] : [encodeCertChain(membership.chain)]
    return new Mirror({
      store,
      runtime,
      mirror: identity.mirror,
      canSend: (session) => this.engine.sessions.canSend(session, true),
      hasSubscribers: (name) => this.engine.overlay.hasSubscribers(name),
      policy: createMirrorPolicy({
        self: identity.name,
        domains: () => domains,
        runtime,
        bytesFree: () => Number.POSITIVE_INFINITY,
      }),
      memberships: () => memberships,
      spares: this.#spares,
      openHeadLog: () => {
        const signer = createSigner(seeds['head-log'])
        const anchor = this.#headLogAnchor
        const own = { store, runtime, name: headLog.name, branch: MAIN_BRANCH, signer, anchor }
        this.#headLogWriter = orEnd(['STORE_CORRUPT'], () => openBranchWriter(own))
        return this.#headLogWriter
      },
    })
  }

  #openStore(): DiskStore {
    const { disk, runtime } = this
    const index = this.#index.open()
    return orEnd(['STORE_IO', 'STORE_FULL'], () => {
      return openDiskStore({ disk, index, runtime, mode: 'write' })
    })
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
    this.#commits.now([...manifests, first.note])
  }

  #apply(effect: NodeEffect): void {
    switch (effect.type) {
      case 'dial':
      case 'write':
      case 'close':
      case 'pause':
      case 'resume':
        this.#endpoint?.apply(effect)
        return
      case 'wake':
        this.#wake(effect.atUs)
        return
      case 'news':
        if (effect.news.type === 'request-cut') this.#commits.request(this.#mirrorSource)
        else this.#tell(effect)
        return
      default:
        this.#tell(effect)
    }
  }

  #tell(effect: NodeEffect): void {
    if (this.#actors.length === 0) this.news.push(effect)
    for (const actor of this.#actors) actor.heard?.(effect)
  }

  #wake(atUs: number): void {
    this.#wakeUs = atUs
    this.after(Math.max(0, Math.ceil(atUs - this.runtime.nowUs())), () => {
      if (this.#wakeUs !== atUs) return
      this.#wakeUs = Number.POSITIVE_INFINITY
      this.step({ type: 'tick' })
    })
  }

  /** What the mirror has pending goes with the next commit. */
  readonly #mirrorSource: SimSource = {
    cut: () => {
      const transaction = this.mirror?.cut()
      if (transaction === undefined) return undefined
      const { lie = (effects) => effects } = this.#options
      const tell = (effects: ReturnType<typeof transaction.committed>): void =>
        this.step({ type: 'run', service: 'mirror', effects: lie(effects) })
      return {
        ops: transaction.ops,
        durable: () => transaction.durable(),
        committed: () => tell(transaction.committed()),
        failed: (error) => tell(transaction.failed(error)),
      }
    },
  }
}

/** Size of the last statement of a mirror about the main branch of a capsule. */
export function statedSize(store: StoreReader, name: CapsuleName): number {
  return readMirrorNote(store, name, MAIN_BRANCH).size
}

/** What ends a process in which these codes escape; whoever runs it starts another one. */
function orEnd<T>(codes: readonly string[], action: () => T): T {
  try {
    return action()
  } catch (error) {
    const { code } = error as { readonly code?: unknown }
    if (typeof code !== 'string' || !codes.includes(code)) throw error
    throw new SimCrash(`the process ends with ${code}`)
  }
}
