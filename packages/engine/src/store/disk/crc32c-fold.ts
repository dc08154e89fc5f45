/**
 * CRC32C of long pieces: a block of 128 bytes is folded into the next one, again and again, until
 * one is left that has the checksum of all.
 *
 * A checksum is linear. So what a block adds to it can be had as well from bytes that stand 128
 * later, and those are joined to the block there by exclusive or. A column of four bytes, 32 apart,
 * becomes another such column: 32 bits from 32 bits, looked up half a byte at a time, sixteen
 * columns at once. Four bytes that lie 16 apart would not do: their powers of x depend on each
 * other.
 *
 * @module
 */
import { assert } from '@longshore/capsule'
import {
  addI32,
  and,
  assembleModule,
  belowI32,
  type Code,
  get,
  i32,
  load,
  lookUp,
  repeatWhile,
  set,
  shr,
  splatByte,
  store,
  when,
  xor,
} from '@longshore/capsule/wasm-assembler'

export const BLOCK_BYTES = 128
/** What stays in the first cache of a processor. A multiple of a block. */
export const PIECE_BYTES_MAX = 32_768

const LANES = 16
const ROWS = 4
/** Between the bytes of a column. */
const STRIDE_BYTES: number = BLOCK_BYTES / ROWS
const STATE_BITS = 32

// Memory, in bytes: a table of 16 for each half of a byte of a column and each byte of the next.
const TABLES_AT = 0
const RESULT_AT = 512
const PIECE_AT = 1024
const PAGES = 1

interface FoldExports {
  readonly memory: WebAssembly.Memory
  /** Leaves the block with the checksum of all blocks in [first, last] at `RESULT_AT`. */
  fold(first: number, last: number): void
}

/** The state of a checksum, so many zero bytes later. */
type AddZeros = (state: number, count: number) => number

export class Crc32cFold {
  readonly #fold: FoldExports['fold']
  readonly #memory: Uint8Array
  readonly #result: Uint8Array

  constructor(addZeros: AddZeros) {
    const module = new WebAssembly.Module(assembleFold())
    const { memory, fold } = new WebAssembly.Instance(module).exports as unknown as FoldExports
    this.#fold = fold
    this.#memory = new Uint8Array(memory.buffer)
    this.#result = this.#memory.subarray(RESULT_AT, RESULT_AT + BLOCK_BYTES)
    this.#memory.set(createTables(addZeros), TABLES_AT)
  }

  /**
   * The block whose checksum, begun with state 0, is that of `bytes[start, end)` begun with
   * `state`. The range holds whole blocks, one to `PIECE_BYTES_MAX` bytes of them. The block is
   * overwritten by the next call.
   */
  take(state: number, bytes: Uint8Array, start: number, end: number): Uint8Array {
    const memory = this.#memory
    assert(end > start && (end - start) % BLOCK_BYTES === 0, 'whole blocks')
    assert(end - start <= PIECE_BYTES_MAX, 'a piece fits')
    memory.set(bytes.subarray(start, end), PIECE_AT)
    for (let i = 0; i < STATE_BITS / 8; i++) {
      memory[PIECE_AT + i] = (memory[PIECE_AT + i] as number) ^ (state >>> (8 * i))
    }
    this.#fold(PIECE_AT, PIECE_AT + end - start - BLOCK_BYTES)
    return this.#result
  }
}

function assembleFold(): Uint8Array {
  const [AT, LAST] = [0, 1]
  const V = (i: number): number => 2 + i
  const halves = Array.from({ length: 2 * ROWS }, (_, i) => V(i))
  const MASK = V(2 * ROWS)
  /** Sixteen columns: the vectors that hold their bytes, and where these are in a block. */
  const columns = [0, 1].map((half) =>
    Array.from({ length: ROWS }, (_, row) => ({
      vector: V(2 * ROWS + 1 + half * ROWS + row),
      offset: row * STRIDE_BYTES + half * LANES,
    })),
  )
  const table = (row: number, half: number): Code =>
    load(i32(0), TABLES_AT + LANES * (row * 2 * ROWS + half))
  const split = (vector: number, row: number): Code => [
    set(halves[2 * row] as number, and(get(vector), get(MASK))),
    set(halves[2 * row + 1] as number, and(shr(get(vector), 4), get(MASK))),
  ]
  const moved = (row: number, next: Code): Code =>
    halves.reduce<Code>((sum, half, i) => xor(sum, lookUp(table(row, i), get(half))), next)
  const body = [
    set(MASK, splatByte(0x0f)),
    columns.map((rows) => rows.map(({ vector, offset }) => set(vector, load(get(AT), offset)))),
    when(
      belowI32(get(AT), get(LAST)),
      repeatWhile(
        [
          set(AT, addI32(get(AT), i32(BLOCK_BYTES))),
          columns.map((rows) => [
            rows.map(({ vector }, row) => split(vector, row)),
            rows.map(({ vector, offset }, row) => set(vector, moved(row, load(get(AT), offset)))),
          ]),
        ],
        belowI32(get(AT), get(LAST)),
      ),
    ),
    columns.map((rows) =>
      rows.map(({ vector, offset }) => store(i32(0), RESULT_AT + offset, get(vector))),
    ),
  ]
  const locals = { i32Locals: 0, v128Locals: 2 * ROWS + 1 + 2 * ROWS }
  return assembleModule(PAGES, [{ name: 'fold', parameterCount: 2, ...locals, body }])
}

/** Of each byte of the next column, what each half of each byte of this one gives it. */
function createTables(addZeros: AddZeros): Uint8Array {
  // Bits are numbered by their byte in the column and their place in it.
  const columnBits = Array.from({ length: STATE_BITS }, (_, bit) =>
    addZeros(1 << (bit & 7), STRIDE_BYTES * (ROWS - 1 - (bit >> 3))),
  )
  const columnOf = createSolver(columnBits)
  const movedBits = columnBits.map((state) => columnOf(addZeros(state, BLOCK_BYTES)))
  const tables = new Uint8Array(ROWS * 2 * ROWS * LANES)
  for (const at of tables.keys()) {
    const [value, half, row] = [at & 15, (at >> 4) & 7, at >> 7]
    let column = 0
    for (let bit = 0; bit < 4; bit++) {
      if (((value >> bit) & 1) === 1) column ^= movedBits[4 * half + bit] as number
    }
    tables[at] = column >>> (8 * row)
  }
  return tables
}

/** Which of these states, joined by exclusive or, are a given one: a bit for each of them. */
function createSolver(states: readonly number[]): (state: number) => number {
  const rows = states.map((state, i) => ({ state, sources: 1 << i }))
  for (let bit = 0; bit < STATE_BITS; bit++) {
    const at = rows.findIndex(({ state }, i) => i >= bit && ((state >>> bit) & 1) === 1)
    assert(at !== -1, 'the states do not depend on each other')
    const [pivot] = rows.splice(at, 1)
    assert(pivot !== undefined, 'it was found')
    rows.splice(bit, 0, pivot)
    for (const row of rows) {
      if (row === pivot || ((row.state >>> bit) & 1) === 0) continue
      row.state ^= pivot.state
      row.sources ^= pivot.sources
    }
  }
  return (state) =>
    rows.reduce((sum, { sources }, bit) => (((state >>> bit) & 1) === 1 ? sum ^ sources : sum), 0)
}
