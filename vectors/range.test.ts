/**
 * Ranges of entries, package by package, against vectors/range.json.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  asHash,
  concatBytes,
  decodePackage,
  hashLeaf,
  packageRanges,
  VerificationError,
  verifyPackage,
} from '@longshore/capsule'
import { bytesOf, checkCases, hexOf, readVectors } from './read-vectors.ts'
import { assertRefused } from './refusals.ts'

interface RangeFields {
  readonly start: number
  readonly end: number
  readonly root: string
  readonly prior: readonly string[]
  readonly packages: readonly string[]
}

/** What a receiver does: verify each package at its place, and want no more of them. */
function receiveRange({ start, end, root, prior, packages }: RangeFields): Uint8Array[] {
  const left = packages.map(bytesOf)
  const headers: Uint8Array[] = []
  let known = concatBytes(...prior.map(bytesOf))
  for (const range of packageRanges(start, end)) {
    const target = { ...range, size: end, root: asHash(bytesOf(root)) }
    headers.push(...verifyPackage(target, left.shift() ?? new Uint8Array(0), known).headers)
    // Every package but the first begins a tile.
    known = new Uint8Array(0)
  }
  if (left.length > 0) throw new VerificationError('PACKAGE_INVALID', 'a package too many')
  return headers
}

test('PK2 PK4: a range travels as one sequence of packages, and no other is accepted', () => {
  checkCases(readVectors<RangeFields>('range'), (vector) => {
    if (!vector.valid) return assertRefused(vector, () => receiveRange(vector))
    const { start, end, packages } = vector
    const headers = receiveRange(vector)
    assert.equal(headers.length, end - start)
    assert.deepEqual(
      [...packageRanges(start, end)].map((range) => range.end - range.start),
      packages.map((bytes, at) => countOf(bytesOf(bytes), vector, at)),
    )
    assert.equal(new Set(headers.map((header) => hexOf(hashLeaf(header)))).size, end - start)
  })
})

/** How many entries package `at` holds: the one number with which it is well-formed. */
function countOf(bytes: Uint8Array, { id }: { id: string }, at: number): number {
  for (let count = 1; count <= 256; count++) {
    try {
      return decodePackage(bytes, count).headers.length
    } catch (error) {
      if (!(error instanceof VerificationError)) throw error
    }
  }
  return assert.fail(`package ${at} of ${id} is none`)
}
