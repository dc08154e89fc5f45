/**
 * From changes to journal records, and what each record does once it is durable.
 *
 * A transaction is prepared when it is submitted, so that writing the group only copies small
 * pieces, and applying it cannot fail. Rules JR4 and JR5 of docs/spec/journal.md.
 *
 * @module
 */
import { encodeHead, encodeUtf8 } from '@longshore/capsule'
import type { StoreOp } from '../store.ts'
import type { EntryRun } from './branch.ts'
import type { CommittedState } from './committed-state.ts'
import type { Place } from './position-block.ts'
import {
  ADDRESS_BYTES,
  encodeAddress,
  encodeNotePrefix,
  encodeRanges,
  RECORD_ENTRIES,
  RECORD_ERASE,
  RECORD_HEAD,
  RECORD_HEADER_BYTES,
  RECORD_MANIFEST,
  RECORD_NOTE,
  RECORD_PAYLOAD,
  RECORD_REMOVE,
  recordBytes,
} from './record.ts'
import { FrameCursor } from './stored-frame.ts'

type AppendOp = Extract<StoreOp, { type: 'append' }>

export interface PreparedRecord {
  readonly type: number
  /** First part of the body. */
  readonly prefix: Uint8Array
  /** The rest of the body: bytes of the caller, not copied. */
  readonly content: Uint8Array
  /** Takes the record, durable now at `place`, into the committed state. */
  apply(state: CommittedState, place: Place): void
}

const NO_CONTENT: Uint8Array = new Uint8Array(0)

export function preparedBytes(records: readonly PreparedRecord[]): number {
  let sum = 0
  for (const { prefix, content } of records) sum += recordBytes(prefix.length + content.length)
  return sum
}

/** The records of one change. */
export function prepareRecords(op: StoreOp): PreparedRecord[] {
  switch (op.type) {
    case 'manifest':
      return [
        {
          type: RECORD_MANIFEST,
          prefix: op.name,
          content: op.signed,
          apply: (state, place) => state.setManifest(op.name, place),
        },
      ]
    case 'append':
      return prepareAppend(op)
    case 'payload':
      return [
        {
          type: RECORD_PAYLOAD,
          prefix: encodeAddress({ ...op, count: 1 }),
          content: op.body,
          apply: (state, place) => state.change(op.name, op.branch).fill(op.index, place),
        },
      ]
    case 'erase':
      return [
        {
          type: RECORD_ERASE,
          prefix: encodeAddress({ ...op, count: op.ranges.length, index: 0 }),
          content: encodeRanges(op.ranges),
          apply: (state) => {
            const branch = state.change(op.name, op.branch)
            for (const { start, end } of op.ranges) branch.erase(start, end)
          },
        },
      ]
    case 'remove':
      return [
        {
          type: RECORD_REMOVE,
          prefix: op.name,
          content: NO_CONTENT,
          apply: (state, place) => state.remove(op.name, place),
        },
      ]
    case 'note':
      return [
        {
          type: RECORD_NOTE,
          prefix: encodeNotePrefix(encodeUtf8(op.key)),
          content: op.value,
          apply: (state) => state.setNote(op.key, op.value.slice()),
        },
      ]
  }
}

function prepareAppend(op: AppendOp): PreparedRecord[] {
  return [
    {
      type: RECORD_ENTRIES,
      prefix: encodeAddress({ ...op, count: op.entries.count, index: op.start }),
      content: op.entries.frames,
      apply: (state, place) => state.change(op.name, op.branch).addEntries(batchRun(op, place)),
    },
    {
      type: RECORD_HEAD,
      prefix: op.name,
      content: encodeHead(op.head),
      apply: (state) => state.change(op.name, op.branch).setHead(op.head),
    },
  ]
}

/** Where the frames of an entries record at `place` begin. */
export function framesPlace(place: Place): Place {
  return { ...place, offset: place.offset + RECORD_HEADER_BYTES + ADDRESS_BYTES }
}

function batchRun({ start, entries, tiles }: AppendOp, place: Place): EntryRun {
  const { frames, offsets, leafHashes, timeUsMax } = entries
  const cursor = new FrameCursor()
  return {
    start,
    place: framesPlace(place),
    offsets,
    leafHashes,
    tiles,
    timeUsMax,
    timeUs: (position) => {
      return cursor.read(frames, offsets[position] as number, frames.length) ? cursor.timeUs : 0
    },
  }
}
