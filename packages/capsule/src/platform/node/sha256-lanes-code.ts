/**
 * The WebAssembly code behind `sha256-lanes.ts`: SHA-256 of four messages at once, one in each
 * 32-bit lane of a vector.
 *
 * The steps and names (W, K, a to h) are those of FIPS 180-4 section 6.2.2. Every vector holds
 * the same variable of four messages. A rotation is two shifts; all terms of a sum of rotations
 * are joined by exclusive or, as the bits of the two shifts do not meet.
 *
 * @module
 */
import {
  add,
  addI32,
  and,
  assembleModule,
  belowI32,
  type Code,
  call,
  copyMemory,
  equalI32,
  fillMemory,
  get,
  i32,
  load,
  loadI32,
  loadSplat,
  repeatWhile,
  set,
  shl,
  shlI32,
  shr,
  shrI32,
  shuffle,
  store,
  storeByte,
  subI32,
  type WasmFunction,
  when,
  xor,
} from '../../wasm-assembler.ts'

/** Padded messages; a lane has room for this many blocks. With more, OpenSSL is faster. */
const LANE_BLOCKS = 4
const LANE_BYTES: number = LANE_BLOCKS * 64
/** Longest message: a padded one has at least nine bytes more. */
export const MESSAGE_BYTES_MAX: number = LANE_BYTES - 9

// Memory, in bytes. The caller fills K_AT (64 words) and INITIAL_AT (8 words) once, and zeroes
// nothing: all else is written before it is read.
export const K_AT = 0
export const INITIAL_AT = 256
/** W[t] + K[t] of the block in work. */
const SCHEDULE_AT = 512
const STATE_AT = 2048
/** The digests of the four lanes, 32 bytes each, after the block in work. */
const DIGESTS_AT = 2304
const LANES_AT = 2560
const LANE_COUNT = 4
/** Nodes have their own lanes, whose padding is written once by the caller. */
export const NODE_LANES_AT: number = LANES_AT + LANE_COUNT * LANE_BYTES
export const NODE_LANE_BYTES = 128
/** Of the caller: messages, tables, results. */
export const FREE_AT: number = 8192

/** One row of the table of `hashRanges`: start, byte length, where the digest goes. */
export const ROW_BYTES = 12

type Eight = [number, number, number, number, number, number, number, number]

const LANES = [0, 1, 2, 3] as const
const ZERO: Code = i32(0)
const SWAP_WORDS = [3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12]

const words = (...order: number[]): number[] =>
  order.flatMap((w) => [0, 1, 2, 3].map((b) => 4 * w + b))
const xorAll = (...terms: Code[]): Code => terms.reduce((sum, term) => xor(sum, term))
const rotate = (x: Code, bits: number): Code => xor(shr(x, bits), shl(x, 32 - bits))
const bigSigma = (x: Code, i: number, j: number, k: number): Code =>
  xorAll(rotate(x, i), rotate(x, j), rotate(x, k))
const smallSigma = (x: Code, i: number, j: number, k: number): Code =>
  xorAll(rotate(x, i), rotate(x, j), shr(x, k))

/**
 * Turns a square of 4 x 4 words: vector i gets word i of each. `from` and `into` are locals; they
 * may be the same, `spare` four others.
 */
function transpose(
  from: readonly number[],
  into: readonly number[],
  spare: readonly number[],
): Code {
  const [a, b, c, d] = from.map(get) as [Code, Code, Code, Code]
  const [s, t, u, v] = spare as [number, number, number, number]
  return [
    set(s, shuffle(a, b, words(0, 4, 1, 5))),
    set(t, shuffle(c, d, words(0, 4, 1, 5))),
    set(u, shuffle(a, b, words(2, 6, 3, 7))),
    set(v, shuffle(c, d, words(2, 6, 3, 7))),
    set(into[0] as number, shuffle(get(s), get(t), words(0, 1, 4, 5))),
    set(into[1] as number, shuffle(get(s), get(t), words(2, 3, 6, 7))),
    set(into[2] as number, shuffle(get(u), get(v), words(0, 1, 4, 5))),
    set(into[3] as number, shuffle(get(u), get(v), words(2, 3, 6, 7))),
  ]
}

