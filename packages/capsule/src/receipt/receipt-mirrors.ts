/**
 * Mirrors that count: nodes whose cosignature is on a receipt's checkpoint and whose chains lead
 * to the capsule's owner.
 *
 *     certs of a cosigner = [AdCert chain, MemberCert chain, …]     each in its encoding (CE14)
 *
 * Chains are judged at the second in the cosignature. What does not hold makes the receipt say
 * less, never fail: certificates end, the entry does not. Rules RC5, RC10, RC13 and RC14 of
 * docs/spec/receipt.md; decisions F17, F18 and F25.
 *
 * @module
 */
import type { CapsuleName } from '../bytes/brands.ts'
import { bytesEqual, compareBytes } from '../bytes/bytes.ts'
import { type CertChain, decodeCertChain, encodeCertChain } from '../cert/cert-chain.ts'
import { decodeMemberCert } from '../cert/member-cert.ts'
import { verifyAdChain } from '../cert/verify-ad-chain.ts'
import { verifyMemberChain } from '../cert/verify-member-chain.ts'
import { type Cosignature, cosignatureLine } from '../checkpoint/node-cosignature.ts'
import type { NoteSignature } from '../checkpoint/note.ts'
import { UnavailableError, VerificationError } from '../errors.ts'
import { manifestKey, openManifest, type SignedManifest } from '../manifest/manifest.ts'
import { mayHold } from '../manifest/policy.ts'
import type { ReceiptCosigner } from './receipt-extra.ts'

/** A node whose cosignature counts. */
export interface VerifiedMirror {
  /** Name of the node. */
  readonly name: CapsuleName
  /** Trust domains of which it is shown to be a member, ascending. */
  readonly domains: readonly CapsuleName[]
  /** When it stated that it holds the head durably, seconds since 1970. */
  readonly timeS: number
}

/** `stored`: the writer's signature alone. `replicated:k`: and k mirrors that count. */
export type ReceiptLevel = 'stored' | `replicated:${number}`

/** What a mirror gives for a receipt. */
export interface MirrorCosignature {
  /** Signed manifest of the node. */
  readonly manifest: Uint8Array
  readonly cosignature: Cosignature
  /** Lets it serve the capsule. */
  readonly adChain: CertChain
  /** Show its membership in trust domains with the right `mirror`. */
  readonly memberChains: readonly CertChain[]
}

export function levelOf(mirrors: readonly VerifiedMirror[]): ReceiptLevel {
  return mirrors.length === 0 ? 'stored' : `replicated:${mirrors.length}`
}

/** A mirror as a line on the checkpoint and a cosigner in the extra. */
export function mirrorParts(mirror: MirrorCosignature): {
  readonly line: NoteSignature
  readonly cosigner: ReceiptCosigner
} {
  const { name, manifest } = openManifest(mirror.manifest)
  const key = manifestKey(manifest, 'mirror')
  return {
    line: cosignatureLine(name, 'mirror', mirror.cosignature, key),
    cosigner: {
      manifest: mirror.manifest,
      certs: [mirror.adChain, ...mirror.memberChains].map(encodeCertChain),
    },
  }
}

/** A part of a receipt that does not hold: without it the receipt says less. */
export interface LeftOut {
  /** Name of the node that it is about. */
  readonly name: CapsuleName
  /** `mirror`: the node does not count as one. `membership`: it is not shown to be in a domain. */
  readonly part: 'membership' | 'mirror'
  readonly error: VerificationError | UnavailableError
}

/** A mirror, or undefined if its right is not shown, and what did not hold. */
export interface MirrorJudgement {
  readonly mirror: VerifiedMirror | undefined
  readonly leftOut: readonly LeftOut[]
}

/** What a node with these chains is. Its cosignature has been verified. */
export function judgeMirror(
  capsule: SignedManifest,
  { name }: SignedManifest,
  certs: readonly Uint8Array[],
  timeS: number,
): MirrorJudgement {
  const [ad, ...members] = certs
  const leftOut: LeftOut[] = []
  const domains = members
    .flatMap((chain) => {
      const found = attempt(() => memberOf(decodeCertChain(chain), name, timeS))
      if (!(found instanceof VerificationError)) return [found]
      leftOut.push({ name, part: 'membership', error: found })
      return []
    })
    .toSorted(compareBytes)
    .filter((domain, i, all) => i === 0 || !bytesEqual(domain, all[i - 1] as CapsuleName))
  const error = whyNot(capsule, ad, { subject: name, atS: timeS, domains })
  if (error === undefined) return { mirror: { name, domains, timeS }, leftOut }
  return { mirror: undefined, leftOut: [{ name, part: 'mirror', error }, ...leftOut] }
}

interface Holder {
  readonly subject: CapsuleName
  readonly atS: number
  readonly domains: readonly CapsuleName[]
}

/** Why the node does not count; undefined if it does. */
function whyNot(
  capsule: SignedManifest,
  chain: Uint8Array | undefined,
  holder: Holder,
): LeftOut['error'] | undefined {
  if (chain === undefined) {
    return new VerificationError('CERT_CHAIN', 'no chain shows its right to serve the capsule')
  }
  const expected = { capsule, right: 'serve', ...holder } as const
  const verified = attempt(() => verifyAdChain(decodeCertChain(chain), expected))
  if (verified instanceof VerificationError) return verified
  if (mayHold(capsule.manifest.policy, holder.domains)) return undefined
  const message = 'the policy of the capsule wants no copy in the domains that it shows'
  return new UnavailableError('POLICY_REFUSED', message)
}

/** The domain that the chain shows `subject` to hold copies for. */
function memberOf(chain: CertChain, subject: CapsuleName, atS: number): CapsuleName {
  const domain = decodeMemberCert(chain.certs.at(-1) as Uint8Array).issuer
  return verifyMemberChain(chain, { domain, subject, right: 'mirror', atS }).root
}

/** What `verify` returns, or why what it was shown does not hold. */
function attempt<TResult>(verify: () => TResult): TResult | VerificationError {
  try {
    return verify()
  } catch (error) {
    if (error instanceof VerificationError) return error
    throw error
  }
}
