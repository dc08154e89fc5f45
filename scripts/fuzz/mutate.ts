/**
 * Small damage to valid bytes: what a bad disk, a bad peer or a clever attacker does.
 *
 * @module
 */
import type { Prng } from '@longshore/engine/testing'

/** Values at which lengths, counts and signs go wrong. */
const EDGE_BYTES = [0x00, 0x01, 0x17, 0x18, 0x1b, 0x1f, 0x20, 0x3b, 0x40, 0x58, 0x5f, 0x7f]
const MORE_EDGE_BYTES = [0x80, 0x9f, 0xa0, 0xbf, 0xc0, 0xd2, 0xf4, 0xf6, 0xf9, 0xfb, 0xfe, 0xff]
const EDGES = [...EDGE_BYTES, ...MORE_EDGE_BYTES]

/** For formats that are text. */
const CHARACTERS = '\n\r\t =+/-_0189azAZbB\u0000\u2014'
const STEPS_MAX = 4
const RUN_BYTES_MAX = 40

type Step = (bytes: Uint8Array, prng: Prng, others: readonly Uint8Array[]) => Uint8Array

/** `bytes` with 1 to 4 changes; never the same array. `others` lend pieces of themselves. */
export function mutate(bytes: Uint8Array, prng: Prng, others: readonly Uint8Array[]): Uint8Array {
  let mutant: Uint8Array = bytes.slice()
  for (let steps = prng.between(1, STEPS_MAX); steps > 0; steps--) {
    mutant = prng.pick(STEPS)(mutant, prng, others)
  }
  return mutant
}

const flipBit: Step = (bytes, prng) => {
  if (bytes.length === 0) return bytes
  const at = prng.below(bytes.length)
  bytes[at] = (bytes[at] ?? 0) ^ (1 << prng.below(8))
  return bytes
}

const setByte: Step = (bytes, prng) => {
  if (bytes.length > 0) bytes[prng.below(bytes.length)] = prng.pick(EDGES)
  return bytes
}

const addOne: Step = (bytes, prng) => {
  if (bytes.length === 0) return bytes
  const at = prng.below(bytes.length)
  bytes[at] = (bytes[at] ?? 0) + (prng.chance(0.5) ? 1 : 255)
  return bytes
}

const insert: Step = (bytes, prng) => {
  const at = prng.below(bytes.length + 1)
  const character = new TextEncoder().encode(CHARACTERS.charAt(prng.below(CHARACTERS.length)))
  const added = prng.chance(0.5) ? character : Uint8Array.of(prng.pick(EDGES))
  return splice(bytes, at, at, added)
}

const remove: Step = (bytes, prng) => {
  const [start, end] = range(bytes, prng)
  return splice(bytes, start, end, new Uint8Array(0))
}

const repeat: Step = (bytes, prng) => {
  const [start, end] = range(bytes, prng)
  return splice(bytes, end, end, bytes.slice(start, end))
}

const truncate: Step = (bytes, prng) => bytes.slice(0, prng.below(bytes.length + 1))

const extend: Step = (bytes, prng) =>
  splice(bytes, bytes.length, bytes.length, prng.bytes(prng.between(1, RUN_BYTES_MAX)))

/** A piece of another valid sample in place of one of this: wrong, but well-formed in itself. */
const borrow: Step = (bytes, prng, others) => {
  const other = prng.pick(others)
  const [from, to] = range(other, prng)
  const [start, end] = range(bytes, prng)
  return splice(bytes, start, end, other.subarray(from, to))
}

const overwrite: Step = (bytes, prng) => {
  const [start, end] = range(bytes, prng)
  return splice(bytes, start, end, prng.bytes(end - start))
}

const STEPS: readonly Step[] = [
  ...[flipBit, flipBit, setByte, setByte, addOne, insert, remove, repeat, truncate, extend],
  ...[borrow, overwrite],
]

function range(bytes: Uint8Array, prng: Prng): [start: number, end: number] {
  const start = prng.below(bytes.length + 1)
  return [start, Math.min(bytes.length, start + prng.between(1, RUN_BYTES_MAX))]
}

function splice(bytes: Uint8Array, start: number, end: number, added: Uint8Array): Uint8Array {
  const out = new Uint8Array(bytes.length - (end - start) + added.length)
  out.set(bytes.subarray(0, start))
  out.set(added, start)
  out.set(bytes.subarray(end), start + added.length)
  return out
}
