/**
 * `capsule.verify()`: reads everything that this home has of a capsule, and believes none of it.
 *
 * Rules HM37-HM38 of docs/spec/home.md.
 *
 * @module
 */
import {
  EMPTY_ROOT,
  manifestKey,
  openBody,
  openManifest,
  UnavailableError,
  verifyHead,
} from '@longshore/capsule'
import type { StoredEntry, StoreReader } from '@longshore/engine'
import type { VerifyReport } from './capsule.ts'
import type { CapsuleHandle } from './capsule-handle.ts'
import { checkNotAborted } from './commit-signal.ts'
import { HeaderAudit } from './header-audit.ts'
import { RangeSet } from './range-set.ts'

/** Entries between two turns of the event loop: about a millisecond. */
const CHUNK_COUNT = 512

export interface VerifyContext {
  readonly reader: StoreReader
  /** Lets the event loop have its turn. */
  turn(): Promise<void>
  readonly signal: AbortSignal | undefined
}

export async function verifyCapsule(
  capsule: CapsuleHandle,
  context: VerifyContext,
): Promise<VerifyReport> {
  const { name, branch, text } = capsule
  const { manifest } = openManifest(capsule.signedManifest, name)
  const { head } = capsule.verified
  const report = { kind: 'capsule' as const, name, text, owner: manifestKey(manifest, 'owner') }
  const checks = ['manifest']
  if (head === undefined) {
    return { ...report, size: 0, root: EMPTY_ROOT, checks, present: 0, absent: 0, erased: 0 }
  }
  verifyHead(name, head, manifestKey(manifest, 'writer'))
  checks.push('checkpoint')

  const audit = new HeaderAudit(branch)
  const missing = new RangeSet()
  for (let start = 0; start < head.size; start += CHUNK_COUNT) {
    checkNotAborted(context.signal)
    const range = { start, end: Math.min(head.size, start + CHUNK_COUNT) }
    for (const stored of context.reader.scan(name, branch, range)) {
      if (!isPayloadHere(audit, stored)) missing.add(stored.index, stored.index + 1)
    }
    await context.turn()
  }
  audit.finish(head)
  const stillHere = missing.firstMissing(audit.erased)
  if (stillHere !== undefined) {
    const message = 'an erased payload is still in the store'
    throw new UnavailableError('STORE_CORRUPT', message, { index: stillHere })
  }
  checks.push('tree', 'headers', 'payloads', 'erasures')
  // Every erased payload is missing, so the erased ones are a part of the missing ones.
  const erased = audit.erased.count
  const absent = missing.count - erased
  const present = head.size - missing.count
  return { ...report, size: head.size, root: head.root, checks, present, absent, erased }
}

function isPayloadHere(audit: HeaderAudit, stored: StoredEntry): boolean {
  const header = audit.add(stored.header)
  if (stored.body === undefined) return false
  openBody(header, stored.body)
  return true
}
