/**
 * A home on the network: the class behind `HomeNetwork`.
 *
 * The network is opened when it is first needed, with all neighbors that the home remembers, and
 * closed with the home. What it finds out (heads that were read, what mirrors have stated) is kept
 * in the home. Rules NW1-NW25 of docs/spec/network.md.
 *
 * @module
 */
import {
  bytesEqual,
  type CapsuleName,
  decodeCertChain,
  formatName,
  formatTicket,
  type Head,
  isLongshoreError,
  MAIN_BRANCH,
  openManifest,
  parseName,
  parseTicket,
  RECEIPT_COSIGNERS_MAX,
  type SignedManifest,
  type Ticket,
  UnavailableError,
  UsageError,
  type VerificationError,
} from '@longshore/capsule'
import {
  committedHead,
  type MirrorReceipt,
  missingPayloads,
  type RangeSet,
  type StoreReader,
} from '@longshore/engine'
import type { Capsule } from '../capsule.ts'
import type { CommitSignal } from '../commit-signal.ts'
import type { HomeWriter } from '../home-writer.ts'
import { AddressBook } from './address-book.ts'
import { catchUp } from './catch-up.ts'
import { mirrorCosignature } from './cosigner.ts'
import { createReadMemberships, type Owner } from './grant.ts'
import type {
  Grant,
  GrantOptions,
  HomeNetwork,
  MirrorInfo,
  PullReport,
  PushOptions,
  PushReport,
  RemoteOptions,
  StatusReport,
  TraceReport,
} from './home-network.ts'
import { readDamaged } from './mend.ts'
import { MirrorDesk } from './mirror-desk.ts'
import type { Network } from './network.ts'
import { fillHoles, pullBranch, type TakeIn } from './pull.ts'
import { RemoteBranch } from './remote-branch.ts'
import type { RemoteBranchOptions, ServingNode } from './remote-branch-options.ts'
import { openCapsuleManifest, RemoteCapsule } from './remote-capsule.ts'
import { Replication } from './replication.ts'
import { type CosignedHead, type MirrorStatement, StatedHeads } from './stated-heads.ts'
import { waitForMirrors } from './wait-for-mirrors.ts'

/** What it needs of the home that it belongs to. */
export interface ConnectedHomeContext {
  readonly reader: StoreReader
  readonly commits: CommitSignal
  refresh(): void
  /** False for a home that was opened for reading: what it finds out is not kept. */
  readonly canWrite: boolean
  writer(): Promise<HomeWriter>
  openNetwork(tickets: readonly Ticket[]): Promise<Network>
  nowUs(): number
  randomBytes(byteLength: number): Uint8Array
  /**
   * The owner of a capsule of this home, or of the home itself (undefined).
   *
   * @throws {UsageError} `KEY_MISSING`
   */
  ownerOf(capsule: SignedManifest | undefined): Owner
  readonly takeIn: TakeIn
  /** What was found against the writer of a capsule, now or before: `EQUIVOCATION`. */
  conviction(name: CapsuleName): VerificationError | undefined
  /** Keeps evidence. Returns what is to be said about it. */
  convict(name: CapsuleName, evidence: Uint8Array): VerificationError
  /** Something of the capsule has rotted here. */
  isDamaged(name: CapsuleName): Promise<boolean>
  /** Entries that cannot be shown, or not be proven, from here alone. */
  findDamage(name: CapsuleName): Promise<RangeSet>
  /** Writes the capsule anew, with these entries in place of what is damaged. */
  readonly mend: TakeIn
}

const READ_TIMEOUT_MS = 10_000
const PUSH_TIMEOUT_MS = 30_000

export class ConnectedHome implements HomeNetwork {
  readonly book: AddressBook
  readonly #context: ConnectedHomeContext
  readonly #desk: MirrorDesk
  #network: Promise<Network> | undefined
  #replication: Promise<Replication> | undefined
  #replicationNow: Replication | undefined
  readonly #remotes = new Set<RemoteBranch>()
  #isClosed = false

  constructor(context: ConnectedHomeContext) {
    this.#context = context
    this.book = new AddressBook(context.reader, async (key, value) => {
      if (!context.canWrite) return
      await (await context.writer()).remember(key, value)
      context.refresh()
    })
    this.#desk = new MirrorDesk(this, context)
  }

