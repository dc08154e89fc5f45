/**
 * Whether a principal is a member of a trust domain.
 *
 * Part of the trusted base. Rule CE12 of docs/spec/cert.md; decision F27.
 *
 * @module
 */
import type { CapsuleName } from '../bytes/brands.ts'
import { bytesEqual } from '../bytes/bytes.ts'
import { type CertChain, failChain } from './cert-chain.ts'
import { MEMBER_CERT, type MemberRight } from './member-cert.ts'
import { areRightsWithin } from './name-list.ts'
import type { RevocationView } from './revocation.ts'
import { failScope, type VerifiedChain, verifyLinks } from './verify-links.ts'

export interface MemberChainExpectation {
  readonly domain: CapsuleName
  readonly subject: CapsuleName
  readonly right: MemberRight
  /** The second at which the chain is judged. */
  readonly atS: number
  /** Default: revocations are not looked at. */
  readonly revocation?: RevocationView
}

/**
 * Returns if the chain gives `subject` the right in the domain; throws otherwise. Looking up is
 * judged leniently, routing and holding copies strictly.
 *
 * @throws {VerificationError} what `verifyAdChain` throws.
 * @throws {UnavailableError} `REVOCATION_STALE`
 */
export function verifyMemberChain(
  chain: CertChain,
  expected: MemberChainExpectation,
): VerifiedChain {
  const { domain, subject, right, atS, revocation } = expected
  return verifyLinks(chain, {
    format: MEMBER_CERT,
    subject,
    atS,
    strictness: right === 'lookup' ? 'lenient' : 'strict',
    revocation,
    checkWithin(inner, outer) {
      if (!areRightsWithin(inner.rights, outer.rights)) failScope('more rights than were given')
    },
    checkLeaf({ rights }) {
      if (!rights.includes(right)) failScope(`the chain does not give the right to ${right}`)
    },
    checkIssuer({ name, manifest }, isRoot) {
      if (manifest.type === 'capsule') failChain('a capsule cannot issue certificates')
      if (!isRoot) return
      if (manifest.type !== 'domain') failChain('the chain does not end at a domain')
      if (!bytesEqual(name, domain)) failScope('the chain is for another domain')
    },
  })
}
