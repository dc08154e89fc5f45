/**
 * CRC32C (Castagnoli): finds damage in what the disk gives back. It does not find lies.
 *
 * Slicing by 16: sixteen table look-ups per sixteen bytes, none of which waits for another. Long
 * pieces are folded first (`crc32c-fold.ts`). Measured on the reference machine: 1.7 GB/s, and 4.8
 * of 4 KiB, 5.5 of 64 KiB.
 *
 * @module
 */
import { BLOCK_BYTES, Crc32cFold, PIECE_BYTES_MAX } from './crc32c-fold.ts'

/** The polynomial 0x1EDC6F41, bits reversed. */
const POLYNOMIAL = 0x82f63b78

/** Below this the copy costs more than it saves. */
const FOLDED_BYTES_MIN = 512

let fold: Crc32cFold | undefined

/** `TABLE[256 * k + b]`: the checksum of byte b followed by k zero bytes. */
const TABLE: Int32Array = createTable()

function createTable(): Int32Array {
  const table = new Int32Array(16 * 256)
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? POLYNOMIAL : 0)
    table[byte] = crc
  }
  for (let i = 256; i < table.length; i++) {
    const shorter = table[i - 256] as number
    table[i] = (shorter >>> 8) ^ (table[shorter & 0xff] as number)
  }
  return table
}

/**
 * The checksum of `bytes[start, end)`. To go on over several pieces, pass the result so far as
 * `crc`; begin with 0.
 */
export function crc32c(crc: number, bytes: Uint8Array, start: number, end: number): number {
  let state = ~crc
  let at = start
  while (end - at >= FOLDED_BYTES_MIN) {
    fold ??= new Crc32cFold(addZeros)
    const byteLength = Math.min(PIECE_BYTES_MAX, end - at - ((end - at) % BLOCK_BYTES))
    const block = fold.take(state, bytes, at, at + byteLength)
    state = addBytes(0, block, 0, BLOCK_BYTES)
    at += byteLength
  }
  return ~addBytes(state, bytes, at, end) >>> 0
}

/** The state `c`, `count` zero bytes later. */
function addZeros(state: number, count: number): number {
  let c = state
  for (let i = 0; i < count; i++) c = (c >>> 8) ^ (TABLE[c & 0xff] as number)
  return c
}

/** Goes on from the state `c`, which is the complement of a checksum. */
function addBytes(state: number, bytes: Uint8Array, start: number, end: number): number {
  const t = TABLE
  let c = state
  let i = start
  for (; i + 16 <= end; i += 16) {
    const low =
      c ^
      ((bytes[i] as number) |
        ((bytes[i + 1] as number) << 8) |
        ((bytes[i + 2] as number) << 16) |
        ((bytes[i + 3] as number) << 24))
    c =
      (t[3840 + (low & 0xff)] as number) ^
      (t[3584 + ((low >>> 8) & 0xff)] as number) ^
      (t[3328 + ((low >>> 16) & 0xff)] as number) ^
      (t[3072 + (low >>> 24)] as number) ^
      (t[2816 + (bytes[i + 4] as number)] as number) ^
      (t[2560 + (bytes[i + 5] as number)] as number) ^
      (t[2304 + (bytes[i + 6] as number)] as number) ^
      (t[2048 + (bytes[i + 7] as number)] as number) ^
      (t[1792 + (bytes[i + 8] as number)] as number) ^
      (t[1536 + (bytes[i + 9] as number)] as number) ^
      (t[1280 + (bytes[i + 10] as number)] as number) ^
      (t[1024 + (bytes[i + 11] as number)] as number) ^
      (t[768 + (bytes[i + 12] as number)] as number) ^
      (t[512 + (bytes[i + 13] as number)] as number) ^
      (t[256 + (bytes[i + 14] as number)] as number) ^
      (t[bytes[i + 15] as number] as number)
  }
  for (; i < end; i++) c = (c >>> 8) ^ (t[(c ^ (bytes[i] as number)) & 0xff] as number)
  return c
}
