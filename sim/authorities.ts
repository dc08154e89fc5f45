/**
 * Persons, domains and capsules of a world, and the certificates between them.
 *
 * @module
 */
import {
  type CapsuleName,
  type CertChain,
  createSigner,
  type KeyUse,
  type Manifest,
  type ManifestKey,
  type MemberRight,
  type Policy,
  type PrincipalType,
  SEED_BYTES,
  type SignedManifest,
  type Signer,
  signAdCert,
  signManifest,
  signMemberCert,
} from '@longshore/capsule'
import type { Membership } from '@longshore/engine'
import { EPOCH_US, type Prng } from '@longshore/engine/testing'

/** A person, an organisation or a domain. */
export interface Authority {
  readonly manifest: SignedManifest
  readonly signer: Signer
}

export interface Capsule {
  readonly signed: SignedManifest
  readonly owner: Authority
  readonly writer: Signer
}

const OPEN_POLICY: Policy = { carry: 'any', copies: 1, exclude: [], hold: 'any', read: 'any' }
const EPOCH_S = EPOCH_US / 1_000_000
/** Certificates hold from a month before the world begins to a month after. */
const MONTH_S = 30 * 86_400

export function createAuthority(prng: Prng, type: PrincipalType): Authority {
  const signer = createSigner(prng.bytes(SEED_BYTES))
  return { manifest: signManifest(manifest(prng, type, [key('owner', signer)]), signer), signer }
}

/** A capsule of this owner, public and without limits unless `policy` says so. */
export function createCapsule(prng: Prng, owner: Authority, policy: Partial<Policy> = {}): Capsule {
  const writer = createSigner(prng.bytes(SEED_BYTES))
  const keys = [key('owner', owner.signer), key('writer', writer)]
  const body = manifest(prng, 'capsule', keys, { ...OPEN_POLICY, ...policy })
  return { signed: signManifest(body, owner.signer), owner, writer }
}

/** The owner lets a node serve and advertise all of its capsules. */
export function createAdChain(prng: Prng, owner: Authority, subject: CapsuleName): CertChain {
  const rights = ['advertise', 'serve'] as const
  const body = { ...common(prng, owner, subject), capsules: 'all' as const, rights }
  const cert = signAdCert({ ...body, domains: 'any' }, owner.signer)
  return { certs: [cert], manifests: [owner.manifest.signed] }
}

const NODE_RIGHTS: readonly MemberRight[] = ['lookup', 'mirror', 'route']

export function createMembership(
  prng: Prng,
  domain: Authority,
  node: CapsuleName,
  rights: readonly MemberRight[] = NODE_RIGHTS,
): Membership {
  const cert = signMemberCert({ ...common(prng, domain, node), rights }, domain.signer)
  const chain = { certs: [cert], manifests: [domain.manifest.signed] }
  return { name: domain.manifest.name, chain }
}

function common(prng: Prng, issuer: Authority, subject: CapsuleName) {
  return {
    ...{ issuer: issuer.manifest.name, subject, parent: null, depth: 0 },
    ...{ notBeforeS: EPOCH_S - MONTH_S, notAfterS: EPOCH_S + MONTH_S },
    ...{ serial: prng.bytes(16), revocation: null, stalenessS: 0 },
  }
}

function key(use: KeyUse, { publicKey }: Signer): ManifestKey {
  return { alg: 'ed25519', key: publicKey, use }
}

function manifest(
  prng: Prng,
  type: PrincipalType,
  keys: readonly ManifestKey[],
  policy: Policy = OPEN_POLICY,
): Manifest {
  return {
    ...{ type, version: 1, mode: 'strict', nonce: prng.bytes(16), timeUs: 0, keys, policy },
    ...{ blind: false, authority: null, labels: {}, crit: [], ext: new Map() },
  }
}
