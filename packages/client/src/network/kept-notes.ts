/**
 * Values of any length in the notes of a home, whose values have at most 4096 bytes.
 *
 *     KEY/0     u32 length | first 8 bytes of the SHA-256 of the value | its first bytes
 *     KEY/1 …   the rest, 4096 bytes a note
 *
 * Notes are committed one by one: a value that a crash has left in pieces of two is not there.
 * Rule NW2 of docs/spec/network.md.
 *
 * @module
 */
import { bytesEqual, concatBytes, sha256, UsageError } from '@longshore/capsule'
import type { StoreReader } from '@longshore/engine'

/** Keeps one note, as `HomeWriter.remember` does. */
export type Remember = (key: string, value: Uint8Array) => Promise<void>

const NOTE_BYTES_MAX = 4096
const LENGTH_BYTES = 4
const CHECK_BYTES = 8
const HEADER_BYTES: number = LENGTH_BYTES + CHECK_BYTES
/** A mirror with chains of the largest size; nothing that is kept comes near it. */
const VALUE_BYTES_MAX = 1_048_576

/** Undefined if nothing was kept, or it was forgotten. */
export function readKept(reader: StoreReader, key: string): Uint8Array | undefined {
  const first = reader.note(`${key}/0`)
  if (first === undefined || first.length < HEADER_BYTES) return undefined
  const length = new DataView(first.buffer, first.byteOffset).getUint32(0)
  if (length > VALUE_BYTES_MAX) return undefined
  const parts = [first.subarray(HEADER_BYTES)]
  for (let part = 1; HEADER_BYTES + length > part * NOTE_BYTES_MAX; part++) {
    const note = reader.note(`${key}/${part}`)
    if (note === undefined) return undefined
    parts.push(note)
  }
  const value = concatBytes(...parts).subarray(0, length)
  const check = first.subarray(LENGTH_BYTES, HEADER_BYTES)
  return bytesEqual(checkOf(value), check) ? value : undefined
}

/** Keeps `value`, or forgets what was kept (undefined). */
export async function keep(
  remember: Remember,
  key: string,
  value: Uint8Array | undefined,
): Promise<void> {
  if (value === undefined) {
    await remember(`${key}/0`, new Uint8Array(0))
    return
  }
  if (value.length > VALUE_BYTES_MAX) throw new UsageError('USAGE', 'this is too long to be kept')
  const length = new Uint8Array(LENGTH_BYTES)
  new DataView(length.buffer).setUint32(0, value.length)
  const bytes = concatBytes(length, checkOf(value), value)
  const count = Math.ceil(bytes.length / NOTE_BYTES_MAX)
  // The first one last: it says what the others have to be.
  for (let part = count - 1; part >= 0; part--) {
    const start = part * NOTE_BYTES_MAX
    await remember(`${key}/${part}`, bytes.slice(start, start + NOTE_BYTES_MAX))
  }
}

function checkOf(value: Uint8Array): Uint8Array {
  return sha256(value).subarray(0, CHECK_BYTES)
}
