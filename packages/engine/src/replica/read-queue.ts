/**
 * Who is served next: the open questions of all sessions, in turn.
 *
 * A session with something to send has its turn as long as its window has room; a follower that
 * has everything waits aside until its branch advances. Rules MI16-MI18 of docs/spec/mirror.md.
 *
 * @module
 */
import {
  assert,
  type BranchId,
  bytesEqual,
  type CapsuleName,
  UnavailableError,
} from '@longshore/capsule'
import { branchKey } from '../store/branch-key.ts'
import type { ReplicaLimits } from './limits.ts'
import type { SessionId } from './mirror-contract.ts'
import type { ReadServer, ReadTask } from './read-server.ts'

interface SessionTasks {
  /** In the order of their turns. */
  ready: ReadTask[]
  readonly follows: Map<number, ReadTask>
}

/** One message, or the end of an answer. */
export interface ServedMessage {
  readonly session: SessionId
  readonly task: ReadTask
  readonly bytes: Uint8Array | undefined
  readonly isDone: boolean
  readonly error: unknown
}

export class ReadQueue {
  readonly #server: ReadServer
  readonly #limits: ReplicaLimits
  readonly #canSend: (session: SessionId) => boolean
  /** Sessions with ready tasks stand in `#turns` too; whoever had a turn goes to the end. */
  readonly #sessions = new Map<SessionId, SessionTasks>()
  readonly #turns = new Set<SessionId>()
  /** Followers that have everything, by branch. */
  readonly #waiting = new Map<string, Map<ReadTask, SessionId>>()

  constructor(server: ReadServer, limits: ReplicaLimits, canSend: (session: SessionId) => boolean) {
    this.#server = server
    this.#limits = limits
    this.#canSend = canSend
  }

  /** @throws {UnavailableError} `OVERLOADED` */
  add(session: SessionId, task: ReadTask): void {
    const tasks = this.#tasksOf(session)
    const isFollow = task.type === 'follow'
    const count = isFollow ? tasks.follows.size : tasks.ready.length
    const countMax = isFollow ? this.#limits.requestsPerSessionMax : this.#limits.readsPerSessionMax
    if (count >= countMax) {
      throw new UnavailableError('OVERLOADED', 'too many questions at once', { count })
    }
    if (isFollow) tasks.follows.set(task.id, task)
    if (this.#server.isReady(task)) this.#queue(session, tasks, task)
    else this.#wait(session, task)
  }

  unfollow(session: SessionId, id: number): void {
    const tasks = this.#sessions.get(session)
    const task = tasks?.follows.get(id)
    if (tasks === undefined || task === undefined) return
    tasks.follows.delete(id)
    tasks.ready = tasks.ready.filter((other) => other !== task)
    this.#forget(task)
  }

  close(session: SessionId): void {
    for (const task of this.#sessions.get(session)?.follows.values() ?? []) this.#forget(task)
    this.#sessions.delete(session)
    this.#turns.delete(session)
  }

  /** Ends every question about a capsule; returns what they were. */
  drop(name: CapsuleName): { readonly session: SessionId; readonly id: number }[] {
    const isOfIt = (task: ReadTask): boolean => bytesEqual(task.place.name, name)
    const ended: { session: SessionId; id: number }[] = []
    for (const [session, tasks] of this.#sessions) {
      const gone = new Set([...tasks.ready, ...tasks.follows.values()].filter(isOfIt))
      tasks.ready = tasks.ready.filter((task) => !gone.has(task))
      for (const task of gone) {
        tasks.follows.delete(task.id)
        this.#forget(task)
        ended.push({ session, id: task.id })
      }
    }
    return ended
  }

  get followerCount(): number {
    let count = 0
    for (const { follows } of this.#sessions.values()) count += follows.size
    return count
  }

  /** The branch has new entries: its followers go on. */
  advanced(name: CapsuleName, branch: BranchId): void {
    const key = branchKey(name, branch)
    const waiting = this.#waiting.get(key)
    for (const [task, session] of waiting ?? []) {
      // Whoever has followed another mirror may have more than this one has yet.
      if (!this.#server.isReady(task)) continue
      waiting?.delete(task)
      const tasks = this.#sessions.get(session)
      if (tasks !== undefined) this.#queue(session, tasks, task)
    }
    if (waiting?.size === 0) this.#waiting.delete(key)
  }

  /** The window of a session has room again. */
  writable(session: SessionId): void {
    if ((this.#sessions.get(session)?.ready.length ?? 0) > 0) this.#turns.add(session)
  }

  /** At most one message of each session that has room, and not too many altogether. */
  work(): ServedMessage[] {
    const served: ServedMessage[] = []
    for (let left = this.#turns.size; left > 0; left--) {
      if (served.length >= this.#limits.messagesPerWorkMax) break
      const [session] = this.#turns
      assert(session !== undefined, 'a turn is left')
      this.#turns.delete(session)
      const tasks = this.#sessions.get(session)
      // Without room it comes back with `writable`.
      if (tasks === undefined || !this.#canSend(session)) continue
      const task = tasks.ready.shift()
      if (task === undefined) continue
      served.push(this.#serve(session, tasks, task))
      if (tasks.ready.length > 0) this.#turns.add(session)
    }
    return served
  }

  #serve(session: SessionId, tasks: SessionTasks, task: ReadTask): ServedMessage {
    if (this.#server.isDone(task)) {
      return { session, task, bytes: undefined, isDone: true, error: undefined }
    }
    let bytes: Uint8Array | undefined
    try {
      bytes = this.#server.next(task)
    } catch (error) {
      tasks.follows.delete(task.id)
      return { session, task, bytes: undefined, isDone: false, error }
    }
    // What is done has a turn yet: its end needs room in the window, too.
    if (this.#server.isDone(task) || this.#server.isReady(task)) tasks.ready.push(task)
    else this.#wait(session, task)
    return { session, task, bytes, isDone: false, error: undefined }
  }

  #tasksOf(session: SessionId): SessionTasks {
    const known = this.#sessions.get(session)
    if (known !== undefined) return known
    const tasks: SessionTasks = { ready: [], follows: new Map() }
    this.#sessions.set(session, tasks)
    return tasks
  }

  #queue(session: SessionId, tasks: SessionTasks, task: ReadTask): void {
    tasks.ready.push(task)
    this.#turns.add(session)
  }

  #wait(session: SessionId, task: ReadTask): void {
    const key = branchKey(task.place.name, task.place.branch)
    const waiting = this.#waiting.get(key) ?? new Map<ReadTask, SessionId>()
    waiting.set(task, session)
    this.#waiting.set(key, waiting)
  }

  #forget(task: ReadTask): void {
    const key = branchKey(task.place.name, task.place.branch)
    const waiting = this.#waiting.get(key)
    waiting?.delete(task)
    if (waiting?.size === 0) this.#waiting.delete(key)
  }
}
