/**
 * Admitting a principal to a trust domain: the domain's owner key signs a MemberCert.
 *
 * It changes nothing in the home, so any process of its user may do it. Rule HM61 of
 * docs/spec/home.md.
 *
 * @module
 */
import {
  CERT_SERIAL_BYTES,
  formatMembership,
  formatName,
  type MemberRight,
  openManifest,
  signMemberCert,
  UnavailableError,
  UsageError,
} from '@longshore/capsule'
import type { Runtime, StoreReader } from '@longshore/engine'
import type { AdmitOptions } from '../../home.ts'
import type { KeyStore } from './key-store.ts'

/** What nodes need for their work; who reads is another question. */
const DEFAULT_RIGHTS: readonly MemberRight[] = ['lookup', 'mirror', 'route']
/** The member's clock may be behind. */
const BACKDATED_S = 300

export function admitToDomain(
  store: StoreReader,
  keys: KeyStore,
  runtime: Runtime,
  { domain, subject, rights = DEFAULT_RIGHTS, notAfterS }: AdmitOptions,
): string {
  const details = { name: formatName(domain), type: 'domain' }
  const signed = store.manifest(domain)
  if (signed === undefined) {
    throw new UnavailableError('NOT_FOUND', 'this home does not know the domain', details)
  }
  const opened = openManifest(signed, domain)
  if (opened.manifest.type !== 'domain') {
    throw new UsageError('USAGE', 'this name is not that of a domain', details)
  }
  const nowS = Math.floor(runtime.nowUs() / 1_000_000)
  if (notAfterS <= nowS) {
    throw new UsageError('TIME_INVALID', 'the membership would have ended already', { notAfterS })
  }
  const cert = signMemberCert(
    {
      issuer: domain,
      subject,
      parent: null,
      notBeforeS: nowS - BACKDATED_S,
      notAfterS,
      serial: runtime.randomBytes(CERT_SERIAL_BYTES),
      revocation: null,
      stalenessS: 0,
      // Who reads does so by nodes of its own: it lets them.
      depth: rights.includes('read') ? 1 : 0,
      rights: rights.toSorted(),
    },
    keys.ownerSigner(opened),
  )
  return formatMembership({ certs: [cert], manifests: [signed] })
}
