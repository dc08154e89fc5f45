/**
 * Names and branches as keys of a `Map`, and bytes as strings: one code unit per byte, so that they
 * sort as bytes do.
 *
 * Never printed and never stored; for people there are `formatName` and `formatBranch`.
 *
 * @module
 */
import { type BranchId, type CapsuleName, HASH_BYTES } from '@longshore/capsule'

/** Arguments of one call. */
const PACKED_AT_ONCE = 4096
/** The bytes in work. Made anew from a typed array, a list costs ten times as much. */
const codes: number[] = new Array(HASH_BYTES).fill(0)

export function nameKey(name: CapsuleName): string {
  for (let i = 0; i < HASH_BYTES; i++) codes[i] = name[i] as number
  return String.fromCharCode.apply(undefined, codes)
}

/** The name that has this key. */
export function nameOfKey(key: string): CapsuleName {
  return unpackBytes(key) as CapsuleName
}

/** Bytes that are kept in great numbers: a string takes a fraction of the memory of an array. */
export function packBytes(bytes: Uint8Array): string {
  let packed = ''
  for (let at = 0; at < bytes.length; at += PACKED_AT_ONCE) {
    packed += String.fromCharCode(...bytes.subarray(at, at + PACKED_AT_ONCE))
  }
  return packed
}

export function unpackBytes(packed: string): Uint8Array {
  const bytes = new Uint8Array(packed.length)
  for (let i = 0; i < packed.length; i++) bytes[i] = packed.charCodeAt(i)
  return bytes
}

/** Unambiguous, because every name has 32 bytes. */
export function branchKey(name: CapsuleName, branch: BranchId): string {
  return branch.length === 0 ? nameKey(name) : nameKey(name) + String.fromCharCode(...branch)
}
