/**
 * Why a name may be routed to a node: the certificates from the capsule's owner to the node that
 * serves it, and from that node to the router that carries the route.
 *
 * The router that installs a route and everybody who resolves the name judge the same bytes with
 * the same function. Rules OV10 to OV14 of docs/spec/overlay.md; invariant I5 of the architecture.
 *
 * @module
 */
import {
  bytesEqual,
  type CapsuleName,
  CHAIN_CERTS_MAX,
  certHash,
  decodeCertChain,
  decodeRtCert,
  type Hash,
  isLongshoreError,
  type MemberChainExpectation,
  type SignedManifest,
  VerificationError,
  verifyAdChain,
  verifyMemberChain,
  verifyRtChain,
} from '@longshore/capsule'
import type { MembershipClaim, RouteGroup } from './control-frame.ts'

/** The part of a group that its names share; verified. */
export interface Carriage {
  /** The node that serves. */
  readonly server: CapsuleName
  /** From this node over all routers to the server. */
  readonly path: readonly CapsuleName[]
  /** How many further RtCerts may follow. */
  readonly depth: number
  readonly chain: Uint8Array | null
  readonly membership: MembershipClaim | null
  readonly rtCerts: readonly Uint8Array[]
  readonly rtManifests: readonly Uint8Array[]
  /** First and last second in which the RtCerts hold; no limits where there are none. */
  readonly notBeforeS: number
  readonly notAfterS: number
  /** Domain of which the server is a proven member. */
  readonly domain: CapsuleName | undefined
  /** Last second in which that membership holds. */
  readonly domainNotAfterS: number
}

/** What shows that one name may be routed. */
export interface Evidence {
  /** The same object for all names of a group. */
  readonly carriage: Carriage
  readonly signedManifest: Uint8Array
}

/** A name for which everything holds. */
export interface ProvenName {
  readonly carriage: Carriage
  readonly capsule: SignedManifest
  /** Last second in which all of it holds. */
  readonly expiresS: number
  readonly costUs: number
}

/**
 * The shared part of a group that `neighbor` gave to `self`.
 *
 * @throws {VerificationError} `CERT_CHAIN`, `CERT_SCOPE`, `CERT_EXPIRED`, `CERT_INVALID`
 */
export function verifyCarriage(
  { chain, membership, rtCerts, rtManifests }: RouteGroup,
  neighbor: CapsuleName,
  self: CapsuleName,
  atS: number,
): Carriage {
  const [leaf, root] = [rtCerts[0], rtCerts.at(-1)]
  if (leaf === undefined || root === undefined) {
    throw new VerificationError('CERT_CHAIN', 'nobody lets this node carry the route')
  }
  // The one who lets us carry it is the one who speaks.
  const { issuer, depth, notBeforeS } = decodeRtCert(leaf)
  if (!bytesEqual(issuer, neighbor)) {
    throw new VerificationError('CERT_SCOPE', 'the route leads over another neighbor')
  }
  const server = decodeRtCert(root).issuer
  const adcert = chain === null ? null : leafHash(chain)
  const expected = { first: server, adcert, router: self, atS }
  const { notAfterS } = verifyRtChain(rtCerts, rtManifests, expected)
  const path = [self, ...rtCerts.map((cert) => decodeRtCert(cert).issuer)]
  const parts = { chain, membership, rtCerts, rtManifests }
  const proven = provenDomain(membership, server, atS)
  return { ...parts, server, path, depth, notBeforeS, notAfterS, ...proven }
}

/** What this node serves itself needs no RtCert. */
export function ownCarriage(
  self: CapsuleName,
  chain: Uint8Array | null,
  membership: MembershipClaim | null,
  atS: number,
): Carriage {
  const times = { notBeforeS: 0, notAfterS: Number.MAX_SAFE_INTEGER }
  const parts = { chain, membership, rtCerts: [], rtManifests: [] }
  const proven = provenDomain(membership, self, atS)
  return { ...parts, server: self, path: [self], depth: CHAIN_CERTS_MAX, ...times, ...proven }
}

/**
 * One name of a group whose shared part holds.
 *
 * @throws {VerificationError} the codes of `verifyAdChain`.
 */
export function verifyName(
  carriage: Carriage,
  capsule: SignedManifest,
  costUs: number,
  atS: number,
): ProvenName {
  const expiresS = verifyRight(carriage, capsule, 'advertise', atS)
  return { carriage, capsule, expiresS, costUs }
}

/**
 * Last second in which the server holds the right.
 *
 * @throws {VerificationError} if it does not.
 */
export function verifyRight(
  { server, chain, notAfterS, domain, domainNotAfterS }: Carriage,
  capsule: SignedManifest,
  right: 'advertise' | 'serve',
  atS: number,
): number {
  if (chain === null) {
    // Its own name: whoever issued the first RtCert with that manifest's key is that principal.
    if (!bytesEqual(capsule.name, server)) {
      throw new VerificationError('CERT_CHAIN', 'without certificates a node serves its own name')
    }
    return notAfterS
  }
  const domains = domain === undefined ? [] : [domain]
  const expected = { capsule, subject: server, right, atS, domains }
  const verified = verifyAdChain(decodeCertChain(chain), expected)
  return Math.min(notAfterS, domainNotAfterS, verified.notAfterS)
}

/** Names the certificate by which a node routes a name; null for its own name without any. */
export function evidenceHash({ rtCerts, chain }: Carriage): Hash | null {
  const leaf = rtCerts[0]
  if (leaf !== undefined) return certHash(leaf)
  return chain === null ? null : leafHash(chain)
}

function leafHash(chain: Uint8Array): Hash {
  return certHash(decodeCertChain(chain).certs[0] as Uint8Array)
}

/** A membership that does not hold counts as none: certificates that need it refuse then. */
function provenDomain(
  membership: MembershipClaim | null,
  subject: CapsuleName,
  atS: number,
): Pick<Carriage, 'domain' | 'domainNotAfterS'> {
  const none = { domain: undefined, domainNotAfterS: Number.MAX_SAFE_INTEGER }
  if (membership === null) return none
  const { domain, chain } = membership
  const expected: MemberChainExpectation = { domain, subject, right: 'mirror', atS }
  try {
    const { notAfterS } = verifyMemberChain(decodeCertChain(chain), expected)
    return { domain, domainNotAfterS: notAfterS }
  } catch (error) {
    if (!isLongshoreError(error)) throw error
    return none
  }
}

/** Of what the names of a group share. */
export function carriageBytes(shared: Omit<RouteGroup, 'names'>): number {
  const { chain, membership, rtCerts, rtManifests } = shared
  let byteLength = (chain?.length ?? 0) + (membership?.chain.length ?? 0)
  for (const part of [...rtCerts, ...rtManifests]) byteLength += part.length
  return byteLength
}
