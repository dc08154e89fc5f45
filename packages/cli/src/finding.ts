/**
 * Findings: what a verified file, directory or capsule says, in one shape for printing.
 *
 * @module
 */
import {
  bytesEqual,
  type CapsuleName,
  formatName,
  type Hash,
  type RoleKey,
  VerificationError,
  type VerifiedMirror,
  type VerifiedReceipt,
  verifyEquivocation,
  verifyReceipt,
} from '@longshore/capsule'
import type { VerifyReport } from '@longshore/client/node'
import { formatCount } from './text/count.ts'
import { formatPreview } from './text/printable.ts'
import { formatTime } from './text/time.ts'

export interface Finding {
  readonly name: CapsuleName
  readonly owner: RoleKey
  readonly size: number
  /** Null for evidence, which has two. */
  readonly root: Hash | null
  readonly checks: readonly string[]
  /** Of the entry that a receipt proves. */
  readonly index?: number
  /** What a receipt says about who holds the entry. */
  readonly held?: Pick<VerifiedReceipt, 'level' | 'mirrors' | 'leftOut'>
  /** `receipt of entry 1 in a tree of 3`. */
  readonly title: string
  /** Label and text of what else a person wants to see. */
  readonly lines: readonly (readonly [label: string, text: string])[]
}

export function verifyReceiptFile(bytes: Uint8Array, expected: CapsuleName | undefined): Finding {
  const receipt = verifyReceipt(bytes, expected === undefined ? {} : { name: expected })
  const { name, owner, head, index, header, payload, heartbeatS, level, mirrors } = receipt
  const { leftOut } = receipt
  const lines: [string, string][] = [['time', `${formatTime(header.timeUs)}, as the writer claims`]]
  if (heartbeatS !== undefined) lines.push(['heartbeat', formatTime(heartbeatS * 1_000_000)])
  lines.push(['level', level])
  for (const mirror of mirrors) lines.push(['mirror', formatMirror(mirror)])
  lines.push(['payload', payload === undefined ? 'not in this file' : formatPreview(payload)])
  return {
    name,
    owner,
    size: head.size,
    root: head.root,
    checks: ['manifest', 'checkpoint', 'inclusion', ...(payload === undefined ? [] : ['payload'])],
    index,
    held: { level, mirrors, leftOut },
    title: `receipt of entry ${index} in a tree of ${head.size}`,
    lines,
  }
}

/** `bafyrei…, 2026-01-01T00:00:00.000000Z, member of bafyrei…` */
function formatMirror({ name, timeS, domains }: VerifiedMirror): string {
  const member = domains.length === 0 ? '' : `, member of ${domains.map(formatName).join(', ')}`
  return `${formatName(name)}, ${formatTime(timeS * 1_000_000)}${member}`
}

export function verifyEvidenceFile(bytes: Uint8Array, expected: CapsuleName | undefined): Finding {
  const { name, owner, sizes } = verifyEquivocation(bytes)
  checkName(name, expected)
  return {
    name,
    owner,
    size: sizes[1],
    root: null,
    checks: ['manifest', 'heads', 'contradiction'],
    title: `evidence: its writer signed two histories, of ${sizes[0]} and of ${sizes[1]} entries`,
    lines: [],
  }
}

export function describeReport(kind: 'export' | 'capsule', report: VerifyReport): Finding {
  const { name, owner, size, root, checks, absent, erased } = report
  const lines: [string, string][] = []
  if (erased > 0)
    lines.push(['erased', `${formatCount(erased, 'payload')}, as the capsule itself says`])
  if (absent > 0) lines.push(['holes', `${formatCount(absent, 'payload')} not here`])
  const title = `${kind} of ${formatCount(size, 'entry', 'entries')}`
  return { name, owner, size, root, checks, title, lines }
}

/** @throws {VerificationError} `NAME_MISMATCH` */
export function checkName(name: CapsuleName, expected: CapsuleName | undefined): void {
  if (expected === undefined || bytesEqual(name, expected)) return
  const details = { expected: formatName(expected), found: formatName(name) }
  throw new VerificationError('NAME_MISMATCH', 'it is about another capsule', details)
}
