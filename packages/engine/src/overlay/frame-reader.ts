/**
 * Cuts what a connection brings into frames.
 *
 * A frame that lies in one received piece is handed on where it lies; one that was cut is put
 * together once. Never holds more than one frame. Rule FR1 of docs/spec/frame.md.
 *
 * @module
 */
import { ProtocolError } from '@longshore/capsule'
import { SpareMemory } from '../runtime/spare-memory.ts'
import { readUint32 } from '../store/disk/big-endian.ts'
import { AT_TYPE, FRAME_HEAD_BYTES } from './frame.ts'

const LENGTH_BYTES = 4

/** Sees a whole frame, `bytes[start, end)`, length included. Returns false to see no more. */
export type OnFrame = (bytes: Uint8Array, start: number, end: number) => boolean

export class FrameReader {
  /** Of type and body. Raised when the peer is known. */
  frameBytesMax: number
  /** The first bytes of a frame whose length is not known yet. */
  readonly #head = new Uint8Array(LENGTH_BYTES)
  readonly #spares: SpareMemory
  /** The frame under way; it has room for all of it. */
  #partial: Uint8Array = this.#head
  #partialBytes = 0

  /** A frame that was cut is put together in memory from `spares`. */
  constructor(frameBytesMax: number, spares: SpareMemory = new SpareMemory()) {
    this.frameBytesMax = frameBytesMax
    this.#spares = spares
  }

  /** @throws {ProtocolError} `FRAME_INVALID` for a length of 0 or above the limit. */
  push(bytes: Uint8Array, onFrame: OnFrame): void {
    let at = 0
    if (this.#partialBytes > 0) {
      at = this.#continue(bytes, onFrame)
      if (at < 0) return
    }
    while (at + LENGTH_BYTES <= bytes.length) {
      const end = at + LENGTH_BYTES + this.#readLength(bytes, at)
      if (end > bytes.length) break
      if (!onFrame(bytes, at, end)) return
      at = end
    }
    if (at < bytes.length) this.#begin(bytes.subarray(at))
  }

  /** Completes the frame under way. Where in `bytes` the next one begins; -1 to stop. */
  #continue(bytes: Uint8Array, onFrame: OnFrame): number {
    let at = 0
    if (this.#partial === this.#head) {
      at = this.#fill(bytes, 0)
      if (this.#partialBytes < LENGTH_BYTES) return bytes.length
      this.#allocate()
    }
    at = this.#fill(bytes, at)
    if (this.#partialBytes < this.#partial.length) return bytes.length
    const frame = this.#partial
    this.#partial = this.#head
    this.#partialBytes = 0
    return onFrame(frame, 0, frame.length) ? at : -1
  }

  #begin(rest: Uint8Array): void {
    this.#fill(rest, 0)
    if (this.#partialBytes < LENGTH_BYTES) return
    this.#allocate()
    this.#fill(rest, LENGTH_BYTES)
  }

  #allocate(): void {
    const frame = this.#spares.take(LENGTH_BYTES + this.#readLength(this.#head, 0))
    frame.set(this.#head)
    this.#partial = frame
  }

  #fill(bytes: Uint8Array, at: number): number {
    const part = bytes.subarray(at, at + this.#partial.length - this.#partialBytes)
    this.#partial.set(part, this.#partialBytes)
    this.#partialBytes += part.length
    return at + part.length
  }

  #readLength(bytes: Uint8Array, at: number): number {
    const frameBytes = readUint32(bytes, at)
    if (frameBytes < FRAME_HEAD_BYTES - AT_TYPE || frameBytes > this.frameBytesMax) {
      throw new ProtocolError('FRAME_INVALID', 'a frame of impossible length', { frameBytes })
    }
    return frameBytes
  }
}