  async connect(ticket: Ticket | string, options: RemoteOptions = {}): Promise<Ticket> {
    const parsed = typeof ticket === 'string' ? parseTicket(ticket) : ticket
    const known = this.tickets().find(({ name }) => bytesEqual(name, parsed.name))
    if (known !== undefined && formatTicket(known) === formatTicket(parsed)) return parsed
    if (known !== undefined) await this.#checkAnswers(parsed, known, options)
    await this.book.addTicket(parsed)
    if (this.#network !== undefined) (await this.#network).join(parsed)
    return parsed
  }

  tickets(): readonly Ticket[] {
    this.#context.refresh()
    return this.book.tickets()
  }

  async linked({
    timeoutMs = READ_TIMEOUT_MS,
    signal,
    node,
  }: RemoteOptions & { readonly node?: CapsuleName } = {}): Promise<void> {
    await (await this.network()).linked(timeoutMs, signal, node)
  }

  async open(name: CapsuleName | string, options: RemoteOptions = {}): Promise<Capsule> {
    const bytes = typeof name === 'string' ? parseName(name) : name
    this.checkNotConvicted(bytes)
    const branch = await this.openBranch(bytes, options)
    try {
      if (options.onBehind === undefined) await branch.ready(options.signal)
      else await waitForMirrors(branch, await this.network(), options.onBehind, options.signal)
      return new RemoteCapsule(branch, openCapsuleManifest(branch, bytes))
    } catch (error) {
      branch.close()
      throw error
    }
  }

  grant(name: CapsuleName, node: CapsuleName, options: GrantOptions = {}): Promise<Grant> {
    return this.#desk.grant(name, node, options)
  }

  addMirror(name: CapsuleName, node: CapsuleName, options: PushOptions = {}): Promise<MirrorInfo> {
    return this.#desk.add(name, node, options)
  }

  removeMirror(name: CapsuleName, node: CapsuleName): Promise<boolean> {
    return this.book.forgetMirror(name, node)
  }

  mirrors(name: CapsuleName): MirrorInfo[] {
    this.#context.refresh()
    return this.#desk.list(name)
  }

  status(name: CapsuleName, options: RemoteOptions = {}): Promise<StatusReport> {
    return this.#desk.status(name, options)
  }

  async trace(name: CapsuleName, options: RemoteOptions = {}): Promise<TraceReport> {
    const network = await this.network()
    await network.linked(options.timeoutMs ?? READ_TIMEOUT_MS, options.signal)
    return { name, ...(await network.trace(name)) }
  }

  async push(name: CapsuleName, options: PushOptions = {}): Promise<PushReport> {
    const size = this.#requireHead(name).size
    const receipts = await this.replicate(name, size, options)
    await (await this.replication()).stateHead(name)
    return { name, size, receipts }
  }

  async pull(name: CapsuleName | string, options: RemoteOptions = {}): Promise<PullReport> {
    const bytes = typeof name === 'string' ? parseName(name) : name
    this.checkNotConvicted(bytes)
    const { count: entriesMended, failure, sizeElsewhere } = await this.#mend(bytes, options)
    const size = this.localHead(bytes)?.size ?? 0
    if (sizeElsewhere !== undefined && sizeElsewhere < size) {
      if (failure !== undefined) throw failure
      return { name: bytes, size, entriesAdded: 0, payloadsAdded: 0, entriesMended }
    }
    try {
      const added = await this.#bringIn(bytes, options)
      if (failure === undefined) return { ...added, entriesMended }
    } catch (error) {
      throw failure ?? error
    }
    throw failure
  }

  async #bringIn(
    bytes: CapsuleName,
    options: RemoteOptions,
  ): Promise<Omit<PullReport, 'entriesMended'>> {
    const branch = await this.openBranch(bytes, options)
    try {
      await branch.ready(options.signal)
      const signed = openCapsuleManifest(branch, bytes)
      const before = this.localHead(bytes)?.size ?? 0
      const { takeIn, reader } = this.#context
      const missing = (): RangeSet => {
        this.#context.refresh()
        return missingPayloads(reader, bytes, MAIN_BRANCH)
      }
      const missingBefore = missing()
      await pullBranch(branch, signed, { takeIn, sizeHere: () => this.sizeHere(bytes) }, options)
      const openAt = (mirror: ServingNode): Promise<RemoteBranch> =>
        this.openBranch(bytes, options, { mirrors: [mirror], isExclusive: true })
      await fillHoles(branch, signed, { takeIn, missing, openAt }, options)
      const missingNow = missing()
      missingNow.remove(before, Number.POSITIVE_INFINITY)
      const size = this.localHead(bytes)?.size ?? 0
      const payloadsAdded = missingBefore.count - missingNow.count
      return { name: bytes, size, entriesAdded: size - before, payloadsAdded }
    } finally {
      branch.close()
    }
  }

  keepMembership(chain: Uint8Array): Promise<void> {
    decodeCertChain(chain)
    return this.book.keepMembership(chain)
  }

  /**
   * Nothing more is signed, sent or taken for a capsule whose writer is convicted.
   *
   * @throws {VerificationError} `EQUIVOCATION`
   */
  checkNotConvicted(name: CapsuleName): void {
    const conviction = this.#context.conviction(name)
    if (conviction !== undefined) throw conviction
  }

