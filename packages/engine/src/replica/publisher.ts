/**
 * Pushes the capsules of a home to mirrors, and knows who holds what durably.
 *
 *     push → have → entries … → receipt          what a mirror has is never sent again
 *          ↘ NOT_FOUND → offer → accepted → push  where it has not taken the capsule on yet
 *
 * 1. Only what the store has committed is sent, under a head that it has committed (F14).
 * 2. A head, once begun, is sent to its end before a newer one is begun.
 * 3. A receipt counts only if its root is ours and its signature is that of the mirror's key.
 * 4. Entries are made when a session has room for them: nothing is queued. Several heads may be
 *    on their way; receipts are cumulative.
 * 5. A heartbeat goes to each mirror that has its head in force, once per session.
 *
 * Rules PU1-PU6 of docs/spec/mirror.md.
 *
 * @module
 */
import {
  type BranchId,
  bytesEqual,
  type CapsuleName,
  encodeHead,
  type Head,
  type HeadPointer,
  isLongshoreError,
  manifestKey,
  openManifest,
  ProtocolError,
  type RoleKey,
  rootFromTiles,
  UnavailableError,
  VerificationError,
  verifyHeartbeat,
} from '@longshore/capsule'
import { SpareMemory } from '../runtime/spare-memory.ts'
import { branchKey, nameKey } from '../store/branch-key.ts'
import type { StoreReader } from '../store/store.ts'
import { committedHead } from './committed-head.ts'
import { createSource, makeEntries } from './entries-source.ts'
import { type HeadVerdict, judgeByPath, judgeByTree } from './equivocation.ts'
import { decodeMessage, isControlMessage, type MessageOf, type ReplicaMessage } from './messages.ts'
import type { SessionId } from './mirror-contract.ts'
import type { SizedHeartbeat } from './mirror-note.ts'
import { send } from './mirror-sessions.ts'
import { peerError } from './peer-error.ts'
import { provePath } from './prove-path.ts'
import { createPublished, keepHead, type PublishedBranch } from './published-branch.ts'
import type { MirrorTarget, PublisherEffect, PublisherOptions } from './publisher-contract.ts'
import { HeadVerifier } from './verify-entries.ts'

/** One branch on its way to one mirror. */
interface Route {
  readonly branch: PublishedBranch<Route>
  readonly target: MirrorTarget
  state: 'closed' | 'asked' | 'offered' | 'sending' | 'refused'
  /** Of the push, or of the offer before it. */
  id: number
  /** Next entry to be sent. */
  at: number
  /** Being sent; undefined between heads. */
  head: Head | undefined
  headBytes: Uint8Array
  receiptSize: number
  /** Size of the head that the mirror had in force when the push began. */
  shownSize: number
  /** That head, until it was compared with one of ours that is as large. */
  unjudged: Head | undefined
  /** Size of ours with which it was compared; undefined while the mirror is asked. */
  judgedSize: number | undefined
  /** Size of the head that the mirror has in force, and time of the last heartbeat it was told. */
  inForceSize: number
  toldS: number
}

interface OpenSession {
  readonly id: SessionId
  readonly mirrorKey: RoleKey
  readonly routes: Map<number, Route>
  /** Questions about trees, by their request id. */
  readonly asked: Map<number, (answer: ReplicaMessage) => PublisherEffect[]>
  nextId: number
}

const NO_BYTES: Uint8Array = new Uint8Array(0)
export class Publisher {
  readonly #store: StoreReader
  readonly #canSend: (session: SessionId) => boolean
  readonly #spares: SpareMemory
  readonly #branches = new Map<string, PublishedBranch<Route>>()
  /** By name of the mirror. */
  readonly #sessions = new Map<string, OpenSession>()
  readonly #mirrors = new Map<SessionId, string>()

  constructor({ store, canSend, spares = new SpareMemory() }: PublisherOptions) {
    this.#store = store
    this.#spares = spares
    this.#canSend = canSend
  }

