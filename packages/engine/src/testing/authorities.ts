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
import type { Membership } from '../overlay/overlay-events.ts'
import type { Prng } from './prng.ts'
import { EPOCH_US } from './sim-runtime.ts'

/** A person, an organisation or a domain. */
export interface Authority {
  readonly manifest: SignedManifest
  readonly signer: Signer
}

export interface OwnedCapsule {
  readonly signed: SignedManifest
  readonly owner: Authority
  readonly writer: Signer
}

const OPEN_POLICY: Policy = { carry: 'any', copies: 1, exclude: [], hold: 'any', read: 'any' }
const EPOCH_S = EPOCH_US / 1_000_000
/** Certificates hold from a month before the world begins to a month after. */
const MONTH_S = 30 * 86_400

export function createAuthority(
  prng: Prng,
  type: PrincipalType,
  signer: Signer = createSigner(prng.bytes(SEED_BYTES)),
): Authority {
  return { manifest: signManifest(manifest(prng, type, [key('owner', signer)]), signer), signer }
}

/** A capsule of this owner, public and without limits unless `policy` says so. */
export function createOwnedCapsule(
  prng: Prng,
  owner: Authority,
  policy: Partial<Policy> = {},
): OwnedCapsule {
  const writer = createSigner(prng.bytes(SEED_BYTES))
  const keys = [key('owner', owner.signer), key('writer', writer)]
  const body = manifest(prng, 'capsule', keys, { ...OPEN_POLICY, ...policy })
  return { signed: signManifest(body, owner.signer), owner, writer }
}

/** The owner lets a node serve and advertise all of its capsules. */
export function createAdChain(
  prng: Prng,
  owner: Authority,
  subject: CapsuleName,
  changes: Partial<Parameters<typeof signAdCert>[0]> = {},
): CertChain {
  const rights = ['advertise', 'serve'] as const
  const body = { ...common(prng, owner, subject), capsules: 'all' as const, rights }
  const cert = signAdCert({ ...body, domains: 'any', ...changes }, owner.signer)
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
