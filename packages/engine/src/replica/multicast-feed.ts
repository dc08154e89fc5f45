/**
 * What the multicast tree brings to a remote reader: worth nothing before it is verified, and
 * missed by nobody for long.
 *
 * Each follow has its own TreeFollow, which decides whether it goes by the tree; this class joins
 * the tree while anybody follows, and carries out what follows from the decisions. Rules RR11-RR16
 * of docs/spec/mirror.md.
 *
 * @module
 */
import { assert, bytesEqual, decodeHead, type Head, isLongshoreError } from '@longshore/capsule'
import { ENTRIES_KIND } from './entries-message.ts'
import { decodeMessage } from './messages.ts'
import type { ReaderEffect, ReaderOptions } from './reader-contract.ts'
import { type CaughtUpTask, isCaughtUp, type ReaderTask } from './reader-task.ts'
import type { RemoteSources } from './remote-sources.ts'
import type { EntriesVerifier } from './verify-entries.ts'

export interface MulticastParts {
  readonly options: ReaderOptions
  readonly sources: RemoteSources
  readonly verifier: EntriesVerifier
  readonly tasks: ReadonlyMap<number, ReaderTask>
  /** The message in the verifier's frame brings something to this follow. */
  followed(task: CaughtUpTask): ReaderEffect[]
  /** The session is not needed any more. */
  leave(task: ReaderTask): ReaderEffect[]
  /** The session is needed. */
  goOnWith(task: ReaderTask): ReaderEffect[]
}

/** How follows have gone by the tree. */
export interface MulticastCounters {
  /** Entries that it brought first. */
  entries: number
  /** How often a follow left it for a session. */
  left: number
}

export class MulticastFeed {
  readonly counters: MulticastCounters = { entries: 0, left: 0 }
  readonly #parts: MulticastParts
  #isJoined = false

  constructor(parts: MulticastParts) {
    this.#parts = parts
  }

  get isJoined(): boolean {
    return this.#isJoined
  }

  /** Somebody follows. */
  join(): ReaderEffect[] {
    const { options, sources } = this.#parts
    const { name, mirrorsMin = 0, ageSMax, usesMulticast = true } = options
    const isPublic = sources.signed?.manifest.policy.read === 'any'
    if (this.#isJoined || !usesMulticast || !isPublic) return []
    if (mirrorsMin > 0 || ageSMax !== undefined) return []
    this.#isJoined = true
    return [{ type: 'subscribe', name }]
  }

  /** If nobody follows any more. */
  part(): ReaderEffect[] {
    const { options, tasks } = this.#parts
    const isFollowing = [...tasks.values()].some(({ isFollow }) => isFollow)
    if (!this.#isJoined || isFollowing) return []
    this.#isJoined = false
    return [{ type: 'unsubscribe', name: options.name }]
  }

  published(payload: Uint8Array): ReaderEffect[] {
    return this.#caughtUp().flatMap((task) => this.#take(task, payload))
  }

  /** Something that was published may be lost. */
  missed(): ReaderEffect[] {
    return this.#caughtUp().flatMap((task) => this.#abandon(task))
  }

  /** `headSize`: of the head in force. */
  check(headSize: number): ReaderEffect[] {
    const shownSize = Math.max(this.#parts.sources.shownSize, headSize)
    return this.#caughtUp().flatMap((task) => {
      const isLost = task.tree.check(task.position.size, shownSize)
      return isLost ? this.#abandon(task) : []
    })
  }

  /** A session has brought something: what was held may continue it. */
  meet(task: ReaderTask): ReaderEffect[] {
    const effects: ReaderEffect[] = []
    while (isCaughtUp(task)) {
      const held = task.tree.takeHeld(task.position.size)
      if (held === undefined) break
      effects.push(...this.#take(task, held))
    }
    return effects
  }

  #caughtUp(): CaughtUpTask[] {
    return this.#isJoined ? [...this.#parts.tasks.values()].filter(isCaughtUp) : []
  }

  #take(task: CaughtUpTask, payload: Uint8Array): ReaderEffect[] {
    try {
      if (payload[0] === ENTRIES_KIND) return this.#takeEntries(task, payload)
      return this.#takeNews(task, payload)
    } catch (error) {
      // Whoever sent it is not known: a mirror is asked instead.
      if (!isLongshoreError(error)) throw error
      return this.#abandon(task)
    }
  }

  #takeEntries(task: CaughtUpTask, payload: Uint8Array): ReaderEffect[] {
    const { verifier, followed, leave } = this.#parts
    const { tree } = task
    const { size } = task.position
    verifier.frame.read(payload)
    const { start, end } = verifier.frame
    const head = this.#openHead(verifier.frame.head)
    if (head === undefined) return []
    if (start > size) {
      tree.hold(start, payload)
      return this.#abandon(task)
    }
    const effects = end > size ? followed(task) : []
    this.counters.entries += Math.max(0, end - size)
    return tree.bring(head.size) ? [...effects, ...leave(task)] : effects
  }

  /** There is more than was published. */
  #takeNews(task: CaughtUpTask, payload: Uint8Array): ReaderEffect[] {
    const news = decodeMessage(payload)
    if (news.kind !== 'news' || !bytesEqual(news.branch, this.#parts.options.branch)) return []
    return news.head.size > task.position.size ? this.#abandon(task) : []
  }

  /** Undefined for a head of another branch of the capsule. */
  #openHead(bytes: Uint8Array): Head | undefined {
    const { options, sources } = this.#parts
    if (!bytesEqual(decodeHead(bytes).branch, options.branch)) return undefined
    assert(sources.heads !== undefined, 'something was read')
    return sources.heads.open(bytes)
  }

  #abandon(task: CaughtUpTask): ReaderEffect[] {
    if (!task.tree.isOn) return []
    this.counters.left++
    task.tree.stream(task.position.size)
    return this.#parts.goOnWith(task)
  }
}