  /** This home knows a mirror of the capsule. */
  hasMirrors(name: CapsuleName): boolean {
    return this.book.mirrors(name).length > 0
  }

  /** Fails before anything is appended if so many copies cannot be had. */
  async checkLevel(name: CapsuleName, copies: number): Promise<void> {
    this.checkNotConvicted(name)
    const replication = await this.replication()
    replication.checkLevel(name, copies)
  }

  /** Resolves when so many mirrors that count hold all entries below `size`. */
  async replicate(
    name: CapsuleName,
    size: number,
    { copies, timeoutMs = PUSH_TIMEOUT_MS, signal }: PushOptions,
  ): Promise<MirrorReceipt[]> {
    this.checkNotConvicted(name)
    const replication = await this.replication()
    const wanted = copies ?? Math.max(1, replication.countPossible(name))
    replication.checkLevel(name, wanted)
    const receipts = await replication.replicated(name, size, wanted, { timeoutMs, signal })
    return receipts
  }

  /** The head of this tree above `index` that most mirrors that count have stated, and that. */
  cosigned(name: CapsuleName, index: number, isOfTree: (head: Head) => boolean): CosignedHead {
    const mirrors = this.#desk.counting(name)
    if (mirrors.size === 0) return { head: undefined, mirrors: [] }
    const stated = new StatedHeads()
    const add = (head: Head, statement: MirrorStatement): void => {
      if (mirrors.has(formatName(statement.mirror))) stated.add(head, statement)
    }
    for (const { name: mirror } of mirrors.values()) {
      const receipt = this.book.receipt(name, mirror)
      if (receipt !== undefined) add(receipt.head, { mirror, ...receipt })
    }
    const kept = this.book.stated(name)
    const heard = this.#replicationNow?.stated(name)?.all() ?? []
    for (const { head, statements } of kept === undefined ? heard : [kept, ...heard]) {
      for (const statement of statements) add(head, statement)
    }
    const best = stated.best(index, isOfTree)
    if (best === undefined) return { head: undefined, mirrors: [] }
    const cosignatures = best.statements.flatMap((statement) => {
      const known = mirrors.get(formatName(statement.mirror))
      if (known?.signedManifest === undefined) return []
      return mirrorCosignature(known.signedManifest, statement, known.chain, known.memberships)
    })
    return { head: best.head, mirrors: cosignatures.slice(0, RECEIPT_COSIGNERS_MAX) }
  }

  /** Mirrors hear of a heartbeat that was made, as a checkpoint. */
  async tellHeartbeat(name: CapsuleName, checkpoint: string): Promise<void> {
    if (!this.hasMirrors(name) || this.tickets().length === 0) return
    const replication = await this.replication()
    replication.tellHeartbeat(name, checkpoint)
  }

  /**
   * Every mirror is asked for the newest history of a capsule of this home, which is brought in.
   * Returns what was found out, for the record. See `catchUp`.
   */
  async catchUp(name: CapsuleName, { timeoutMs, signal }: RemoteOptions = {}): Promise<string> {
    const mirrors = this.book.mirrors(name)
    const exclusive = { mirrors, isExclusive: true }
    const options = timeoutMs === undefined ? {} : { timeoutMs }
    const branch = await this.openBranch(name, options, exclusive)
    const { takeIn, reader } = this.#context
    try {
      return await catchUp(branch, {
        name,
        mirrors: mirrors.map((mirror) => mirror.name),
        store: reader,
        signed: openManifest(reader.manifest(name) as Uint8Array, name),
        takeIn,
        sizeHere: () => this.sizeHere(name),
        signal,
      })
    } finally {
      branch.close()
    }
  }

  async openBranch(
    name: CapsuleName,
    options: RemoteOptions,
    change: Partial<RemoteBranchOptions> = {},
  ): Promise<RemoteBranch> {
    this.#checkNoNode(name)
    const network = await this.network()
    const remembered = newest(this.localHead(name), this.book.head(name))
    const branch = new RemoteBranch(network, {
      name,
      branch: MAIN_BRANCH,
      mirrors: this.book.mirrors(name),
      remembered,
      keepHead: (head) => this.book.keepHead(name, head),
      mirrorsMin: options.mirrors ?? 0,
      freshS: options.freshS,
      memberships: this.#memberships(network),
      convict: (evidence) => this.#context.convict(name, evidence),
      timeoutMs: options.timeoutMs ?? READ_TIMEOUT_MS,
      ...change,
    })
    this.#remotes.add(branch)
    return branch
  }

