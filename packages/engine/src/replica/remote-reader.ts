/**
 * Reads and follows one branch that others hold, and believes none of them.
 *
 * 1. Nothing is handed on unverified; what fails to verify makes its mirror distrusted, and the
 *    question goes to another one.
 * 2. The head in force never goes back, also not behind the one that is remembered: the caller
 *    keeps each `head` before it uses what is under it (F23).
 * 3. Entries come in order and without gaps, each under a head in force; a follow goes on at
 *    (size, root), from whichever mirror is there.
 * 4. If asked for, a head counts only when several distinct mirrors have cosigned it, and only if
 *    somebody has stated it lately.
 *
 * What is asked of whom is reader-lines.ts, who holds what remote-sources.ts, how a stretch is read
 * remote-read.ts, and what the multicast tree brings multicast-feed.ts. Rules RR1-RR16 of
 * docs/spec/mirror.md.
 *
 * @module
 */
import {
  assert,
  type Head,
  isLongshoreError,
  ProtocolError,
  type SignedManifest,
  UsageError,
  VerificationError,
} from '@longshore/capsule'
import { EntryBatchBuilder } from '../store/entry-batch-builder.ts'
import { REPLICA_LIMITS } from './limits.ts'
import type { MessageOf, ReplicaMessage } from './messages.ts'
import type { SessionId } from './mirror-contract.ts'
import { send } from './mirror-sessions.ts'
import { type MulticastCounters, MulticastFeed } from './multicast-feed.ts'
import { peerError } from './peer-error.ts'
import type { ReaderEffect, ReaderOptions } from './reader-contract.ts'
import { ReaderLines } from './reader-lines.ts'
import {
  type CaughtUpTask,
  createTask,
  isCaughtUp,
  type NewTask,
  type ReaderTask,
} from './reader-task.ts'
import { continueFollow, type ReadEntries, RemoteRead, type Stretch } from './remote-read.ts'
import {
  type Question,
  type ReaderPeer,
  RemoteSources,
  type Shown,
  type Source,
} from './remote-sources.ts'
import { EntriesVerifier } from './verify-entries.ts'

/** How long a mirror may leave a question without any answer while others can be asked. */
const PATIENCE_US = 10_000_000

/** A membership has ended, or a clock was set; or its copy is being mended. */
const EXCUSES: ReadonlySet<string> = new Set(['NOT_FOUND', 'OVERLOADED'])

export class RemoteReader {
  readonly #options: ReaderOptions
  readonly #mirrorsMin: number
  readonly #sources: RemoteSources
  readonly #tasks = new Map<number, ReaderTask>()
  readonly #verifier = new EntriesVerifier()
  readonly #lines = new ReaderLines(this.#verifier)
  readonly #builder = new EntryBatchBuilder()
  readonly #multicast: MulticastFeed
  #inForce: Head | undefined
  #isCondemned = false

