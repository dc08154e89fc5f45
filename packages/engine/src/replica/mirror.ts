/**
 * A mirror: takes capsules in, verifies before it stores, states what it holds durably, serves it.
 *
 * 1. Nothing is stored unverified, and nothing is answered with that is not committed.
 * 2. `cut` gives everything pending as one transaction with its entry of the head log; receipts
 *    come out of `committed` and nowhere else (F18, F19).
 * 3. Credit goes back when bytes are durable, so a disk that is slow slows its senders down.
 * 4. What a peer does wrong ends its request, or its session, with a code; it never throws out of
 *    this class.
 *
 * The parts: branch-intake.ts takes in one branch, push-desk.ts hears who pushes, group-commit.ts
 * makes transactions, read-queue.ts serves, mirror-sync.ts compares with other mirrors. Rules of
 * docs/spec/mirror.md.
 *
 * @module
 */
import {
  type CapsuleName,
  isLongshoreError,
  openManifest,
  ProtocolError,
  type SignedManifest,
  UnavailableError,
  VerificationError,
} from '@longshore/capsule'
import type { Runtime } from '../runtime/runtime.ts'
import { SpareMemory } from '../runtime/spare-memory.ts'
import { SteadyClock } from '../runtime/steady-clock.ts'
import type { StoreOp, StoreReader } from '../store/store.ts'
import { BODIES_KIND } from './bodies-message.ts'
import type { BranchCut, BranchIntake } from './branch-intake.ts'
import { isDropped } from './dropped.ts'
import { ENTRIES_KIND } from './entries-message.ts'
import { GroupCommit, type Offer } from './group-commit.ts'
import { HeadLog } from './head-log.ts'
import { Intakes } from './intakes.ts'
import { REPLICA_LIMITS, type ReplicaLimits } from './limits.ts'
import { Mender } from './mender.ts'
import { MendingDesk } from './mending-desk.ts'
import {
  decodeMessage,
  encodeMessage,
  isControlMessage,
  type MessageOf,
  type ReplicaMessage,
} from './messages.ts'
import type {
  MirrorEffect,
  MirrorOptions,
  MirrorPolicy,
  MirrorTransaction,
  SessionId,
  SessionPeer,
} from './mirror-contract.ts'
import { MirrorCounters, type MirrorStatus } from './mirror-counters.ts'
import { consumed, type MirrorSession, MirrorSessions, refuse, send } from './mirror-sessions.ts'
import { MirrorSync } from './mirror-sync.ts'
import { provePath } from './prove-path.ts'
import { PushDesk } from './push-desk.ts'
import { ReadQueue, type ServedMessage } from './read-queue.ts'
import { bodiesTask, ReadServer, rangeTask } from './read-server.ts'
import { EntriesVerifier } from './verify-entries.ts'

export class Mirror {
  readonly #options: MirrorOptions
  readonly #limits: ReplicaLimits
  readonly #store: StoreReader
  readonly #runtime: Runtime
  readonly #clock: SteadyClock
  readonly #spares: SpareMemory
  readonly #policy: MirrorPolicy
  readonly #headLog: HeadLog
  readonly #intakes: Intakes
  readonly #sessions: MirrorSessions
  readonly #group: GroupCommit
  readonly #reads: ReadQueue
  readonly #server: ReadServer
  readonly #pushes: PushDesk
  readonly #sync: MirrorSync
  readonly #mender: Mender
  readonly #mending: MendingDesk
  readonly #verifier = new EntriesVerifier()
  readonly counters: MirrorCounters = new MirrorCounters()
  #isStopping = false

