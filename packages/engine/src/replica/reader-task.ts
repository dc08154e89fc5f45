/**
 * One thing that a remote reader was asked for, and how far it is.
 *
 * @module
 */
import type { SessionId } from './mirror-contract.ts'
import type { FollowPosition, RemoteRead, Stretch } from './remote-read.ts'
import { TreeFollow } from './tree-follow.ts'

export interface ReaderTask {
  readonly request: number
  readonly isFollow: boolean
  /** Where to go on; the whole stretch before anything was read. */
  stretch: Stretch
  read: RemoteRead | undefined
  /** Of a follow that has read up to its head. */
  position: FollowPosition | undefined
  /** Who is being asked. */
  session: SessionId | undefined
  /** Request id of the question that is open in that session. */
  askedId: number | undefined
  /** When it was asked, or was last answered in part. */
  sinceUs: number
  readonly tree: TreeFollow
}

/** A follow that has read everything, and takes what comes. */
export type CaughtUpTask = ReaderTask & { readonly position: FollowPosition }

export type NewTask = Pick<ReaderTask, 'request' | 'isFollow' | 'stretch'>

export function createTask(task: NewTask): ReaderTask {
  return {
    ...task,
    read: undefined,
    position: undefined,
    session: undefined,
    askedId: undefined,
    sinceUs: 0,
    tree: new TreeFollow(),
  }
}

/** A stretch that is being read comes whole, and in its order. */
export function isCaughtUp(task: ReaderTask): task is CaughtUpTask {
  return task.isFollow && task.position !== undefined && task.read === undefined
}
