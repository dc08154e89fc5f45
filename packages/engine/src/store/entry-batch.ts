/**
 * Entries on their way into a store, already in the bytes that the journal writes.
 *
 * Building them in place means that a payload is copied once between the caller and the disk.
 * One frame per entry:
 *
 *     u16 header length, big-endian | u8 payload state: 0 absent, 1 present | 0x00 | header | body
 *
 * The zero byte before the header is the RFC 9162 leaf prefix: a leaf hash is one SHA-256 over
 * bytes that already lie together.
 *
 * @module
 */

export const FRAME_PREFIX_BYTES = 4

export interface EntryBatch {
  readonly count: number
  /**
   * All frames, one after the other. Not changed until the batch is committed; then they may be
   * overwritten.
   */
  readonly frames: Uint8Array
  /** Where each frame starts in `frames`; `count` values. */
  readonly offsets: Uint32Array
  /** `count` leaf hashes of 32 bytes. */
  readonly leafHashes: Uint8Array
  /** Largest header time in the batch, microseconds. */
  readonly timeUsMax: number
}