  constructor(options: MirrorOptions) {
    this.#options = options
    this.#limits = { ...REPLICA_LIMITS, ...options.limits }
    this.#store = options.store
    this.#runtime = options.runtime
    this.#spares = options.spares ?? new SpareMemory()
    this.#policy = options.policy
    this.#headLog = new HeadLog(options.openHeadLog)
    const isOwnChain = (chain: Uint8Array): boolean => options.policy.isOwnChain(chain)
    this.#mender = new Mender(options.store, this.#headLog.name)
    const isDamaged = (name: CapsuleName): boolean => this.#mender.isDamaged(name)
    const spares = this.#spares
    const judge = { isOwnChain, isDamaged }
    this.#intakes = new Intakes(options.store, this.#limits, judge, spares)
    this.#sessions = new MirrorSessions(this.#limits)
    this.#server = new ReadServer(options.store, this.#intakes, spares)
    this.#reads = new ReadQueue(this.#server, this.#limits, options.canSend)
    const group = { ...{ store: options.store, runtime: options.runtime }, headLog: this.#headLog }
    this.#group = new GroupCommit(
      { ...group, intakes: this.#intakes },
      {
        committed: (intake, cut) => this.#committed(intake, cut),
        accepted: (offer) => this.#accepted(offer),
        replaced: (name) => this.#mending.replaced(name),
        restored: (signed) => this.#mending.restored(signed),
        failed: (error, offers) => this.#failed(error, offers),
      },
    )
    const parts = {
      intakes: this.#intakes,
      sessions: this.#sessions,
      verifier: this.#verifier,
      checkAccepting: (messageBytes: number) => this.#checkAccepting(messageBytes),
      owe: (session: SessionId, bytes: number) => this.#group.owe(session, bytes),
      mender: this.#mender,
      replace: (name: CapsuleName, ops: readonly StoreOp[]) => this.#mending.replace(name, ops),
    }
    this.#pushes = new PushDesk({ ...parts, mirror: options.mirror, counters: this.counters })
    const { store, runtime } = options
    const clock = new SteadyClock(() => runtime.nowUs(), this.#limits.syncIntervalUs)
    this.#clock = clock
    const memberships = options.memberships ?? (() => [])
    const own = {
      ...{ store, limits: this.#limits, nowUs: () => clock.read(), memberships },
      latestS: () => this.#latestS,
      restore: (signed: SignedManifest) => this.#mending.restore(signed),
    }
    this.#sync = new MirrorSync({ ...parts, ...own })
    this.#mending = new MendingDesk({
      ...{ store, mender: this.#mender, intakes: this.#intakes, sessions: this.#sessions },
      ...{ reads: this.#reads, group: this.#group, sync: this.#sync, counters: this.counters },
      refuse: (session, id, error) => this.#refuse(session, id, error),
    })
  }

  /** `isInitiator`: this node has opened the session. */
  opened(id: SessionId, peer: SessionPeer, isInitiator: boolean): MirrorEffect[] {
    const session = this.#sessions.open(id, peer, isInitiator)
    return isInitiator ? this.#sync.opened(session) : []
  }

  closed(session: SessionId): void {
    this.#sync.closed(session)
    this.#sessions.close(session)
    this.#reads.close(session)
  }

  /** The window of a session has room again. */
  writable(session: SessionId): void {
    this.#reads.writable(session)
  }

  /** Other mirrors hold this capsule too: compare with them, and pull what is missing here. */
  learn(name: CapsuleName, others: readonly CapsuleName[]): MirrorEffect[] {
    return this.#sync.learn(name, others)
  }

  /** The session that was wanted cannot be had now. */
  unreachable(target: CapsuleName): void {
    this.#sync.unreachable(target)
  }

  /** Accepts nothing any more; what was accepted is committed and receipted as before. */
  stop(): void {
    this.#isStopping = true
  }

  /** The operator has dropped the capsule, and the store knows it (`droppedOp`). */
  forget(name: CapsuleName): MirrorEffect[] {
    const message = 'the operator of this mirror has dropped the capsule'
    const error = new UnavailableError('POLICY_REFUSED', message)
    const asked = [...this.#sessions.endPushesInto(name), ...this.#reads.drop(name)]
    this.#intakes.forget(name)
    this.#sync.forget(name)
    this.#mender.dropped(name)
    const refusals = asked.map(({ session, id }) => this.#refuse(session, id, error))
    return [{ type: 'withdraw', name }, ...refusals]
  }

  /** What was dropped has left the store. */
  freed(name: CapsuleName): void {
    this.#mender.forget(name)
  }

  /** What was dropped is held again. */
  served(name: CapsuleName): MirrorEffect[] {
    return this.#mender.isDamaged(name) ? this.suspect(name) : []
  }

  /** A part of the capsule cannot be read here: it is to be mended. */
  suspect(name: CapsuleName): MirrorEffect[] {
    return this.#mending.suspect(name)
  }

  /** Looks at what the store knows to be damaged, in turns, once at the start. */
  *inspect(): Iterable<readonly MirrorEffect[]> {
    for (const names of this.#mender.inspect((name) => this.holds(name))) {
      yield names.flatMap((name) => this.suspect(name))
    }
  }

  /** It is being filled again, and shown to nobody until then. */
  isMending(name: CapsuleName): boolean {
    return this.#mender.isMending(name)
  }

  /** It has taken the capsule on, or is about to. */
  holds(name: CapsuleName): boolean {
    return this.#intakes.manifest(name) !== undefined
  }

  get status(): MirrorStatus {
    return {
      sessions: this.#sessions.count,
      pushes: this.#sessions.pushCount,
      followers: this.#reads.followerCount,
      pendingBytes: this.#group.pendingBytes,
      damaged: this.#mender.count,
      mending: this.#mender.mendingCount,
    }
  }

  /** To be called now and then: what is done at intervals. */
  tick(): MirrorEffect[] {
    this.#spares.tick(this.#clock.read())
    return this.#isStopping ? [] : this.#sync.tick()
  }

  /** One message of a session. Entries are verified at once and stored with the next `cut`. */
  receive(id: SessionId, message: Uint8Array): MirrorEffect[] {
    const session = this.#sessions.get(id)
    if (session === undefined) return []
    try {
      if (isControlMessage(message)) {
        const effects = this.#control(session, decodeMessage(message))
        return [...effects, consumed(session, message)]
      }
      if (message[0] === ENTRIES_KIND) return this.#entries(session, message)
      if (message[0] === BODIES_KIND) return this.#bodies(session, message)
      throw new ProtocolError('PROTOCOL_ERROR', 'a message of no known kind')
    } catch (error) {
      if (!isLongshoreError(error)) throw error
      this.closed(id)
      return [consumed(session, message), { type: 'close-session', session: id, error }]
    }
  }

  /** Everything pending as one transaction. Undefined if nothing is. */
  cut(): MirrorTransaction | undefined {
    const cut = this.#group.cut()
    if (cut !== undefined) this.counters.commits++
    return cut
  }

  /** The next messages for whoever has asked. Call it until it gives nothing. */
  work(): MirrorEffect[] {
    return this.#reads.work().flatMap((served) => this.#served(served))
  }

  #control(session: MirrorSession, message: ReplicaMessage): MirrorEffect[] {
    const answer = session.asked.get(message.id)
    if (answer !== undefined) {
      const { effects, isOver } = answer(message)
      if (isOver) session.asked.delete(message.id)
      return effects
    }
    try {
      return this.#request(session, message)
    } catch (error) {
      if (error instanceof ProtocolError) throw error
      const found = 'name' in message ? this.#mending.suspectAfter(error, message.name) : []
      return [this.#refuse(session.id, message.id, error), ...found]
    }
  }

  #refuse(session: SessionId, id: number, error: unknown): MirrorEffect {
    this.counters.refused(error)
    return refuse(session, id, error)
  }

  #request(session: MirrorSession, message: ReplicaMessage): MirrorEffect[] {
    const { id } = session
    switch (message.kind) {
      case 'open':
        return [send(id, this.#describe(session, message))]
      case 'offer':
        return this.#offer(session, message)
      case 'push':
        this.#headLog.checkReady()
        return this.#pushes.begin(session, message)
      case 'cosign':
        return [send(id, this.#cosign(session, message))]
      case 'heartbeat':
        return this.#heartbeat(message)
      case 'consistency': {
        const { nodes, committedHead } = this.#readable(session, message)
        const { oldSize, newSize } = message
        const hashes = provePath(nodes, oldSize, newSize, committedHead?.size ?? 0)
        return [send(id, { kind: 'path', id: message.id, hashes })]
      }
      case 'range':
        this.#reads.add(id, rangeTask(this.#readable(session, message), message))
        return []
      case 'bodies':
        this.#reads.add(id, bodiesTask(this.#readable(session, message), message))
        return []
      case 'follow': {
        const place = this.#readable(session, message)
        this.#reads.add(id, { type: 'follow', id: message.id, place, at: message.size })
        return []
      }
      case 'present':
        return this.#present(session, message)
      case 'unfollow':
        this.#reads.unfollow(id, message.id)
        return []
      default:
        // An answer to a question that was given up meanwhile.
        return []
    }
  }

  #present(session: MirrorSession, { id, chains }: MessageOf<'present'>): MirrorEffect[] {
    const surplus = this.#sessions.present(session, chains)
    const own = this.#options.memberships?.() ?? []
    const answer = send(session.id, { kind: 'presented', id, chains: own })
    if (surplus === undefined) return [answer]
    this.closed(surplus.id)
    const error = new UnavailableError('OVERLOADED', 'too many certificates are presented')
    return [answer, { type: 'close-session', session: surplus.id, error }]
  }

  /** @throws {UnavailableError} `NOT_FOUND`, also where the peer may not know that it is here */
  #readable(
    session: MirrorSession,
    place: Pick<MessageOf<'open'>, 'name' | 'branch'>,
  ): BranchIntake {
    const intake = this.#intakes.open(place.name, place.branch)
    if (!this.#policy.mayRead(intake.signed, session.peer)) {
      throw new UnavailableError('NOT_FOUND', 'this mirror does not hold the capsule')
    }
    if (!intake.isMending) return intake
    throw new UnavailableError('OVERLOADED', 'this mirror is filling its copy of the capsule again')
  }

  #describe(session: MirrorSession, message: MessageOf<'open'>): MessageOf<'opened'> {
    const intake = this.#readable(session, message)
    const head = intake.committedHead
    const { heartbeat } = intake
    return {
      kind: 'opened',
      id: message.id,
      manifest: intake.signed.signed,
      branches: this.#store.branches(message.name),
      head: head ?? null,
      cosignature: intake.cosignature(this.#options.mirror) ?? null,
      heartbeat: heartbeat !== undefined && heartbeat.size === head?.size ? heartbeat : null,
    }
  }

  #offer(session: MirrorSession, message: MessageOf<'offer'>): MirrorEffect[] {
    this.#headLog.checkReady()
    const signed = openManifest(message.manifest)
    if (signed.manifest.type !== 'capsule') {
      throw new VerificationError('MANIFEST_INVALID', 'only capsules are mirrored')
    }
    if (isDropped(this.#store, signed.name)) {
      const text = 'the operator of this mirror has dropped the capsule'
      throw new UnavailableError('POLICY_REFUSED', text)
    }
    const isKnown = this.holds(signed.name) || this.#intakes.isNameless(signed.name)
    this.#policy.checkOffer(signed, message.chain, session.peer)
    if (!isKnown) this.#checkCapacity(signed)
    this.#checkAccepting(0)
    const offer = { session: session.id, id: message.id, signed, chain: message.chain }
    const restated = isKnown ? [] : this.#store.branches(signed.name)
    return this.#group.offer({ ...offer, restated })
  }

  #cosign(session: MirrorSession, message: MessageOf<'cosign'>): MessageOf<'receipt'> {
    const intake = this.#readable(session, message)
    const receipt = this.#pushes.receiptOf(intake, message.id)
    if (receipt !== undefined) return receipt
    throw new UnavailableError('PAYLOAD_ABSENT', 'this mirror does not hold every payload yet')
  }

  #heartbeat(message: MessageOf<'heartbeat'>): MirrorEffect[] {
    const { name, branch, size, timeS, signature, mlDsa44 } = message
    const heartbeat = { size, timeS, signature, ...(mlDsa44 === undefined ? {} : { mlDsa44 }) }
    const isTaken = this.#intakes.open(name, branch).takeHeartbeat(heartbeat, this.#latestS)
    return isTaken ? [{ type: 'request-cut' }] : []
  }

  /** A statement that says a later time is from a clock that is wrong. */
  get #latestS(): number {
    return Math.floor(this.#runtime.nowUs() / 1_000_000) + this.#limits.futureSkewS
  }

  /** Entries for a push, or for a question of ours. */
  #entries(session: MirrorSession, message: Uint8Array): MirrorEffect[] {
    const { frame } = this.#verifier
    frame.read(message)
    const answer = session.asked.get(frame.id)
    if (answer !== undefined) {
      const { effects, isOver } = answer(message)
      if (isOver) session.asked.delete(frame.id)
      return effects
    }
    const push = session.pushes.get(frame.id)
    if (push === undefined) return [consumed(session, message)]
    // The push goes on to hear its receipts; without credit nothing more comes.
    if (this.#isStopping) return []
    return this.#pushes.entries(session, push, message)
  }

  #bodies(session: MirrorSession, message: Uint8Array): MirrorEffect[] {
    const id = new DataView(message.buffer, message.byteOffset, message.byteLength)
    const answer = message.length >= 5 ? session.asked.get(id.getUint32(1)) : undefined
    if (answer === undefined) return [consumed(session, message)]
    const { effects, isOver } = answer(message)
    if (isOver) session.asked.delete(id.getUint32(1))
    return effects
  }

  /** A refusal is not settled, or too much is on its way. */
  #checkAccepting(messageBytes: number): void {
    if (this.#isStopping) throw new UnavailableError('OVERLOADED', 'this mirror is stopping')
    if (this.#group.isSettling) {
      throw new UnavailableError('OVERLOADED', 'this mirror is recovering from a refused write')
    }
    const { pendingBytes } = this.#group
    if (pendingBytes + messageBytes > this.#policy.bytesFree()) throw quotaExceeded()
    if (pendingBytes <= this.#limits.pendingBytesMax) return
    throw new UnavailableError('OVERLOADED', 'too much waits for the disk of this mirror')
  }

  #checkCapacity({ signed }: SignedManifest): void {
    const count = this.#store.nameCount + this.#group.offerCount
    if (count >= this.#limits.capsulesMax || signed.length > this.#policy.bytesFree()) {
      throw quotaExceeded()
    }
  }

  #accepted({ session, id, signed, chain }: Offer): MirrorEffect[] {
    this.counters.offers++
    const { name, signed: manifest } = signed
    const restored = this.#mending.restored(signed)
    const found = this.served(name)
    const advertise: MirrorEffect = { type: 'advertise', name, manifest, chain }
    const effects = [advertise, ...restored, ...found]
    if (this.#sessions.get(session) === undefined) return effects
    return [...effects, send(session, { kind: 'accepted', id })]
  }

  #committed(intake: BranchIntake, { before, head }: BranchCut): MirrorEffect[] {
    const { name, branch } = intake
    const effects = [...this.#pushes.committed(intake), ...this.#mending.whole(intake)]
    if (head === undefined || head.size === before?.size) return effects
    this.counters.entries += head.size - (before?.size ?? 0)
    this.#reads.advanced(name, branch)
    effects.push({ type: 'advanced', name, branch, head })
    if (intake.manifest.policy.read !== 'any' || !this.#options.hasSubscribers(name)) return effects
    const payloads = this.#server.publications(intake, before?.size ?? 0) ?? [
      encodeMessage({ kind: 'news', id: 0, name, branch, head }),
    ]
    for (const payload of payloads) effects.push({ type: 'publish', name, payload })
    return effects
  }

  #failed(error: Error, offers: readonly Offer[]): MirrorEffect[] {
    const shown = isLongshoreError(error)
      ? error
      : new UnavailableError('STORE_FAILED', 'the store of this mirror failed')
    const lost = [...this.#sessions.endAllPushes(), ...offers]
    return lost.map(({ session, id }) => this.#refuse(session, id, shown))
  }

  #served({ session, task, bytes, isDone, error }: ServedMessage): MirrorEffect[] {
    // In the order of the bulk messages: it comes after them.
    const message = isDone ? encodeMessage({ kind: 'end', id: task.id }) : bytes
    if (message === undefined) {
      return [
        this.#refuse(session, task.id, error),
        ...this.#mending.suspectAfter(error, task.place.name),
      ]
    }
    return [{ type: 'send', session, message, isBulk: true }]
  }
}

function quotaExceeded(): UnavailableError {
  return new UnavailableError('QUOTA_EXCEEDED', 'this mirror has no room for more')
}