  constructor(options: ReaderOptions) {
    this.#options = options
    this.#mirrorsMin = options.mirrorsMin ?? 0
    this.#sources = new RemoteSources(options, options.remembered)
    this.#multicast = new MulticastFeed({
      options,
      sources: this.#sources,
      verifier: this.#verifier,
      tasks: this.#tasks,
      followed: (task) => this.#followed(task, undefined),
      leave: (task) => this.#leave(task),
      goOnWith: (task) => this.#goOnWith(task),
    })
  }

  /** The head that reads go by; undefined until enough mirrors have answered. */
  get head(): Head | undefined {
    return this.#inForce
  }

  /** Of the capsule; undefined until a mirror has shown it. */
  get signed(): SignedManifest | undefined {
    return this.#sources.signed
  }

  get multicast(): Readonly<MulticastCounters> {
    return this.#multicast.counters
  }

  /** Who is there, and what each has shown. */
  get sources(): Iterable<Source> {
    return this.#sources.all
  }

  /** A session to a mirror is open. */
  opened(session: SessionId, peer: ReaderPeer): ReaderEffect[] {
    this.#sources.open(session, peer)
    this.#lines.open(session)
    return [...this.#present(session), ...this.#describe(session)]
  }

  /** What was asked of this session is asked of another one. */
  closed(session: SessionId): ReaderEffect[] {
    this.#sources.close(session)
    this.#lines.close(session)
    return this.#goOn()
  }

  /**
   * Asks every mirror again what its head is; what a mirror has left without an answer for a while
   * is asked of another one. Call it every few seconds.
   */
  refresh(): ReaderEffect[] {
    const effects = this.#lines.sessions.flatMap((session) => this.#describe(session))
    return [...effects, ...this.#passOnLate()]
  }

  /**
   * Asks one mirror after the other, one with each call, whether there is more than the multicast
   * tree has brought. Call it every two seconds or so while something is followed.
   */
  check(): ReaderEffect[] {
    const effects = [...this.#passOnLate(), ...this.#multicast.check(this.#inForce?.size ?? 0)]
    const session = this.#multicast.isJoined ? this.#lines.nextInTurn() : undefined
    return session === undefined ? effects : [...effects, ...this.#describe(session)]
  }

  #passOnLate(): ReaderEffect[] {
    const effects: ReaderEffect[] = []
    for (const task of this.#tasks.values()) {
      if (!this.#isLate(task)) continue
      const source = task.session === undefined ? undefined : this.#sources.get(task.session)
      if (source !== undefined) source.lateCount++
      effects.push(...this.#leave(task), ...this.#goOnWith(task))
    }
    return effects
  }

  /**
   * Reads entries under the head in force, once there is one. `request` is new.
   *
   * @throws {UsageError} `INDEX_OUT_OF_RANGE` if there is a head and the range is beyond it
   */
  read(request: number, stretch: Stretch): ReaderEffect[] {
    this.#checkRange(stretch)
    return this.#add({ request, isFollow: false, stretch })
  }

  /** Reads all entries from `start` on, and goes on with those that come. */
  follow(request: number, start: number): ReaderEffect[] {
    return this.#add({ request, isFollow: true, stretch: { start, end: start, wantsBodies: true } })
  }

  /** Nothing more of this request is wanted. */
  stop(request: number): ReaderEffect[] {
    const task = this.#tasks.get(request)
    this.#tasks.delete(request)
    return task === undefined ? [] : [...this.#leave(task), ...this.#multicast.part()]
  }

  receive(session: SessionId, message: Uint8Array): ReaderEffect[] {
    const consumed: ReaderEffect = { type: 'consumed', session, bytes: message.length }
    if (!this.#lines.has(session)) return [consumed]
    try {
      return [consumed, ...this.#lines.hear(session, message)]
    } catch (error) {
      return [consumed, ...this.#distrust(session, error)]
    }
  }

  /** A message that came over the multicast tree: worth nothing before it is verified. */
  published(payload: Uint8Array): ReaderEffect[] {
    return this.#multicast.published(payload)
  }

  /** Something that was published may be lost. */
  missed(): ReaderEffect[] {
    return this.#multicast.missed()
  }

  #present(session: SessionId): ReaderEffect[] {
    const { memberships } = this.#options
    if (memberships === undefined) return []
    return this.#lines.ask(session, { kind: 'present', chains: memberships }, (answer) => {
      const source = this.#sources.get(session)
      if (source === undefined || answer instanceof Uint8Array) return []
      // A mirror that does not know the question shows nothing.
      if (answer.kind === 'presented') source.memberships = answer.chains
      return []
    })
  }

  #describe(session: SessionId): ReaderEffect[] {
    const { name, branch } = this.#options
    const seenSize = this.#sources.get(session)?.head?.size ?? 0
    return this.#lines.ask(session, { kind: 'open', name, branch }, (answer) => {
      const source = this.#sources.get(session)
      if (source === undefined || answer instanceof Uint8Array) return []
      source.hasAnswered = true
      source.hasBranch = answer.kind === 'opened'
      if (answer.kind === 'error') return [refused(session, answer)]
      if (answer.kind !== 'opened') throw unexpected()
      return this.#shown(source, this.#sources.show(source, answer, seenSize))
    })
  }

  #shown(source: Source, shown: Shown): ReaderEffect[] {
    switch (shown.type) {
      case 'known':
        return this.#goOn()
      case 'behind':
        return [{ type: 'refused', session: source.session, error: shown.error }]
      case 'ask':
        return this.#askForPath(shown)
      case 'evidence':
        return this.#condemn(shown.bytes)
      case 'distrusted':
        return this.#distrust(source.session, shown.error)
    }
  }

  #askForPath(question: Question): ReaderEffect[] {
    const { session, smaller, larger } = question
    const { name, branch } = this.#options
    const sizes = { oldSize: smaller.size, newSize: larger.size }
    return this.#lines.ask(session, { kind: 'consistency', name, branch, ...sizes }, (answer) => {
      const source = this.#sources.get(session)
      if (source === undefined || answer instanceof Uint8Array) return []
      if (answer.kind === 'error') return [refused(session, answer)]
      if (answer.kind !== 'path') throw unexpected()
      return this.#shown(source, this.#sources.prove(question, answer.hashes))
    })
  }

  /** Whatever may have become possible: a newer head, and questions that nobody is answering. */
  #goOn(): ReaderEffect[] {
    if (this.#isCondemned) return []
    const effects = this.#adopt()
    for (const task of this.#tasks.values()) effects.push(...this.#goOnWith(task))
    return effects
  }

  #adopt(): ReaderEffect[] {
    const head = this.#sources.inForce(this.#mirrorsMin)
    const floor = this.#inForce ?? this.#options.remembered
    if (head === undefined || !this.#isFresh(head)) return []
    const isNewer = floor === undefined || head.size > floor.size
    if (!isNewer && (this.#inForce !== undefined || head.size < (floor?.size ?? 0))) return []
    this.#inForce = head
    return [{ type: 'head', head }]
  }

  #isFresh({ size }: Head): boolean {
    const { ageSMax, nowUs } = this.#options
    if (ageSMax === undefined) return true
    const nowS = Math.floor(nowUs() / 1_000_000)
    const statedS = this.#sources.statedS(size)
    return statedS >= nowS - ageSMax && statedS <= nowS + REPLICA_LIMITS.futureSkewS
  }

  #goOnWith(task: ReaderTask): ReaderEffect[] {
    if (task.session !== undefined && this.#lines.has(task.session)) return []
    if (task.tree.isOn) return []
    task.session = undefined
    task.askedId = undefined
    const head = this.#inForce
    if (head === undefined) return []
    const isStream = task.position !== undefined && this.#mirrorsMin === 0
    if (isStream && task.read === undefined) return this.#stream(task)
    task.read ??= this.#pin(task, head)
    if (task.read === undefined) return []
    if (task.read.isDone) return this.#done(task, task.read)
    const source = this.#sources.holding(task.read.tree.size)
    return source === undefined ? [] : this.#question(task, task.read, source)
  }

  #noteAsked(task: ReaderTask, session: SessionId): void {
    task.session = session
    task.askedId = this.#lines.nextId(session)
    task.sinceUs = this.#options.nowUs()
  }

  /** Nothing has come although somebody has it. A mirror that keeps silent is not trusted less. */
  #isLate({ session, read, position, sinceUs }: ReaderTask): boolean {
    if (session === undefined || Math.abs(this.#options.nowUs() - sinceUs) < PATIENCE_US)
      return false
    return read !== undefined || (position?.size ?? 0) < (this.#inForce?.size ?? 0)
  }

  /** What is still answered to the open question is not heard any more. */
  #leave(task: ReaderTask): ReaderEffect[] {
    const { session, askedId: id, read } = task
    task.session = undefined
    task.askedId = undefined
    if (session === undefined || id === undefined || !this.#lines.has(session)) return []
    this.#lines.ignore(session, id)
    return read === undefined ? [send(session, { kind: 'unfollow', id })] : []
  }

  /** What a task reads next, all of it in one tree; undefined if that tree is not there yet. */
  #pin({ stretch, position, isFollow }: ReaderTask, head: Head): RemoteRead | undefined {
    const start = position?.size ?? stretch.start
    const end = isFollow ? head.size : stretch.end
    const isAtEnd = position !== undefined && start === end
    if (start > end || end > head.size || isAtEnd) return undefined
    const rest = { start, end, wantsBodies: stretch.wantsBodies }
    return new RemoteRead(this.#options.branch, head, rest, position?.prior)
  }

  #question(task: ReaderTask, read: RemoteRead, { session }: Source): ReaderEffect[] {
    const { name, branch } = this.#options
    const range = { ...read.question, size: read.tree.size }
    this.#noteAsked(task, session)
    return this.#lines.ask(session, { kind: 'range', name, branch, ...range }, (answer) => {
      if (this.#tasks.get(task.request) !== task || task.session !== session) return []
      if (answer instanceof Uint8Array) return this.#taken(task, read)
      task.session = undefined
      if (answer.kind === 'end') return this.#goOnWith(task)
      return this.#refused(session, answer)
    })
  }

  #taken(task: ReaderTask, read: RemoteRead): ReaderEffect[] {
    const content = read.take(this.#verifier)
    task.sinceUs = this.#options.nowUs()
    if (content === undefined) return []
    return [this.#entries(task, content, read.tree)]
  }

  #done(task: ReaderTask, read: RemoteRead): ReaderEffect[] {
    task.read = undefined
    if (!task.isFollow) {
      this.#tasks.delete(task.request)
      return [{ type: 'end', request: task.request }]
    }
    task.position = read.position
    assert(task.position !== undefined, 'a stretch to the end of its tree has a position')
    return this.#goOnWith(task)
  }

  /** Everything is read: a mirror sends what comes, until the tree does. */
  #stream(task: ReaderTask): ReaderEffect[] {
    const { position } = task
    assert(position !== undefined, 'a follow has a position')
    const { size } = position
    task.tree.stream(size)
    const effects = this.#multicast.join()
    const source = this.#sources.following(size)
    if (source === undefined) return effects
    const { session } = source
    const { name, branch } = this.#options
    this.#noteAsked(task, session)
    const question = { kind: 'follow' as const, name, branch, size }
    const asked = this.#lines.ask(session, question, (answer) => {
      if (this.#tasks.get(task.request) !== task || task.session !== session) return []
      if (answer instanceof Uint8Array) return this.#streamed(task, source)
      task.session = undefined
      return this.#refused(session, answer)
    })
    return [...effects, ...asked]
  }

  /** A mirror that showed a head does not give what is under it. */
  #refused(session: SessionId, answer: ReplicaMessage): ReaderEffect[] {
    if (answer.kind !== 'error') throw unexpected()
    const source = this.#sources.get(session)
    if (!EXCUSES.has(answer.code) || source === undefined) {
      return this.#distrust(session, peerError(answer))
    }
    source.head = undefined
    source.hasBranch = false
    return [refused(session, answer), ...this.#goOn()]
  }

  /** What the followed mirror sends may have come over the multicast tree already. */
  #streamed(task: ReaderTask, source: Source): ReaderEffect[] {
    if (!isCaughtUp(task) || this.#verifier.frame.end <= task.position.size) return []
    return [...this.#followed(task, source), ...this.#multicast.meet(task)]
  }

  /** The message in the verifier's frame continues what was read. */
  #followed(task: CaughtUpTask, source: Source | undefined): ReaderEffect[] {
    const { position } = task
    const { heads } = this.#sources
    assert(heads !== undefined, 'something was read')
    const head = heads.open(this.#verifier.frame.head)
    const known = this.#inForce
    try {
      task.position = continueFollow(this.#verifier, this.#options.branch, head, position, known)
    } catch (error) {
      const isOther = error instanceof VerificationError && error.code === 'ROOT_MISMATCH'
      if (!isOther || source === undefined) throw error
      return this.#contest(task, source, head, error)
    }
    task.sinceUs = this.#options.nowUs()
    const effects: ReaderEffect[] = []
    const { size: start } = position
    // What has not reached the head in force says nothing of a larger one yet.
    if (task.position.size >= (known?.size ?? 0)) {
      this.#sources.advance(source, head)
      if (head.size > (known?.size ?? 0)) {
        this.#inForce = head
        effects.push({ type: 'head', head })
      }
    }
    this.#verifier.addTo(this.#builder, start)
    const entries = this.#builder.build()
    return [...effects, this.#entries(task, { start, entries }, head)]
  }

  /** What the message in the verifier's frame has brought. */
  #entries({ request }: ReaderTask, content: ReadEntries, tree: Head): ReaderEffect {
    const { bytes: message, start, end, isErased, path } = this.#verifier.frame
    const erased: number[] = []
    for (let index = content.start; index < end; index++) {
      if (isErased[index - start] === 1) erased.push(index)
    }
    return { type: 'entries', request, ...content, erased, path, message, tree }
  }

  /** Under a signed head came what does not fit: its writer is at fault, or the mirror. */
  #contest(task: CaughtUpTask, source: Source, head: Head, error: unknown): ReaderEffect[] {
    const shown = this.#sources.contest(source, head, task.position.head)
    if (shown.type === 'known') throw error
    if (shown.type !== 'ask') return [...this.#leave(task), ...this.#shown(source, shown)]
    // Nothing more of it is heard until that is known.
    return [...this.#leave(task), ...this.#askForVerdict(shown, source, error)]
  }

  #askForVerdict(question: Question, source: Source, error: unknown): ReaderEffect[] {
    const { session, smaller, larger } = question
    const { name, branch } = this.#options
    const sizes = { oldSize: smaller.size, newSize: larger.size }
    return this.#lines.ask(session, { kind: 'consistency', name, branch, ...sizes }, (answer) => {
      if (answer instanceof Uint8Array) return []
      if (answer.kind === 'error') return [refused(session, answer)]
      if (answer.kind !== 'path') throw unexpected()
      const shown = this.#sources.prove(question, answer.hashes)
      if (shown.type === 'evidence') return this.#condemn(shown.bytes)
      // Another mirror may have another tree of that size: that says nothing about this one.
      return session === source.session ? this.#distrust(session, error) : []
    })
  }

  #add(task: NewTask): ReaderEffect[] {
    assert(!this.#tasks.has(task.request), 'a request is new')
    if (this.#isCondemned) return [equivocated(task.request)]
    const added = createTask(task)
    this.#tasks.set(task.request, added)
    return this.#goOnWith(added)
  }

  #checkRange({ start, end }: Stretch): void {
    const size = this.#inForce?.size
    const isRange = Number.isSafeInteger(start) && Number.isSafeInteger(end) && 0 <= start
    if (isRange && start < end && (size === undefined || end <= size)) return
    const details = { start, end, ...(size === undefined ? {} : { size }) }
    throw new UsageError('INDEX_OUT_OF_RANGE', 'the range is not within the branch', details)
  }

  /** @throws what is not an error with a code: a defect of ours */
  #distrust(session: SessionId, error: unknown): ReaderEffect[] {
    if (!isLongshoreError(error)) throw error
    const told: ReaderEffect = { type: 'distrusted', session, error }
    return [told, ...this.closed(session)]
  }

  #condemn(bytes: Uint8Array): ReaderEffect[] {
    this.#isCondemned = true
    const failed = [...this.#tasks.keys()].map(equivocated)
    this.#tasks.clear()
    return [{ type: 'evidence', bytes }, ...failed, ...this.#multicast.part()]
  }
}

function equivocated(request: number): ReaderEffect {
  const message = 'the writer of this capsule signed two histories'
  return { type: 'failed', request, error: new VerificationError('EQUIVOCATION', message) }
}

function refused(session: SessionId, answer: MessageOf<'error'>): ReaderEffect {
  return { type: 'refused', session, error: peerError(answer) }
}

function unexpected(): ProtocolError {
  return new ProtocolError('PROTOCOL_ERROR', 'an answer to another question')
}
