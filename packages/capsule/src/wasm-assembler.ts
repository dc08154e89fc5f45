/**
 * As much of a WebAssembly assembler as hashes and checksums need: code is written as nested calls
 * in TypeScript, and each returns its bytes in the order of a stack machine.
 *
 * WebAssembly Core Specification 3.0, section 5.
 *
 * @module
 */

/** Bytes, in a tree: each call only joins what it was given, and a function is flattened once. */
export type Code = readonly (number | Code)[]

const I32 = 0x7f
const V128 = 0x7b
const FUNCTION = 0x60

/** Unsigned LEB128. */
function unsigned(value: number): number[] {
  const bytes: number[] = []
  let rest = value
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80)
  bytes.push(rest)
  return bytes
}

/** Signed LEB128. */
function signed(value: number): number[] {
  const bytes: number[] = []
  let rest = value
  while (rest < -64 || rest > 63) {
    bytes.push((rest & 0x7f) | 0x80)
    rest >>= 7
  }
  bytes.push(rest & 0x7f)
  return bytes
}

const simd = (opcode: number): number[] => [0xfd, ...unsigned(opcode)]
/** No alignment is promised. */
const at = (offset: number): number[] => [0, ...unsigned(offset)]

export const i32 = (value: number): Code => [0x41, ...signed(value)]
export const get = (local: number): Code => [0x20, ...unsigned(local)]
export const set = (local: number, value: Code): Code => [value, 0x21, ...unsigned(local)]

export const addI32 = (a: Code, b: Code): Code => [a, b, 0x6a]
export const subI32 = (a: Code, b: Code): Code => [a, b, 0x6b]
export const shlI32 = (a: Code, bits: number): Code => [a, i32(bits), 0x74]
export const shrI32 = (a: Code, bits: number): Code => [a, i32(bits), 0x76]
export const equalI32 = (a: Code, b: Code): Code => [a, b, 0x46]
export const belowI32 = (a: Code, b: Code): Code => [a, b, 0x49]
export const loadI32 = (address: Code, offset: number): Code => [address, 0x28, ...at(offset)]
export const storeByte = (address: Code, offset: number, value: Code): Code => [
  address,
  value,
  0x3a,
  ...at(offset),
]

export const load = (address: Code, offset: number): Code => [address, ...simd(0), ...at(offset)]
/** One word in all four lanes. */
export const loadSplat = (address: Code, offset: number): Code => [
  address,
  ...simd(9),
  ...at(offset),
]
export const store = (address: Code, offset: number, value: Code): Code => [
  address,
  value,
  ...simd(11),
  ...at(offset),
]
/** Byte i of the result is byte `order[i]` of a followed by b. */
export const shuffle = (a: Code, b: Code, order: readonly number[]): Code => [
  a,
  b,
  ...simd(13),
  ...order,
]
/** Byte i of the result is byte `indices[i]` of the table; each index is below 16. */
export const lookUp = (table: Code, indices: Code): Code => [table, indices, ...simd(0x100)]
/** One byte in all sixteen lanes. */
export const splatByte = (value: number): Code => [i32(value), ...simd(0x0f)]
export const and = (a: Code, b: Code): Code => [a, b, ...simd(0x4e)]
export const xor = (a: Code, b: Code): Code => [a, b, ...simd(0x51)]
export const shl = (a: Code, bits: number): Code => [a, i32(bits), ...simd(0xab)]
export const shr = (a: Code, bits: number): Code => [a, i32(bits), ...simd(0xad)]
export const add = (a: Code, b: Code): Code => [a, b, ...simd(0xae)]

export const call = (f: number, ...values: Code[]): Code => [...values, 0x10, ...unsigned(f)]
export const when = (condition: Code, body: Code): Code => [condition, 0x04, 0x40, body, 0x0b]
/** Runs `body` until `condition`, looked at behind it, is 0. */
export const repeatWhile = (body: Code, condition: Code): Code => [
  ...[0x03, 0x40],
  body,
  condition,
  ...[0x0d, 0, 0x0b],
]
export const copyMemory = (to: Code, from: Code, byteLength: Code): Code => [
  to,
  from,
  byteLength,
  ...[0xfc, 0x0a, 0, 0],
]
export const fillMemory = (to: Code, value: Code, byteLength: Code): Code => [
  to,
  value,
  byteLength,
  ...[0xfc, 0x0b, 0],
]

/** A function with i32 parameters and no result. Its locals are numbered: i32, then v128. */
export interface WasmFunction {
  /** Undefined: not exported. */
  readonly name?: string
  readonly parameterCount: number
  readonly i32Locals: number
  readonly v128Locals: number
  readonly body: Code
}

/** All bytes of a tree, in order. */
function bytesOf(code: Code, into: number[] = []): number[] {
  for (const part of code) {
    if (typeof part === 'number') into.push(part)
    else bytesOf(part, into)
  }
  return into
}

const counted = (items: readonly Code[]): Code => [unsigned(items.length), items]
const sized = (code: Code): Code => {
  const bytes = bytesOf(code)
  return [unsigned(bytes.length), bytes]
}
const named = (text: string): Code => sized([...text].map((c) => c.charCodeAt(0)))
const section = (id: number, items: readonly Code[]): Code => [id, sized(counted(items))]

/** A module with one exported memory and these functions, numbered as given. */
export function assembleModule(pages: number, functions: readonly WasmFunction[]): Uint8Array {
  const types = functions.map(({ parameterCount }) => {
    const parameters = Array.from({ length: parameterCount }, () => [I32])
    return [FUNCTION, counted(parameters), 0]
  })
  const exported = functions.flatMap(({ name }, i) =>
    name === undefined ? [] : [[named(name), 0, unsigned(i)]],
  )
  const bodies = functions.map(({ i32Locals, v128Locals, body }) => {
    const locals = [
      [unsigned(i32Locals), I32],
      [unsigned(v128Locals), V128],
    ]
    return sized([counted(locals), body, 0x0b])
  })
  const indices = functions.map((_, i) => unsigned(i))
  const module = [
    [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    section(1, types),
    section(3, indices),
    section(5, [[0, unsigned(pages)]]),
    section(7, [[named('memory'), 2, 0], ...exported]),
    section(10, bodies),
  ]
  return Uint8Array.from(bytesOf(module))
}