/** `compress(block, laneBytes)`: takes the block at `block` of each lane into the state. */
function compress(): WasmFunction {
  const [BLOCK, LANE] = [0, 1]
  const T = 2
  const V = (i: number): number => 3 + i
  // Twenty vectors: W[0..15] in work and four spares; later a to h.
  const spare = [16, 17, 18, 19].map(V)
  const loadWords = [0, 1, 2, 3].map((quarter) => {
    const into = [0, 1, 2, 3].map((i) => V(4 * quarter + i))
    const lanes = LANES.map((lane) => {
      const address = LANES.slice(0, lane).reduce<Code>((sum) => addI32(sum, get(LANE)), get(BLOCK))
      const bytes = load(address, 16 * quarter)
      return set(into[lane] as number, shuffle(bytes, bytes, SWAP_WORDS))
    })
    return [lanes, transpose(into, into, spare)]
  })
  const W = (t: number): number => V(t % 16)
  const keep = (i: number): Code =>
    store(get(T), SCHEDULE_AT + 16 * i, add(get(W(i)), loadSplat(shrI32(get(T), 2), K_AT + 4 * i)))
  const expand = (t: number): Code =>
    set(
      W(t),
      add(
        add(get(W(t)), smallSigma(get(W(t + 1)), 7, 18, 3)),
        add(get(W(t + 9)), smallSigma(get(W(t + 14)), 17, 19, 10)),
      ),
    )
  // T counts bytes of the schedule: 16 a step.
  const schedule = [
    set(T, ZERO),
    Array.from({ length: 16 }, (_, i) => keep(i)),
    repeatWhile(
      [
        set(T, addI32(get(T), i32(256))),
        Array.from({ length: 16 }, (_, i) => [expand(i), keep(i)]),
      ],
      belowI32(get(T), i32(768)),
    ),
  ]
  const state = (i: number): Code => load(ZERO, STATE_AT + 16 * i)
  const [T1] = spare as [number]
  const round = (i: number): Code => {
    // Instead of moving a to h down, their names move: after eight rounds all are home again.
    const [a, b, c, d, e, f, g, h] = eight.map((k) => V((k - i + 8) % 8)) as Eight
    const choose = xor(get(g), and(get(e), xor(get(f), get(g))))
    const majority = xor(get(b), and(xor(get(a), get(b)), xor(get(b), get(c))))
    return [
      set(
        T1,
        add(
          add(get(h), load(get(T), SCHEDULE_AT + 16 * i)),
          add(choose, bigSigma(get(e), 6, 11, 25)),
        ),
      ),
      set(d, add(get(d), get(T1))),
      set(h, add(get(T1), add(bigSigma(get(a), 2, 13, 22), majority))),
    ]
  }
  const eight = Array.from({ length: 8 }, (_, i) => i)
  const rounds = [
    eight.map((i) => set(V(i), state(i))),
    set(T, ZERO),
    repeatWhile([eight.map(round), set(T, addI32(get(T), i32(128)))], belowI32(get(T), i32(1024))),
    eight.map((i) => set(V(i), add(get(V(i)), state(i)))),
    eight.map((i) => store(ZERO, STATE_AT + 16 * i, get(V(i)))),
  ]
  const digests = [0, 1].map((half) => {
    const vectors = [0, 1, 2, 3].map((i) => V(4 * half + i))
    return [
      transpose(vectors, vectors, spare),
      LANES.map((lane) => {
        const digest = get(vectors[lane] as number)
        return store(ZERO, DIGESTS_AT + 32 * lane + 16 * half, shuffle(digest, digest, SWAP_WORDS))
      }),
    ]
  })
  return {
    parameterCount: 2,
    i32Locals: 1,
    v128Locals: 20,
    body: [loadWords, schedule, rounds, digests],
  }
}
const COMPRESS = 0

/** The state before the first block. */
const begin: Code = Array.from({ length: 8 }, (_, i) =>
  store(ZERO, STATE_AT + 16 * i, loadSplat(ZERO, INITIAL_AT + 4 * i)),
)

const copyDigest = (to: Code, lane: number): Code => [
  store(to, 0, load(ZERO, DIGESTS_AT + 32 * lane)),
  store(to, 16, load(ZERO, DIGESTS_AT + 32 * lane + 16)),
]