  /** Keeps this branch on these mirrors from now on. */
  publish(
    name: CapsuleName,
    branch: BranchId,
    targets: readonly MirrorTarget[],
  ): PublisherEffect[] {
    const known = this.#branches.get(branchKey(name, branch))
    const entry =
      known ?? createPublished(createSource(this.#store, { name, branch }, this.#spares))
    this.#branches.set(branchKey(name, branch), entry)
    const effects: PublisherEffect[] = []
    for (const target of targets) {
      const key = nameKey(target.mirror)
      if (entry.routes.has(key)) continue
      const route = createRoute(entry, target)
      entry.routes.set(key, route)
      const session = this.#sessions.get(key)
      if (session === undefined) effects.push({ type: 'open-session', target: target.mirror })
      else effects.push(...this.#begin(session, route))
    }
    return effects
  }

  /**
   * The writer has stated a head of this branch again. The mirrors hear of it as soon as they have
   * that head in force; only the newest heartbeat counts.
   */
  heartbeat(name: CapsuleName, branch: BranchId, heartbeat: SizedHeartbeat): PublisherEffect[] {
    const entry = this.#branches.get(branchKey(name, branch))
    if (entry === undefined) return []
    entry.heartbeat = heartbeat
    const effects: PublisherEffect[] = []
    for (const [key, route] of entry.routes) {
      const session = this.#sessions.get(key)
      if (session !== undefined) effects.push(...this.#tellHeartbeat(session, route))
    }
    return effects
  }

  /** A session to a mirror is open; `mirrorKey` is the mirror key of its manifest. */
  opened(session: SessionId, mirror: CapsuleName, mirrorKey: RoleKey): PublisherEffect[] {
    const key = nameKey(mirror)
    const open: OpenSession = {
      id: session,
      mirrorKey,
      routes: new Map(),
      asked: new Map(),
      nextId: 1,
    }
    this.#sessions.set(key, open)
    this.#mirrors.set(session, key)
    const effects: PublisherEffect[] = []
    for (const { routes } of this.#branches.values()) {
      const route = routes.get(key)
      if (route !== undefined) effects.push(...this.#begin(open, route))
    }
    return effects
  }

  closed(session: SessionId): void {
    const key = this.#mirrors.get(session)
    if (key === undefined) return
    this.#mirrors.delete(session)
    if (this.#sessions.get(key)?.id === session) this.#sessions.delete(key)
    for (const { routes } of this.#branches.values()) {
      const route = routes.get(key)
      if (route !== undefined) route.state = 'closed'
    }
  }

  /** Tries the branches again that this mirror refused. */
  retry(mirror: CapsuleName): PublisherEffect[] {
    const key = nameKey(mirror)
    const session = this.#sessions.get(key)
    if (session === undefined) return [{ type: 'open-session', target: mirror }]
    const effects: PublisherEffect[] = []
    for (const { routes } of this.#branches.values()) {
      const route = routes.get(key)
      if (route?.state === 'refused') effects.push(...this.#begin(session, route))
    }
    return effects
  }

  receive(id: SessionId, message: Uint8Array): PublisherEffect[] {
    const consumed: PublisherEffect = { type: 'consumed', session: id, bytes: message.length }
    const session = this.#sessionOf(id)
    if (session === undefined || !isControlMessage(message)) return [consumed]
    try {
      return [consumed, ...this.#control(session, decodeMessage(message))]
    } catch (error) {
      if (!isLongshoreError(error)) throw error
      this.closed(id)
      return [consumed, { type: 'close-session', session: id, error }]
    }
  }

  /** The next entries for every mirror that has room. Call it until it gives nothing. */
  work(): PublisherEffect[] {
    const effects: PublisherEffect[] = []
    for (const session of this.#sessions.values()) {
      if (!this.#canSend(session.id)) continue
      for (const [id, route] of session.routes) {
        let message: Uint8Array | undefined
        try {
          if (route.unjudged !== undefined) effects.push(...this.#judge(session, route))
          message = this.#next(route)
        } catch (error) {
          // It cannot be read here: the others go on.
          if (!isLongshoreError(error)) throw error
          effects.push(...this.#fail(session, route, error, null))
        }
        if (message === undefined) continue
        effects.push({ type: 'send', session: session.id, message, isBulk: true })
        // Its turn is over: the others of this session come first.
        session.routes.delete(id)
        session.routes.set(id, route)
        break
      }
    }
    return effects
  }

  /** Mirrors that count and hold all entries below `size`. */
  countHolding(name: CapsuleName, branch: BranchId, size: number): number {
    const routes = this.#branches.get(branchKey(name, branch))?.routes.values() ?? []
    let count = 0
    for (const { target, receiptSize } of routes) if (target.counts && receiptSize >= size) count++
    return count
  }

  /**
   * Returns if `copies` mirrors could ever hold the branch; throws otherwise.
   *
   * @throws {UnavailableError} `LEVEL_IMPOSSIBLE`
   */
  checkLevel(name: CapsuleName, branch: BranchId, copies: number): void {
    const routes = [...(this.#branches.get(branchKey(name, branch))?.routes.values() ?? [])]
    const known = routes.filter(({ target }) => target.counts).length
    if (known >= copies) return
    const message = `${copies} copies were asked for, and ${known} mirrors count`
    throw new UnavailableError('LEVEL_IMPOSSIBLE', message, { copies, known })
  }

  #control(session: OpenSession, message: ReplicaMessage): PublisherEffect[] {
    if (message.kind === 'consistency') return [this.#prove(session, message)]
    const answer = session.asked.get(message.id)
    if (answer !== undefined) {
      session.asked.delete(message.id)
      return answer(message)
    }
    const route = session.routes.get(message.id)
    if (route === undefined) return []
    switch (message.kind) {
      case 'accepted':
        return this.#begin(session, route)
      case 'have':
        return this.#have(session, route, message)
      case 'receipt':
        return this.#receipt(session, route, message)
      case 'error':
        return this.#error(session, route, message)
      default:
        return []
    }
  }

  #begin(session: OpenSession, route: Route): PublisherEffect[] {
    const { name, branch } = route.branch.source
    route.state = 'asked'
    route.head = undefined
    route.unjudged = undefined
    route.inForceSize = 0
    route.toldS = 0
    this.#number(session, route)
    return [send(session.id, { kind: 'push', id: route.id, name, branch })]
  }

  #have(session: OpenSession, route: Route, { head, size }: MessageOf<'have'>): PublisherEffect[] {
    if (route.state !== 'asked') return []
    route.state = 'sending'
    route.at = size
    route.shownSize = head?.size ?? 0
    route.unjudged = head ?? undefined
    route.judgedSize = 0
    const effects = this.#judge(session, route)
    if (head === null || route.state !== 'sending' || route.unjudged !== undefined) return effects
    keepHead(route.branch, head)
    route.inForceSize = head.size
    return this.#tellHeartbeat(session, route)
  }

  /** What the mirror has shown and what we have are one history, or somebody forks us. */
  #judge(session: OpenSession, route: Route): PublisherEffect[] {
    const { unjudged, judgedSize } = route
    const own = this.#head(route.branch)
    if (own === undefined || unjudged === undefined) return []
    if (own.size < unjudged.size) {
      if (judgedSize === undefined || own.size <= judgedSize) return []
      return [this.#compare(session, route, own, unjudged)]
    }
    route.unjudged = undefined
    const { name, branch, nodes, tiles } = route.branch.source
    return this.#judged(session, route, (signed) => {
      const { manifest } = openManifest(signed, name)
      new HeadVerifier(name, branch, manifestKey(manifest, 'writer')).check(unjudged)
      return judgeByTree(signed, own, unjudged, tiles, nodes)
    })
  }

  /** The mirror holds more than we do. */
  #compare(session: OpenSession, route: Route, own: Head, head: Head): PublisherEffect {
    const { name, branch } = route.branch.source
    const id = session.nextId
    session.nextId += 2
    route.judgedSize = undefined
    session.asked.set(id, (answer) => {
      // An answer may come when the push has begun anew, or when it is not needed any more.
      if (route.unjudged !== head) return []
      route.judgedSize = own.size
      // Whoever may not read there is told nothing, and goes on.
      if (answer.kind !== 'path') return []
      return this.#judged(session, route, (signed) => {
        return judgeByPath(signed, own, head, answer.hashes)
      })
    })
    const sizes = { oldSize: own.size, newSize: head.size }
    return send(session.id, { kind: 'consistency', id, name, branch, ...sizes })
  }

  #judged(
    session: OpenSession,
    route: Route,
    judge: (signed: Uint8Array) => HeadVerdict,
  ): PublisherEffect[] {
    const { store, name } = route.branch.source
    const signed = store.manifest(name)
    if (signed === undefined) throw new UnavailableError('NOT_FOUND', 'the manifest is gone')
    try {
      const verdict = judge(signed)
      return verdict === 'consistent' ? [] : this.#convict(session, route, verdict.evidence)
    } catch (error) {
      // It does not even verify: the mirror lies.
      if (!isLongshoreError(error)) throw error
      return this.#fail(session, route, error, null)
    }
  }

  #convict(session: OpenSession, route: Route, bytes: Uint8Array): PublisherEffect[] {
    const { name } = route.branch.source
    const error = new VerificationError('EQUIVOCATION', 'the mirror holds another history')
    return [{ type: 'evidence', name, bytes }, ...this.#fail(session, route, error, null)]
  }

  #receipt(session: OpenSession, route: Route, receipt: MessageOf<'receipt'>): PublisherEffect[] {
    const { name, branch, tiles } = route.branch.source
    const { size, root, timeS, signature } = receipt
    const own = this.#head(route.branch)
    const isOurs = own !== undefined && size > 0 && size <= own.size
    // Of more than we have: what that head is to ours was asked when it was shown.
    if (!isOurs && size > 0 && size <= route.shownSize) return []
    const ownRoot = own?.size === size ? own.root : undefined
    if (!isOurs || !bytesEqual(ownRoot ?? rootFromTiles(tiles, size), root)) {
      const error = new VerificationError(
        'ROOT_MISMATCH',
        'a receipt for entries that are not ours',
      )
      return this.#fail(session, route, error, null)
    }
    const head: HeadPointer = { branch, epoch: own.epoch, size, root }
    try {
      verifyHeartbeat(name, head, { timeS, signature }, session.mirrorKey)
    } catch (error) {
      if (!isLongshoreError(error)) throw error
      return this.#fail(session, route, error, null)
    }
    route.inForceSize = Math.max(size, route.inForceSize)
    const told = this.#tellHeartbeat(session, route)
    if (size <= route.receiptSize) return told
    route.receiptSize = size
    const { mirror } = route.target
    const count = this.countHolding(name, branch, size)
    const signedHead = own.size === size ? own : route.branch.heads.get(size)
    return [
      ...told,
      { type: 'receipt', name, branch, mirror, head, signedHead, timeS, signature },
      { type: 'replicated', name, branch, size, count },
    ]
  }

  #error(session: OpenSession, route: Route, message: MessageOf<'error'>): PublisherEffect[] {
    const { code, retryAfterMs } = message
    if (code === 'NOT_FOUND' && route.state === 'asked') return this.#offer(session, route)
    return this.#fail(session, route, peerError(message), retryAfterMs)
  }

  #tellHeartbeat(session: OpenSession, route: Route): PublisherEffect[] {
    const { heartbeat } = route.branch
    if (heartbeat === undefined || route.state !== 'sending') return []
    // Of another size than its head in force a mirror cannot check it.
    if (heartbeat.size !== route.inForceSize || heartbeat.timeS <= route.toldS) return []
    route.toldS = heartbeat.timeS
    const { name, branch } = route.branch.source
    const id = session.nextId
    session.nextId += 2
    return [send(session.id, { kind: 'heartbeat', id, name, branch, ...heartbeat })]
  }

  #offer(session: OpenSession, route: Route): PublisherEffect[] {
    const { store, name } = route.branch.source
    const manifest = store.manifest(name)
    if (manifest === undefined) throw new UnavailableError('NOT_FOUND', 'the manifest is gone')
    route.state = 'offered'
    this.#number(session, route)
    const { chain } = route.target
    return [send(session.id, { kind: 'offer', id: route.id, manifest, chain })]
  }

  #fail(
    session: OpenSession,
    route: Route,
    error: Error,
    retryAfterMs: number | null,
  ): PublisherEffect[] {
    route.state = 'refused'
    session.routes.delete(route.id)
    const { name, branch } = route.branch.source
    const { mirror } = route.target
    return [
      { type: 'failed', name, branch, mirror, error, retryAfterMs: retryAfterMs ?? undefined },
    ]
  }

