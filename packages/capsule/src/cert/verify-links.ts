/**
 * Whether the links of a chain hold, whatever the certificates are about.
 *
 * Part of the trusted base. No clock: the caller says at which second the chain is judged. What is
 * cheap is checked first, so that bytes of a stranger cost two signatures a link only if
 * everything else about them is right. A chain holds if
 *
 * 1. each certificate names the hash of the next as parent, and the next one's subject as issuer;
 *    the last has no parent;
 * 2. no principal stands in it twice;
 * 3. each certificate lies within the next in time and depth, and in what its kind narrows;
 * 4. the manifests are those of the issuers, and each issuer's key signed its certificate;
 * 5. all of them hold at the second asked for, and none is revoked.
 *
 * Rules CE14 to CE17 of docs/spec/cert.md; decision F27.
 *
 * @module
 */
import type { CapsuleName, Hash } from '../bytes/brands.ts'
import { bytesEqual, compareBytes } from '../bytes/bytes.ts'
import type { RoleKey } from '../crypto/role-key.ts'
import { VerificationError } from '../errors.ts'
import { CHAIN_CERTS_MAX } from '../limits.ts'
import {
  type Manifest,
  manifestKey,
  openManifest,
  type SignedManifest,
} from '../manifest/manifest.ts'
import { type CertChain, failChain } from './cert-chain.ts'
import {
  type CertFormat,
  type CertTerms,
  type ReadCert,
  readCert,
  verifyCertSignature,
} from './cert-terms.ts'
import { checkNotRevoked, type RevocationView, type Strictness } from './revocation.ts'

/** What a chain that holds is worth. */
export interface VerifiedChain {
  /** Last second in which all of its certificates hold. */
  readonly notAfterS: number
  readonly leafHash: Hash
  /** The principal at whom it ends. */
  readonly root: CapsuleName
}

/** What the kinds of chains differ in. */
export interface LinkRules<TBody extends CertTerms> {
  readonly format: CertFormat<TBody>
  readonly subject: CapsuleName
  readonly atS: number
  readonly strictness: Strictness
  readonly revocation: RevocationView | undefined
  /** Throws if `inner` gives more than the certificate that it relies on. */
  checkWithin(inner: TBody, outer: TBody): void
  /** Throws if the leaf does not give what is asked for. */
  checkLeaf(leaf: TBody): void
  /** Throws if a principal like this must not issue; `isRoot` for the last one. */
  checkIssuer(issuer: SignedManifest, isRoot: boolean): void
}

/** What a chain gives is not what is claimed. */
export function failScope(what: string): never {
  throw new VerificationError('CERT_SCOPE', what)
}

export function verifyLinks<TBody extends CertTerms>(
  { certs, manifests }: CertChain,
  rules: LinkRules<TBody>,
): VerifiedChain {
  if (certs.length === 0 || certs.length > CHAIN_CERTS_MAX) {
    failChain(`a chain must have 1 to ${CHAIN_CERTS_MAX} certificates`)
  }
  const links = certs.map((cert) => readCert(rules.format, cert))
  checkLinked(links)
  checkNarrowing(links, rules)
  for (const { body } of links) checkTime(body, rules.atS)
  const issuers = openIssuers(manifests, links)
  for (const [i, link] of links.entries()) {
    const issuer = issuers[i] as SignedManifest
    rules.checkIssuer(issuer, i === links.length - 1)
    verifyCertSignature(rules.format.contentType, link.sign1, issuingKey(issuer.manifest))
  }
  for (const { body } of links) {
    checkNotRevoked(body, rules.revocation, rules.strictness, rules.atS)
  }
  const leaf = links[0] as ReadCert<TBody>
  const root = issuers.at(-1) as SignedManifest
  return { notAfterS: leaf.body.notAfterS, leafHash: leaf.hash, root: root.name }
}

function checkLinked<TBody extends CertTerms>(links: readonly ReadCert<TBody>[]): void {
  for (const [i, { body }] of links.entries()) {
    const next = links[i + 1]
    if (next === undefined) {
      if (body.parent !== null) failChain('the certificate that the last one relies on is missing')
      continue
    }
    if (body.parent === null || !bytesEqual(body.parent, next.hash)) {
      failChain('a certificate does not rely on the next one')
    }
    if (!bytesEqual(body.issuer, next.body.subject)) {
      failChain('a certificate is not by the subject of the next one')
    }
  }
  const names = links.map(({ body }) => body.issuer)
  names.push((links[0] as ReadCert<TBody>).body.subject)
  names.sort(compareBytes)
  if (names.some((name, i) => i > 0 && bytesEqual(name, names[i - 1] as CapsuleName))) {
    failChain('a principal stands in the chain twice')
  }
}

function checkNarrowing<TBody extends CertTerms>(
  links: readonly ReadCert<TBody>[],
  rules: LinkRules<TBody>,
): void {
  for (let i = 1; i < links.length; i++) {
    const inner = (links[i - 1] as ReadCert<TBody>).body
    const outer = (links[i] as ReadCert<TBody>).body
    if (inner.depth >= outer.depth) failScope('more links than a certificate allows')
    if (inner.notBeforeS < outer.notBeforeS || inner.notAfterS > outer.notAfterS) {
      failScope('a certificate holds longer than the one it relies on')
    }
    rules.checkWithin(inner, outer)
  }
  const leaf = (links[0] as ReadCert<TBody>).body
  if (!bytesEqual(leaf.subject, rules.subject)) failScope('the chain is for another subject')
  rules.checkLeaf(leaf)
}

function checkTime({ notBeforeS, notAfterS }: CertTerms, atS: number): void {
  if (atS >= notBeforeS && atS <= notAfterS) return
  const what = atS < notBeforeS ? 'does not hold yet' : 'holds no longer'
  const details = { atS, notBeforeS, notAfterS }
  throw new VerificationError('CERT_EXPIRED', `a certificate ${what}`, details)
}

/** The issuer of each link; the manifests must be theirs, each once, ascending by name. */
function openIssuers(
  manifests: readonly Uint8Array[],
  links: readonly ReadCert<CertTerms>[],
): readonly SignedManifest[] {
  if (manifests.length !== links.length) {
    failChain('a chain must bring the manifest of every issuer and no other')
  }
  const opened = manifests.map((manifest) => openManifest(manifest))
  for (let i = 1; i < opened.length; i++) {
    const [before, { name }] = [opened[i - 1] as SignedManifest, opened[i] as SignedManifest]
    if (compareBytes(before.name, name) >= 0) failChain('the manifests are not sorted by name')
  }
  return links.map(({ body }) => {
    const issuer = opened.find(({ name }) => bytesEqual(name, body.issuer))
    return issuer ?? failChain('the manifest of an issuer is missing')
  })
}

/** Nodes sign with the key that is on them, everybody else with the key that is kept away (F1). */
function issuingKey(manifest: Manifest): RoleKey {
  return manifestKey(manifest, manifest.type === 'node' ? 'identity' : 'owner')
}
