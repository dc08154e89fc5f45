/**
 * Which capsules a mirror takes on: those whose owner lets it, where the capsule's policy allows
 * copies, as long as there is room; and to whom it shows them. Rule ND8 of docs/spec/node.md and
 * MI15 of docs/spec/mirror.md; invariant I5.
 *
 * @module
 */
import {
  bytesEqual,
  type CapsuleName,
  decodeCertChain,
  decodeMemberCert,
  isLongshoreError,
  manifestKey,
  mayHold,
  openManifest,
  roleKeysEqual,
  type SignedManifest,
  UnavailableError,
  verifyAdChain,
  verifyMemberChain,
} from '@longshore/capsule'
import type { MirrorPolicy, SessionPeer } from '../replica/mirror-contract.ts'
import type { Runtime } from '../runtime/runtime.ts'

export interface MirrorPolicyOptions {
  readonly self: CapsuleName
  /** Domains of which this node can prove now that it is a member. */
  readonly domains: () => readonly CapsuleName[]
  readonly runtime: Runtime
  /** By quota and by free space on the disk. */
  readonly bytesFree: () => number
}

export function createMirrorPolicy(options: MirrorPolicyOptions): MirrorPolicy {
  const { self, runtime, bytesFree } = options
  return {
    checkOffer(capsule: SignedManifest, chain: Uint8Array): void {
      const domains = options.domains()
      const atS = Math.floor(runtime.nowUs() / 1_000_000)
      const expected = { capsule, subject: self, right: 'serve', atS, domains } as const
      verifyAdChain(decodeCertChain(chain), expected)
      if (mayHold(capsule.manifest.policy, domains)) return
      const message = 'the policy of the capsule wants no copy in the domain of this mirror'
      throw new UnavailableError('POLICY_REFUSED', message)
    },
    mayRead(capsule: SignedManifest, peer: SessionPeer): boolean {
      const { read } = capsule.manifest.policy
      if (read === 'any') return true
      const atS = Math.floor(runtime.nowUs() / 1_000_000)
      return (peer.chains ?? []).some((chain) => letsRead(capsule, peer, chain, atS))
    },
    bytesFree,
  }
}

/** The chain shows that the peer may read for the owner, or in a domain that the policy names. */
function letsRead(
  capsule: SignedManifest,
  { name: subject }: SessionPeer,
  bytes: Uint8Array,
  atS: number,
): boolean {
  const { read } = capsule.manifest.policy
  if (subject === undefined || read === 'any') return false
  try {
    const chain = decodeCertChain(bytes)
    const domain = decodeMemberCert(chain.certs.at(-1) as Uint8Array).issuer
    verifyMemberChain(chain, { domain, subject, right: 'read', atS })
    if (read.some((name) => bytesEqual(name, domain))) return true
    const root = chain.manifests
      .map((manifest) => openManifest(manifest))
      .find(({ name }) => bytesEqual(name, domain))
    const owner = manifestKey(capsule.manifest, 'owner')
    return root !== undefined && roleKeysEqual(manifestKey(root.manifest, 'owner'), owner)
  } catch (error) {
    // What does not hold lets nobody in.
    if (isLongshoreError(error)) return false
    throw error
  }
}
