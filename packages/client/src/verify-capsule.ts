/**
 * `capsule.verify()`: reads everything that this home has of a capsule, and believes none of it.
 *
 * Rules HM37-HM38 of docs/spec/home.md.
 *
 * @module
 */
import { EMPTY_ROOT, manifestKey, openManifest, UnavailableError } from '@longshore/capsule'
import { RangeSet, type StoreReader } from '@longshore/engine'
import type { VerifyReport } from './capsule.ts'
import type { CapsuleHandle } from './capsule-handle.ts'
import { checkNotAborted } from './commit-signal.ts'
import { HeaderAudit } from './header-audit.ts'
import { VerifiedBranch } from './verified-branch.ts'

/** Entries between two turns of the event loop: about a millisecond. */
const CHUNK_COUNT = 512

export interface VerifyContext {
  readonly reader: StoreReader
  /** Lets the event loop have its turn. */
  turn(): Promise<void>
  readonly signal: AbortSignal | undefined
}

/**
 * Starts from nothing: neither tiles nor head that were verified before are believed.
 *
 * @throws {VerificationError} the code of what does not hold
 * @throws {UnavailableError} `STORE_CORRUPT`, `ABORTED`
 */
export async function verifyCapsule(
  { name, branch, text, signedManifest }: CapsuleHandle,
  { reader, turn, signal }: VerifyContext,
): Promise<VerifyReport> {
  const { manifest } = openManifest(signedManifest, name)
  const report = { kind: 'capsule' as const, name, text, owner: manifestKey(manifest, 'owner') }
  const verified = new VerifiedBranch(reader, name, branch, manifestKey(manifest, 'writer'))
  verified.advance()
  const { head, size } = verified
  if (head === undefined) {
    const counts = { size, present: 0, absent: 0, erased: 0 }
    return { ...report, ...counts, root: EMPTY_ROOT, checks: ['manifest'] }
  }
  const audit = new HeaderAudit(branch)
  const missing = new RangeSet()
  for (let start = 0; start < size; start += CHUNK_COUNT) {
    checkNotAborted(signal)
    const range = { start, end: Math.min(size, start + CHUNK_COUNT) }
    for (const { index, header, body } of verified.scanStored(range)) {
      audit.add(header)
      if (body === undefined) missing.add(index, index + 1)
    }
    await turn()
  }
  const stillHere = missing.firstMissing(audit.erased)
  if (stillHere !== undefined) {
    const message = 'an erased payload is still in the store'
    throw new UnavailableError('STORE_CORRUPT', message, { index: stillHere })
  }
  // Every erased payload is missing, so the erased ones are a part of the missing ones.
  const erased = audit.erased.count
  return {
    ...report,
    size,
    root: head.root,
    checks: ['manifest', 'checkpoint', 'tree', 'headers', 'payloads', 'erasures'],
    present: size - missing.count,
    absent: missing.count - erased,
    erased,
  }
}
