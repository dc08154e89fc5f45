/**
 * SHA-256 of many small messages: four at once in WebAssembly, some hundred in one call.
 *
 * A node of the tree costs less than half of what a call of OpenSSL takes, and a fifth of one of
 * sodium-native; a header, a third. OpenSSL has the processor's own instructions, but a call costs
 * more than they save below `MESSAGE_BYTES_MAX`.
 *
 * Messages are copied into the memory of the module in one piece, so their array stays where it
 * is. Rule TR2 of docs/spec/tree.md.
 *
 * @module
 */
import type { HashMany } from '../../crypto/crypto-backend.ts'
import {
  assembleSha256Lanes,
  FREE_AT,
  INITIAL_AT,
  K_AT,
  MESSAGE_BYTES_MAX,
  NODE_LANE_BYTES,
  NODE_LANES_AT,
  ROW_BYTES,
} from './sha256-lanes-code.ts'

const HASH_BYTES = 32
const NODE_BYTES = 65
const LANE_COUNT = 4

/** Messages in one call: what they need stays in the processor's caches. */
const ROWS_MAX = 512
const INPUT_BYTES_MAX = 131_072
const DIGESTS_AT: number = FREE_AT + ROWS_MAX * ROW_BYTES
const INPUT_AT: number = DIGESTS_AT + ROWS_MAX * HASH_BYTES
const PAGE_BYTES = 65_536
const PAGES: number = Math.ceil((INPUT_AT + INPUT_BYTES_MAX) / PAGE_BYTES)

/** FIPS 180-4 section 4.2.2. */
const K: readonly number[] = [
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
  0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
  0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
  0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
  0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
  0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
  0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
]
/** FIPS 180-4 section 5.3.3. */
const INITIAL: readonly number[] = [
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
]

interface LanesExports {
  readonly memory: WebAssembly.Memory
  hashRanges(table: number, end: number): void
  hashPairs(from: number, to: number, end: number): void
}

type HashOne = (
  out: Uint8Array,
  outOffset: number,
  input: Uint8Array,
  start: number,
  end: number,
) => void

export class Sha256Lanes implements HashMany {
  readonly #one: HashOne
  readonly #code: LanesExports
  readonly #memory: Uint8Array
  readonly #table: Uint32Array

  /** `one` hashes what is too long, and what is alone. */
  constructor(one: HashOne) {
    this.#one = one
    const module = new WebAssembly.Module(assembleSha256Lanes(PAGES))
    this.#code = new WebAssembly.Instance(module).exports as unknown as LanesExports
    const { buffer } = this.#code.memory
    this.#memory = new Uint8Array(buffer)
    this.#table = new Uint32Array(buffer, FREE_AT, (ROWS_MAX * ROW_BYTES) / 4)
    const words = new DataView(buffer)
    for (const [i, word] of K.entries()) words.setUint32(K_AT + 4 * i, word, true)
    for (const [i, word] of INITIAL.entries()) words.setUint32(INITIAL_AT + 4 * i, word, true)
    for (let lane = 0; lane < LANE_COUNT; lane++) {
      const at = NODE_LANES_AT + lane * NODE_LANE_BYTES
      this.#memory[at] = 0x01
      this.#memory[at + NODE_BYTES] = 0x80
      words.setUint32(at + NODE_LANE_BYTES - 4, NODE_BYTES * 8)
    }
  }

  ranges(input: Uint8Array, ranges: Uint32Array, count: number, out: Uint8Array): void {
    for (let first = 0; first < count; ) {
      const end = this.#group(ranges, first, count)
      if (end - first > 1) this.#hashGroup(input, ranges, first, end, out)
      else this.#hashOne(input, ranges, first, out)
      first = end
    }
  }

  pairs(
    out: Uint8Array,
    outOffset: number,
    hashes: Uint8Array,
    offset: number,
    count: number,
  ): void {
    for (let done = 0; done < count; ) {
      const taken = Math.min(ROWS_MAX, count - done)
      const from = offset + 2 * HASH_BYTES * done
      const byteLength = 2 * HASH_BYTES * taken
      this.#memory.set(hashes.subarray(from, from + byteLength), INPUT_AT)
      this.#code.hashPairs(INPUT_AT, DIGESTS_AT, INPUT_AT + byteLength)
      const digests = this.#memory.subarray(DIGESTS_AT, DIGESTS_AT + taken * HASH_BYTES)
      out.set(digests, outOffset + done * HASH_BYTES)
      done += taken
    }
  }

  /** One past the last message that goes with the first one: at least that one itself. */
  #group(ranges: Uint32Array, first: number, count: number): number {
    const start = ranges[3 * first] as number
    const last = Math.min(count, first + ROWS_MAX)
    let i = first
    for (; i < last; i++) {
      const end = ranges[3 * i + 1] as number
      const isLong = end - (ranges[3 * i] as number) > MESSAGE_BYTES_MAX
      if (isLong || end - start > INPUT_BYTES_MAX) break
    }
    return Math.max(i, first + 1)
  }

  #hashOne(input: Uint8Array, ranges: Uint32Array, i: number, out: Uint8Array): void {
    const start = ranges[3 * i] as number
    this.#one(out, ranges[3 * i + 2] as number, input, start, ranges[3 * i + 1] as number)
  }

  #hashGroup(
    input: Uint8Array,
    ranges: Uint32Array,
    first: number,
    end: number,
    out: Uint8Array,
  ): void {
    const begin = ranges[3 * first] as number
    this.#memory.set(input.subarray(begin, ranges[3 * end - 2] as number), INPUT_AT)
    const count = end - first
    // The last lanes of the last step do work that is there already.
    const rows = Math.ceil(count / LANE_COUNT) * LANE_COUNT
    for (let row = 0; row < rows; row++) {
      const i = 3 * (first + Math.min(row, count - 1))
      const start = ranges[i] as number
      this.#table[3 * row] = INPUT_AT + start - begin
      this.#table[3 * row + 1] = (ranges[i + 1] as number) - start
      this.#table[3 * row + 2] = DIGESTS_AT + Math.min(row, count - 1) * HASH_BYTES
    }
    this.#code.hashRanges(FREE_AT, FREE_AT + rows * ROW_BYTES)
    for (let row = 0; row < count; row++) {
      const from = DIGESTS_AT + row * HASH_BYTES
      const to = ranges[3 * (first + row) + 2] as number
      for (let b = 0; b < HASH_BYTES; b++) out[to + b] = this.#memory[from + b] as number
    }
  }
}
