/**
 * Principals that trust each other, and chains between them, for the tests of certificates.
 *
 *     PERSON (owner of CAPSULE) ── ORGANISATION ── NODE        AdCerts
 *     DOMAIN ── PERSON ── NODE                                 MemberCerts
 *     NODE ── ROUTER ── FAR_ROUTER                             RtCerts
 *
 * @module
 */
import { assert } from '../../assert.ts'
import type { Hash } from '../../bytes/brands.ts'
import { compareBytes } from '../../bytes/bytes.ts'
import type { RoleKey } from '../../crypto/role-key.ts'
import type { Signer } from '../../crypto/signer.ts'
import type { HeadPointer } from '../../entry/pointer.ts'
import { principalOf, type SamplePrincipal } from '../../receipt/testing/sample-capsule.ts'
import { type AdCertBody, signAdCert } from '../ad-cert.ts'
import type { CertChain } from '../cert-chain.ts'
import { type CertTerms, certHash } from '../cert-terms.ts'
import { type MemberCertBody, signMemberCert } from '../member-cert.ts'
import { NEVER_S } from '../permanent-terms.ts'
import { type RtCertBody, signRtCert } from '../rt-cert.ts'
import type { WriterCertBody } from '../writer-cert.ts'

export const CAPSULE: SamplePrincipal = principalOf('capsule', 1)
export const PERSON: SamplePrincipal = principalOf('person', 61, {
  owner: CAPSULE.signers.get('owner') as Signer,
})
export const ORGANISATION: SamplePrincipal = principalOf('organisation', 71)
export const DOMAIN: SamplePrincipal = principalOf('domain', 81)
export const NODE: SamplePrincipal = principalOf('node', 21)
export const ROUTER: SamplePrincipal = principalOf('node', 41)
export const FAR_ROUTER: SamplePrincipal = principalOf('node', 101)

/** In the middle of everything that holds. */
export const NOW_S = 1_767_225_600
export const HOUR_S = 3600

/** The key that a principal's certificates are signed with. */
export function issuingSigner({ signed, signers }: SamplePrincipal): Signer {
  const signer = signers.get(signed.manifest.type === 'node' ? 'identity' : 'owner')
  assert(signer !== undefined, 'every principal has one')
  return signer
}

export function terms(
  issuer: SamplePrincipal,
  subject: SamplePrincipal,
  changes: Partial<CertTerms> = {},
): CertTerms {
  return {
    issuer: issuer.signed.name,
    subject: subject.signed.name,
    parent: null,
    notBeforeS: NOW_S - HOUR_S,
    notAfterS: NOW_S + HOUR_S,
    serial: new Uint8Array(16).fill(9),
    revocation: null,
    stalenessS: 0,
    depth: 0,
    ...changes,
  }
}

/**
 * A chain along `principals`, the root first, each link with what `changes` (the root's first) say
 * and with one depth less than the one before.
 */
function chainOf<TBody extends CertTerms>(
  principals: readonly SamplePrincipal[],
  bodyOf: (terms: CertTerms) => TBody,
  sign: (body: TBody, signer: Signer) => Uint8Array,
  changes: readonly Partial<TBody>[],
): CertChain {
  const certs: Uint8Array[] = []
  for (let i = 0; i + 1 < principals.length; i++) {
    const [issuer, subject] = [principals[i], principals[i + 1]]
    assert(issuer !== undefined && subject !== undefined, 'a link has two ends')
    const before = certs[0]
    const parent = before === undefined ? null : certHash(before)
    const depth = principals.length - 2 - i
    const body = { ...bodyOf(terms(issuer, subject, { parent, depth })), ...changes[i] }
    certs.unshift(sign(body, issuingSigner(issuer)))
  }
  return { certs, manifests: manifestsOf(principals.slice(0, -1)) }
}

/** Signed manifests in the order that a chain wants. */
export function manifestsOf(principals: readonly SamplePrincipal[]): Uint8Array[] {
  return principals
    .map(({ signed }) => signed)
    .toSorted((a, b) => compareBytes(a.name, b.name))
    .map(({ signed }) => signed)
}

export function adChain(
  principals: readonly SamplePrincipal[] = [PERSON, ORGANISATION, NODE],
  ...changes: readonly Partial<AdCertBody>[]
): CertChain {
  const bodyOf = (shared: CertTerms): AdCertBody => {
    return { ...shared, capsules: 'all', rights: ['advertise', 'serve'], domains: 'any' }
  }
  return chainOf(principals, bodyOf, signAdCert, changes)
}

export function memberChain(
  principals: readonly SamplePrincipal[] = [DOMAIN, PERSON, NODE],
  ...changes: readonly Partial<MemberCertBody>[]
): CertChain {
  const bodyOf = (shared: CertTerms): MemberCertBody => {
    return { ...shared, rights: ['lookup', 'mirror', 'route'] }
  }
  return chainOf(principals, bodyOf, signMemberCert, changes)
}

export function rtChain(
  principals: readonly SamplePrincipal[] = [NODE, ROUTER, FAR_ROUTER],
  ...changes: readonly Partial<RtCertBody>[]
): CertChain {
  const bodyOf = (shared: CertTerms): RtCertBody => ({ ...shared, adcert: null })
  return chainOf(principals, bodyOf, signRtCert, changes)
}

/** A change of CAPSULE's writer key at `end`. */
export function writerCertBody(
  end: HeadPointer,
  writerKey: RoleKey,
  parent: Hash | null = null,
): WriterCertBody {
  return { ...terms(PERSON, CAPSULE, { notAfterS: NEVER_S, parent }), end, writerKey }
}
