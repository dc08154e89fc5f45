/**
 * Frames of the local socket: a length of four bytes (big-endian), then one CBOR map.
 *
 *     00 00 00 0b  a2 62 69 64 01 62 6f 70 …      {"id": 1, "op": …}
 *
 * The other side is a process of the same user, and still nothing it sends is believed: a frame
 * longer than the cap, an empty one, or one that is not the single CBOR map of its length is
 * FRAME_INVALID, and the connection ends. Rules HM40-HM41 of docs/spec/home.md.
 *
 * @module
 */
import { type CborMap, decodeCbor, encodeCbor, ProtocolError } from '@longshore/capsule'

/** One payload of the largest size, or many small ones, and what is said about them. */
export const FRAME_BYTES_MAX = 2_097_152

const LENGTH_BYTES = 4

export function encodeFrame(message: CborMap): Uint8Array {
  const body = encodeCbor(message)
  if (body.byteLength > FRAME_BYTES_MAX) {
    throw new ProtocolError('FRAME_INVALID', 'the message is too long for a frame', {
      frameBytes: body.byteLength,
    })
  }
  const frame = new Uint8Array(LENGTH_BYTES + body.byteLength)
  new DataView(frame.buffer).setUint32(0, body.byteLength)
  frame.set(body, LENGTH_BYTES)
  return frame
}

/** One message, and how many bytes it took. */
export interface ReceivedFrame {
  readonly message: CborMap
  readonly frameBytes: number
}

/** Puts a stream's chunks together again and cuts it into messages. */
export class FrameReader {
  /** What has arrived of the frame under way, length included. */
  #chunks: Uint8Array[] = []
  #chunksBytes = 0
  /** Length of the frame under way, once its first four bytes are here. */
  #frameBytes: number | undefined;

  /**
   * Takes the next chunk; yields the frames that are complete. Holds no more than one frame.
   *
   * @throws {ProtocolError} `FRAME_INVALID`
   */
  *push(chunk: Uint8Array): Generator<ReceivedFrame, void, undefined> {
    let rest = chunk
    while (rest.byteLength > 0) {
      const missing = (this.#frameBytes ?? LENGTH_BYTES) - this.#chunksBytes
      const part = rest.subarray(0, missing)
      rest = rest.subarray(part.byteLength)
      this.#chunks.push(part)
      this.#chunksBytes += part.byteLength
      if (part.byteLength < missing) return
      if (this.#frameBytes === undefined) this.#frameBytes = LENGTH_BYTES + this.#readLength()
      else yield this.#takeFrame()
    }
  }

  #readLength(): number {
    const head = join(this.#chunks, LENGTH_BYTES)
    const bodyBytes = new DataView(head.buffer).getUint32(0)
    if (bodyBytes === 0 || bodyBytes > FRAME_BYTES_MAX) {
      throw new ProtocolError('FRAME_INVALID', 'a frame of impossible length', { bodyBytes })
    }
    return bodyBytes
  }

  #takeFrame(): ReceivedFrame {
    const frame = join(this.#chunks, this.#chunksBytes)
    this.#chunks = []
    this.#chunksBytes = 0
    this.#frameBytes = undefined
    let message: unknown
    try {
      message = decodeCbor(frame.subarray(LENGTH_BYTES))
    } catch (cause) {
      throw new ProtocolError('FRAME_INVALID', 'a frame that is not CBOR', undefined, { cause })
    }
    if (!(message instanceof Map)) throw new ProtocolError('FRAME_INVALID', 'a frame without a map')
    return { message: message as CborMap, frameBytes: frame.byteLength }
  }
}

function join(chunks: readonly Uint8Array[], byteLength: number): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(byteLength)
  let at = 0
  for (const chunk of chunks) {
    joined.set(chunk, at)
    at += chunk.byteLength
  }
  return joined
}