  /** The mirror holds another tree than the one it was shown, and asks what ours says. */
  #prove(session: OpenSession, message: MessageOf<'consistency'>): PublisherEffect {
    const { id, name, branch, oldSize, newSize } = message
    const entry = this.#branches.get(branchKey(name, branch))
    if (entry === undefined) throw new ProtocolError('PROTOCOL_ERROR', 'nothing of it was pushed')
    const size = this.#head(entry)?.size ?? 0
    const hashes = provePath(entry.source.nodes, oldSize, newSize, size)
    return send(session.id, { kind: 'path', id, hashes })
  }

  #next(route: Route): Uint8Array | undefined {
    if (route.state !== 'sending') return undefined
    if (route.head === undefined || route.at >= route.head.size) {
      const head = this.#head(route.branch)
      if (head === undefined || route.at >= head.size) return undefined
      route.head = head
      route.headBytes = encodeHead(head)
      keepHead(route.branch, head)
    }
    const { size } = route.head
    const request = { id: route.id, head: route.headBytes, size, start: route.at, end: size }
    const how = { wantsBodies: true, isForOne: true }
    const message = makeEntries(route.branch.source, { ...request, ...how })
    route.at = message.end
    return message.bytes
  }

  /** Asked for in every step, so looked up once for each commit. */
  #head(branch: PublishedBranch<Route>): Head | undefined {
    const { sequence } = this.#store
    if (branch.sequence !== sequence) {
      const { store, name, branch: id } = branch.source
      branch.head = committedHead(store, name, id, branch.noteKey)
      branch.sequence = sequence
    }
    return branch.head
  }

  #number(session: OpenSession, route: Route): void {
    session.routes.delete(route.id)
    route.id = session.nextId
    session.nextId += 2
    session.routes.set(route.id, route)
  }

  #sessionOf(id: SessionId): OpenSession | undefined {
    const key = this.#mirrors.get(id)
    return key === undefined ? undefined : this.#sessions.get(key)
  }
}

function createRoute(branch: PublishedBranch<Route>, target: MirrorTarget): Route {
  const start = { id: 0, at: 0, head: undefined, headBytes: NO_BYTES }
  const shown = { shownSize: 0, unjudged: undefined, judgedSize: 0 }
  const known = { receiptSize: 0, inForceSize: 0, toldS: 0, ...shown }
  return { branch, target, state: 'closed', ...start, ...known }
}
