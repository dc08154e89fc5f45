/**
 * Names and branches as keys of a `Map`: one code unit per byte, so that keys sort as bytes do.
 *
 * Never printed and never stored; for people there are `formatName` and `formatBranch`.
 *
 * @module
 */
import type { BranchId, CapsuleName } from '@longshore/capsule'

export function nameKey(name: CapsuleName): string {
  return String.fromCharCode(...name)
}

/** Unambiguous, because every name has 32 bytes. */
export function branchKey(name: CapsuleName, branch: BranchId): string {
  return String.fromCharCode(...name, ...branch)
}
