/**
 * Whether a node may serve or advertise a capsule: its AdCerts lead to the capsule's owner.
 *
 * Part of the trusted base. Rules CE9 to CE11 of docs/spec/cert.md; decision F27.
 *
 * @module
 */
import type { CapsuleName } from '../bytes/brands.ts'
import { roleKeysEqual } from '../crypto/role-key.ts'
import { manifestKey, type SignedManifest } from '../manifest/manifest.ts'
import type { PrincipalType } from '../manifest/manifest-keys.ts'
import { AD_CERT, type AdCertBody, type AdRight } from './ad-cert.ts'
import { type CertChain, failChain } from './cert-chain.ts'
import { areRightsWithin, isNameListWithin, listHasName } from './name-list.ts'
import type { RevocationView } from './revocation.ts'
import { failScope, type VerifiedChain, verifyLinks } from './verify-links.ts'

export interface AdChainExpectation {
  /** Opened manifest of the capsule. */
  readonly capsule: SignedManifest
  /** The node that claims the right. */
  readonly subject: CapsuleName
  readonly right: AdRight
  /** The second at which the chain is judged. */
  readonly atS: number
  /** Of which the subject is a proven member (`verifyMemberChain`). Default: of none. */
  readonly domains?: readonly CapsuleName[]
  /** Default: nothing is known of any. */
  readonly revocation?: RevocationView
}

const ROOTS: readonly PrincipalType[] = ['domain', 'organisation', 'person']
const DELEGATES: readonly PrincipalType[] = ['domain', 'node', 'organisation']

/**
 * Returns if the chain gives `subject` the right for the capsule; throws otherwise. Advertising is
 * judged strictly, serving leniently: a reader verifies every byte anyway.
 *
 * Whether the capsule's policy wants copies there is not asked: `mayHold` says that.
 *
 * @throws {VerificationError} `CERT_INVALID`, `CERT_EXPIRED`, `CERT_SCOPE`, `CERT_CHAIN`,
 * `CERT_REVOKED` or `BAD_SIGNATURE`, and the codes of `openManifest` for the issuers' manifests.
 * @throws {UnavailableError} `REVOCATION_STALE`
 */
export function verifyAdChain(chain: CertChain, expected: AdChainExpectation): VerifiedChain {
  const { capsule, subject, right, atS, domains = [], revocation } = expected
  if (capsule.manifest.type !== 'capsule') failScope('AdCerts are for capsules only')
  const owner = manifestKey(capsule.manifest, 'owner')
  return verifyLinks(chain, {
    format: AD_CERT,
    subject,
    atS,
    strictness: right === 'advertise' ? 'strict' : 'lenient',
    revocation,
    checkWithin,
    checkLeaf(leaf) {
      if (!leaf.rights.includes(right)) failScope(`the chain does not give the right to ${right}`)
      if (!listHasName(leaf.capsules, capsule.name)) failScope('the chain is for other capsules')
      if (leaf.domains !== 'any' && !domains.some((name) => listHasName(leaf.domains, name))) {
        failScope('the chain is for members of other domains')
      }
    },
    checkIssuer({ manifest }, isRoot) {
      if (!(isRoot ? ROOTS : DELEGATES).includes(manifest.type)) {
        failChain(`a ${manifest.type} cannot issue this certificate`)
      }
      if (isRoot && !roleKeysEqual(manifestKey(manifest, 'owner'), owner)) {
        failChain("the chain does not end at the capsule's owner")
      }
    },
  })
}

function checkWithin(inner: AdCertBody, outer: AdCertBody): void {
  if (!areRightsWithin(inner.rights, outer.rights)) failScope('more rights than were given')
  if (!isNameListWithin(inner.capsules, outer.capsules)) failScope('more capsules than were given')
  if (!isNameListWithin(inner.domains, outer.domains)) failScope('more domains than were given')
}
