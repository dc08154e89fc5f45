/**
 * Certificates that a home makes by itself: an owner lets a node hold and serve a capsule, or lets
 * its own node read. Rules NW15 and NW16 of docs/spec/network.md; decision F27.
 *
 * @module
 */
import {
  type AdRight,
  type CapsuleName,
  type CertChain,
  certHash,
  compareBytes,
  decodeCertChain,
  decodeMemberCert,
  encodeCertChain,
  openManifest,
  type SignedManifest,
  type Signer,
  signAdCert,
  signMemberCert,
} from '@longshore/capsule'
import type { Runtime } from '@longshore/engine'

type Chance = Pick<Runtime, 'nowUs' | 'randomBytes'>

/** An owner, and the key that its certificates are signed with. */
export interface Owner {
  readonly person: SignedManifest
  readonly signer: Signer
}

/** Clocks of two machines may differ by so much; then a new certificate already holds. */
const BEFORE_S = 120
const DAY_S = 86_400
/** Default life of a grant: nothing but its end takes it back. */
export const GRANT_S: number = 90 * DAY_S
/** An ephemeral node may read as long as a process is expected to live. */
const READ_S: number = 30 * DAY_S
const SERIAL_BYTES = 16
/** As many as a mirror looks at. */
const SHOWN_MAX = 8

export interface GrantTerms {
  readonly capsule: CapsuleName
  readonly node: CapsuleName
  readonly rights: readonly AdRight[]
  /** Last second in which it holds. */
  readonly notAfterS: number
}

/** Lets a node do this with one capsule. It cannot be passed on. */
export function createGrant(
  { person, signer }: Owner,
  { capsule, node, rights, notAfterS }: GrantTerms,
  runtime: Chance,
): CertChain {
  const nowS = Math.floor(runtime.nowUs() / 1_000_000)
  const body = {
    issuer: person.name,
    subject: node,
    parent: null,
    notBeforeS: Math.min(nowS - BEFORE_S, notAfterS),
    notAfterS,
    serial: runtime.randomBytes(SERIAL_BYTES),
    revocation: null,
    stalenessS: 0,
    depth: 0,
    capsules: [capsule],
    rights: [...rights].sort(),
    domains: 'any' as const,
  }
  return { certs: [signAdCert(body, signer)], manifests: [person.signed] }
}

/** Everything that lets a node of the owner's read, encoded; `domains` are chains as below. */
export function createReadMemberships(
  owner: Owner,
  node: CapsuleName,
  runtime: Chance,
  domains: readonly Uint8Array[],
): Uint8Array[] {
  const shown = [undefined, ...domains].slice(0, SHOWN_MAX)
  return shown.map((domain) => encodeCertChain(createReadMembership(owner, node, runtime, domain)))
}

/**
 * Lets a node of the owner's read: what the owner itself owns, and, with `domain`, what members
 * of that domain may read. `domain` is the encoded chain by which it admits the owner.
 */
function createReadMembership(
  { person, signer }: Owner,
  node: CapsuleName,
  runtime: Chance,
  domain?: Uint8Array,
): CertChain {
  const above = domain === undefined ? undefined : decodeCertChain(domain)
  const parent = above?.certs[0]
  const terms = parent === undefined ? undefined : decodeMemberCert(parent)
  const nowS = Math.floor(runtime.nowUs() / 1_000_000)
  const body = {
    issuer: person.name,
    subject: node,
    parent: parent === undefined ? null : certHash(parent),
    notBeforeS: Math.max(nowS - BEFORE_S, terms?.notBeforeS ?? 0),
    notAfterS: Math.min(nowS + READ_S, terms?.notAfterS ?? Number.MAX_SAFE_INTEGER),
    serial: runtime.randomBytes(SERIAL_BYTES),
    revocation: null,
    stalenessS: 0,
    depth: 0,
    rights: ['read' as const],
  }
  const manifests = [
    { name: person.name, signed: person.signed },
    ...(above?.manifests ?? []).map((signed) => openManifest(signed)),
  ]
  manifests.sort((a, b) => compareBytes(a.name, b.name))
  return {
    certs: [signMemberCert(body, signer), ...(above?.certs ?? [])],
    manifests: manifests.map(({ signed }) => signed),
  }
}
