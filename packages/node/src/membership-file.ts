/**
 * The membership of a node in its trust domain: one line in the file `membership` of its data
 * directory, as `longshore domain admit` prints it.
 *
 * Verified before it is kept and again when it is read: time passes, and directories are copied.
 * Rules ND15 and ND16 of docs/spec/node.md.
 *
 * @module
 */
import fs from 'node:fs'
import { join } from 'node:path'
import {
  bytesEqual,
  type CapsuleName,
  formatName,
  type MemberRight,
  parseMembership,
  UsageError,
  VerificationError,
  verifyMemberChain,
} from '@longshore/capsule'
import { readRegularFile } from '@longshore/client/node'
import type { Membership } from '@longshore/engine'
import type { NodeRole } from './node-settings.ts'

const FILE = 'membership'
/** The longest chain as a word is half of it. */
const FILE_BYTES_MAX = 524_288

/** A membership that holds now. */
export interface HeldMembership extends Membership {
  /** Last second in which it does. */
  readonly notAfterS: number
}

/**
 * What the text says about `node`, if all of it holds.
 *
 * @throws {UsageError} `MEMBERSHIP_INVALID`
 * @throws {VerificationError} `CERT_SCOPE` for another node, or without a right that a role of this
 * one needs; `CERT_EXPIRED` and whatever else a chain can lack.
 */
export function openMembership(
  text: string,
  node: CapsuleName,
  roles: readonly NodeRole[],
  atS: number,
): HeldMembership {
  const { domain, subject, chain } = parseMembership(text.trim())
  if (!bytesEqual(subject, node)) {
    const message = 'the membership is that of another node'
    throw new VerificationError('CERT_SCOPE', message, { subject: formatName(subject) })
  }
  let notAfterS = Number.MAX_SAFE_INTEGER
  for (const right of neededRights(roles)) {
    const verified = verifyMemberChain(chain, { domain, subject, right, atS })
    notAfterS = Math.min(notAfterS, verified.notAfterS)
  }
  return { name: domain, chain, notAfterS }
}

function neededRights(roles: readonly NodeRole[]): MemberRight[] {
  const rights: MemberRight[] = [roles.includes('router') ? 'route' : 'lookup']
  if (roles.includes('mirror')) rights.push('mirror')
  return rights
}

/**
 * The text in the file; undefined if there is none.
 *
 * @throws {UsageError} `MEMBERSHIP_INVALID` if it is no file, or cannot be read
 */
export function readMembershipFile(data: string): string | undefined {
  try {
    return Buffer.from(readRegularFile(join(data, FILE), FILE_BYTES_MAX)).toString()
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new UsageError('MEMBERSHIP_INVALID', 'its file cannot be read', { file: FILE }, { cause })
  }
}

/** Replaces the file in one step. */
export function writeMembershipFile(data: string, text: string): void {
  const path = join(data, FILE)
  fs.writeFileSync(`${path}.new`, `${text.trim()}\n`, { mode: 0o600, flush: true })
  fs.renameSync(`${path}.new`, path)
}
