/**
 * Whether the copy of a known mirror counts towards `replicated` (F17): the owner lets it serve
 * the capsule, and its domains are among those that the policy names.
 *
 * Rule NW17 of docs/spec/network.md.
 *
 * @module
 */
import {
  type CapsuleName,
  decodeCertChain,
  decodeMemberCert,
  isLongshoreError,
  type LongshoreError,
  mayHold,
  type SignedManifest,
  UnavailableError,
  verifyAdChain,
  verifyMemberChain,
} from '@longshore/capsule'
import type { KnownMirror } from './address-book.ts'

export interface MirrorStanding {
  /** Of which it has shown to be a member. */
  readonly domains: readonly CapsuleName[]
  /** Why its copy does not count; undefined if it does. */
  readonly problem: LongshoreError | undefined
}

export function judgeKnownMirror(
  capsule: SignedManifest,
  { name, chain, memberships }: KnownMirror,
  atS: number,
): MirrorStanding {
  const domains = memberships.flatMap((membership) => domainOf(membership, name, atS))
  try {
    const expected = { capsule, subject: name, right: 'serve', atS, domains } as const
    verifyAdChain(decodeCertChain(chain), expected)
    if (mayHold(capsule.manifest.policy, domains)) return { domains, problem: undefined }
    const message = 'the policy of the capsule wants no copy in the domain of this mirror'
    return { domains, problem: new UnavailableError('POLICY_REFUSED', message) }
  } catch (error) {
    if (!isLongshoreError(error)) throw error
    return { domains, problem: error }
  }
}

/** None if the chain does not show that the node holds copies for a domain. */
function domainOf(bytes: Uint8Array, subject: CapsuleName, atS: number): CapsuleName[] {
  try {
    const chain = decodeCertChain(bytes)
    const domain = decodeMemberCert(chain.certs.at(-1) as Uint8Array).issuer
    return [verifyMemberChain(chain, { domain, subject, right: 'mirror', atS }).root]
  } catch (error) {
    if (isLongshoreError(error)) return []
    throw error
  }
}
