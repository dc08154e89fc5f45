/**
 * Entries from mirrors on their way into a home: a file of messages, each with the head that it
 * verifies under. Whoever holds the home verifies all of it again.
 *
 *     u16 length | compact head | u32 length | message with entries      any number of times
 *
 * Rule NW22 of docs/spec/network.md.
 *
 * @module
 */
import { concatBytes, decodeHead, encodeHead, type Head, ProtocolError } from '@longshore/capsule'

export interface TakenEntries {
  readonly tree: Head
  readonly message: Uint8Array
}

export function encodeTaken({ tree, message }: TakenEntries): Uint8Array {
  const head = encodeHead(tree)
  const lengths = new DataView(new ArrayBuffer(6))
  lengths.setUint16(0, head.length)
  lengths.setUint32(2, message.length)
  const bytes = new Uint8Array(lengths.buffer)
  return concatBytes(bytes.subarray(0, 2), head, bytes.subarray(2), message)
}

/** @throws {ProtocolError} `FRAME_INVALID` for a file that is cut off */
export function* decodeTaken(bytes: Uint8Array): Generator<TakenEntries> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let at = 0; at < bytes.length; ) {
    const headEnd = at + 2 + (at + 2 <= bytes.length ? view.getUint16(at) : cutOff())
    const start = headEnd + 4
    const end = start + (start <= bytes.length ? view.getUint32(headEnd) : cutOff())
    if (end > bytes.length) cutOff()
    const tree = decodeHead(bytes.subarray(at + 2, headEnd))
    yield { tree, message: bytes.subarray(start, end) }
    at = end
  }
}

function cutOff(): never {
  throw new ProtocolError('FRAME_INVALID', 'a file of entries is cut off')
}
