/**
 * Whether a router may carry what a node advertises: RtCerts lead from the router to that node.
 *
 * Part of the trusted base. Each router on the way lets the next one carry the route further, for
 * 24 hours at most. Rule CE13 of docs/spec/cert.md; decision F27.
 *
 * @module
 */
import type { CapsuleName, Hash } from '../bytes/brands.ts'
import { bytesEqual } from '../bytes/bytes.ts'
import { failChain } from './cert-chain.ts'
import type { RevocationView } from './revocation.ts'
import { RT_CERT } from './rt-cert.ts'
import { failScope, type VerifiedChain, verifyLinks } from './verify-links.ts'

export interface RtChainExpectation {
  /** The serving node: issuer of the last certificate. */
  readonly first: CapsuleName
  /** `leafHash` of the AdCert chain; null for a route to the serving node's own name. */
  readonly adcert: Hash | null
  /** The router that claims to carry: subject of the leaf. */
  readonly router: CapsuleName
  /** The second at which the chain is judged. */
  readonly atS: number
  /** Default: nothing is known of any. */
  readonly revocation?: RevocationView
}

/**
 * Returns if the chain leads from the serving node to the router; throws otherwise.
 *
 * @param certs The leaf first.
 * @param manifests Of the serving node and every router but the last, ascending by name.
 * @throws {VerificationError} what `verifyAdChain` throws.
 * @throws {UnavailableError} `REVOCATION_STALE`
 */
export function verifyRtChain(
  certs: readonly Uint8Array[],
  manifests: readonly Uint8Array[],
  expected: RtChainExpectation,
): VerifiedChain {
  const { first, adcert, router, atS, revocation } = expected
  return verifyLinks(
    { certs, manifests },
    {
      format: RT_CERT,
      subject: router,
      atS,
      strictness: 'strict',
      revocation,
      checkWithin(inner, outer) {
        if (!isSameAdCert(inner.adcert, outer.adcert)) failScope('links about different AdCerts')
      },
      checkLeaf(leaf) {
        if (!isSameAdCert(leaf.adcert, adcert)) failScope('the chain is about another AdCert')
      },
      checkIssuer({ name, manifest }, isRoot) {
        if (manifest.type !== 'node') failChain(`a ${manifest.type} cannot issue RtCerts`)
        if (isRoot && !bytesEqual(name, first)) failChain('the chain ends at another node')
      },
    },
  )
}

function isSameAdCert(a: Hash | null, b: Hash | null): boolean {
  return a === null || b === null ? a === b : bytesEqual(a, b)
}
