/**
 * Reads one frame of an entry batch (`entry-batch.ts` shows the bytes).
 *
 * For batches that this process built: shape is asserted, not judged.
 *
 * @module
 */
import { assert } from '@longshore/capsule'
import { type EntryBatch, FRAME_PREFIX_BYTES } from './entry-batch.ts'

export interface Frame {
  /** A view of the exact header bytes. */
  readonly header: Uint8Array
  /** A view; undefined for a hole. */
  readonly body: Uint8Array | undefined
}

/** Frame number `position` (0-based) of the batch. */
export function frameAt(batch: EntryBatch, position: number): Frame {
  assert(position >= 0 && position < batch.count, 'the batch has this frame')
  const start = batch.offsets[position] as number
  const end = batch.offsets[position + 1] ?? batch.frames.length
  const headerBytes = ((batch.frames[start] as number) << 8) | (batch.frames[start + 1] as number)
  const header = start + FRAME_PREFIX_BYTES
  const body = header + headerBytes
  assert(body <= end, 'a header lies in its frame')
  const present = batch.frames[start + 2] === 1
  return {
    header: batch.frames.subarray(header, body),
    body: present ? batch.frames.subarray(body, end) : undefined,
  }
}