  /** A node that this home connects to: its name is easily taken for that of a capsule. */
  #checkNoNode(name: CapsuleName): void {
    if (!this.tickets().some((ticket) => bytesEqual(ticket.name, name))) return
    const details = { name: formatName(name), type: 'node' }
    throw new UsageError('USAGE', 'this is the name of a node, not of a capsule', details)
  }

  localHead(name: CapsuleName): Head | undefined {
    this.#context.refresh()
    return committedHead(this.#context.reader, name, MAIN_BRANCH)
  }

  /** Entries that are stored, those of an import under way included. */
  sizeHere(name: CapsuleName): number {
    this.#context.refresh()
    return this.#context.reader.state(name, MAIN_BRANCH)?.size ?? 0
  }

  network(): Promise<Network> {
    if (this.#isClosed) throw new UnavailableError('CLOSED', 'the home was closed')
    this.#network ??= this.#openNetwork()
    return this.#network
  }

  replication(): Promise<Replication> {
    this.#replication ??= this.network().then((network) => {
      const { reader: store, commits } = this.#context
      const heartbeat = async (name: CapsuleName): Promise<string> => {
        return (await this.#context.writer()).heartbeat({ name, branch: MAIN_BRANCH })
      }
      this.#replicationNow = new Replication({
        ...{ network, store, commits, book: this.book, heartbeat },
        convict: (name, evidence) => this.#context.convict(name, evidence),
      })
      return this.#replicationNow
    })
    return this.#replication
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    for (const remote of this.#remotes) remote.close()
    const replication = await this.#replication?.catch(() => undefined)
    await replication?.close()
    const network = await this.#network?.catch(() => undefined)
    await network?.close()
  }

  /** In a network of its own, where there is no other way to the node. */
  async #checkAnswers(
    ticket: Ticket,
    known: Ticket,
    { timeoutMs = READ_TIMEOUT_MS, signal }: RemoteOptions,
  ): Promise<void> {
    const network = await this.#context.openNetwork([ticket])
    try {
      await network.linked(timeoutMs, signal, ticket.name)
    } catch (error) {
      if (!isLongshoreError(error) || error.code !== 'NO_MIRROR') throw error
      const [at, kept] = [ticket, known].map(({ addresses }) => addresses.join(', '))
      const reason = String(error.details['reason'] ?? '')
      const why = reason === '' ? '' : ` (${reason})`
      const message = `the node does not answer at ${at}${why}; what was known is kept: ${kept}`
      const details = { principal: formatName(ticket.name), kept: String(kept), reason }
      throw new UnavailableError('NO_MIRROR', message, details, { cause: error })
    } finally {
      await network.close()
    }
  }

  /** How far mirrors are is known if something has rotted here: it may be less than is here. */
  async #mend(name: CapsuleName, options: RemoteOptions): Promise<MendReport> {
    const { isDamaged, findDamage, mend } = this.#context
    if (!(await isDamaged(name))) return NOTHING_MENDED
    const damaged = await findDamage(name)
    const branch = await this.openBranch(name, options, { remembered: this.book.head(name) })
    try {
      await branch.ready(options.signal)
      const sizeElsewhere = branch.head?.size ?? 0
      try {
        const entries = await readDamaged(branch, damaged, options.signal)
        await mend(openCapsuleManifest(branch, name), entries)
        return { count: damaged.count, failure: undefined, sizeElsewhere }
      } catch (failure) {
        // What is new can be brought in all the same.
        if (!isLongshoreError(failure) || failure.code !== 'STORE_CORRUPT') throw failure
        return { count: 0, failure, sizeElsewhere }
      }
    } finally {
      branch.close()
    }
  }

  #openNetwork(): Promise<Network> {
    const tickets = this.tickets()
    if (tickets.length === 0) {
      const message = 'this home is connected to no node yet'
      return Promise.reject(new UnavailableError('NO_MIRROR', message, { nodes: 0 }))
    }
    return this.#context.openNetwork(tickets)
  }

  /** What lets this process read what not everybody may. */
  #memberships(network: Network): Uint8Array[] {
    const node = network.name
    let owner: Owner
    try {
      owner = this.#context.ownerOf(undefined)
    } catch (error) {
      // Without the owner's key, or its manifest, it reads what everybody may read.
      if (isLongshoreError(error)) return []
      throw error
    }
    return createReadMemberships(owner, node, network.runtime, this.book.memberships())
  }

  #requireHead(name: CapsuleName): Head {
    const head = this.localHead(name)
    if (head !== undefined) return head
    const details = { name: formatName(name), size: 0 }
    throw new UnavailableError('NOT_FOUND', 'this home has no entry of the capsule', details)
  }
}

interface MendReport {
  readonly count: number
  /** Why nothing was mended that should be. */
  readonly failure: Error | undefined
  readonly sizeElsewhere: number | undefined
}

const NOTHING_MENDED: MendReport = { count: 0, failure: undefined, sizeElsewhere: undefined }

function newest(a: Head | undefined, b: Head | undefined): Head | undefined {
  return a === undefined || (b !== undefined && b.size > a.size) ? b : a
}