/** `padLane(lane, start, byteLength, blocks)`: a message and its padding into a lane. */
function padLane(): WasmFunction {
  const [LANE, START, LENGTH, BLOCKS, END] = [0, 1, 2, 3, 4]
  const bits = shlI32(get(LENGTH), 3)
  const [low, high] = [bits, shrI32(bits, 8)]
  return {
    parameterCount: 4,
    i32Locals: 1,
    v128Locals: 0,
    body: [
      set(END, addI32(get(LANE), shlI32(get(BLOCKS), 6))),
      // The last 64 bytes first: the message and its 0x80 then overwrite what is theirs.
      fillMemory(subI32(get(END), i32(64)), ZERO, i32(64)),
      copyMemory(get(LANE), get(START), get(LENGTH)),
      // Where the 0x80 is in the block before, zeros follow it there as well.
      when(belowI32(addI32(get(LANE), get(LENGTH)), subI32(get(END), i32(64))), [
        fillMemory(
          addI32(get(LANE), get(LENGTH)),
          ZERO,
          subI32(subI32(get(END), i32(64)), addI32(get(LANE), get(LENGTH))),
        ),
      ]),
      storeByte(addI32(get(LANE), get(LENGTH)), 0, i32(0x80)),
      storeByte(subI32(get(END), i32(2)), 0, high),
      storeByte(subI32(get(END), i32(1)), 0, low),
    ],
  }
}
const PAD_LANE = 1

/** `hashRanges(table, end)`: the messages of a table, a multiple of four and at least four. */
function hashRanges(): WasmFunction {
  const [TABLE, END, BLOCK, LAST] = [0, 1, 2, 3]
  const BLOCKS = (lane: number): number => 4 + lane
  const field = (lane: number, i: number): Code => loadI32(get(TABLE), lane * ROW_BYTES + 4 * i)
  const prepare = LANES.map((lane) => [
    // Message, 0x80 and eight bytes of length, in whole blocks.
    set(BLOCKS(lane), shrI32(addI32(field(lane, 1), i32(9 + 63)), 6)),
    when(belowI32(get(LAST), get(BLOCKS(lane))), set(LAST, get(BLOCKS(lane)))),
    call(
      PAD_LANE,
      i32(LANES_AT + lane * LANE_BYTES),
      field(lane, 0),
      field(lane, 1),
      get(BLOCKS(lane)),
    ),
  ])
  return {
    name: 'hashRanges',
    parameterCount: 2,
    i32Locals: 6,
    v128Locals: 0,
    body: repeatWhile(
      [
        set(LAST, ZERO),
        prepare,
        begin,
        set(BLOCK, ZERO),
        repeatWhile(
          [
            call(COMPRESS, addI32(shlI32(get(BLOCK), 6), i32(LANES_AT)), i32(LANE_BYTES)),
            set(BLOCK, addI32(get(BLOCK), i32(1))),
            // A lane that is done goes on over old bytes; its digest is safe by then.
            LANES.map((lane) =>
              when(equalI32(get(BLOCK), get(BLOCKS(lane))), copyDigest(field(lane, 2), lane)),
            ),
          ],
          belowI32(get(BLOCK), get(LAST)),
        ),
        set(TABLE, addI32(get(TABLE), i32(4 * ROW_BYTES))),
      ],
      belowI32(get(TABLE), get(END)),
    ),
  }
}

/** `hashPairs(from, to, end)`: parents of the pairs [from, end), a multiple of four, to `to`. */
function hashPairs(): WasmFunction {
  const [FROM, TO, END] = [0, 1, 2]
  const laneAt = (lane: number): number => NODE_LANES_AT + lane * NODE_LANE_BYTES
  return {
    name: 'hashPairs',
    parameterCount: 3,
    i32Locals: 0,
    v128Locals: 0,
    body: repeatWhile(
      [
        LANES.map((lane) =>
          [0, 16, 32, 48].map((i) =>
            store(ZERO, laneAt(lane) + 1 + i, load(get(FROM), 64 * lane + i)),
          ),
        ),
        begin,
        call(COMPRESS, i32(laneAt(0)), i32(NODE_LANE_BYTES)),
        call(COMPRESS, i32(laneAt(0) + 64), i32(NODE_LANE_BYTES)),
        LANES.map((lane) => copyDigest(addI32(get(TO), i32(32 * lane)), lane)),
        set(FROM, addI32(get(FROM), i32(256))),
        set(TO, addI32(get(TO), i32(128))),
      ],
      belowI32(get(FROM), get(END)),
    ),
  }
}

export function assembleSha256Lanes(pages: number): Uint8Array {
  return assembleModule(pages, [compress(), padLane(), hashRanges(), hashPairs()])
}
