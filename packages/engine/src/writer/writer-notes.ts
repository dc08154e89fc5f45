/**
 * What a writer keeps in its home beside entries and heads: two notes per branch.
 *
 *     writer/<name hex>/<branch hex>      instance id, 16 bytes; no bytes: given up
 *     heartbeat/<name hex>/<branch hex>   time in seconds (8 bytes), size (8 bytes), big-endian
 *
 * Rules WR5, WR10 and WR13 of docs/spec/writer.md.
 *
 * @module
 */
import {
  type BranchId,
  type CapsuleName,
  EMPTY_ROOT,
  formatHex,
  type HeartbeatPosition,
  UnavailableError,
} from '@longshore/capsule'
import type { Runtime } from '../runtime/runtime.ts'
import type { StoreOp, StoreReader } from '../store/store.ts'
import { encodeAnchor, INSTANCE_BYTES } from './anchor.ts'

export type NoteOp = Extract<StoreOp, { type: 'note' }>

const POSITION_BYTES = 16

function instanceKey(name: CapsuleName, branch: BranchId): string {
  return `writer/${formatHex(name)}/${formatHex(branch)}`
}

function heartbeatKey(name: CapsuleName, branch: BranchId): string {
  return `heartbeat/${formatHex(name)}/${formatHex(branch)}`
}

/** The instance that last adopted this branch in this home. */
export function readInstance(
  store: StoreReader,
  name: CapsuleName,
  branch: BranchId,
): Uint8Array | undefined {
  const value = store.note(instanceKey(name, branch))
  return value?.length === INSTANCE_BYTES ? value : undefined
}

export function createInstanceNote(
  name: CapsuleName,
  branch: BranchId,
  instance: Uint8Array,
): NoteOp {
  return { type: 'note', key: instanceKey(name, branch), value: instance }
}

/**
 * Gives the branch up: its writer's state becomes unknown. Belongs into every transaction that
 * brings in entries which this home's own writer did not append (import, restore), because from
 * then on the home is no longer what that writer left.
 */
export function createGiveUpNote(name: CapsuleName, branch: BranchId): NoteOp {
  return createInstanceNote(name, branch, new Uint8Array(0))
}

/** The first adoption of a branch that is being created. */
export interface FirstInstance {
  /** To be written and synced *before* `note` is submitted. */
  readonly anchor: Uint8Array
  /** Belongs into the transaction that brings the manifest (or the branch's first entry). */
  readonly note: NoteOp
}

/** For a branch that has no entries anywhere, because its name or id was drawn just now. */
export function createFirstInstance(
  name: CapsuleName,
  branch: BranchId,
  runtime: Runtime,
): FirstInstance {
  const instance = runtime.randomBytes(INSTANCE_BYTES)
  const anchor = encodeAnchor({ instance, name, branch, epoch: 0, size: 0, root: EMPTY_ROOT })
  return { anchor, note: createInstanceNote(name, branch, instance) }
}

/** What the last heartbeat of this branch said; undefined before the first. */
export function readHeartbeatPosition(
  store: StoreReader,
  name: CapsuleName,
  branch: BranchId,
): HeartbeatPosition | undefined {
  const value = store.note(heartbeatKey(name, branch))
  if (value === undefined) return undefined
  if (value.length !== POSITION_BYTES) {
    throw new UnavailableError('STORE_CORRUPT', 'the note of the last heartbeat is damaged')
  }
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength)
  return { timeS: Number(view.getBigUint64(0)), size: Number(view.getBigUint64(8)) }
}

export function createHeartbeatNote(
  name: CapsuleName,
  branch: BranchId,
  { timeS, size }: HeartbeatPosition,
): NoteOp {
  const value = new Uint8Array(POSITION_BYTES)
  const view = new DataView(value.buffer)
  view.setBigUint64(0, BigInt(timeS))
  view.setBigUint64(8, BigInt(size))
  return { type: 'note', key: heartbeatKey(name, branch), value }
}
