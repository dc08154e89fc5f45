/**
 * Evidence of equivocation: a file that convicts a writer offline.
 *
 *     84                  array of 4
 *        59 …             signed manifest of the capsule
 *        85 …             head A of m entries
 *        85 …             head B of n entries, n >= m
 *        80 …             path: what B's tree says about its first m entries; empty if m = n
 *
 * Both heads are signed by the writer key of the manifest, for the same branch and epoch. The path
 * leads to B's root, and to a root of the first m entries that is not A's. One history cannot have
 * both heads. Rules EV1-EV9 of docs/spec/evidence.md; decision F22.
 *
 * @module
 */
import type { BranchId, CapsuleName, Hash } from '../bytes/brands.ts'
import { bytesEqual, compareBytes } from '../bytes/bytes.ts'
import { decodeCbor, encodeCbor } from '../cbor/cbor.ts'
import { type Fail, readArray, readBytes, readTuple } from '../cbor/read-value.ts'
import { type Head, headValue, readHead, verifyHead } from '../checkpoint/head.ts'
import type { RoleKey } from '../crypto/role-key.ts'
import { VerificationError } from '../errors.ts'
import {
  EVIDENCE_BYTES_MAX,
  HASH_BYTES,
  MANIFEST_SIGNED_BYTES_MAX,
  PATH_HASHES_MAX,
} from '../limits.ts'
import { manifestKey, openManifest } from '../manifest/manifest.ts'
import { computePathRoots } from '../proof/subtree-path.ts'

/** Two contradictory statements by one writer, not yet verified. */
export interface Equivocation {
  /** Signed manifest of the capsule. */
  readonly manifest: Uint8Array
  /** The head of fewer entries; at equal sizes the one with the smaller root. */
  readonly a: Head
  readonly b: Head
  /** `proveInconsistency` from B's tree; empty if both heads have the same size. */
  readonly path: readonly Hash[]
}

/** Who is convicted of what. */
export interface ProvenEquivocation {
  readonly name: CapsuleName
  readonly owner: RoleKey
  readonly writerKey: RoleKey
  readonly branch: BranchId
  readonly epoch: number
  /** Sizes of the two heads, ascending. */
  readonly sizes: readonly [number, number]
}

/** Manifest, heads or path, and their items. */
const DEPTH_MAX = 2

/**
 * The evidence against whoever signed both heads, in either order. Verifies it first.
 *
 * @throws {VerificationError} `EVIDENCE_INVALID` if it convicts nobody.
 */
export function createEquivocation(
  manifest: Uint8Array,
  heads: readonly [Head, Head],
  path: readonly Hash[] = [],
): Uint8Array {
  const [a, b] = heads.toSorted(compareHeads) as [Head, Head]
  const evidence = encodeEquivocation({ manifest, a, b, path })
  verifyEquivocation(evidence)
  return evidence
}

export function encodeEquivocation({ manifest, a, b, path }: Equivocation): Uint8Array {
  return encodeCbor([manifest, headValue(a), headValue(b), path], DEPTH_MAX)
}

/** @throws {VerificationError} `EVIDENCE_INVALID` for anything but the one spelling of evidence. */
export function decodeEquivocation(bytes: Uint8Array): Equivocation {
  if (bytes.length > EVIDENCE_BYTES_MAX) fail(`evidence has at most ${EVIDENCE_BYTES_MAX} bytes`)
  const value = convicting(() => decodeCbor(bytes, DEPTH_MAX))
  const fields = readTuple(value, 4, 'the evidence', fail)
  const manifest = readBytes(fields[0], undefined, 'the manifest', fail)
  if (manifest.length > MANIFEST_SIGNED_BYTES_MAX) fail('the manifest is too long')
  const path = readArray(fields[3], PATH_HASHES_MAX, 'the path', fail)
  return {
    manifest,
    a: readHead(fields[1], 'head A', fail),
    b: readHead(fields[2], 'head B', fail),
    path: path.map((hash) => readBytes(hash, HASH_BYTES, 'a hash of the path', fail) as Hash),
  }
}

/**
 * Returns who is convicted, or throws: there is no third answer.
 *
 * @throws {VerificationError} `EVIDENCE_INVALID` for any file that does not convict, whatever the
 * reason; `cause` holds the failed verification where there was one.
 */
export function verifyEquivocation(bytes: Uint8Array): ProvenEquivocation {
  const { manifest: signed, a, b, path } = decodeEquivocation(bytes)
  const { name, manifest } = convicting(() => openManifest(signed))
  if (manifest.type !== 'capsule') fail('the manifest is not that of a capsule')
  if (!bytesEqual(a.branch, b.branch)) fail('heads of two branches do not contradict each other')
  if (compareHeads(a, b) >= 0) fail('the heads are equal or in the wrong order')
  const writerKey = manifestKey(manifest, 'writer')
  // Of epoch 0 only: another writer key comes with a certificate that this version cannot read.
  for (const head of [a, b]) convicting(() => verifyHead(name, head, writerKey))
  verifyContradiction(a, b, path)
  return {
    name,
    owner: manifestKey(manifest, 'owner'),
    writerKey,
    branch: a.branch,
    epoch: a.epoch,
    sizes: [a.size, b.size],
  }
}

/** Returns if no tree can have both heads; throws otherwise. They are not equal and in order. */
function verifyContradiction(a: Head, b: Head, path: readonly Hash[]): void {
  if (a.size === b.size) {
    if (path.length > 0) fail('heads of one size contradict each other without a path')
    return
  }
  const range = { start: 0, end: a.size, size: b.size }
  const roots = convicting(() => computePathRoots(range, path))
  if (!bytesEqual(roots.tree, b.root)) fail('the path does not lead to the root of head B')
  if (bytesEqual(roots.subtree, a.root)) fail('the two heads are consistent')
}

/** By size, then by root. */
function compareHeads(a: Head, b: Head): number {
  return a.size - b.size || compareBytes(a.root, b.root)
}

/** Whatever cannot be verified convicts nobody. */
function convicting<TResult>(verify: () => TResult): TResult {
  try {
    return verify()
  } catch (cause) {
    if (!(cause instanceof VerificationError)) throw cause
    const message = `this convicts nobody: ${cause.message}`
    throw new VerificationError('EVIDENCE_INVALID', message, cause.details, { cause })
  }
}

const fail: Fail = (what) => {
  throw new VerificationError('EVIDENCE_INVALID', what)
}
