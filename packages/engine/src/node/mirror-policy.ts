/**
 * Which capsules a mirror takes on: those whose owner lets it, where the capsule's policy allows
 * copies, as long as there is room. Rule ND8 of docs/spec/node.md; invariant I5.
 *
 * @module
 */
import {
  type CapsuleName,
  decodeCertChain,
  mayHold,
  type SignedManifest,
  UnavailableError,
  verifyAdChain,
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
    mayRead: (capsule: SignedManifest, _peer: SessionPeer) =>
      capsule.manifest.policy.read === 'any',
    bytesFree,
  }
}
