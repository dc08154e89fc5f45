/**
 * Answers what a mirror is asked for, a piece at a time.
 *
 * Every question that takes more than one message is a task with a cursor. `work` makes one bulk
 * message per session that has room, so a slow reader holds up nobody: its cursor stands still and
 * nothing is queued for it. Followers read from the store like everybody else; the message for a
 * stretch that several of them wait for is made once. Rules MI15-MI18 of docs/spec/mirror.md.
 *
 * @module
 */
import { encodeHead, UsageError } from '@longshore/capsule'
import type { SpareMemory } from '../runtime/spare-memory.ts'
import type { StoredEntry, StoreReader } from '../store/store.ts'
import { encodeBodies } from './bodies-message.ts'
import type { BranchIntake } from './branch-intake.ts'
import { REQUEST_ID_AT } from './entries-message.ts'
import { type BranchPlace, type EntriesSource, makeEntries } from './entries-source.ts'
import type { Intakes } from './intakes.ts'
import {
  MESSAGE_BODIES_BYTES_MAX,
  PUBLICATION_BYTES_MAX,
  PUBLICATIONS_PER_COMMIT_MAX,
} from './limits.ts'
import type { MessageOf } from './messages.ts'

const NO_HEAD: Uint8Array = new Uint8Array(0)

/** A question that is being answered. */
export type ReadTask =
  | {
      readonly type: 'range'
      readonly id: number
      readonly place: BranchPlace
      readonly end: number
      /** The proofs lead to the tree of this size. */
      readonly size: number
      readonly wantsBodies: boolean
      /** Next entry to be sent. */
      at: number
    }
  | {
      readonly type: 'bodies'
      readonly id: number
      readonly place: BranchPlace
      readonly indices: readonly number[]
      /** Position in `indices`. */
      at: number
    }
  | { readonly type: 'follow'; readonly id: number; readonly place: BranchPlace; at: number }

/** A message for one stretch of a branch: followers differ in nothing but the request id. */
interface KeptMessage {
  readonly place: BranchPlace
  readonly at: number
  readonly size: number
  readonly end: number
  readonly bytes: Uint8Array
}

/** @throws {UsageError} `INDEX_OUT_OF_RANGE` if the tree is not as large. */
export function rangeTask(intake: BranchIntake, message: MessageOf<'range'>): ReadTask {
  const { id, start, end, size, wantsBodies } = message
  checkSize(intake, size)
  return { type: 'range', id, place: intake, at: start, end, size, wantsBodies }
}

/** @throws {UsageError} `INDEX_OUT_OF_RANGE` if the tree is not as large. */
export function bodiesTask(intake: BranchIntake, message: MessageOf<'bodies'>): ReadTask {
  const { id, indices } = message
  checkSize(intake, (indices.at(-1) as number) + 1)
  return { type: 'bodies', id, place: intake, indices, at: 0 }
}

/** Only what the head in force covers is shown. */
function checkSize({ committedHead }: BranchIntake, size: number): void {
  const known = committedHead?.size ?? 0
  if (size <= known) return
  throw new UsageError('INDEX_OUT_OF_RANGE', 'this mirror holds fewer entries', { size, known })
}

export class ReadServer {
  readonly #store: StoreReader
  readonly #intakes: Intakes
  readonly #spares: SpareMemory
  #kept: KeptMessage | undefined

  constructor(store: StoreReader, intakes: Intakes, spares: SpareMemory) {
    this.#spares = spares
    this.#store = store
    this.#intakes = intakes
  }

  /** True if there is something to send for this task now. */
  isReady(task: ReadTask): boolean {
    return task.type !== 'follow' || task.at < (this.#open(task.place).committedHead?.size ?? 0)
  }

  isDone(task: ReadTask): boolean {
    if (task.type === 'range') return task.at >= task.end
    return task.type === 'bodies' && task.at >= task.indices.length
  }

  /**
   * The next message of a task that is ready; its cursor moves on.
   *
   * @throws {UnavailableError} `STORE_CORRUPT` where the disk no longer holds what it should
   */
  next(task: ReadTask): Uint8Array {
    switch (task.type) {
      case 'range':
        return this.#nextOfRange(task)
      case 'bodies':
        return this.#nextBodies(task)
      case 'follow':
        return this.#nextOfFollow(task)
    }
  }

  /** The entries from `start` to the head, if they fit into so many publications. */
  publications(intake: BranchIntake, start: number): Uint8Array[] | undefined {
    const size = intake.committedHead?.size ?? 0
    const messages: Uint8Array[] = []
    for (let at = start; at < size; ) {
      if (messages.length === PUBLICATIONS_PER_COMMIT_MAX) return undefined
      const { bytes, end } = this.#follow(intake, at, size)
      if (bytes.length > PUBLICATION_BYTES_MAX) return undefined
      messages.push(bytes)
      at = end
    }
    return messages
  }

  #open({ name, branch }: BranchPlace): BranchIntake {
    return this.#intakes.open(name, branch)
  }

  #nextOfRange(task: Extract<ReadTask, { type: 'range' }>): Uint8Array {
    const { id, at, end, size, wantsBodies } = task
    const request = { id, head: NO_HEAD, size, start: at, end, wantsBodies }
    const message = makeEntries(this.#source(task.place), request)
    task.at = message.end
    return message.bytes
  }

  #nextOfFollow(task: Extract<ReadTask, { type: 'follow' }>): Uint8Array {
    const { at, id } = task
    const intake = this.#open(task.place)
    const size = intake.committedHead?.size ?? 0
    const kept = this.#kept
    const isKept = kept?.place === intake && kept.at === at && kept.size === size
    const message = isKept ? kept : this.#follow(intake, at, size)
    this.#kept = message
    task.at = message.end
    // A copy for each: the session seals it in place.
    const bytes = message.bytes.slice()
    new DataView(bytes.buffer).setUint32(REQUEST_ID_AT, id)
    return bytes
  }

  #follow(intake: BranchIntake, at: number, size: number): KeptMessage {
    const { committedHead } = intake
    const head = committedHead === undefined ? NO_HEAD : encodeHead(committedHead)
    const request = { id: 0, head, size, start: at, end: size, wantsBodies: true }
    return { place: intake, at, size, ...makeEntries(this.#source(intake), request) }
  }

  #source({ name, branch }: BranchPlace): EntriesSource {
    const { nodes, tiles } = this.#intakes.open(name, branch)
    return { store: this.#store, name, branch, nodes, tiles, spares: this.#spares }
  }

  #nextBodies(task: Extract<ReadTask, { type: 'bodies' }>): Uint8Array {
    const { place, indices, id } = task
    const entries: StoredEntry[] = []
    let bytes = 0
    while (task.at < indices.length) {
      const index = indices[task.at] as number
      const entry = this.#store.entry(place.name, place.branch, index)
      if (entries.length > 0) bytes += entry.body?.length ?? 0
      if (bytes > MESSAGE_BODIES_BYTES_MAX) break
      entries.push(entry)
      task.at++
    }
    return encodeBodies(id, entries)
  }
}
