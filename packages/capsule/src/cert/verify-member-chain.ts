/**
 * Whether a principal is a member of a trust domain.
 *
 * Part of the trusted base. Rule CE12 of docs/spec/cert.md; decision F27.
 *
 * @module
 */
import type { CapsuleName } from '../bytes/brands.ts'
import { bytesEqual } from '../bytes/bytes.ts'
import type { PrincipalType } from '../manifest/manifest-keys.ts'
import { type CertChain, failChain } from './cert-chain.ts'
import { MEMBER_CERT, type MemberRight } from './member-cert.ts'
import { areRightsWithin } from './name-list.ts'
import type { RevocationView } from './revocation.ts'
import { failScope, type VerifiedChain, verifyLinks } from './verify-links.ts'

export interface MemberChainExpectation {
  /** Who admits: a domain; for the right `read` also the owner of what is to be read. */
  readonly domain: CapsuleName
  readonly subject: CapsuleName
  readonly right: MemberRight
  /** The second at which the chain is judged. */
  readonly atS: number
  /** Default: nothing is known of any. */
  readonly revocation?: RevocationView
}

const ROOTS: readonly PrincipalType[] = ['domain']
/** A person has no mirrors and routers of its own, but may let others see what it owns. */
const READ_ROOTS: readonly PrincipalType[] = ['domain', 'organisation', 'person']

/**
 * Returns if the chain gives `subject` the right in the domain; throws otherwise. Looking up is
 * judged leniently, routing, reading and holding copies strictly.
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
      const roots = right === 'read' ? READ_ROOTS : ROOTS
      if (!roots.includes(manifest.type)) failChain('the chain does not end at a domain')
      if (!bytesEqual(name, domain)) failScope('the chain is for another domain')
    },
  })
}
