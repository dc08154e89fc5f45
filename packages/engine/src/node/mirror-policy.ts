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
  decodeAdCert,
  decodeCertChain,
  decodeMemberCert,
  isLongshoreError,
  manifestKey,
  mayHold,
  openManifest,
  roleKeysEqual,
  type SignedManifest,
  UnavailableError,
  VerificationError,
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
  const nowS = (): number => Math.floor(runtime.nowUs() / 1_000_000)
  return {
    checkOffer(capsule: SignedManifest, chain: Uint8Array): void {
      checkServe(capsule, chain, { subject: self, domains: options.domains(), atS: nowS() })
    },
    isOwnChain(chain: Uint8Array): boolean {
      const [leaf] = decodeCertChain(chain).certs
      return leaf !== undefined && bytesEqual(decodeAdCert(leaf).subject, self)
    },
    mayRead(capsule: SignedManifest, { name: subject, chains = [] }: SessionPeer): boolean {
      if (capsule.manifest.policy.read === 'any') return true
      if (subject === undefined) return false
      const atS = nowS()
      if (chains.some((chain) => letsRead(capsule, chain, subject, atS))) return true
      const domains = chains.flatMap((chain) => domainsShown(chain, subject, atS))
      return chains.some((chain) =>
        holds(() => checkServe(capsule, chain, { subject, domains, atS })),
      )
    },
    bytesFree,
  }
}

/** A node that may hold copies of a capsule, by the domains of which it is a member. */
interface Holder {
  readonly subject: CapsuleName
  readonly domains: readonly CapsuleName[]
  readonly atS: number
}

/** Returns if the owner lets the node serve the capsule, and its policy wants copies there. */
function checkServe(capsule: SignedManifest, chain: Uint8Array, holder: Holder): void {
  verifyAdChain(decodeCertChain(chain), { capsule, right: 'serve', ...holder })
  if (mayHold(capsule.manifest.policy, holder.domains)) return
  const message = 'the policy of the capsule wants no copy in the domain of this mirror'
  throw new UnavailableError('POLICY_REFUSED', message)
}

/** The chain shows that the peer may read for the owner, or in a domain that the policy names. */
function letsRead(
  capsule: SignedManifest,
  bytes: Uint8Array,
  subject: CapsuleName,
  atS: number,
): boolean {
  const { read } = capsule.manifest.policy
  if (read === 'any') return true
  return holds(() => {
    const chain = decodeCertChain(bytes)
    const domain = decodeMemberCert(chain.certs.at(-1) as Uint8Array).issuer
    verifyMemberChain(chain, { domain, subject, right: 'read', atS })
    if (read.some((name) => bytesEqual(name, domain))) return
    const root = chain.manifests
      .map((manifest) => openManifest(manifest))
      .find(({ name }) => bytesEqual(name, domain))
    const owner = manifestKey(capsule.manifest, 'owner')
    if (root !== undefined && roleKeysEqual(manifestKey(root.manifest, 'owner'), owner)) return
    throw new VerificationError('CERT_SCOPE', 'the chain lets nobody read this capsule')
  })
}

/** The domain in which the chain lets the peer hold copies; none if it does not. */
function domainsShown(bytes: Uint8Array, subject: CapsuleName, atS: number): CapsuleName[] {
  const found: CapsuleName[] = []
  holds(() => {
    const chain = decodeCertChain(bytes)
    const domain = decodeMemberCert(chain.certs.at(-1) as Uint8Array).issuer
    verifyMemberChain(chain, { domain, subject, right: 'mirror', atS })
    found.push(domain)
  })
  return found
}

/** What does not hold lets nobody in. */
function holds(verify: () => void): boolean {
  try {
    verify()
    return true
  } catch (error) {
    if (isLongshoreError(error)) return false
    throw error
  }
}
